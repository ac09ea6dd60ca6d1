// The node runner itself, and two OTP nodes that meet with certificates of ours: what these tests
// say about OTP, tests of noded may rely on.
#include "tests/testlib/otp_node.h"

#include <netdb.h>

#include <gtest/gtest.h>

#include "tests/testlib/ports.h"

namespace noded::testlib {
namespace {

TEST(OtpNodeTest, EvaluatesErlang) {
  OtpNode node({});
  EXPECT_EQ(node.Eval("1 + 1"), "2");
  EXPECT_EQ(node.Eval("{\"caf\xc3\xa9\", <<1, 2>>, 'a b'}."), "{\"caf\xc3\xa9\",<<1,2>>,'a b'}");
  EXPECT_EQ(node.Eval("X = 40,\nY = 2 % a comment"), "2");
  EXPECT_EQ(node.Eval("X + Y"), "42");
  EXPECT_EQ(node.Eval("lists:nosuch()"), "** exception error: undef");
  EXPECT_EQ(node.Eval("exit(tea)"), "** exception exit: tea");
  EXPECT_EQ(node.Eval("exit(self(), kill)"), "** exception exit: killed");
  EXPECT_EQ(node.Eval("X"), "40");
  EXPECT_EQ(node.Eval("length(lists:seq(1, 100000))"), "100000");
  EXPECT_EQ(node.Eval("binary:copy(<<\"x\">>, 100000)").size(), 100006u);
  EXPECT_TRUE(node.Eval("1 +").starts_with("** exception error: {badmatch,"));
}

TEST(OtpNodeTest, TellsWhyANodeDidNotStart) {
  OtpNode node({.name = "lost@127.0.0.1", .epmd_port = FreePort()});
  const absl::Status ready = node.WaitReady();
  EXPECT_EQ(ready.code(), absl::StatusCode::kUnavailable);
  EXPECT_NE(ready.ToString().find("econnrefused"), std::string::npos) << ready;
}

TEST(OtpNodeTest, TwoNodesMeetThroughAnEpmdOfTheirOwn) {
  OtpEpmd epmd;
  OtpNode shop({.name = "shop@127.0.0.1", .epmd_port = epmd.port()});
  OtpNode till({.name = "till@127.0.0.1", .epmd_port = epmd.port()});
  ASSERT_TRUE(shop.WaitReady().ok()) << shop.Log();
  EXPECT_EQ(till.Eval("net_adm:ping('shop@127.0.0.1')"), "pong");
  EXPECT_EQ(shop.Eval("nodes()"), "['till@127.0.0.1']");
  EXPECT_EQ(till.Eval("rpc:call('shop@127.0.0.1', erlang, node, [])"), "'shop@127.0.0.1'");
  till.Stop();
  EXPECT_EQ(shop.Eval("net_adm:ping('till@127.0.0.1')"), "pang");
}

TEST(OtpNodeTest, NodesOfLocalhostHaveShortNames) {
  OtpEpmd epmd;
  OtpNode shop({.name = "shop@localhost", .epmd_port = epmd.port()});
  OtpNode till({.name = "till@localhost", .epmd_port = epmd.port()});
  ASSERT_TRUE(shop.WaitReady().ok()) << shop.Log();
  EXPECT_EQ(till.Eval("net_adm:ping('shop@localhost')"), "pong");
}

// Each test in its own network: 4369 is free whatever runs beside, and ::1 is there.
TEST(SandboxTest, HasALoopbackOfItsOwnWithBothFamilies) {
  OtpEpmd epmd(4369);
  addrinfo* found = nullptr;
  EXPECT_EQ(getaddrinfo("localhost", nullptr, nullptr, &found), 0);
  if (found) freeaddrinfo(found);
  EXPECT_TRUE(HasIpv6Loopback());
}

}  // namespace
}  // namespace noded::testlib
