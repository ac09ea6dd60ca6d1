// Certificates with each kind of key, ours and theirs, with openssl, gnutls and OTP in both roles
// and versions; and what becomes of Ed25519, which our engine cannot use.
#include <tuple>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/status.h"
#include "tests/interop/tls_side.h"
#include "tests/testlib/mint.h"
#include "tests/testlib/otp_node.h"
#include "tests/testlib/ports.h"
#include "tests/testlib/process.h"
#include "tests/testlib/temp_dir.h"

namespace noded::interop {
namespace {

using base::ReasonOf;
using testlib::CertFiles;
using testlib::OtpNode;
using testlib::Process;
using testlib::TestCerts;
using tls::KeyType;
using tls::Version;

std::unique_ptr<Process> Start(std::vector<std::string> argv) {
  auto process = Process::Start({.argv = std::move(argv), .has_input = true});
  EXPECT_TRUE(process.ok()) << process.status();
  return process.ok() ? *std::move(process) : nullptr;
}

std::string VersionText(Version version) { return version == Version::kTls12 ? "1.2" : "1.3"; }
std::string OpensslVersion(Version version) {
  return version == Version::kTls12 ? "-tls1_2" : "-tls1_3";
}

class KeyTypesTest : public testing::TestWithParam<std::tuple<Version, KeyType>> {
 protected:
  Version version() const { return std::get<0>(GetParam()); }

  tls::Options Ours(const CertFiles& files, tls::Role role) const {
    tls::Options options = MutualOptions(certs_, files, role);
    options.versions = {.tls12 = version() == Version::kTls12,
                        .tls13 = version() == Version::kTls13};
    return options;
  }
  TlsSide MakeOurs() const {
    return TlsSide(Ours(b_, tls::Role::kServer), Ours(a_, tls::Role::kClient));
  }
  std::string GnutlsPriority() const {
    return "NORMAL:-VERS-ALL:+VERS-TLS" + VersionText(version());
  }

  void TalkWithServer(TlsSide& ours, uint16_t port, const std::string& answer, Process& server) {
    StreamResult stream = ours.Connect(port, "peer.example");
    ASSERT_TRUE(stream.ok()) << stream.status() << server.Out() << server.Err();
    EXPECT_TRUE(ours.Write(**stream, "hello\n").ok());
    auto got = ours.Read(**stream, answer.size());
    ASSERT_TRUE(got.ok()) << got.status();
    EXPECT_EQ(*got, answer);
    ours.Drop(stream);
  }
  void TalkWithClient(TlsSide& ours, std::future<StreamResult> accepted, Process& client) {
    StreamResult stream = accepted.get();
    ASSERT_TRUE(stream.ok()) << stream.status() << client.Out() << client.Err();
    EXPECT_TRUE((*stream)->peer().tls->is_peer_verified);
    EXPECT_TRUE(client.Write("tea time\n").ok());
    auto text = ours.Read(**stream, 9);
    ASSERT_TRUE(text.ok()) << text.status();
    EXPECT_EQ(*text, "tea time\n");
    ours.Drop(stream);
  }

  TestCerts certs_;
  CertFiles a_ = certs_.Node("a@a.example", std::get<1>(GetParam()));
  CertFiles b_ = certs_.Node("b@b.example", std::get<1>(GetParam()));
  CertFiles peer_ = certs_.Node("peer@peer.example", std::get<1>(GetParam()));
};

INSTANTIATE_TEST_SUITE_P(
    Kinds, KeyTypesTest,
    testing::Combine(testing::Values(Version::kTls12, Version::kTls13),
                     testing::Values(KeyType::kRsa2048, KeyType::kEcP256, KeyType::kEcP384)),
    [](const auto& info) {
      const KeyType key = std::get<1>(info.param);
      return std::string(std::get<0>(info.param) == Version::kTls12 ? "Tls12" : "Tls13") +
             (key == KeyType::kRsa2048  ? "Rsa"
              : key == KeyType::kEcP256 ? "P256"
                                        : "P384");
    });

TEST_P(KeyTypesTest, Openssl) {
  TlsSide ours = MakeOurs();
  auto server = Start({"openssl", "s_server", "-accept", "127.0.0.1:0", "-rev", "-Verify", "5",
                       "-verify_return_error", "-cert", peer_.cert, "-key", peer_.key, "-CAfile",
                       certs_.ca(), OpensslVersion(version())});
  auto line = server->WaitForOutput("ACCEPT 127.0.0.1:([0-9]+)");
  ASSERT_TRUE(line.ok()) << line.status();
  TalkWithServer(ours, static_cast<uint16_t>(std::stoi((*line)[1])), "olleh\n", *server);

  auto accepted = ours.Accept();
  auto client = Start({"openssl", "s_client", "-quiet", "-connect",
                       fmt::format("127.0.0.1:{}", ours.port()), "-servername", "b.example",
                       "-verify_hostname", "b.example", "-verify_return_error", "-cert", peer_.cert,
                       "-key", peer_.key, "-CAfile", certs_.ca(), OpensslVersion(version())});
  TalkWithClient(ours, std::move(accepted), *client);
}

TEST_P(KeyTypesTest, Gnutls) {
  TlsSide ours = MakeOurs();
  const uint16_t port = testlib::FreePort();
  auto server =
      Start({"gnutls-serv", "--echo", "--port", std::to_string(port), "--x509certfile", peer_.cert,
             "--x509keyfile", peer_.key, "--x509cafile", certs_.ca(), "--require-client-cert",
             "--verify-client-cert", "--priority", GnutlsPriority()});
  auto line = server->WaitForOutput("listening on IPv4.*done");
  ASSERT_TRUE(line.ok()) << line.status();
  TalkWithServer(ours, port, "hello\n", *server);

  auto accepted = ours.Accept();
  auto client = Start({"gnutls-cli", "127.0.0.1", "--port", std::to_string(ours.port()),
                       "--sni-hostname", "b.example", "--verify-hostname", "b.example",
                       "--x509certfile", peer_.cert, "--x509keyfile", peer_.key, "--x509cafile",
                       certs_.ca(), "--priority", GnutlsPriority()});
  TalkWithClient(ours, std::move(accepted), *client);
}

TEST_P(KeyTypesTest, Otp) {
  OtpNode otp{{}};
  otp.Eval("{ok, _} = application:ensure_all_started(ssl)");
  otp.Eval(fmt::format(
      "Own = [binary, {{active, false}}, {{certfile, \"{}\"}}, {{keyfile, \"{}\"}}, {{cacertfile, "
      "\"{}\"}}, {{verify, verify_peer}}, {{versions, ['tlsv{}']}}]",
      peer_.cert, peer_.key, certs_.ca(), VersionText(version())));
  TlsSide ours = MakeOurs();
  const std::string port = otp.Eval(
      "{ok, L} = ssl:listen(0, [{ip, {127,0,0,1}}, {fail_if_no_peer_cert, true} | Own]), "
      "{ok, {_, Port}} = ssl:sockname(L), Port");
  otp.Post(
      "{ok, H} = ssl:transport_accept(L, 30000), {ok, S} = ssl:handshake(H, 30000), {ok, T} = "
      "ssl:recv(S, 6, 30000), ok = ssl:send(S, T)");
  TalkWithServer(ours, static_cast<uint16_t>(std::stoi(port)), "hello\n", *otp.process());

  auto accepted = ours.Accept();
  otp.Post(
      fmt::format("{{ok, C}} = ssl:connect({{127,0,0,1}}, {}, [{{server_name_indication, "
                  "\"b.example\"}} | Own], 30000), ok = ssl:send(C, \"tea\")",
                  ours.port()));
  StreamResult stream = accepted.get();
  ASSERT_TRUE(stream.ok()) << stream.status() << otp.Log();
  auto text = ours.Read(**stream, 3);
  ASSERT_TRUE(text.ok()) << text.status() << otp.Log();
  EXPECT_EQ(*text, "tea");
  ours.Drop(stream);
}

// Ed25519: refused at the first look for certificates of our own (tls/own_certificate_test.cc), and
// by the peer when it has nothing else (or by us, when it shows none), since we say in each hello
// what we can check.
class Ed25519Test : public testing::TestWithParam<Version> {
 protected:
  Ed25519Test() {
    for (const auto& [minted, name] : {std::pair(&root_, "ca"), std::pair(&peer_, "peer")}) {
      dir_.Write(std::string(name) + ".pem", minted->pem());
      dir_.Write(std::string(name) + ".key", minted->key_pem());
    }
  }
  tls::Options Ours(tls::Role role) {
    tls::Options options = MutualOptions(certs_, certs_.Node("b@b.example"), role);
    options.trust.cacertfile = dir_.File("ca.pem");
    options.versions = {.tls12 = GetParam() == Version::kTls12,
                        .tls13 = GetParam() == Version::kTls13};
    return options;
  }

  TestCerts certs_;
  testlib::TempDir dir_;
  testlib::Minted root_ = testlib::Mint({.name = "Root", .extensions = testlib::kAuthority});
  testlib::Minted peer_ = testlib::Mint(
      {.name = "peer", .extensions = "subjectAltName=DNS:peer.example\n", .key = "ED25519"},
      &root_);
};

INSTANTIATE_TEST_SUITE_P(Versions, Ed25519Test, testing::Values(Version::kTls12, Version::kTls13),
                         [](const auto& info) {
                           return info.param == Version::kTls12 ? "Tls12" : "Tls13";
                         });

TEST_P(Ed25519Test, AServerThatHasNothingElseTurnsUsAway) {
  TlsSide ours(Ours(tls::Role::kServer), Ours(tls::Role::kClient));
  auto server =
      Start({"openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", dir_.File("peer.pem"),
             "-key", dir_.File("peer.key"), OpensslVersion(GetParam())});
  auto line = server->WaitForOutput("ACCEPT 127.0.0.1:([0-9]+)");
  ASSERT_TRUE(line.ok()) << line.status();
  StreamResult stream = ours.Connect(static_cast<uint16_t>(std::stoi((*line)[1])), "peer.example");
  ASSERT_FALSE(stream.ok());
  EXPECT_EQ(ReasonOf(stream.status()), "handshake_failure") << stream.status();
  EXPECT_FALSE(base::MendOf(stream.status()).empty()) << stream.status();
}

TEST_P(Ed25519Test, AClientThatHasNothingElseShowsNoneAndIsRefused) {
  TlsSide ours(Ours(tls::Role::kServer), Ours(tls::Role::kClient));
  auto accepted = ours.Accept();
  auto client =
      Start({"openssl", "s_client", "-connect", fmt::format("127.0.0.1:{}", ours.port()), "-cert",
             dir_.File("peer.pem"), "-key", dir_.File("peer.key"), OpensslVersion(GetParam())});
  StreamResult stream = accepted.get();
  ASSERT_FALSE(stream.ok());
  EXPECT_EQ(ReasonOf(stream.status()),
            GetParam() == Version::kTls12 ? "handshake_failure" : "certificate_required")
      << stream.status();
}

TEST_P(Ed25519Test, GnutlsThatHasNothingElseIsTurnedAwayInBothRoles) {
  TlsSide ours(Ours(tls::Role::kServer), Ours(tls::Role::kClient));
  const uint16_t port = testlib::FreePort();
  const std::string priority = "NORMAL:-VERS-ALL:+VERS-TLS" + VersionText(GetParam());
  auto server = Start({"gnutls-serv", "--echo", "--port", std::to_string(port), "--x509certfile",
                       dir_.File("peer.pem"), "--x509keyfile", dir_.File("peer.key"), "--priority",
                       priority});
  auto line = server->WaitForOutput("listening on IPv4.*done");
  ASSERT_TRUE(line.ok()) << line.status();
  StreamResult stream = ours.Connect(port, "peer.example");
  EXPECT_EQ(ReasonOf(stream.status()), "handshake_failure") << stream.status();

  auto accepted = ours.Accept();
  auto client = Start({"gnutls-cli", "127.0.0.1", "--port", std::to_string(ours.port()),
                       "--insecure", "--x509certfile", dir_.File("peer.pem"), "--x509keyfile",
                       dir_.File("peer.key"), "--priority", priority});
  StreamResult served = accepted.get();
  EXPECT_FALSE(served.ok());
  EXPECT_EQ(ReasonOf(served.status()),
            GetParam() == Version::kTls12 ? "handshake_failure" : "certificate_required")
      << served.status();
}

TEST_P(Ed25519Test, OtpThatHasNothingElseIsTurnedAwayInBothRoles) {
  OtpNode otp{{}};
  otp.Eval("{ok, _} = application:ensure_all_started(ssl)");
  otp.Eval("logger:set_primary_config(level, none)");
  otp.Eval(
      fmt::format("Own = [binary, {{active, false}}, {{certfile, \"{}\"}}, {{keyfile, "
                  "\"{}\"}}, {{verify, verify_none}}, {{versions, ['tlsv{}']}}]",
                  dir_.File("peer.pem"), dir_.File("peer.key"), VersionText(GetParam())));
  TlsSide ours(Ours(tls::Role::kServer), Ours(tls::Role::kClient));
  const std::string port = otp.Eval(
      "{ok, L} = ssl:listen(0, [{ip, {127,0,0,1}} | Own]), {ok, {_, Port}} = ssl:sockname(L), "
      "Port");
  otp.Post("{ok, H} = ssl:transport_accept(L, 30000), {error, _} = ssl:handshake(H, 30000)");
  StreamResult stream = ours.Connect(static_cast<uint16_t>(std::stoi(port)), "peer.example");
  EXPECT_FALSE(stream.ok());
  // OTP 25 names the alert in its own way.
  EXPECT_TRUE(ReasonOf(stream.status()) == "handshake_failure" ||
              ReasonOf(stream.status()) == "insufficient_security")
      << stream.status();

  auto accepted = ours.Accept();
  otp.Post(fmt::format("C = ssl:connect({{127,0,0,1}}, {}, Own, 30000)", ours.port()));
  StreamResult served = accepted.get();
  EXPECT_FALSE(served.ok());
  EXPECT_FALSE(base::MendOf(served.status()).empty()) << served.status();
}

}  // namespace
}  // namespace noded::interop
