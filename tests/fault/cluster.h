// A node of OTP's and nodes of ours that know each other, for tests of what happens when one of
// them goes.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/testlib/log_events.h"
#include "tests/testlib/noded.h"
#include "tests/testlib/otp_node.h"
#include "tests/testlib/ports.h"
#include "tests/testlib/test_certs.h"

namespace noded::fault {

class ClusterTest : public testing::Test {
 protected:
  // `carrier`: inet_tls or inet_tcp. `arguments` are for noded and erl alike.
  testlib::NodedOptions Options(const std::string& name, const std::string& carrier,
                                std::vector<std::string> arguments = {}) {
    testlib::NodedOptions options;
    options.name = name;
    options.proto_dist = carrier;
    if (carrier == "inet_tls") options.ssl_dist_optfile = optfile_;
    options.epmd_port = epmd_.port();
    options.arguments = std::move(arguments);
    return options;
  }
  static testlib::OtpNodeOptions Otp(const testlib::NodedOptions& options) {
    testlib::OtpNodeOptions otp;
    otp.name = options.name;
    otp.cookie = options.cookie;
    otp.proto_dist = options.proto_dist;
    otp.ssl_dist_optfile = options.ssl_dist_optfile;
    otp.epmd_port = options.epmd_port;
    otp.arguments = options.arguments;
    return otp;
  }

  // OTP connects to the node, and tells TakeDown() when that ends.
  static void Join(testlib::OtpNode& otp, const std::string& node) {
    ASSERT_EQ(otp.Eval("net_kernel:monitor_nodes(true, [nodedown_reason])"), "ok");
    ASSERT_EQ(otp.Eval(fmt::format("net_adm:ping('{}')", node)), "pong") << otp.Log();
  }
  // Until OTP sees a node go: "{Node,Reason}", or "none" after 30 seconds.
  static std::string TakeDown(testlib::OtpNode& otp) {
    return otp.Eval(
        "receive {nodedown, Down, Info} -> {Down, proplists:get_value(nodedown_reason, Info)} "
        "after 30000 -> none end");
  }
  static void ExpectPong(testlib::OtpNode& otp, const std::string& node) {
    EXPECT_EQ(otp.Eval(fmt::format("net_adm:ping('{}')", node)), "pong") << otp.Log();
  }

  testlib::TestCerts certs_;
  const std::string optfile_ = certs_.OptFile(certs_.Node("any@127.0.0.1"));
  testlib::OtpEpmd epmd_;
};

}  // namespace noded::fault
