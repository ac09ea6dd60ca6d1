// The node runner itself, and two OTP nodes that meet with certificates of ours: what these tests
// say about OTP, tests of noded may rely on.
#include "tests/testlib/otp_node.h"

#include <netdb.h>

#include <gtest/gtest.h>

#include "tests/testlib/ports.h"
#include "tests/testlib/test_certs.h"
#include "tests/testlib/wait.h"

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

// Two OTP nodes, one with `shop_files`, the other with `till_files`.
struct Pair {
  Pair(TestCerts& certs, const std::string& host, const CertFiles& shop_files,
       const CertFiles& till_files, const std::string& proto = "inet_tls",
       const std::vector<std::string>& more = {})
      : shop({.name = "shop@" + host,
              .proto_dist = proto,
              .ssl_dist_optfile = certs.OptFile(shop_files, more, more),
              .epmd_port = epmd.port()}),
        till({.name = "till@" + host,
              .proto_dist = proto,
              .ssl_dist_optfile = certs.OptFile(till_files, more, more),
              .epmd_port = epmd.port()}) {}

  std::string Ping() {
    const absl::Status ready = shop.WaitReady();
    EXPECT_TRUE(ready.ok()) << ready;
    return till.Eval("net_adm:ping('" + shop.name() + "')");
  }
  void ExpectMeeting() {
    EXPECT_EQ(Ping(), "pong") << shop.Log() << till.Log();
    EXPECT_EQ(
        till.Eval("['" + till.name() + "'] =:= rpc:call('" + shop.name() + "', erlang, nodes, [])"),
        "true");
  }
  // Either may be the one to say why.
  void ExpectRefusal(const std::string& why) {
    EXPECT_EQ(Ping(), "pang");
    EXPECT_TRUE(Eventually([&] {
      return (shop.Log() + till.Log()).find(why) != std::string::npos;
    })) << "no \""
        << why << "\" in " << shop.Log() << till.Log();
  }

  OtpEpmd epmd;
  OtpNode shop, till;
};

TEST(OtpTlsTest, NodesMeetWithOurCertificates) {
  TestCerts certs;
  for (const std::string host : {"127.0.0.1", "localhost"}) {
    Pair(certs, host, certs.Node("shop@" + host), certs.Node("till@" + host)).ExpectMeeting();
  }
  const std::string host = "127.0.0.1";
  Pair(certs, host, certs.Node("shop@" + host), certs.Node("till@" + host), "inet_tls",
       {"{versions,['tlsv1.3']}"})
      .ExpectMeeting();
}

TEST(OtpTlsTest, NodesMeetOverIpv6) {
  TestCerts certs;
  Pair(certs, "::1", certs.Node("shop@::1"), certs.Node("till@::1"), "inet6_tls").ExpectMeeting();
}

TEST(OtpTlsTest, TakesOurOtherFormsOfCertificateAndKey) {
  TestCerts certs;
  const std::string host = "127.0.0.1", shop = "shop@" + host, till = "till@" + host;
  Pair(certs, host, certs.Node(shop, tls::KeyType::kRsa2048), certs.Chained(till, 2))
      .ExpectMeeting();
  Pair(certs, host, certs.Encrypted(shop, "s3cret"), certs.Encrypted(till, "s3cret", false),
       "inet_tls", {"{password,\"s3cret\"}"})
      .ExpectMeeting();
}

TEST(OtpTlsTest, RefusesWhatWeMadeToBeRefused) {
  TestCerts certs;
  const std::string host = "127.0.0.1", shop = "shop@" + host, till = "till@" + host;
  const CertFiles good_shop = certs.Node(shop), good_till = certs.Node(till);
  Pair(certs, host, good_shop, certs.Untrusted(till)).ExpectRefusal("Unknown CA");
  Pair(certs, host, certs.Untrusted(shop), good_till).ExpectRefusal("Unknown CA");
  Pair(certs, host, certs.Expired(shop), good_till).ExpectRefusal("Certificate Expired");
  Pair(certs, host, certs.NotYetValid(shop), good_till).ExpectRefusal("Certificate Expired");
  Pair(certs, host, certs.WithHosts(shop, {"other.example"}), good_till)
      .ExpectRefusal("hostname_check_failed");
  Pair(certs, host, certs.Mismatched(shop), good_till).ExpectRefusal("Decrypt Error");
  Pair(certs, host, certs.Chained(shop, 1, false), good_till).ExpectRefusal("Unknown CA");
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
