// noded and nodectl refuse, and are refused, each with its reason on both sides; the node lives on.
#include "tests/interop/refusals.h"

#include "asio/connect.hpp"
#include "asio/io_context.hpp"
#include "asio/ip/tcp.hpp"
#include "asio/read.hpp"
#include "asio/write.hpp"

namespace noded::interop {
namespace {

using testlib::CertFiles;
using testlib::FreePort;
using testlib::LogReader;
using testlib::NodedOptions;
using testlib::NodedProcess;

// What a server answers to these bytes until it ends the connection.
std::string Converse(uint16_t port, const std::string& text) {
  asio::io_context io;
  asio::ip::tcp::socket socket(io);
  socket.connect({asio::ip::make_address("127.0.0.1"), port});
  asio::write(socket, asio::buffer(text));
  std::string answer;
  asio::error_code error;
  asio::read(socket, asio::dynamic_buffer(answer), error);
  return answer;
}

constexpr char kBrowser[] = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/html\r\n\r\n";

// Over both versions of TLS.
class TlsRefusalsTest : public RefusalsTest, public testing::WithParamInterface<const char*> {
 protected:
  std::string Version() const { return fmt::format("{{versions,['{}']}}", GetParam()); }
  bool is_tls13() const { return std::string(GetParam()) == "tlsv1.3"; }
  // A node or a client with this identity, and this version alone.
  NodedOptions With(const CertFiles& files) {
    return Tls(certs_.OptFile(files, {Version()}, {Version()}));
  }
};

INSTANTIATE_TEST_SUITE_P(Versions, TlsRefusalsTest, testing::Values("tlsv1.2", "tlsv1.3"),
                         [](const auto& info) {
                           return std::string(info.param) == "tlsv1.2" ? "Tls12" : "Tls13";
                         });

TEST_P(TlsRefusalsTest, AClientIsRefusedForItsCertificateAndItsCookie) {
  NodedProcess shop(With(files_).Named("shop@127.0.0.1"));
  ASSERT_TRUE(shop.WaitReady().ok()) << shop.Log();
  LogReader log(shop);

  ExpectRefused(With(certs_.Untrusted("any@127.0.0.1")), shop.name(),
                {"unknown_ca", "CA of our certificate", shop.name()});
  ExpectLogged(log, "unknown_ca", {"CN=any@127.0.0.1"});

  ExpectRefused(With(certs_.Expired("any@127.0.0.1")), shop.name(),
                {"certificate_expired", "expired"});
  ExpectLogged(log, "certificate_expired", {"CN=any@127.0.0.1"});

  ExpectRefused(With(certs_.NotYetValid("any@127.0.0.1")), shop.name(), {"clock"});
  ExpectLogged(log, "certificate_expired", {"clock"});

  ExpectRefused(With(certs_.Chained("any@127.0.0.1", 1, /*with_chain=*/false)), shop.name(),
                {"unknown_ca"});
  ExpectLogged(log, "unknown_ca");

  // In TLS 1.3 such a client is done before the server has looked: it learns of it later.
  NodedOptions nameless = Tls("");
  nameless.ssl_dist_opt = {"client_cacertfile", certs_.ca(),
                           "client_verify",     "verify_peer",
                           "client_versions",   fmt::format("['{}']", GetParam())};
  const std::string alert = is_tls13() ? "certificate_required" : "handshake_failure";
  ExpectRefused(nameless, shop.name(), {alert, "certificate"});
  ExpectLogged(log, alert, {"no certificate", "client_certfile", "fail_if_no_peer_cert"});

  NodedOptions stranger = With(files_);
  stranger.cookie = "another_cookie";
  ExpectRefused(stranger, shop.name(), {"cookie", "-setcookie"});
  ExpectLogged(log, "bad_cookie", {"cookie", "-setcookie"});

  ExpectServes(shop, With(files_));
  EXPECT_EQ(shop.Log().find("another_cookie"), std::string::npos);
  EXPECT_EQ(shop.Log().find("noded_test_cookie"), std::string::npos);
  EXPECT_EQ(shop.Stop(), 0);
}

TEST_P(TlsRefusalsTest, AServerIsRefusedForItsCertificate) {
  struct Case {
    CertFiles files;
    std::string reason;
    std::vector<std::string> words;
  };
  const std::vector<Case> cases = {
      {certs_.Untrusted("any@127.0.0.1"), "unknown_ca", {"CN=any@127.0.0.1", "cacertfile"}},
      {certs_.Expired("any@127.0.0.1"), "certificate_expired", {"CN=any@127.0.0.1", "expired"}},
      {certs_.WithHosts("any@elsewhere.example", {"elsewhere.example", "10.1.2.3"}),
       "handshake_failure",
       {"elsewhere.example", "10.1.2.3", "127.0.0.1", "client_server_name_indication"}},
  };
  for (const Case& one : cases) {
    SCOPED_TRACE(one.reason);
    NodedProcess shop(With(one.files).Named("shop@127.0.0.1"));
    ASSERT_TRUE(shop.WaitReady().ok()) << shop.Log();
    LogReader log(shop);
    ExpectRefused(With(files_), shop.name(), one.words);
    ExpectLogged(log, one.reason);

    // The node is there for those that do not mind.
    NodedOptions careless = With(files_);
    careless.ssl_dist_optfile = certs_.OptFile(files_, {}, {Version(), "{verify,verify_none}"});
    ExpectServes(shop, careless);
    EXPECT_EQ(shop.Stop(), 0);
  }
}

TEST_F(RefusalsTest, NothingInCommonIsRefused) {
  const std::string tls12 = "{versions,['tlsv1.2']}", tls13 = "{versions,['tlsv1.3']}";
  NodedProcess shop(Tls(certs_.OptFile(files_, {tls12})).Named("shop@127.0.0.1"));
  NodedProcess till(Tls(certs_.OptFile(files_, {tls13})).Named("till@127.0.0.1"));
  ASSERT_TRUE(shop.WaitReady().ok()) << shop.Log();
  ASSERT_TRUE(till.WaitReady().ok()) << till.Log();
  LogReader shops(shop), tills(till);
  ExpectRefused(Tls(certs_.OptFile(files_, {}, {tls13})), shop.name(), {"refused", "versions"});
  ExpectLogged(shops, "handshake_failure", {"version", "versions"});
  ExpectRefused(Tls(certs_.OptFile(files_, {}, {tls12})), till.name(),
                {"protocol_version", "versions"});
  ExpectLogged(tills, "protocol_version", {"version", "versions"});
  ExpectServes(shop);
  ExpectServes(till);
}

TEST_F(RefusalsTest, ATlsPortIsNoPortForPlainPeersAndBrowsers) {
  NodedProcess shop(Good().Named("shop@127.0.0.1"));
  ASSERT_TRUE(shop.WaitReady().ok()) << shop.Log();
  LogReader log(shop);

  ExpectRefused(Plain(), shop.name(), {"TLS", "-proto_dist"});
  ExpectLogged(log, "plain_on_tls_port", {"plain distribution", "-proto_dist"});

  // A fatal alert, which a browser shows as such.
  const std::string answer = Converse(shop.port(), kBrowser);
  ASSERT_EQ(answer.size(), 7u);
  EXPECT_EQ(answer[0], 21);
  EXPECT_EQ(answer.substr(5), "\x02\x0a");  // fatal, unexpected_message
  ExpectLogged(log, "plain_on_tls_port", {"HTTP"});

  Converse(shop.port(), "SSH-2.0-OpenSSH_9.2\r\n");
  ExpectLogged(log, "plain_on_tls_port", {"SSH-2"});
  ExpectServes(shop);
}

TEST_F(RefusalsTest, APlainPortIsNoPortForTlsPeersAndBrowsers) {
  NodedProcess shop(Plain().Named("shop@127.0.0.1"));
  ASSERT_TRUE(shop.WaitReady().ok()) << shop.Log();
  LogReader log(shop);

  ExpectRefused(Good(), shop.name(), {"TLS", "-proto_dist inet_tls"});
  ExpectLogged(log, "tls_on_plain_port", {"TLS", "-proto_dist"});

  EXPECT_EQ(Converse(shop.port(), kBrowser), "");
  ExpectLogged(log, "bad_handshake", {"HTTP"});

  NodedOptions stranger = Plain();
  stranger.cookie = "another_cookie";
  ExpectRefused(stranger, shop.name(), {"cookie"});
  ExpectLogged(log, "bad_cookie", {"cookie"});
  ExpectServes(shop, Plain());
}

TEST_F(RefusalsTest, WhoIsNotThereIsNamedWithTheStepThatFailed) {
  NodedProcess shop(Good().Named("shop@127.0.0.1"));
  ASSERT_TRUE(shop.WaitReady().ok()) << shop.Log();
  // Its epmd knows no such node.
  ExpectRefused(Good(), "till@127.0.0.1", {"till", "epmd", std::to_string(epmd_port_)});
  // Nobody listens where it should.
  const std::string port = std::to_string(FreePort());
  NodedOptions fixed = Good();
  fixed.arguments = {"-erl_epmd_port", port};
  ExpectRefused(fixed, "till@127.0.0.1", {"till@127.0.0.1", port, "refused"});
  // No epmd there.
  NodedOptions lost = Good();
  lost.epmd_port = FreePort();
  ExpectRefused(lost, "till@127.0.0.1", {"epmd", std::to_string(lost.epmd_port)});
  // No such host (.invalid never resolves).
  ExpectRefused(Good(), "till@no-such-host.invalid", {"no-such-host.invalid", "resolve"});
}

TEST_F(RefusalsTest, ANameCanBeTakenOnce) {
  NodedProcess shop(Good().Named("shop@127.0.0.1"));
  ASSERT_TRUE(shop.WaitReady().ok()) << shop.Log();
  NodedProcess second(Good().Named("shop@127.0.0.1"));
  EXPECT_EQ(second.WaitForExit(), 1);
  ExpectWords(second.Log(), {"noded: ", "shop@127.0.0.1", "node of that name", "-name"});
  // Nor may a client call itself like the node that it calls.
  ExpectRefused(Good().Named("shop@127.0.0.1"), shop.name(), {"-name", "shop@127.0.0.1"}, 2);
  ExpectServes(shop);

  NodedOptions fixed = Good();
  fixed.arguments = {"-erl_epmd_port", std::to_string(shop.port())};
  NodedProcess third(fixed.Named("till@127.0.0.1"));
  EXPECT_EQ(third.WaitForExit(), 1);
  ExpectWords(third.Log(), {"noded: ", std::to_string(shop.port()), "in use"});
}

}  // namespace
}  // namespace noded::interop
