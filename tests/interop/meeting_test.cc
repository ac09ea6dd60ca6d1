// Nodes that come, go and meet: who serves epmd and what when that ends, what peers see of a stop,
// and two nodes that connect to each other at the same time.
#include <signal.h>

#include "fmt/format.h"
#include <gtest/gtest.h>

#include "tests/interop/carrier_case.h"
#include "tests/testlib/otp_node.h"
#include "tests/testlib/ports.h"
#include "tests/testlib/wait.h"

namespace noded::testlib {
namespace {

constexpr char kTill[] = "till@127.0.0.1", kShop[] = "shop@127.0.0.1";

bool Knows(uint16_t epmd_port, const std::string& name) {
  const Finished names = Nodectl(NodedOptions{.epmd_port = epmd_port}, {"names"});
  return names.out.find(name + " at port ") != std::string::npos;
}

TEST(EpmdPresenceTest, OtpNodesRegisterWithTheEpmdOfNoded) {
  const uint16_t epmd_port = FreePort();
  NodedProcess till(NodedOptions{.name = kTill, .epmd_port = epmd_port});
  ASSERT_TRUE(till.WaitReady().ok()) << till.Log();
  OtpNode shop({.name = kShop, .epmd_port = epmd_port});
  EXPECT_EQ(shop.Eval(fmt::format("net_adm:ping('{}')", kTill)), "pong") << till.Log();
  EXPECT_EQ(
      shop.Eval("{ok, Names} = net_adm:names({127,0,0,1}), lists:sort([N || {N, _} <- Names])"),
      "[\"shop\",\"till\"]");
  // OTP's own program reads it, and a second node of a name is told so.
  auto names = RunProgram({"epmd", "-port", std::to_string(epmd_port), "-names"});
  ASSERT_TRUE(names.ok()) << names.status();
  EXPECT_NE(names->out.find("name till at port"), std::string::npos) << names->out;
  OtpNode again({.name = kShop, .epmd_port = epmd_port});
  EXPECT_FALSE(again.WaitReady().ok());
  shop.Stop();
  EXPECT_TRUE(Eventually([&] { return !Knows(epmd_port, "shop"); }));
}

TEST(EpmdPresenceTest, NodedRegistersAgainWhenEpmdIsBack) {
  const uint16_t epmd_port = FreePort();
  auto epmd = std::make_unique<OtpEpmd>(epmd_port);
  NodedProcess till(NodedOptions{.name = kTill, .epmd_port = epmd_port, .start_epmd = false});
  ASSERT_TRUE(till.WaitReady().ok()) << till.Log();
  EXPECT_TRUE(Knows(epmd_port, "till"));
  epmd->Kill();
  epmd = std::make_unique<OtpEpmd>(epmd_port);
  EXPECT_TRUE(Eventually([&] { return Knows(epmd_port, "till"); })) << till.Log();
  OtpNode shop({.name = kShop, .epmd_port = epmd_port});
  EXPECT_EQ(shop.Eval(fmt::format("net_adm:ping('{}')", kTill)), "pong") << till.Log();
}

TEST(EpmdPresenceTest, AnotherNodeServesWhenTheOneThatDidIsGone) {
  const uint16_t epmd_port = FreePort();
  NodedProcess first(NodedOptions{.name = "first@127.0.0.1", .epmd_port = epmd_port});
  ASSERT_TRUE(first.WaitReady().ok()) << first.Log();
  NodedProcess till(NodedOptions{.name = kTill, .epmd_port = epmd_port});
  ASSERT_TRUE(till.WaitReady().ok()) << till.Log();
  first.Kill();
  EXPECT_TRUE(Eventually([&] { return Knows(epmd_port, "till"); })) << till.Log();
}

class StopTest : public testing::TestWithParam<CarrierCase> {
 protected:
  std::unique_ptr<OtpNode> Shop() { return Otp("shop"); }
  std::unique_ptr<OtpNode> Otp(const std::string& short_name) {
    const std::string name = GetParam().Node(short_name);
    return std::make_unique<OtpNode>(
        OtpNodeOptions{.name = name,
                       .proto_dist = GetParam().proto_dist,
                       .ssl_dist_optfile = OptionsFor(GetParam(), certs, name).ssl_dist_optfile,
                       .epmd_port = epmd.port()});
  }
  std::unique_ptr<NodedProcess> Start(const std::string& name,
                                      const std::string& program = "cli/noded",
                                      std::vector<std::string> arguments = {}) {
    NodedOptions flags = OptionsFor(GetParam(), certs, GetParam().Node(name));
    flags.epmd_port = epmd.port();
    flags.program = program;
    flags.arguments = std::move(arguments);
    auto node = std::make_unique<NodedProcess>(flags);
    EXPECT_TRUE(node->WaitReady().ok()) << node->Log();
    return node;
  }

  TestCerts certs;
  OtpEpmd epmd;
};

std::vector<CarrierCase> PlainAndTls() {
  const std::vector<CarrierCase> all = AllCarriers();
  return {all[0], all[2], all[3]};
}

INSTANTIATE_TEST_SUITE_P(Carriers, StopTest, testing::ValuesIn(PlainAndTls()), CarrierName);

// Long before the peer would be missed: net_ticktime is a minute.
constexpr std::chrono::seconds kAtOnce{15};

TEST_P(StopTest, TheEndOfEitherSideIsSeenAtOnce) {
  auto shop = Shop();
  auto till = Start("till");
  auto twin = Otp("twin");
  shop->Eval(
      fmt::format("Till = '{}', Twin = '{}', net_kernel:monitor_nodes(true, [nodedown_reason]),"
                  "Up = fun(N) -> receive {{nodeup, N, _}} -> up after 15000 -> none end end,"
                  "Down = fun(N) -> receive {{nodedown, N, [{{nodedown_reason, Why}}]}} -> Why"
                  "         after 15000 -> none end end",
                  till->name(), twin->name()));
  ASSERT_EQ(shop->Eval("{net_adm:ping(Till), Up(Till)}"), "{pong,up}") << till->Log();
  till->process()->Signal(SIGTERM);
  const std::string reason = shop->Eval("Down(Till)");
  EXPECT_NE(reason, "none") << till->Log();
  // An OTP node that stops is seen to go for the same reason.
  // Two OTP nodes now and then miss each other at the first attempt; this is about their parting.
  ASSERT_TRUE(Eventually([&] { return shop->Eval("net_adm:ping(Twin)") == "pong"; }))
      << twin->Log() << shop->Log();
  ASSERT_EQ(shop->Eval("Up(Twin)"), "up") << twin->Log();
  twin->Stop();
  EXPECT_EQ(reason, shop->Eval("Down(Twin)"));
  EXPECT_EQ(till->WaitForExit(), 0) << till->Log();
  EXPECT_TRUE(till->WaitForLog("node_stopped", kAtOnce)) << till->Log();

  // A crash: the kernel closes the connection.
  till = Start("till");
  ASSERT_EQ(shop->Eval("net_adm:ping(Till)"), "pong") << till->Log();
  till->Kill();
  EXPECT_EQ(shop->Eval("Down(Till) =/= none"), "true");

  till = Start("till");
  ASSERT_EQ(shop->Eval("net_adm:ping(Till)"), "pong") << till->Log();
  shop->Stop();
  EXPECT_TRUE(till->WaitForLog("link_down .*peer=" + shop->name(), kAtOnce)) << till->Log();

  shop = Shop();
  ASSERT_EQ(shop->Eval(fmt::format("net_adm:ping('{}')", till->name())), "pong") << till->Log();
  shop->Kill();
  EXPECT_TRUE(Eventually([&] {
    const std::string log = till->Log();
    const size_t first = log.find("link_down ");
    return log.find("link_down ", first + 1) != std::string::npos;
  })) << till->Log();
  EXPECT_EQ(till->Stop(), 0);
}

// The umpire tells till to connect to shop while shop connects to till.
TEST_P(StopTest, NodesThatConnectToEachOtherAtTheSameTimeMeet) {
  auto shop = Shop();
  auto till = Start("till");
  // Hidden: it stays when the two lose each other.
  auto umpire = Start("umpire", "cli/noded", {"-hidden"});
  shop->Eval(fmt::format("Till = '{}', Umpire = '{}'", till->name(), umpire->name()));
  ASSERT_EQ(shop->Eval("net_adm:ping(Umpire)"), "pong") << umpire->Log();
  ASSERT_EQ(shop->Eval("erpc:call(Umpire, net_adm, ping, [Till])"), "pong") << umpire->Log();
  shop->Eval(
      "Ask = fun(M, F, A) -> erpc:call(Umpire, erpc, call, [Till, M, F, A], 30000) end,"
      "Gone = fun Gone() -> case Ask(erlang, nodes, []) -- [Umpire] of"
      "  [] -> ok; _ -> timer:sleep(1), Gone() end end");
  // Apart by 0 to 9 milliseconds, in both orders.
  EXPECT_EQ(shop->Eval("Round = fun(I) ->"
                       "  R = erpc:send_request(Umpire, erpc, call,"
                       "    [Till, net_kernel, connect_node, [node()], 30000]),"
                       "  timer:sleep(I rem 10),"
                       "  Ours = net_kernel:connect_node(Till),"
                       "  Theirs = erpc:receive_response(R, 30000),"
                       "  Works = erpc:call(Till, noded, echo, [I], 30000),"
                       "  Links = length(Ask(erlang, nodes, []) -- [Umpire]),"
                       "  erlang:disconnect_node(Till), Gone(),"
                       "  {Ours, Theirs, Works =:= I, Links} end,"
                       "lists:usort([Round(I) || I <- lists:seq(1, 60)])"),
            "[{true,true,true,1}]")
      << till->Log() << shop->Log();
}

}  // namespace
}  // namespace noded::testlib
