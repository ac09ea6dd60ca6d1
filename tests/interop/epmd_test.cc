// Our epmd client against OTP's epmd, and OTP's nodes and tools against our epmd server.
// Needs `epmd`, `erl` and `erl_call` on the path; a missing one is a failure.
#include <future>
#include <regex>
#include <string>
#include <vector>

#include "fmt/format.h"
#include <gtest/gtest.h>

#include "base/status.h"
#include "dist/epmd_client.h"
#include "dist/epmd_server.h"
#include "tests/testlib/otp_node.h"
#include "tests/testlib/ports.h"
#include "tests/testlib/process.h"
#include "tests/testlib/start_task.h"
#include "tests/testlib/wait.h"

namespace noded::dist {
namespace {

using base::Loop;
using base::ReasonOf;
using base::Task;
using testlib::Eventually;
using testlib::OtpEpmd;
using testlib::OtpNode;
using testlib::RunProgram;
using testlib::Start;

base::TimePoint Soon() { return std::chrono::steady_clock::now() + std::chrono::seconds(30); }

testlib::Finished RunEpmd(uint16_t port, const std::vector<std::string>& flags) {
  std::vector<std::string> words = {"epmd", "-port", std::to_string(port)};
  words.insert(words.end(), flags.begin(), flags.end());
  auto done = RunProgram(words);
  EXPECT_TRUE(done.ok()) << done.status();
  return done.ok() ? *done : testlib::Finished();
}

TEST(OtpEpmdTest, TakesOurRegistrationsAndAnswersOurQuestions) {
  Loop loop;
  OtpEpmd epmd;
  EpmdClient client(loop, {.port = epmd.port(), .limits = {}});
  const auto v4 = AddressFamily::kV4;

  EpmdNode node{.name = "caf\xc3\xa9", .port = 4711, .type = EpmdNode::kHidden};
  auto registration = Start(loop, client.Register(node, v4, Soon())).get();
  ASSERT_TRUE(registration.ok()) << registration.status();
  EXPECT_GT((*registration)->creation(), 3u);  // of 32 bits, as to a node of version 6

  auto six = Start(loop, client.Register({.name = "six", .port = 6}, AddressFamily::kV6, Soon()));
  auto over_v6 = six.get();
  EXPECT_TRUE(over_v6.ok()) << over_v6.status();
  auto old =
      Start(loop, client.Register({.name = "old", .port = 5, .highest_version = 5}, v4, Soon()))
          .get();
  ASSERT_TRUE(old.ok()) << old.status();
  EXPECT_LE((*old)->creation(), 3u);

  auto found = Start(loop, client.LookUp(node.name, "127.0.0.1", v4, Soon())).get();
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(*found, node);
  auto names = Start(loop, client.Names("127.0.0.1", v4, Soon())).get();
  ASSERT_TRUE(names.ok()) << names.status();
  EXPECT_EQ(names->size(), 3u);
  auto taken = Start(loop, client.Register(node, v4, Soon())).get();
  EXPECT_EQ(ReasonOf(taken.status()), "duplicate_name");
  auto nobody = Start(loop, client.LookUp("nobody", "127.0.0.1", v4, Soon())).get();
  EXPECT_EQ(ReasonOf(nobody.status()), "noport");
  loop.Run([&] { registration->reset(), over_v6->reset(), old->reset(); });
}

TEST(OtpEpmdTest, TellsTheLossOfARegistrationAndTakesItAnew) {
  Loop loop;
  auto epmd = std::make_unique<OtpEpmd>();
  const uint16_t port = epmd->port();
  EpmdClient client(loop, {.port = port, .limits = {}});
  const EpmdNode node{.name = "shop", .port = 4711};
  auto first = Start(loop, client.Register(node, AddressFamily::kV4, Soon())).get();
  ASSERT_TRUE(first.ok()) << first.status();
  auto lost = Start(loop, (*first)->Lost());
  epmd->Kill();
  EXPECT_EQ(ReasonOf(lost.get()), "epmd_close");
  auto none = Start(loop, client.Register(node, AddressFamily::kV4, Soon())).get();
  EXPECT_EQ(ReasonOf(none.status()), "econnrefused");
  epmd = std::make_unique<OtpEpmd>(port);
  auto second = Start(loop, client.Register(node, AddressFamily::kV4, Soon())).get();
  EXPECT_TRUE(second.ok()) << second.status();
  loop.Run([&] { first->reset(), second->reset(); });
}

// What OTP's tool says of an epmd, with its exit code.
std::vector<std::string> WhatTheToolSays(uint16_t port, bool relaxed) {
  std::vector<std::string> said;
  const auto run = [&](std::vector<std::string> flags) {
    const testlib::Finished done = RunEpmd(port, flags);
    const std::string text = std::regex_replace(done.out, std::regex("fd = [0-9]+"), "fd = N");
    said.push_back(fmt::format("{}: {} {}", fmt::join(flags, " "), done.code, text));
  };
  Loop loop;
  EpmdClient client(loop, {.port = port, .limits = {}});
  run({"-names"});
  auto shop =
      Start(loop, client.Register({.name = "shop", .port = 4711}, AddressFamily::kV4, Soon()))
          .get();
  EXPECT_TRUE(shop.ok()) << shop.status();
  if (!shop.ok()) return said;
  run({"-names"});
  run({"-dump"});
  run({"-started"});
  if (!relaxed) run({"-kill"});
  run({"-stop", "till"});
  run({"-stop", "shop"});
  run({"-names"});
  loop.Run([&] { shop->reset(); });
  // With the node gone everybody may kill it.
  EXPECT_TRUE(Eventually([&] {
    auto names = Start(loop, client.Names("127.0.0.1", AddressFamily::kV4, Soon())).get();
    return names.ok() && names->empty();
  }));
  run({"-kill"});
  EXPECT_TRUE(Eventually([&] { return RunEpmd(port, {"-names"}).code != 0; }));
  run({"-names"});
  return said;
}

TEST(OurEpmdTest, IsNotToldApartByOtpsTool) {
  for (const bool relaxed : {false, true}) {
    const uint16_t port = testlib::FreePort();
    std::vector<std::string> flags;
    if (relaxed) flags = {"-relaxed_command_check"};
    std::vector<std::string> expected;
    {
      OtpEpmd epmd(port, flags);
      expected = WhatTheToolSays(port, relaxed);
    }
    Loop loop;
    auto server = EpmdServer::Start(loop, {.port = port, .relaxed_command_check = relaxed});
    ASSERT_TRUE(server.ok()) << server.status();
    EXPECT_EQ(WhatTheToolSays(port, relaxed), expected);
  }
}

TEST(OurEpmdTest, OtpNodesRegisterAndFindEachOtherThroughIt) {
  Loop loop;
  auto server = EpmdServer::Start(loop, {.port = 0});
  ASSERT_TRUE(server.ok()) << server.status();
  const uint16_t port = (*server)->port();
  EpmdClient client(loop, {.port = port, .limits = {}});

  OtpNode shop({.name = "shop@127.0.0.1", .epmd_port = port});
  ASSERT_TRUE(shop.WaitReady().ok()) << shop.Log();
  EXPECT_TRUE(shop.Eval("lists:sort(element(2, net_adm:names()))").starts_with("[{\"shop\","));
  auto found = Start(loop, client.LookUp("shop", "127.0.0.1", AddressFamily::kV4, Soon())).get();
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(found->type, EpmdNode::kNormal);
  EXPECT_EQ(found->highest_version, 6);

  OtpNode till({.name = "till@127.0.0.1", .epmd_port = port});
  EXPECT_EQ(till.Eval("net_adm:ping('shop@127.0.0.1')"), "pong");

  OtpNode twin({.name = "shop@127.0.0.1", .epmd_port = port});
  const absl::Status refused = twin.WaitReady();
  EXPECT_NE(refused.ToString().find("in use"), std::string::npos) << refused;

  shop.Kill();
  EXPECT_TRUE(Eventually([&] {
    auto gone = Start(loop, client.LookUp("shop", "127.0.0.1", AddressFamily::kV4, Soon())).get();
    return ReasonOf(gone.status()) == "noport";
  }));
}

TEST(OurEpmdTest, OtpsClientUsesItOverBothFamilies) {
  Loop loop;
  auto server = EpmdServer::Start(loop, {.port = 0});
  ASSERT_TRUE(server.ok()) << server.status();
  OtpNode erl({.epmd_port = (*server)->port()});
  erl.Eval("V4 = {127,0,0,1}, V6 = {0,0,0,0,0,0,0,1}");
  EXPECT_EQ(erl.Eval("erl_epmd:names(V6)"), "{ok,[]}");
  EXPECT_EQ(erl.Eval("{ok, First} = erl_epmd:start(), is_pid(First)"), "true");
  EXPECT_EQ(erl.Eval("{ok, C} = erl_epmd:register_node(\"six\", 4711, inet6), C > 3"), "true");
  EXPECT_EQ(erl.Eval("erl_epmd:register_node(\"six\", 4711, inet6)"), "{error,already_registered}");
  EXPECT_EQ(erl.Eval("erl_epmd:names(V6)"), "{ok,[{\"six\",4711}]}");
  EXPECT_EQ(erl.Eval("[erl_epmd:port_please(\"six\", V) || V <- [V4, V6]]"),
            "[{port,4711,6},{port,4711,6}]");
  EXPECT_EQ(erl.Eval("erl_epmd:port_please(\"nobody\", V6)"), "noport");

  // Another client is told that the name is taken, and takes its own.
  EXPECT_EQ(erl.Eval("{ok, Other} = gen_server:start(erl_epmd, [], []), Register ="
                     "  fun(Name) -> gen_server:call(Other, {register, Name, 1, inet}) end,"
                     "Register(\"six\")"),
            "{error,duplicate_name}");
  EXPECT_EQ(erl.Eval("{ok, D} = Register(\"four\"), D =/= C"), "true");
  EXPECT_EQ(erl.Eval("{ok, Both} = erl_epmd:names(V4), lists:sort(Both)"),
            "[{\"four\",1},{\"six\",4711}]");
  EXPECT_EQ(erl.Eval("gen_server:stop(Other), erl_epmd:stop()"), "ok");
  EXPECT_TRUE(Eventually([&] { return erl.Eval("erl_epmd:names(V4)") == "{ok,[]}"; }));
}

TEST(OurEpmdTest, OtpNodesRegisterAgainWhenItIsBack) {
  Loop loop;
  auto server = EpmdServer::Start(loop, {.port = 0});
  ASSERT_TRUE(server.ok()) << server.status();
  const uint16_t port = (*server)->port();
  OtpNode shop({.name = "shop@127.0.0.1", .epmd_port = port});
  ASSERT_TRUE(shop.WaitReady().ok()) << shop.Log();
  server->reset();
  ASSERT_TRUE(Eventually([&] { return RunEpmd(port, {"-names"}).code != 0; }));
  server = EpmdServer::Start(loop, {.port = port});
  ASSERT_TRUE(server.ok()) << server.status();
  OtpNode till({.name = "till@127.0.0.1", .epmd_port = port});
  EXPECT_TRUE(Eventually([&] { return till.Eval("net_adm:ping('shop@127.0.0.1')") == "pong"; }));
}

// C programs on OTP's erl_interface find nodes through it.
TEST(OurEpmdTest, CNodesFindOtpNodesThroughIt) {
  Loop loop;
  auto server = EpmdServer::Start(loop, {.port = 0});
  ASSERT_TRUE(server.ok()) << server.status();
  const uint16_t port = (*server)->port();
  OtpNode shop({.name = "shop@127.0.0.1", .epmd_port = port});
  ASSERT_TRUE(shop.WaitReady().ok()) << shop.Log();
  const auto call = [&](const std::string& node) {
    return RunProgram({.argv = {"erl_call", "-r", "-c", "noded_test_cookie", "-name", node, "-a",
                                "erlang node []"},
                       .environment = {fmt::format("ERL_EPMD_PORT={}", port)}});
  };
  auto answered = call("shop@127.0.0.1");
  ASSERT_TRUE(answered.ok()) << answered.status();
  EXPECT_EQ(answered->out, "'shop@127.0.0.1'") << answered->err;
  auto nobody = call("nobody@127.0.0.1");
  ASSERT_TRUE(nobody.ok()) << nobody.status();
  EXPECT_NE(nobody->code, 0);
}

}  // namespace
}  // namespace noded::dist
