// noded and the epmd of its machine: who serves when, what ends it, and doing without.
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/testlib/log_events.h"
#include "tests/testlib/noded.h"
#include "tests/testlib/otp_node.h"
#include "tests/testlib/ports.h"
#include "tests/testlib/wait.h"

namespace noded::testlib {
namespace {

constexpr char kTill[] = "till@127.0.0.1", kShop[] = "shop@127.0.0.1";

class NodedEpmdTest : public testing::Test {
 protected:
  NodedOptions Till() const { return {.name = kTill, .epmd_port = port_}; }
  OtpNodeOptions Shop() const { return {.name = kShop, .epmd_port = port_}; }

  // OTP's tool.
  Finished Epmd(const std::vector<std::string>& flags) const {
    std::vector<std::string> words = {"epmd", "-port", std::to_string(port_)};
    words.insert(words.end(), flags.begin(), flags.end());
    auto done = RunProgram(words);
    EXPECT_TRUE(done.ok()) << done.status();
    return done.ok() ? *done : Finished();
  }
  bool Knows(const std::string& name) const {
    return Epmd({"-names"}).out.find("name " + name + " at port ") != std::string::npos;
  }
  bool KnowsBoth() const { return Knows("till") && Knows("shop"); }

  const uint16_t port_ = FreePort();
};

// A noded may be the epmd, and is not when the one that there was comes back.
TEST_F(NodedEpmdTest, AnEpmdThatIsStartedAnewFindsItsPortFree) {
  auto epmd = std::make_unique<OtpEpmd>(port_);
  NodedProcess till(Till());
  ASSERT_TRUE(till.WaitReady().ok()) << till.Log();
  OtpNode shop(Shop());
  ASSERT_TRUE(shop.WaitReady().ok()) << shop.Log();
  LogReader log(till);
  epmd->Kill();
  epmd = std::make_unique<OtpEpmd>(port_);
  EXPECT_TRUE(Eventually([&] { return KnowsBoth(); })) << till.Log();
  EXPECT_TRUE(log.WaitFor("epmd_registered").ok());
  EXPECT_EQ(log.All("epmd_lost").size(), 1u) << till.Log();
  EXPECT_EQ(log.All("epmd_started").size(), 0u) << till.Log();
  EXPECT_EQ(shop.Eval("net_adm:ping('till@127.0.0.1')"), "pong") << till.Log();
}

TEST_F(NodedEpmdTest, ServesForAllWhenTheOneThatDidStaysAway) {
  auto epmd = std::make_unique<OtpEpmd>(port_);
  NodedProcess till(Till());
  ASSERT_TRUE(till.WaitReady().ok()) << till.Log();
  OtpNode shop(Shop());
  ASSERT_TRUE(shop.WaitReady().ok()) << shop.Log();
  epmd->Kill();
  EXPECT_TRUE(Eventually([&] { return KnowsBoth(); })) << till.Log();
  EXPECT_NE(till.Log().find("epmd_started"), std::string::npos) << till.Log();
  EXPECT_EQ(shop.Eval("net_adm:ping('till@127.0.0.1')"), "pong") << till.Log();
}

TEST_F(NodedEpmdTest, IsNotKilledUnlessCommandChecksAreRelaxed) {
  NodedProcess till(Till());
  ASSERT_TRUE(till.WaitReady().ok()) << till.Log();
  const Finished killed = Epmd({"-kill"});
  EXPECT_NE(killed.out.find("Killing not allowed"), std::string::npos) << killed.out << killed.err;
  EXPECT_EQ(killed.code, 1);
  EXPECT_EQ(Epmd({"-stop", "till"}).code, 1);
  EXPECT_TRUE(Knows("till"));
}

TEST_F(NodedEpmdTest, RelaxedItMakesRoomForAStandingEpmdAndLivesOn) {
  NodedOptions options = Till();
  options.environment = {"ERL_EPMD_RELAXED_COMMAND_CHECK="};
  NodedProcess till(options);
  ASSERT_TRUE(till.WaitReady().ok()) << till.Log();
  LogReader log(till);
  // Who is alive comes back by himself.
  EXPECT_EQ(Epmd({"-stop", "till"}).out, "STOPPED\n");
  EXPECT_TRUE(Eventually([&] { return Knows("till"); })) << till.Log();

  const Finished killed = Epmd({"-kill"});
  EXPECT_EQ(killed.out, "Killed\n") << killed.err;
  EXPECT_EQ(killed.code, 0);
  EXPECT_TRUE(log.WaitFor("epmd_killed").ok());
  OtpEpmd epmd(port_);
  EXPECT_TRUE(Eventually([&] { return Knows("till"); })) << till.Log();
  const Finished pong = Nodectl(NodedOptions{.epmd_port = port_}, {"ping", kTill});
  EXPECT_EQ(pong.out, "pong\n") << pong.err;
  EXPECT_EQ(till.Stop(), 0) << till.Log();
  EXPECT_TRUE(Eventually([&] { return !Knows("till"); }));
}

// C programs on OTP's erl_interface find a noded through it, and talk to it.
TEST_F(NodedEpmdTest, CNodesFindItAndCallIt) {
  NodedProcess till(Till());
  ASSERT_TRUE(till.WaitReady().ok()) << till.Log();
  auto called = RunProgram({.argv = {"erl_call", "-r", "-c", "noded_test_cookie", "-name", kTill,
                                     "-a", "erlang node []"},
                            .environment = {fmt::format("ERL_EPMD_PORT={}", port_)}});
  ASSERT_TRUE(called.ok()) << called.status();
  EXPECT_EQ(called->out, "'till@127.0.0.1'") << called->err << till.Log();
}

struct FixedPort {
  const char* name;
  // How noded is told; OTP 25 knows the flag alone.
  std::vector<std::string> (*flags)(const std::string& port);
};

class FixedPortTest : public NodedEpmdTest, public testing::WithParamInterface<FixedPort> {};

INSTANTIATE_TEST_SUITE_P(
    Spellings, FixedPortTest,
    testing::Values(
        FixedPort{"Flag",
                  [](const std::string& port) {
                    return std::vector<std::string>{"-erl_epmd_port", port};
                  }},
        FixedPort{"Parameter",
                  [](const std::string& port) {
                    return std::vector<std::string>{"-kernel", "erl_epmd_node_listen_port", port};
                  }}),
    [](const auto& info) { return std::string(info.param.name); });

// Nobody serves epmd's port.
TEST_P(FixedPortTest, NodesFindEachOtherWithoutAnyEpmd) {
  const std::string fixed = std::to_string(FreePort());
  const auto at = [](std::vector<std::string> words, const std::string& address) {
    words.insert(words.end(), {"-kernel", "inet_dist_use_interface", address});
    return words;
  };
  const std::vector<std::string> flags = GetParam().flags(fixed);
  NodedOptions till_options = Till(), cart_options = Till().Named("cart@127.0.0.3");
  till_options.arguments = at(flags, "{127,0,0,1}");
  cart_options.arguments = at(flags, "{127,0,0,3}");
  NodedProcess till(till_options), cart(cart_options);
  ASSERT_TRUE(till.WaitReady().ok()) << till.Log();
  ASSERT_TRUE(cart.WaitReady().ok()) << cart.Log();
  EXPECT_EQ(std::to_string(till.port()), fixed);
  OtpNodeOptions shop_options = Shop();
  shop_options.name = "shop@127.0.0.2";
  shop_options.arguments = at({"-erl_epmd_port", fixed}, "{127,0,0,2}");
  OtpNode shop(shop_options);

  // OTP calls ours, ours calls OTP, ours calls ours.
  EXPECT_EQ(shop.Eval("net_adm:ping('till@127.0.0.1')"), "pong") << till.Log() << shop.Log();
  const NodedOptions ctl{.epmd_port = port_, .arguments = flags};
  for (const std::string peer : {"shop@127.0.0.2", "till@127.0.0.1"}) {
    const Finished asked = Nodectl(ctl, {"call", "cart@127.0.0.3", "rpc", "call",
                                         fmt::format("'{}'", peer), "erlang", "node", "[]"});
    EXPECT_EQ(asked.out, fmt::format("'{}'\n", peer)) << asked.err << cart.Log();
  }
  EXPECT_NE(Epmd({"-names"}).code, 0);
}

}  // namespace
}  // namespace noded::testlib
