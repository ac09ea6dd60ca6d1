// Sessions that we and foreign programs go on with, in both versions: with openssl in both roles,
// with gnutls's client, with OTP's servers. Whoever goes on is still known by its certificate.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/interop/tls_side.h"
#include "tests/testlib/otp_node.h"
#include "tests/testlib/process.h"
#include "tests/testlib/temp_dir.h"

namespace noded::interop {
namespace {

using testlib::CertFiles;
using testlib::OtpNode;
using testlib::Process;
using testlib::TestCerts;

class ResumptionInteropTest : public testing::TestWithParam<tls::Version> {
 protected:
  bool is_tls13() const { return GetParam() == tls::Version::kTls13; }
  tls::Options Ours(const CertFiles& files, tls::Role role) {
    tls::Options options = MutualOptions(certs_, files, role);
    options.versions.tls12 = !is_tls13();
    options.versions.tls13 = is_tls13();
    return options;
  }
  tls::Options OurServer() { return Ours(b_, tls::Role::kServer); }
  tls::Options OurClient() { return Ours(a_, tls::Role::kClient); }
  std::unique_ptr<Process> Start(const std::vector<std::string>& argv) {
    auto process = Process::Start({.argv = argv, .has_input = true});
    EXPECT_TRUE(process.ok()) << process.status();
    return process.ok() ? *std::move(process) : nullptr;
  }
  // Of a connection that a peer made to us.
  void ExpectPeer(const StreamResult& stream, bool is_resumed) {
    ASSERT_TRUE(stream.ok()) << stream.status();
    const base::TlsFacts& facts = *(*stream)->peer().tls;
    EXPECT_EQ(facts.is_resumed, is_resumed);
    EXPECT_EQ(facts.version, tls::VersionName(GetParam()));
    EXPECT_EQ(facts.peer_dns_names, std::vector<std::string>{"peer.example"});
  }

  TestCerts certs_;
  testlib::TempDir dir_;
  CertFiles a_ = certs_.Node("a@a.example", tls::KeyType::kRsa2048);
  CertFiles b_ = certs_.Node("b@b.example", tls::KeyType::kRsa2048);
  CertFiles peer_ = certs_.Node("peer@peer.example", tls::KeyType::kRsa2048);
};

INSTANTIATE_TEST_SUITE_P(Versions, ResumptionInteropTest,
                         testing::Values(tls::Version::kTls12, tls::Version::kTls13),
                         [](const auto& info) {
                           return info.param == tls::Version::kTls12 ? "Tls12" : "Tls13";
                         });

TEST_P(ResumptionInteropTest, OpensslsClientGoesOnWithUs) {
  TlsSide ours(OurServer(), OurClient());
  // With a ticket, and in TLS 1.2 with a session id.
  for (const char* tickets : {"", "-no_ticket"}) {
    if (is_tls13() && *tickets != 0) continue;
    const std::string file = dir_.File(fmt::format("session{}", tickets));
    for (bool is_second : {false, true}) {
      std::vector<std::string> argv = {"openssl",
                                       "s_client",
                                       "-connect",
                                       fmt::format("127.0.0.1:{}", ours.port()),
                                       "-servername",
                                       "b.example",
                                       "-cert",
                                       peer_.cert,
                                       "-key",
                                       peer_.key,
                                       "-CAfile",
                                       certs_.ca(),
                                       "-quiet",
                                       "-verify_return_error",
                                       is_tls13() ? "-tls1_3" : "-tls1_2"};
      if (*tickets != 0) argv.emplace_back(tickets);
      argv.emplace_back(is_second ? "-sess_in" : "-sess_out");
      argv.push_back(file);
      auto accepted = ours.Accept();
      auto client = Start(argv);
      StreamResult stream = accepted.get();
      ExpectPeer(stream, is_second);
      ASSERT_TRUE(ours.Write(**stream, "a good day\n").ok());
      auto line = client->WaitForOutput("a good day");
      EXPECT_TRUE(line.ok()) << line.status();
      EXPECT_TRUE(ours.Close(**stream).ok());
      EXPECT_TRUE(client->WaitForExit().ok());
      ours.Drop(stream);
    }
  }
}

TEST_P(ResumptionInteropTest, WeGoOnWithOpensslsServer) {
  for (const char* tickets : {"", "-no_ticket"}) {
    TlsSide ours(OurServer(), OurClient());
    std::vector<std::string> argv = {"openssl",
                                     "s_server",
                                     "-accept",
                                     "127.0.0.1:0",
                                     "-rev",
                                     "-Verify",
                                     "5",
                                     "-verify_return_error",
                                     "-cert",
                                     peer_.cert,
                                     "-key",
                                     peer_.key,
                                     "-CAfile",
                                     certs_.ca(),
                                     is_tls13() ? "-tls1_3" : "-tls1_2"};
    if (*tickets != 0) argv.emplace_back(tickets);
    auto server = Start(argv);
    auto line = server->WaitForOutput("ACCEPT 127.0.0.1:([0-9]+)");
    ASSERT_TRUE(line.ok()) << line.status();
    const auto port = static_cast<uint16_t>(std::stoi((*line)[1]));
    for (int i = 0; i < 3; ++i) {
      StreamResult stream = ours.Connect(port, "peer.example");
      ExpectPeer(stream, i > 0);
      EXPECT_TRUE(ours.Write(**stream, "hello\n").ok());
      auto answer = ours.Read(**stream, 6);
      ASSERT_TRUE(answer.ok()) << answer.status();
      EXPECT_EQ(*answer, "olleh\n");
      EXPECT_TRUE(ours.Close(**stream).ok());
      ours.Drop(stream);
    }
  }
}

TEST_P(ResumptionInteropTest, GnutlssClientGoesOnWithUs) {
  TlsSide ours(OurServer(), OurClient());
  auto first = ours.Accept();
  auto client =
      Start({"gnutls-cli", "--resume", "--waitresumption", "--port", fmt::format("{}", ours.port()),
             "--x509cafile", certs_.ca(), "--x509certfile", peer_.cert, "--x509keyfile", peer_.key,
             "--sni-hostname", "b.example", "--verify-hostname", "b.example", "--priority",
             fmt::format("NORMAL:-VERS-ALL:+VERS-TLS1.{}", is_tls13() ? 3 : 2), "127.0.0.1"});
  StreamResult stream = first.get();
  ExpectPeer(stream, false);
  auto second = ours.Accept();
  // Until it says goodbye; it reads our tickets meanwhile.
  auto end = ours.Read(**stream, 1);
  EXPECT_TRUE(end.ok()) << end.status();
  ours.Drop(stream);
  StreamResult again = second.get();
  ExpectPeer(again, true);
  ASSERT_TRUE(ours.Write(**again, "a good day\n").ok());
  auto line = client->WaitForOutput("This is a resumed session");
  EXPECT_TRUE(line.ok()) << line.status();
  line = client->WaitForOutput("a good day");
  EXPECT_TRUE(line.ok()) << line.status();
  EXPECT_TRUE(ours.Close(**again).ok());
  ours.Drop(again);
}

class OtpResumptionTest : public ResumptionInteropTest {
 protected:
  void SetUp() override {
    otp_.Eval("{ok, _} = application:ensure_all_started(ssl)");
    otp_.Eval("logger:set_primary_config(level, error)");
  }
  std::string Otp(const std::string& more) {
    return fmt::format(
        "[binary, {{active, false}}, {{certfile, \"{}\"}}, {{keyfile, \"{}\"}}, "
        "{{cacertfile, \"{}\"}}, {{verify, verify_peer}}, {{versions, ['{}']}}, {}]",
        peer_.cert, peer_.key, certs_.ca(), tls::VersionName(GetParam()), more);
  }
  // It connects, hears a word (and our tickets) and goes; what we see of it.
  bool OtpConnectsResumed(TlsSide& ours, const std::string& more) {
    auto accepted = ours.Accept();
    // What is bound stays bound: each time another name.
    const std::string said = fmt::format("Said{}", ++times_);
    otp_.Post(
        fmt::format("{} = (fun() -> {{ok, S}} = ssl:connect({{127,0,0,1}}, {}, {}, 30000), "
                    "{{ok, <<\"word\">>}} = ssl:recv(S, 4, 30000), ssl:close(S) end)()",
                    said, ours.port(), Otp("{server_name_indication, \"b.example\"}, " + more)));
    StreamResult stream = accepted.get();
    EXPECT_TRUE(stream.ok()) << stream.status() << otp_.Log();
    if (!stream.ok()) return false;
    EXPECT_TRUE(ours.Write(**stream, "word").ok());
    EXPECT_TRUE(ours.Read(**stream, 1).ok());
    EXPECT_EQ(otp_.Eval(said), "ok");
    const bool is_resumed = (*stream)->peer().tls->is_resumed;
    ours.Drop(stream);
    return is_resumed;
  }
  uint16_t OtpListens(const std::string& more) {
    const std::string port = otp_.Eval(
        fmt::format("{{ok, L}} = ssl:listen(0, {}), {{ok, {{_, Port}}}} = ssl:sockname(L), Port",
                    Otp("{ip, {127,0,0,1}}, {reuseaddr, true}, " + more)));
    return static_cast<uint16_t>(std::stoi(port));
  }
  bool WeConnectResumed(TlsSide& ours, uint16_t port) {
    const std::string said = fmt::format("Said{}", ++times_);
    otp_.Post(said +
              " = (fun() -> {ok, T} = ssl:transport_accept(L, 30000), "
              "{ok, S} = ssl:handshake(T, 30000), ok = ssl:send(S, <<\"word\">>), "
              "{error, closed} = ssl:recv(S, 0, 30000), ok end)()");
    StreamResult stream = ours.Connect(port, "peer.example");
    EXPECT_TRUE(stream.ok()) << stream.status() << otp_.Log();
    if (!stream.ok()) return false;
    EXPECT_EQ((*stream)->peer().tls->peer_dns_names, std::vector<std::string>{"peer.example"});
    auto word = ours.Read(**stream, 4);
    EXPECT_TRUE(word.ok() && *word == "word") << word.status();
    EXPECT_TRUE(ours.Close(**stream).ok());
    EXPECT_EQ(otp_.Eval(said), "ok");
    const bool is_resumed = (*stream)->peer().tls->is_resumed;
    ours.Drop(stream);
    return is_resumed;
  }

  OtpNode otp_{{}};
  int times_ = 0;
};

INSTANTIATE_TEST_SUITE_P(Versions, OtpResumptionTest,
                         testing::Values(tls::Version::kTls12, tls::Version::kTls13),
                         [](const auto& info) {
                           return info.param == tls::Version::kTls12 ? "Tls12" : "Tls13";
                         });

TEST_P(OtpResumptionTest, WeGoOnWithOtpsServer) {
  tls::Options client = OurClient();
  if (!is_tls13()) client.identity = {};
  TlsSide ours(OurServer(), client);
  const std::string more = is_tls13() ? "{session_tickets, stateless}" : "{reuse_sessions, true}";
  const uint16_t port = OtpListens(more + ", {fail_if_no_peer_cert, false}");
  EXPECT_FALSE(WeConnectResumed(ours, port));
  EXPECT_TRUE(WeConnectResumed(ours, port));
  EXPECT_TRUE(WeConnectResumed(ours, port));
}

TEST_P(OtpResumptionTest, WithoutExtendedMasterSecretOtpProvesItselfAnewWhereWeAskForCertificates) {
  if (is_tls13()) {
    // There it is part of the protocol; OTP's stateful tickets are the other kind to try.
    TlsSide ours(OurServer(), OurClient());
    const uint16_t port = OtpListens("{session_tickets, stateful}, {fail_if_no_peer_cert, true}");
    EXPECT_FALSE(WeConnectResumed(ours, port));
    EXPECT_TRUE(WeConnectResumed(ours, port));
    return;
  }
  TlsSide ours(OurServer(), OurClient());
  EXPECT_FALSE(OtpConnectsResumed(ours, "{reuse_sessions, save}"));
  EXPECT_FALSE(OtpConnectsResumed(ours, "{reuse_sessions, true}"));
  const uint16_t port = OtpListens("{reuse_sessions, true}, {fail_if_no_peer_cert, true}");
  for (int i = 0; i < 2; ++i) EXPECT_FALSE(WeConnectResumed(ours, port));
}

}  // namespace
}  // namespace noded::interop
