// TLS 1.3 between nodes of which one offers a key share that the other one lacks: the server asks
// again (HelloRetryRequest), and they connect. A tap on the wire sees the question.
#include <memory>

#include "base/bytes.h"
#include "tests/interop/refusals.h"
#include "tests/testlib/epmd_entry.h"
#include "tests/testlib/wire_tap.h"

namespace noded::interop {
namespace {

using testlib::FreePort;
using testlib::LogReader;
using testlib::Nodectl;
using testlib::NodedOptions;
using testlib::NodedProcess;
using testlib::OtpNode;
using testlib::WireTap;

// The random value that makes a ServerHello a HelloRetryRequest (RFC 8446 section 4.1.3).
constexpr char kRetry[] = "cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c";

class HelloRetryTest : public RefusalsTest {
 protected:
  NodedOptions Groups(const std::string& groups) {
    const std::vector<std::string> options = {"{versions,['tlsv1.3']}",
                                              fmt::format("{{supported_groups,[{}]}}", groups)};
    return Tls(certs_.OptFile(files_, options, options));
  }
  // Such a node listens at `port_`, and tells no epmd.
  NodedOptions Server(const std::string& groups) {
    NodedOptions options = Groups(groups).Named("server@127.0.0.1");
    options.arguments = {"-erl_epmd_port", std::to_string(port_)};
    options.epmd_port = FreePort();  // OTP tells an epmd all the same when there is one
    return options;
  }
  // Who looks for the server at epmd finds the tap before it.
  void Tap() {
    tap_ = std::make_unique<WireTap>(port_);
    entry_ = std::make_unique<testlib::EpmdEntry>(epmd_port_, "server", tap_->port());
  }
  bool WasAskedAgain() {
    return base::ToHex(base::AsBytes(tap_->FromServer())).find(kRetry) != std::string::npos;
  }

  const uint16_t port_ = FreePort();
  testlib::OtpEpmd epmd_{epmd_port_};
  std::unique_ptr<WireTap> tap_;
  std::unique_ptr<testlib::EpmdEntry> entry_;
};

TEST_F(HelloRetryTest, AnOtpNodeWithAKeyShareThatWeLackIsAskedAgain) {
  NodedProcess server(Server("secp256r1"));
  ASSERT_TRUE(server.WaitReady().ok()) << server.Log();
  Tap();
  LogReader log(server);
  // OTP sends a share of its first group only.
  OtpNode otp(Otp(Groups("x448,secp256r1").Named("otp@127.0.0.1")));
  EXPECT_EQ(otp.Eval("net_adm:ping('server@127.0.0.1')"), "pong") << otp.Log() << server.Log();
  EXPECT_TRUE(WasAskedAgain());
  auto up = log.WaitFor("link_up", {{"peer", "otp@127.0.0.1"}, {"tls", "tlsv1.3"}});
  EXPECT_TRUE(up.ok()) << up.status();
  EXPECT_EQ(otp.Eval("rpc:call('server@127.0.0.1', erlang, node, [])"), "'server@127.0.0.1'");
}

TEST_F(HelloRetryTest, WeSendAnotherKeyShareWhenAnOtpNodeAsksForIt) {
  OtpNode server(Otp(Server("secp384r1")));
  ASSERT_TRUE(server.WaitReady().ok()) << server.Log();
  Tap();
  const auto done =
      Nodectl(Groups("x25519,secp256r1,secp384r1"), {"call", "server@127.0.0.1", "erlang", "node"});
  EXPECT_EQ(done.out, "'server@127.0.0.1'\n") << done.err << server.Log();
  EXPECT_TRUE(WasAskedAgain());
}

TEST_F(HelloRetryTest, NodedsAskEachOtherAgain) {
  NodedProcess server(Server("secp521r1"));
  ASSERT_TRUE(server.WaitReady().ok()) << server.Log();
  Tap();
  const auto done =
      Nodectl(Groups("x25519,secp521r1"), {"call", "server@127.0.0.1", "erlang", "node"});
  EXPECT_EQ(done.out, "'server@127.0.0.1'\n") << done.err << server.Log();
  EXPECT_TRUE(WasAskedAgain());
}

// The tap can tell: without a reason nobody is asked again, by default not even once.
TEST_F(HelloRetryTest, NobodyIsAskedAgainWithoutAReason) {
  NodedOptions options = Good().Named("server@127.0.0.1");
  options.arguments = {"-erl_epmd_port", std::to_string(port_)};
  NodedProcess server(options);
  ASSERT_TRUE(server.WaitReady().ok()) << server.Log();
  Tap();
  const std::vector<std::string> tls13 = {"{versions,['tlsv1.3']}"};
  OtpNode otp(Otp(Tls(certs_.OptFile(files_, tls13, tls13)).Named("otp@127.0.0.1")));
  EXPECT_EQ(otp.Eval("net_adm:ping('server@127.0.0.1')"), "pong") << otp.Log() << server.Log();
  EXPECT_EQ(Nodectl(Good(), {"ping", "server@127.0.0.1"}).out, "pong\n");
  EXPECT_FALSE(WasAskedAgain());
}

TEST_F(HelloRetryTest, NoGroupInCommonIsARefusalWithAReason) {
  NodedProcess server(Server("secp256r1"));
  ASSERT_TRUE(server.WaitReady().ok()) << server.Log();
  Tap();
  LogReader log(server);
  ExpectRefused(Groups("x25519,secp384r1"), "server@127.0.0.1",
                {"handshake_failure", "supported_groups"});
  ExpectLogged(log, "handshake_failure", {"group", "supported_groups"});
}

}  // namespace
}  // namespace noded::interop
