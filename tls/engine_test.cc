#include "tls/engine.h"

#include <atomic>
#include <chrono>
#include <thread>

#include <gtest/gtest.h>

#include "base/status.h"
#include "tests/testlib/test_certs.h"
#include "tls/ciphers.h"
#include "tls/engine_pair.h"

namespace noded::tls {
namespace {

using base::ReasonOf;
using testlib::CertFiles;
using testlib::TestCerts;

std::string Text(const absl::Status& status) { return std::string(status.message()); }

#define EXPECT_IN(part, text) EXPECT_NE((text).find(part), std::string::npos) << (text)

TEST(EngineTest, ConnectsInBothVersionsInAnyCutAndSaysWithWhom) {
  TestCerts certs;
  const CertFiles a = certs.Node("a@a.example"), b = certs.Node("b@b.example");
  for (Version version : {Version::kTls12, Version::kTls13}) {
    for (size_t step : {SIZE_MAX, size_t{1}, size_t{7}}) {
      Options server = Mutual(certs, b, Role::kServer), client = Mutual(certs, a, Role::kClient);
      Only(client, version);
      Pair pair(server, client);
      Carry(pair.client, pair.server, step);
      ASSERT_TRUE(pair.client.info) << pair.client.error;
      ASSERT_TRUE(pair.server.info) << pair.server.error;
      EXPECT_EQ(pair.client.info->version, version);
      EXPECT_EQ(pair.client.info->cipher_suite, pair.server.info->cipher_suite);
      EXPECT_NE(pair.client.info->cipher_suite, "");
      EXPECT_EQ(pair.server.info->server_name, kHost);
      ASSERT_TRUE(pair.client.info->peer && pair.server.info->peer);
      EXPECT_EQ(pair.client.info->peer->dns_names, std::vector<std::string>{"b.example"});
      EXPECT_EQ(pair.server.info->peer->dns_names, std::vector<std::string>{"a.example"});
      EXPECT_TRUE(pair.client.info->is_peer_verified && pair.server.info->is_peer_verified);

      const std::string big(100'000, 'x');
      Send(pair.client, "hello");
      Send(pair.server, big);
      Carry(pair.client, pair.server, step);
      EXPECT_EQ(pair.server.received, "hello");
      EXPECT_EQ(pair.client.received, big);

      pair.client.engine.Close();
      Carry(pair.client, pair.server, step);
      EXPECT_TRUE(pair.server.is_closed);
      Send(pair.server, "late");
      pair.server.engine.Close();
      Carry(pair.client, pair.server, step);
      EXPECT_EQ(pair.client.received, big + "late");
      EXPECT_TRUE(pair.client.is_closed);
      EXPECT_TRUE(pair.client.error.ok() && pair.server.error.ok());
    }
  }
}

// A connection that must fail: `refuser` finds the fault, the other side learns it from the alert.
struct Refusal {
  absl::Status found;
  absl::Status told;
};

Refusal Refused(Pair& pair, bool by_server) {
  Carry(pair.client, pair.server);
  return by_server ? Refusal{pair.server.error, pair.client.error}
                   : Refusal{pair.client.error, pair.server.error};
}

class RefusalTest : public testing::TestWithParam<Version> {
 protected:
  Options Server(const CertFiles& files) {
    Options options = Mutual(certs_, files, Role::kServer);
    Only(options, GetParam());
    return options;
  }
  Options Client(const CertFiles& files) {
    Options options = Mutual(certs_, files, Role::kClient);
    Only(options, GetParam());
    return options;
  }

  TestCerts certs_;
  CertFiles a_ = certs_.Node("a@a.example");
  CertFiles b_ = certs_.Node("b@b.example");
};

INSTANTIATE_TEST_SUITE_P(Versions, RefusalTest, testing::Values(Version::kTls12, Version::kTls13),
                         [](const auto& info) {
                           return info.param == Version::kTls12 ? "Tls12" : "Tls13";
                         });

TEST_P(RefusalTest, RefusesAnUntrustedCertificateOnEitherSide) {
  for (bool by_server : {false, true}) {
    Pair pair(Server(by_server ? b_ : certs_.Untrusted("b@b.example")),
              Client(by_server ? certs_.Untrusted("a@a.example") : a_));
    const Refusal refusal = Refused(pair, by_server);
    EXPECT_EQ(refusal.found.code(), absl::StatusCode::kUnauthenticated);
    EXPECT_EQ(ReasonOf(refusal.found), "unknown_ca");
    EXPECT_IN(certs_.ca(), Text(refusal.found));
    EXPECT_EQ(ReasonOf(refusal.told), "unknown_ca") << refusal.told;
    EXPECT_EQ(refusal.told.code(), absl::StatusCode::kUnauthenticated);
    EXPECT_NE(base::MendOf(refusal.found), "");
    EXPECT_NE(base::MendOf(refusal.told), "");
  }
}

TEST_P(RefusalTest, RefusesAnExpiredCertificateAndNamesTheDate) {
  for (bool by_server : {false, true}) {
    Pair pair(Server(by_server ? b_ : certs_.Expired("b@b.example")),
              Client(by_server ? certs_.Expired("a@a.example") : a_));
    const Refusal refusal = Refused(pair, by_server);
    EXPECT_EQ(ReasonOf(refusal.found), "certificate_expired");
    EXPECT_IN("expired on 20", Text(refusal.found));
    EXPECT_IN(by_server ? "a.example" : "b.example", Text(refusal.found));
    EXPECT_EQ(ReasonOf(refusal.told), "certificate_expired");
  }
}

TEST_P(RefusalTest, RefusesACertificateThatIsNotYetValid) {
  Pair pair(Server(certs_.NotYetValid("b@b.example")), Client(a_));
  const Refusal refusal = Refused(pair, false);
  EXPECT_EQ(ReasonOf(refusal.found), "certificate_expired");
  EXPECT_IN("valid only from", Text(refusal.found));
}

TEST_P(RefusalTest, RefusesACertificateOfAnotherHostAndSaysWhichItHas) {
  Pair pair(Server(b_), Client(a_), "c.example");
  const Refusal refusal = Refused(pair, false);
  EXPECT_EQ(ReasonOf(refusal.found), "handshake_failure");
  EXPECT_IN("DNS:b.example", Text(refusal.found));
  EXPECT_IN("expected c.example", Text(refusal.found));
  EXPECT_EQ(ReasonOf(refusal.told), "handshake_failure");
}

TEST_P(RefusalTest, RefusesAClientWithoutACertificateWhereOneIsRequired) {
  Options client = Client(a_);
  client.identity = {};
  Pair pair(Server(b_), client);
  const Refusal refusal = Refused(pair, true);
  const char* alert = GetParam() == Version::kTls13 ? "certificate_required" : "handshake_failure";
  EXPECT_EQ(ReasonOf(refusal.found), alert);
  EXPECT_IN("sent no certificate", Text(refusal.found));
  EXPECT_EQ(ReasonOf(refusal.told), alert);
}

TEST_P(RefusalTest, LetsAClientInUnnamedWhereNoneIsRequiredButNotWithABadOne) {
  Options server = Server(b_);
  server.trust.fail_if_no_peer_cert = false;
  Options client = Client(a_);
  client.identity = {};
  Pair unnamed(server, client);
  Carry(unnamed.client, unnamed.server);
  ASSERT_TRUE(unnamed.server.info) << unnamed.server.error;
  EXPECT_FALSE(unnamed.server.info->peer);
  EXPECT_FALSE(unnamed.server.info->is_peer_verified);

  Pair named(server, Client(a_));
  Carry(named.client, named.server);
  ASSERT_TRUE(named.server.info) << named.server.error;
  EXPECT_TRUE(named.server.info->is_peer_verified);

  Pair bad(server, Client(certs_.Untrusted("a@a.example")));
  EXPECT_EQ(ReasonOf(Refused(bad, true).found), "unknown_ca");
}

TEST_P(RefusalTest, CountsIntermediatesAgainstDepth) {
  for (auto [depth, length, is_good] :
       {std::tuple(0, 0, true), {0, 1, false}, {1, 1, true}, {1, 2, false}, {10, 3, true}}) {
    Options client = Client(a_);
    client.trust.depth = depth;
    Pair pair(Server(certs_.Chained("b@b.example", length)), client);
    Carry(pair.client, pair.server);
    EXPECT_EQ(pair.client.error.ok(), is_good) << depth << " " << length << pair.client.error;
    if (is_good) continue;
    EXPECT_EQ(ReasonOf(pair.client.error), "bad_certificate");
    EXPECT_IN("client_depth", Text(pair.client.error));
    EXPECT_EQ(ReasonOf(pair.server.error), "bad_certificate");
  }
}

TEST_P(RefusalTest, RefusesAChainWithoutItsIntermediates) {
  Pair pair(Server(certs_.Chained("b@b.example", 1, false)), Client(a_));
  const Refusal refusal = Refused(pair, false);
  EXPECT_EQ(ReasonOf(refusal.found), "unknown_ca");
  EXPECT_IN("intermediate", base::MendOf(refusal.found));
}

TEST_P(RefusalTest, VerifyNoneAcceptsAll) {
  Options server = Server(certs_.Untrusted("b@b.example"));
  server.trust = {};
  server.trust.verify = Verify::kNone;
  Options client = Client(certs_.Expired("a@a.example"));
  client.trust = server.trust;
  Pair pair(server, client, "elsewhere.example");
  Carry(pair.client, pair.server);
  ASSERT_TRUE(pair.client.info && pair.server.info) << pair.client.error << pair.server.error;
  EXPECT_TRUE(pair.client.info->peer);
  EXPECT_FALSE(pair.client.info->is_peer_verified);
}

TEST_P(RefusalTest, LetsTheServersNameBeGivenOrNotChecked) {
  Options given = Client(a_);
  given.trust.name_check = NameCheck::kGiven;
  given.trust.server_name = "b.example";
  Pair pair(Server(b_), given, "10.0.0.1");
  Carry(pair.client, pair.server);
  ASSERT_TRUE(pair.server.info) << pair.client.error;
  EXPECT_EQ(pair.server.info->server_name, "b.example");

  Options disabled = Client(a_);
  disabled.trust.name_check = NameCheck::kDisabled;
  Pair unchecked(Server(b_), disabled, "c.example");
  Carry(unchecked.client, unchecked.server);
  ASSERT_TRUE(unchecked.server.info) << unchecked.client.error;
  EXPECT_EQ(unchecked.server.info->server_name, "");
}

TEST_P(RefusalTest, ChecksLiteralAddressesAgainstIpEntriesAndSendsNoName) {
  for (const char* host : {"127.0.0.1", "::1"}) {
    Pair pair(Server(certs_.WithHosts("node", {host})), Client(a_), host);
    Carry(pair.client, pair.server);
    ASSERT_TRUE(pair.server.info) << pair.client.error;
    EXPECT_EQ(pair.server.info->server_name, "");
    Pair other(Server(certs_.WithHosts("node", {"127.0.0.2"})), Client(a_), host);
    EXPECT_EQ(ReasonOf(Refused(other, false).found), "handshake_failure");
  }
}

TEST_P(RefusalTest, AgreesOnAnApplicationProtocolOrSaysThatThereIsNone) {
  Options server = Server(b_), client = Client(a_);
  server.alpn.protocols = {"erl", "h2"};
  client.alpn.protocols = {"h2", "erl"};
  Pair pair(server, client);
  Carry(pair.client, pair.server);
  ASSERT_TRUE(pair.client.info && pair.server.info) << pair.client.error;
  EXPECT_EQ(pair.client.info->alpn, "erl");
  EXPECT_EQ(pair.server.info->alpn, "erl");

  client.alpn.protocols = {"http/1.1"};
  Pair none(server, client);
  const Refusal refusal = Refused(none, true);
  EXPECT_EQ(ReasonOf(refusal.found), "no_application_protocol") << refusal.found;
  EXPECT_EQ(ReasonOf(refusal.told), "no_application_protocol") << refusal.told;
}

TEST_P(RefusalTest, SaysThatNothingIsInCommon) {
  Options server = Server(b_), client = Client(a_);
  const bool is_13 = GetParam() == Version::kTls13;
  server.ciphers.suites = {is_13 ? "TLS_AES_128_GCM_SHA256"
                                 : "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"};
  client.ciphers.suites = {is_13 ? "TLS_AES_256_GCM_SHA384"
                                 : "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"};
  Pair pair(server, client);
  const Refusal refusal = Refused(pair, true);
  EXPECT_EQ(ReasonOf(refusal.found), "handshake_failure");
  EXPECT_EQ(refusal.found.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReasonOf(refusal.told), "handshake_failure");
}

TEST_P(RefusalTest, BoundsThePeersHandshake) {
  Side server(Make(Server(b_), Role::kServer)), client(Make(Client(a_), Role::kClient), kHost);
  base::Limits limits;
  limits.max_tls_handshake_bytes = 600;
  Engine bounded(Make(Server(b_), Role::kServer), {"", limits});
  client.Run();
  bounded.Feed(client.engine.TakeOutput().ToSlice());
  ASSERT_TRUE(bounded.Next().ok());
  client.engine.Feed(bounded.TakeOutput().ToSlice());
  client.Run();
  bounded.Feed(client.engine.TakeOutput().ToSlice());
  auto event = bounded.Next();
  EXPECT_EQ(event.status().code(), absl::StatusCode::kResourceExhausted) << event.status();
  EXPECT_IN("600", Text(event.status()));
  EXPECT_TRUE(bounded.has_output());
}

TEST_P(RefusalTest, ADamagedRecordEndsTheConnectionWithItsAlert) {
  Pair pair(Server(b_), Client(a_));
  Carry(pair.client, pair.server);
  ASSERT_TRUE(pair.client.info && pair.server.info);
  Send(pair.client, "hello");
  std::vector<uint8_t> bytes = base::ToVector(pair.client.engine.TakeOutput().ToSlice());
  bytes.back() ^= 1;
  pair.server.engine.Feed(base::ByteView(bytes));
  Carry(pair.client, pair.server);
  EXPECT_EQ(pair.server.error.code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(ReasonOf(pair.server.error), "bad_record_mac");
  EXPECT_EQ(ReasonOf(pair.client.error), "bad_record_mac");
  EXPECT_EQ(pair.server.engine.Next().status(), pair.server.error) << "an error stays";
}

TEST_P(RefusalTest, AnEndWithoutCloseNotifyIsNoCleanEnd) {
  Pair pair(Server(b_), Client(a_));
  Carry(pair.client, pair.server);
  pair.client.engine.FeedEnd();
  pair.client.Run();
  EXPECT_EQ(pair.client.error.code(), absl::StatusCode::kUnavailable);
  EXPECT_IN("close_notify", Text(pair.client.error));
}

TEST(EngineTest, OneContextServesManyThreads) {
  TestCerts certs;
  const CertFiles rsa = certs.Node("b@b.example", KeyType::kRsa2048);
  auto server = Make(Mutual(certs, rsa, Role::kServer), Role::kServer);
  for (Version version : {Version::kTls12, Version::kTls13}) {
    Options options = Mutual(certs, rsa, Role::kClient);
    Only(options, version);
    auto client = Make(options, Role::kClient);
    std::atomic<int> done = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (int round = 0; round < 3; ++round) {
          Side far(server), near(client, kHost);
          Carry(near, far);
          done += near.info && far.info;
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(done, 12);
  }
}

TEST(EngineTest, VersionsWithoutOverlapAreRefusedOnBothSides) {
  TestCerts certs;
  const CertFiles a = certs.Node("a@a.example"), b = certs.Node("b@b.example");
  for (Version version : {Version::kTls12, Version::kTls13}) {
    Options server = Mutual(certs, b, Role::kServer), client = Mutual(certs, a, Role::kClient);
    Only(server, version);
    Only(client, version == Version::kTls12 ? Version::kTls13 : Version::kTls12);
    Pair pair(server, client);
    Carry(pair.client, pair.server);
    // A server of 1.2 alone does not see that a client wants 1.3: it misses a cipher suite.
    const char* alert = version == Version::kTls12 ? "handshake_failure" : "protocol_version";
    EXPECT_EQ(ReasonOf(pair.server.error), alert) << pair.server.error;
    EXPECT_EQ(ReasonOf(pair.client.error), alert) << pair.client.error;
    EXPECT_IN("no TLS version", Text(pair.server.error));
    EXPECT_EQ(pair.client.error.code(), absl::StatusCode::kFailedPrecondition);
  }
}

TEST(EngineTest, EverySuiteWorks) {
  TestCerts certs;
  const CertFiles ec = certs.Node("b@b.example");
  const CertFiles rsa = certs.Node("b@b.example", KeyType::kRsa2048);
  for (const CipherSuite& suite : AllCipherSuites()) {
    const bool is_rsa = std::string_view(suite.iana).find("ECDSA") == std::string_view::npos;
    Options server = Mutual(certs, is_rsa ? rsa : ec, Role::kServer);
    Options client = Mutual(certs, ec, Role::kClient);
    Only(client, suite.version);
    client.ciphers.suites = {suite.iana};
    server.ciphers.suites = {suite.iana};
    Only(server, suite.version);
    if (suite.is_psk()) {
      client.psk.identity = "shop";
      client.psk.lookup = server.psk.lookup = SamePskForAll(Secret("key"));
    }
    Pair pair(server, client);
    Carry(pair.client, pair.server);
    ASSERT_TRUE(pair.server.info) << suite.iana << " " << pair.server.error << pair.client.error;
    EXPECT_EQ(pair.server.info->cipher_suite, suite.iana);
  }
}

TEST(EngineTest, EveryGroupWorksAndAForeignKeyShareGetsARetry) {
  TestCerts certs;
  const CertFiles a = certs.Node("a@a.example"), b = certs.Node("b@b.example");
  for (const NamedNumber& group : AllGroups()) {
    Options server = Mutual(certs, b, Role::kServer), client = Mutual(certs, a, Role::kClient);
    server.ciphers.groups = {group.name};
    // The client's key share is of its first group, which the server does not have.
    client.ciphers.groups = {std::string_view(group.name) == "secp384r1" ? "x25519" : "secp384r1",
                             group.name};
    Pair pair(server, client);
    Carry(pair.client, pair.server);
    ASSERT_TRUE(pair.server.info) << group.name << pair.server.error << pair.client.error;
    EXPECT_EQ(pair.server.info->version, Version::kTls13);
  }
}

// What newer OTP does: a key share of a group that we do not know (x25519mlkem768), with known ones
// to fall back on.
TEST(EngineTest, AKeyShareOfAnUnknownGroupGetsARetry) {
  TestCerts certs;
  const CertFiles a = certs.Node("a@a.example"), b = certs.Node("b@b.example");
  Options options = Mutual(certs, a, Role::kClient);
  options.ciphers.groups = {"x25519", "secp256r1"};
  Side client(Make(options, Role::kClient), kHost);
  Side server(Make(Mutual(certs, b, Role::kServer), Role::kServer));
  client.Run();
  std::string hello = client.engine.TakeOutput().ToString();
  // In supported_groups, before secp256r1, and in key_share, before the length of the share.
  for (std::string_view known :
       {std::string_view("\x00\x1d\x00\x17", 4), std::string_view("\x00\x1d\x00\x20", 4)}) {
    const size_t at = hello.find(known);
    ASSERT_NE(at, std::string::npos);
    hello.replace(at, 2, "\x11\xec");
  }
  server.engine.Feed(base::AsBytes(hello));
  server.Run();
  ASSERT_TRUE(server.error.ok()) << server.error;
  const std::string answer = base::ToHex(server.engine.TakeOutput().ToSlice());
  // The random value that makes a ServerHello a HelloRetryRequest (RFC 8446 4.1.3), and the group.
  EXPECT_IN("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c", answer);
  EXPECT_IN("003300020017", answer);
}

TEST(EngineTest, TellsAPeerThatDoesNotSpeakTlsWhatItSpeaks) {
  TestCerts certs;
  auto context = Make(Mutual(certs, certs.Node("b@b.example"), Role::kServer), Role::kServer);
  const std::string distribution("\x00\x15N\x00\x00\x00\x0d\xf7\xdf\x7f\xbd", 11);
  for (auto [bytes, part] : {std::pair<std::string, const char*>(distribution, "distribution"),
                             {"GET / HTTP/1.1\r\n\r\n", "HTTP"},
                             {"SSH-2.0-OpenSSH", "\"SSH-2\""},
                             {std::string("\x16\x02garbage", 9), "does not speak TLS"}}) {
    for (size_t step : {SIZE_MAX, size_t{1}}) {
      Side server(context);
      for (size_t at = 0; at < bytes.size(); at += std::min(step, bytes.size())) {
        server.engine.Feed(base::AsBytes(std::string_view(bytes).substr(at, step)));
        server.Run();
      }
      EXPECT_EQ(server.error.code(), absl::StatusCode::kDataLoss) << bytes;
      EXPECT_EQ(ReasonOf(server.error), "plain_on_tls_port");
      EXPECT_IN(part, Text(server.error));
      EXPECT_NE(base::MendOf(server.error), "");
      EXPECT_TRUE(server.engine.has_output());
    }
  }
}

TEST(EngineTest, AnEndDuringTheHandshakeIsUnavailable) {
  TestCerts certs;
  Options options = Mutual(certs, certs.Node("a@a.example"), Role::kClient);
  Side client(Make(options, Role::kClient), kHost);
  client.Run();
  client.engine.FeedEnd();
  client.Run();
  EXPECT_EQ(client.error.code(), absl::StatusCode::kUnavailable);
  EXPECT_IN("inet_tls", base::MendOf(client.error));
  Side server(Make(Mutual(certs, certs.Node("b@b.example"), Role::kServer), Role::kServer));
  server.Run();
  EXPECT_TRUE(server.error.ok());
  server.engine.FeedEnd();
  server.Run();
  EXPECT_EQ(server.error.code(), absl::StatusCode::kUnavailable);
}

TEST(EngineTest, RefusesToVerifyWithoutAName) {
  TestCerts certs;
  Options options = Mutual(certs, certs.Node("a@a.example"), Role::kClient);
  Side client(Make(options, Role::kClient));
  client.Run();
  EXPECT_EQ(client.error.code(), absl::StatusCode::kInvalidArgument);
}

TEST(EngineTest, MatchesAlternativeNamesAsOtpDoes) {
  TestCerts certs;
  auto client = Make(Mutual(certs, certs.Node("a@a.example"), Role::kClient), Role::kClient);
  struct Case {
    std::vector<std::string> has;
    const char* host;
    bool is_good;
  };
  const Case cases[] = {
      {{"b.example"}, "B.Example", true},
      {{"b.example"}, "b.example.", true},
      {{"*.b.example"}, "x.b.example", true},
      {{"*.b.example"}, "b.example", false},
      {{"*.b.example"}, "x.y.b.example", false},
      {{"*.example"}, "b.example", false},
      {{"x*.b.example"}, "xy.b.example", false},
      {{"c.example", "b.example"}, "b.example", true},
      {{"127.0.0.1"}, "127.0.0.1", true},
      {{}, "plain", true},
      {{}, "other", false},
      {{"b.example"}, "plain", false},
  };
  for (const Case& one : cases) {
    // The common name is "plain", which counts only without alternative names.
    const CertFiles files = certs.WithHosts("plain", one.has);
    Side server(Make(Mutual(certs, files, Role::kServer), Role::kServer));
    Side side(client, one.host);
    Carry(side, server);
    EXPECT_EQ(side.error.ok(), one.is_good) << one.host << side.error;
  }
}

}  // namespace
}  // namespace noded::tls
