// tls/ssl.h with the tools of OpenSSL and GnuTLS, each as server and as client, in both versions.
#include <gtest/gtest.h>

#include "tests/testlib/ports.h"
#include "tests/testlib/process.h"
#include "tls/ssl_pair.h"

namespace noded::tls {
namespace {

using testlib::CertFiles;
using testlib::Process;

class SslToolsTest : public SslPair {
 protected:
  SslToolsTest() { a_ = certs_.Node("a@a.example"); }

  std::unique_ptr<Process> Start(std::vector<std::string> argv) {
    auto process = Process::Start({.argv = std::move(argv), .has_input = true});
    EXPECT_TRUE(process.ok()) << process.status();
    return process.ok() ? *std::move(process) : nullptr;
  }
  std::string Openssl() const { return GetParam() == Version::kTls12 ? "-tls1_2" : "-tls1_3"; }
  std::string Gnutls() const {
    return GetParam() == Version::kTls12 ? "NORMAL:-VERS-ALL:+VERS-TLS1.2"
                                         : "NORMAL:-VERS-ALL:+VERS-TLS1.3";
  }
  void Connect(uint16_t port) {
    Options options = OptionsFor(Role::kClient);
    options.trust.server_name = "peer.example";
    auto socket = ssl_->Connect("127.0.0.1", port, options, {.options = {.packet = Packet::kLine}});
    ASSERT_TRUE(socket.ok()) << socket.status();
    client_ = *std::move(socket);
  }
  // One line each way; then we say goodbye and the client ends by itself.
  void Serve(std::future<absl::StatusOr<std::unique_ptr<SslSocket>>> accepted, Process& client) {
    auto socket = accepted.get();
    ASSERT_TRUE(socket.ok()) << socket.status() << client.Err();
    EXPECT_TRUE(client.Write("hello\n").ok());
    EXPECT_EQ(Text((*socket)->Recv(0, kPatience)), "hello\n");
    EXPECT_TRUE((*socket)->Send("good day\n").ok());
    auto line = client.WaitForOutput("good day");
    EXPECT_TRUE(line.ok()) << line.status();
    EXPECT_TRUE((*socket)->Close().ok());
    EXPECT_TRUE(client.WaitForExit().ok());
  }

  CertFiles peer_ = certs_.Node("peer@peer.example");
};
INSTANTIATE_TEST_SUITE_P(Versions, SslToolsTest, kBothVersions, VersionText);

TEST_P(SslToolsTest, OpensslServes) {
  auto server = Start({"openssl", "s_server", "-accept", "127.0.0.1:0", "-rev", "-Verify", "5",
                       "-verify_return_error", "-cert", peer_.cert, "-key", peer_.key, "-CAfile",
                       certs_.ca(), Openssl()});
  auto line = server->WaitForOutput("ACCEPT 127.0.0.1:([0-9]+)");
  ASSERT_TRUE(line.ok()) << line.status();
  Connect(static_cast<uint16_t>(std::stoi((*line)[1])));
  EXPECT_TRUE(client_->Send("hello\n").ok());
  EXPECT_EQ(Text(client_->Recv(0, kPatience)), "olleh\n");
  EXPECT_TRUE(client_->Close().ok());
}

TEST_P(SslToolsTest, OpensslConnects) {
  ListenAt();
  auto accepted = Accept({.options = {.packet = Packet::kLine}});
  auto client =
      Start({"openssl", "s_client", "-connect", "127.0.0.1:" + std::to_string(listener_->port()),
             "-servername", "b.example", "-verify_return_error", "-quiet", "-cert", peer_.cert,
             "-key", peer_.key, "-CAfile", certs_.ca(), Openssl()});
  Serve(std::move(accepted), *client);
}

TEST_P(SslToolsTest, GnutlsServes) {
  const uint16_t port = testlib::FreePort();
  auto server = Start({"gnutls-serv", "--echo", "--port", std::to_string(port), "--x509certfile",
                       peer_.cert, "--x509keyfile", peer_.key, "--x509cafile", certs_.ca(),
                       "--require-client-cert", "--verify-client-cert", "--priority", Gnutls()});
  auto line = server->WaitForOutput("listening on IPv4.*done");
  ASSERT_TRUE(line.ok()) << line.status();
  Connect(port);
  EXPECT_TRUE(client_->Send("hello\n").ok());
  EXPECT_EQ(Text(client_->Recv(0, kPatience)), "hello\n");
  EXPECT_TRUE(client_->Close().ok());
}

TEST_P(SslToolsTest, GnutlsConnects) {
  ListenAt();
  auto accepted = Accept({.options = {.packet = Packet::kLine}});
  auto client = Start({"gnutls-cli", "127.0.0.1", "--port", std::to_string(listener_->port()),
                       "--sni-hostname", "b.example", "--verify-hostname", "b.example",
                       "--x509certfile", peer_.cert, "--x509keyfile", peer_.key, "--x509cafile",
                       certs_.ca(), "--priority", Gnutls()});
  Serve(std::move(accepted), *client);
}

// RFC 5705 and RFC 8446 7.5 as another implementation has them.
TEST_P(SslToolsTest, OpensslExportsTheSameKeys) {
  ListenAt();
  auto accepted = Accept({.options = {.packet = Packet::kLine}});
  auto client =
      Start({"openssl", "s_client", "-connect", "127.0.0.1:" + std::to_string(listener_->port()),
             "-servername", "b.example", "-verify_return_error", "-cert", peer_.cert, "-key",
             peer_.key, "-CAfile", certs_.ca(), "-keymatexport", "EXPORTER-noded-test",
             "-keymatexportlen", "48", Openssl()});
  auto socket = accepted.get();
  ASSERT_TRUE(socket.ok()) << socket.status() << client->Err();
  auto theirs = client->WaitForOutput("Keying material: ([0-9A-F]+)");
  ASSERT_TRUE(theirs.ok()) << theirs.status();
  auto ours = (*socket)->ExportKeyMaterial("EXPORTER-noded-test", std::nullopt, 48);
  ASSERT_TRUE(ours.ok()) << ours.status();
  EXPECT_EQ(base::FromHex((*theirs)[1]), *ours);
}

}  // namespace
}  // namespace noded::tls
