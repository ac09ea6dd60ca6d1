// noded and an OTP node that connect to each other at the same moment end up with one connection,
// whichever name is the greater one. Taps hold both attempts back until both are under way.
#include "tests/interop/refusals.h"
#include "tests/testlib/epmd_entry.h"
#include "tests/testlib/process.h"
#include "tests/testlib/wait.h"
#include "tests/testlib/wire_tap.h"

namespace noded::interop {
namespace {

using testlib::EpmdEntry;
using testlib::Eventually;
using testlib::LogReader;
using testlib::NodedOptions;
using testlib::NodedProcess;
using testlib::OtpEpmd;
using testlib::OtpNode;
using testlib::Process;
using testlib::WireTap;

struct Case {
  const char* carrier;
  const char* ours;  // the name; OTP's is "mike"
};

class SimultaneousTest : public RefusalsTest, public testing::WithParamInterface<Case> {
 protected:
  // A port that OTP listens at.
  static uint16_t PortOf(OtpNode& otp) {
    return static_cast<uint16_t>(
        std::stoi(otp.Eval("{port, Port, _} = erl_epmd:port_please(\"mike\", {127,0,0,1}), Port")));
  }
};

INSTANTIATE_TEST_SUITE_P(Cases, SimultaneousTest,
                         testing::Values(Case{"inet_tcp", "alfa"}, Case{"inet_tcp", "zulu"},
                                         Case{"inet_tls", "alfa"}, Case{"inet_tls", "zulu"}),
                         [](const auto& info) {
                           return fmt::format("{}_{}", info.param.carrier, info.param.ours);
                         });

TEST_P(SimultaneousTest, TwoAttemptsAtOnceMakeOneConnection) {
  const std::string ours = fmt::format("{}@127.0.0.1", GetParam().ours), theirs = "mike@127.0.0.1";
  const bool is_tls = std::string(GetParam().carrier) == "inet_tls";
  // Each has an epmd of its own, in which the other one is behind a tap.
  OtpEpmd our_epmd(epmd_port_), their_epmd;
  NodedOptions options = is_tls ? Good() : Plain();
  NodedProcess node(options.Named(ours));
  ASSERT_TRUE(node.WaitReady().ok()) << node.Log();
  NodedOptions other = options.Named(theirs);
  other.epmd_port = their_epmd.port();
  OtpNode otp(Otp(other));
  ASSERT_TRUE(otp.WaitReady().ok()) << otp.Log();
  WireTap to_us(node.port(), WireTap::kHeld);
  WireTap to_them(PortOf(otp), WireTap::kHeld);
  EpmdEntry us(their_epmd.port(), GetParam().ours, to_us.port());
  EpmdEntry them(epmd_port_, "mike", to_them.port());

  otp.Post(fmt::format("Connected = net_kernel:connect_node('{}')", ours));
  auto asked = Process::Start(testlib::CommandOf(
      "cli/nodectl",
      {"call", ours, "net_kernel", "connect_node", fmt::format("'{}'", theirs), "--timeout", "30"},
      options));
  ASSERT_TRUE(asked.ok()) << asked.status();
  ASSERT_TRUE(Eventually([&] {
    return !to_us.FromClient().empty() && !to_them.FromClient().empty();
  })) << node.Log()
      << otp.Log();
  to_us.Release();
  to_them.Release();

  auto code = (*asked)->WaitForExit();
  ASSERT_TRUE(code.ok()) << code.status();
  EXPECT_EQ((*asked)->Out(), "true\n") << (*asked)->Err() << node.Log() << otp.Log();
  EXPECT_EQ(otp.Eval("Connected"), "true") << node.Log() << otp.Log();
  EXPECT_EQ(otp.Eval("nodes()"), fmt::format("['{}']", ours));
  EXPECT_EQ(otp.Eval(fmt::format("rpc:call('{}', erlang, node, [])", ours)),
            fmt::format("'{}'", ours));
  const auto called = testlib::Nodectl(
      options, {"call", ours, "rpc", "call", fmt::format("'{}'", theirs), "erlang", "node", "[]"});
  EXPECT_EQ(called.out, fmt::format("'{}'\n", theirs)) << called.err;

  LogReader log(node);
  auto up = log.WaitFor("link_up", {{"peer", theirs}});
  ASSERT_TRUE(up.ok()) << up.status();
  int ups = 0;
  for (const auto& event : log.All("link_up")) ups += event.Get("peer") == theirs;
  EXPECT_EQ(ups, 1) << node.Log();
  for (const auto& down : log.All("link_down")) EXPECT_NE(down.Get("peer"), theirs) << node.Log();
  if (!is_tls) {
    // Both names were out before either was read: the greater one's attempt is the one that counts.
    EXPECT_EQ(up->Get("direction"), ours > theirs ? "out" : "in") << node.Log();
  }
}

}  // namespace
}  // namespace noded::interop
