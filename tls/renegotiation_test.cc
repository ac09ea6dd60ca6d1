#include <gtest/gtest.h>

#include "base/status.h"
#include "tests/testlib/test_certs.h"
#include "tls/engine_pair.h"
#include "tls/raw_peer.h"
#include "tls/renegotiation_budget.h"

namespace noded::tls {
namespace {

using base::ReasonOf;
using testlib::CertFiles;
using testlib::TestCerts;

class RenegotiationTest : public testing::Test {
 protected:
  Options Server() {
    Options options = Mutual(certs_, b_, Role::kServer);
    Only(options, Version::kTls12);
    return options;
  }
  Options Client() {
    Options options = Mutual(certs_, a_, Role::kClient);
    Only(options, Version::kTls12);
    return options;
  }

  TestCerts certs_;
  CertFiles a_ = certs_.Node("a@a.example");
  CertFiles b_ = certs_.Node("b@b.example");
  base::FakeClock clock_;
};

TEST_F(RenegotiationTest, EitherSideRenegotiatesInTheMiddleOfDataInAnyCut) {
  for (size_t step : {SIZE_MAX, size_t{1}, size_t{7}}) {
    Pair pair(Server(), Client(), kHost, &clock_);
    Carry(pair.client, pair.server);
    std::string to_server, to_client;
    for (int round = 0; round < 4; ++round) {
      const auto random = pair.client.engine.info().client_random;
      for (auto [from, sent] : {std::pair(&pair.client, &to_server), {&pair.server, &to_client}}) {
        const std::string text = "before " + std::to_string(round) + ";";
        Send(*from, text);
        *sent += text;
      }
      Side& one = round % 2 == 0 ? pair.client : pair.server;
      ASSERT_TRUE(one.engine.Renegotiate().ok());
      for (auto [from, sent] : {std::pair(&pair.client, &to_server), {&pair.server, &to_client}}) {
        const std::string text = "within " + std::to_string(round) + ";";
        Send(*from, text);
        *sent += text;
      }
      Carry(pair.client, pair.server, step);
      ASSERT_TRUE(pair.client.error.ok() && pair.server.error.ok())
          << round << pair.client.error << pair.server.error;
      EXPECT_EQ(pair.client.renegotiated, round + 1);
      EXPECT_EQ(pair.server.renegotiated, round + 1);
      EXPECT_EQ(pair.client.engine.held_bytes(), 0u);
      EXPECT_NE(pair.client.engine.info().client_random, random);
      EXPECT_EQ(pair.client.engine.info().client_random, pair.server.engine.info().client_random);
      EXPECT_TRUE(pair.client.engine.info().is_peer_verified);
      EXPECT_TRUE(pair.server.engine.info().is_peer_verified);
    }
    EXPECT_EQ(pair.server.received, to_server);
    EXPECT_EQ(pair.client.received, to_client);
  }
}

TEST_F(RenegotiationTest, BothSidesMayStartAtOnce) {
  Pair pair(Server(), Client());
  Carry(pair.client, pair.server);
  ASSERT_TRUE(pair.client.engine.Renegotiate().ok());
  ASSERT_TRUE(pair.server.engine.Renegotiate().ok());
  Send(pair.client, "from the client");
  Send(pair.server, "from the server");
  Carry(pair.client, pair.server);
  EXPECT_EQ(pair.server.received, "from the client") << pair.server.error;
  EXPECT_EQ(pair.client.received, "from the server") << pair.client.error;
  EXPECT_EQ(pair.client.renegotiated, 1);
  EXPECT_EQ(pair.server.renegotiated, 1);
}

TEST_F(RenegotiationTest, ComesByItselfAfterRenegotiateAtRecords) {
  for (bool by_server : {false, true}) {
    Options server = Server(), client = Client();
    (by_server ? server : client).traffic.renegotiate_at = 5;
    Pair pair(server, client, kHost, &clock_);
    Carry(pair.client, pair.server);
    std::string sent;
    for (int i = 0; i < 16; ++i) {
      Send(by_server ? pair.server : pair.client, "one record;");
      sent += "one record;";
      Carry(pair.client, pair.server);
    }
    EXPECT_EQ((by_server ? pair.client : pair.server).received, sent)
        << pair.server.error << pair.client.error;
    EXPECT_EQ(pair.client.renegotiated, 3);
    EXPECT_EQ(pair.server.renegotiated, 3);
  }
}

TEST_F(RenegotiationTest, ARefusedOneLeavesTheConnectionAlive) {
  Options server = Server();
  server.renegotiation.client_renegotiation = false;
  Pair pair(server, Client());
  Carry(pair.client, pair.server);
  ASSERT_TRUE(pair.client.engine.Renegotiate().ok());
  Send(pair.client, "held back meanwhile");
  EXPECT_GT(pair.client.engine.held_bytes(), 0u);
  Carry(pair.client, pair.server);
  EXPECT_EQ(pair.client.rejected, 1);
  EXPECT_EQ(pair.client.renegotiated, 0);
  EXPECT_EQ(pair.server.received, "held back meanwhile") << pair.server.error;
  Send(pair.server, "still here");
  Carry(pair.client, pair.server);
  EXPECT_EQ(pair.client.received, "still here") << pair.client.error;
  // The server's own request is another matter.
  ASSERT_TRUE(pair.server.engine.Renegotiate().ok());
  Carry(pair.client, pair.server);
  EXPECT_EQ(pair.server.renegotiated, 1) << pair.server.error << pair.client.error;
}

TEST_F(RenegotiationTest, AFloodIsRefusedAndThenEndsTheConnection) {
  base::Limits limits;
  Pair pair(Server(), Client(), kHost, &clock_);
  Carry(pair.client, pair.server);
  for (size_t i = 0; i < limits.max_tls_renegotiations; ++i) {
    ASSERT_TRUE(pair.client.engine.Renegotiate().ok());
    Carry(pair.client, pair.server);
  }
  EXPECT_EQ(pair.client.renegotiated, static_cast<int>(limits.max_tls_renegotiations));
  ASSERT_TRUE(pair.client.engine.Renegotiate().ok());
  Carry(pair.client, pair.server);
  EXPECT_EQ(pair.client.rejected, 1);
  clock_.Advance(limits.tls_renegotiation_pause);
  ASSERT_TRUE(pair.client.engine.Renegotiate().ok());
  Carry(pair.client, pair.server);
  EXPECT_EQ(pair.client.rejected, 1) << "time earns one more";
  for (size_t i = 0; i <= limits.max_tls_refused_renegotiations && pair.server.error.ok(); ++i) {
    ASSERT_TRUE(pair.client.engine.Renegotiate().ok());
    Carry(pair.client, pair.server);
  }
  EXPECT_EQ(pair.server.error.code(), absl::StatusCode::kResourceExhausted) << pair.server.error;
  EXPECT_FALSE(pair.client.error.ok());
}

TEST_F(RenegotiationTest, RefusalsDoNotPileUpBeforeAPeerThatDoesNotRead) {
  Options server = Server();
  server.renegotiation.client_renegotiation = false;
  Side engine(Make(server, Role::kServer), "", &clock_);
  RawPeer peer(Role::kClient, Version::kTls12, PemOf(a_));
  ASSERT_TRUE(Meet(peer, engine)) << engine.error;
  const uint8_t hello[] = {1, 0, 0, 0};
  for (int i = 0; i < 10'000 && engine.error.ok(); ++i) {
    peer.SendRecord(22, hello);
    peer.SendRecord(23, base::AsBytes("x"));  // a peer that talks is no flood
    engine.engine.Feed(base::ByteView(peer.TakeOutput()));
    engine.Run();
  }
  EXPECT_TRUE(engine.error.ok()) << engine.error;
  EXPECT_LT(engine.engine.TakeOutput().size(), 1000u);
}

TEST_F(RenegotiationTest, DataEarnsMoreOfThem) {
  base::Limits limits;
  RenegotiationBudget budget(limits);
  for (size_t i = 0; i < limits.max_tls_renegotiations; ++i) EXPECT_TRUE(budget.Take(clock_.Now()));
  EXPECT_FALSE(budget.Take(clock_.Now()));
  budget.CountSent(limits.tls_renegotiation_bytes - 1);
  EXPECT_FALSE(budget.Take(clock_.Now()));
  budget.CountReceived(1);
  EXPECT_TRUE(budget.Take(clock_.Now()));
  EXPECT_FALSE(budget.Take(clock_.Now()));
  clock_.Advance(limits.tls_renegotiation_pause * 3);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(budget.Take(clock_.Now()));
  EXPECT_FALSE(budget.Take(clock_.Now()));
}

TEST_F(RenegotiationTest, TheCertificateIsVerifiedAgainAndMayNotChange) {
  // A client that turns into another trusted one: its context is replaced beneath the connection by
  // a peer that is driven by hand.
  const CertFiles other = certs_.Node("c@c.example");
  Options server = Server();
  Side engine(Make(server, Role::kServer), "", &clock_);
  RawPeer peer(Role::kClient, Version::kTls12, PemOf(a_));
  ASSERT_TRUE(Meet(peer, engine)) << engine.error;
  peer.UseCertificate(PemOf(other));
  Renegotiate(peer, engine);
  EXPECT_EQ(ReasonOf(engine.error), "access_denied") << engine.error;
  EXPECT_EQ(engine.error.code(), absl::StatusCode::kUnauthenticated);
  EXPECT_EQ(engine.renegotiated, 0);
}

TEST_F(RenegotiationTest, AnUntrustedCertificateIsRefusedThen) {
  Side engine(Make(Server(), Role::kServer), "", &clock_);
  RawPeer peer(Role::kClient, Version::kTls12, PemOf(a_));
  ASSERT_TRUE(Meet(peer, engine)) << engine.error;
  peer.UseCertificate(PemOf(certs_.Untrusted("a@a.example")));
  Renegotiate(peer, engine);
  EXPECT_EQ(ReasonOf(engine.error), "unknown_ca") << engine.error;
}

TEST_F(RenegotiationTest, TheExtendedMasterSecretMayNotComeOrGo) {
  for (bool is_used_first : {true, false}) {
    Side engine(Make(Server(), Role::kServer), "", &clock_);
    RawPeer peer(Role::kClient, Version::kTls12, PemOf(a_));
    peer.UseExtendedMasterSecret(is_used_first);
    ASSERT_TRUE(Meet(peer, engine)) << engine.error;
    peer.UseExtendedMasterSecret(!is_used_first);
    Renegotiate(peer, engine);
    EXPECT_EQ(ReasonOf(engine.error), "illegal_parameter") << engine.error;
    EXPECT_EQ(engine.renegotiated, 0);
  }
}

TEST_F(RenegotiationTest, IsNotForTls13AndNotBeforeTheHandshake) {
  Options server = Mutual(certs_, b_, Role::kServer), client = Mutual(certs_, a_, Role::kClient);
  Pair pair(server, client);
  EXPECT_EQ(pair.client.engine.Renegotiate().code(), absl::StatusCode::kFailedPrecondition);
  Carry(pair.client, pair.server);
  ASSERT_EQ(pair.client.info->version, Version::kTls13);
  EXPECT_EQ(pair.client.engine.Renegotiate().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(pair.server.engine.Renegotiate().code(), absl::StatusCode::kFailedPrecondition);
  Send(pair.client, "still here");
  Carry(pair.client, pair.server);
  EXPECT_EQ(pair.server.received, "still here");
}

TEST_F(RenegotiationTest, CloseWaitsForWhatIsHeldBack) {
  Pair pair(Server(), Client());
  Carry(pair.client, pair.server);
  ASSERT_TRUE(pair.client.engine.Renegotiate().ok());
  Send(pair.client, "last words");
  pair.client.engine.Close();
  Carry(pair.client, pair.server);
  EXPECT_EQ(pair.server.received, "last words") << pair.server.error;
  EXPECT_TRUE(pair.server.is_closed);
}

TEST_F(RenegotiationTest, APeerThatClosesInItIsAtItsEnd) {
  Pair pair(Server(), Client());
  Carry(pair.client, pair.server);
  ASSERT_TRUE(pair.client.engine.Renegotiate().ok());
  Send(pair.client, "never sent");
  pair.server.engine.Close();
  pair.client.engine.Feed(pair.server.engine.TakeOutput().ToSlice());
  pair.client.Run();
  EXPECT_TRUE(pair.client.is_closed) << pair.client.error;
  EXPECT_EQ(pair.client.engine.held_bytes(), 0u);
}

TEST_F(RenegotiationTest, AMessageThatDoesNotBelongHereIsAnError) {
  for (uint8_t type : {2, 11, 20, 24}) {
    Side engine(Make(Server(), Role::kServer));
    RawPeer peer(Role::kClient, Version::kTls12, PemOf(a_));
    ASSERT_TRUE(Meet(peer, engine)) << engine.error;
    const uint8_t message[] = {type, 0, 0, 1, 0};
    peer.SendRecord(22, message);
    engine.engine.Feed(base::ByteView(peer.TakeOutput()));
    engine.Run();
    EXPECT_EQ(ReasonOf(engine.error), "unexpected_message") << engine.error;
  }
}

// Hellos of a peer from before RFC 5746, which say nothing of secure renegotiation: records of one
// handshake message, with TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, secp256r1 and
// ecdsa_secp256r1_sha256.
std::vector<uint8_t> OldClientHello() {
  return base::FromHex(
      "1603030049"
      "01000045"
      "0303" +
      std::string(64, '7') +
      "00"
      "0002c02b"
      "0100"
      "001a"
      "000a000400020017"
      "000b00020100"
      "000d000400020403"
      "00170000");  // extended_master_secret
}
std::vector<uint8_t> OldServerHello() {
  return base::FromHex(
      "160303002a"
      "02000026"
      "0303" +
      std::string(64, '7') +
      "00"
      "c02b"
      "00");
}

TEST_F(RenegotiationTest, SecureRenegotiateTurnsPeersAwayThatDoNotKnowIt) {
  for (const bool is_secure : {true, false}) {
    Options options = Server();
    options.trust.verify = Verify::kNone;
    options.trust.fail_if_no_peer_cert = false;
    options.renegotiation.secure_renegotiate = is_secure;
    Side server(Make(options, Role::kServer));
    server.engine.Feed(base::ByteView(OldClientHello()));
    server.Run();
    EXPECT_EQ(server.error.ok(), !is_secure) << server.error;
    const std::vector<uint8_t> answer = base::ToVector(server.engine.TakeOutput().ToSlice().view());
    ASSERT_FALSE(answer.empty());
    EXPECT_EQ(answer[0], is_secure ? 21 : 22) << "an alert, or the rest of the handshake";
    if (is_secure) {
      EXPECT_EQ(ReasonOf(server.error), "handshake_failure");
    }

    options = Client();
    options.renegotiation.secure_renegotiate = is_secure;
    Side client(Make(options, Role::kClient), kHost);
    client.Run();
    client.engine.TakeOutput();
    client.engine.Feed(base::ByteView(OldServerHello()));
    client.Run();
    EXPECT_EQ(client.error.ok(), !is_secure) << client.error;
    if (is_secure) {
      EXPECT_EQ(ReasonOf(client.error), "handshake_failure");
    }
  }
}

}  // namespace
}  // namespace noded::tls
