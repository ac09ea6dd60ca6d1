// Our TLS and openssl's command line: both roles and versions, HelloRetryRequest in both
// directions, tickets after the handshake, alerts both ways.
#include <gtest/gtest.h>

#include "base/status.h"
#include "tests/interop/tls_side.h"
#include "tests/testlib/process.h"

namespace noded::interop {
namespace {

using base::ReasonOf;
using testlib::CertFiles;
using testlib::Process;
using testlib::TestCerts;

class TlsOpensslTest : public testing::TestWithParam<tls::Version> {
 protected:
  const char* VersionFlag() const {
    return GetParam() == tls::Version::kTls12 ? "-tls1_2" : "-tls1_3";
  }
  TlsSide MakeOurs() {
    return TlsSide(MutualOptions(certs_, b_, tls::Role::kServer),
                   MutualOptions(certs_, a_, tls::Role::kClient));
  }
  std::unique_ptr<Process> Openssl(std::vector<std::string> arguments, const CertFiles& files,
                                   std::vector<std::string> more = {}) {
    std::vector<std::string> argv = {"openssl"};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    for (const std::string& word :
         {std::string("-cert"), files.cert, std::string("-key"), files.key, std::string("-CAfile"),
          certs_.ca(), std::string(VersionFlag())}) {
      argv.push_back(word);
    }
    argv.insert(argv.end(), more.begin(), more.end());
    auto process = Process::Start({.argv = argv, .has_input = true});
    EXPECT_TRUE(process.ok()) << process.status();
    return process.ok() ? *std::move(process) : nullptr;
  }
  // Answers each line reversed.
  std::unique_ptr<Process> Server(const CertFiles& files, std::vector<std::string> more = {}) {
    auto server = Openssl(
        {"s_server", "-accept", "127.0.0.1:0", "-rev", "-Verify", "5", "-verify_return_error"},
        files, std::move(more));
    auto line = server->WaitForOutput("ACCEPT 127.0.0.1:([0-9]+)");
    EXPECT_TRUE(line.ok()) << line.status();
    port_ = line.ok() ? static_cast<uint16_t>(std::stoi((*line)[1])) : 0;
    return server;
  }
  std::unique_ptr<Process> Client(const TlsSide& ours, const CertFiles& files,
                                  std::vector<std::string> more = {}) {
    return Openssl({"s_client", "-connect", "127.0.0.1:" + std::to_string(ours.port()),
                    "-servername", "b.example", "-verify_return_error"},
                   files, std::move(more));
  }

  TestCerts certs_;
  // RSA: with TLS 1.2 the groups would have to hold the curves of the certificates too.
  CertFiles a_ = certs_.Node("a@a.example", tls::KeyType::kRsa2048);
  CertFiles b_ = certs_.Node("b@b.example", tls::KeyType::kRsa2048);
  CertFiles peer_ = certs_.Node("peer@peer.example", tls::KeyType::kRsa2048);
  uint16_t port_ = 0;
};

INSTANTIATE_TEST_SUITE_P(Versions, TlsOpensslTest,
                         testing::Values(tls::Version::kTls12, tls::Version::kTls13),
                         [](const auto& info) {
                           return info.param == tls::Version::kTls12 ? "Tls12" : "Tls13";
                         });

TEST_P(TlsOpensslTest, ItsServerAnswersUsThroughTicketsAndRetries) {
  TlsSide ours = MakeOurs();
  // The second server lacks the group of our first key share.
  for (const char* groups : {"X25519:P-256", "P-521"}) {
    auto server = Server(peer_, {"-groups", groups});
    StreamResult stream = ours.Connect(port_, "peer.example");
    ASSERT_TRUE(stream.ok()) << stream.status() << server->Err();
    EXPECT_EQ((*stream)->peer().tls->version, tls::VersionName(GetParam()));
    for (const char* word : {"hello\n", "again\n"}) {
      EXPECT_TRUE(ours.Write(**stream, word).ok());
      auto answer = ours.Read(**stream, 6);
      ASSERT_TRUE(answer.ok()) << answer.status();
      EXPECT_EQ(*answer, std::string(word) == "hello\n" ? "olleh\n" : "niaga\n");
    }
    ours.Drop(stream);
  }
}

TEST_P(TlsOpensslTest, ItsClientTalksToUsAndIsRetried) {
  for (const char* groups : {"X25519", "P-256:X25519", "X448:P-384"}) {
    tls::Options server = MutualOptions(certs_, b_, tls::Role::kServer);
    // The second and third client lead with a key share that is not among these.
    server.ciphers.groups = {"x25519", "secp384r1"};
    TlsSide ours(server, MutualOptions(certs_, a_, tls::Role::kClient));
    auto accepted = ours.Accept();
    auto client = Client(ours, peer_, {"-groups", groups, "-quiet"});
    StreamResult stream = accepted.get();
    ASSERT_TRUE(stream.ok()) << stream.status() << client->Err();
    EXPECT_EQ((*stream)->peer().tls->sni, "b.example");
    EXPECT_TRUE(client->Write("hello\n").ok());
    auto text = ours.Read(**stream, 6);
    ASSERT_TRUE(text.ok()) << text.status();
    EXPECT_EQ(*text, "hello\n");
    EXPECT_TRUE(ours.Write(**stream, "a good day\n").ok());
    auto line = client->WaitForOutput("a good day");
    EXPECT_TRUE(line.ok()) << line.status();
    EXPECT_TRUE(ours.Close(**stream).ok());
    auto code = client->WaitForExit();
    ASSERT_TRUE(code.ok()) << code.status();
    ours.Drop(stream);
  }
}

TEST_P(TlsOpensslTest, ItsClientHearsWhyWeRefuseIt) {
  struct Case {
    CertFiles files;
    const char* reason;
    const char* heard;
  };
  const Case cases[] = {
      {certs_.Untrusted("peer@peer.example"), "unknown_ca", "alert number 48"},
      {certs_.Expired("peer@peer.example"), "certificate_expired", "alert number 45"},
  };
  for (const Case& one : cases) {
    TlsSide ours = MakeOurs();
    auto accepted = ours.Accept();
    auto client = Client(ours, one.files, {"-ign_eof"});
    EXPECT_EQ(ReasonOf(accepted.get().status()), one.reason);
    auto heard = client->WaitForOutput(one.heard);
    EXPECT_TRUE(heard.ok()) << heard.status();
  }
}

TEST_P(TlsOpensslTest, ItsServerHearsWhyWeRefuseIt) {
  TlsSide ours = MakeOurs();
  auto server = Server(certs_.Untrusted("peer@peer.example"));
  StreamResult refused = ours.Connect(port_, "peer.example");
  EXPECT_EQ(ReasonOf(refused.status()), "unknown_ca");
  auto heard = server->WaitForOutput("alert number 48");
  EXPECT_TRUE(heard.ok()) << heard.status();
}

TEST_P(TlsOpensslTest, WeHearWhyItsServerRefusesUs) {
  TlsSide ours(MutualOptions(certs_, b_, tls::Role::kServer),
               MutualOptions(certs_, certs_.Expired("a@a.example"), tls::Role::kClient));
  auto server = Server(peer_);
  StreamResult stream = ours.Connect(port_, "peer.example");
  const absl::Status told = stream.ok() ? ours.Read(**stream, 1).status() : stream.status();
  EXPECT_EQ(ReasonOf(told), "certificate_expired") << told;
  ours.Drop(stream);
}

}  // namespace
}  // namespace noded::interop
