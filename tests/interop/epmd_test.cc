// Our epmd client against OTP's epmd, and OTP's nodes and tools against our epmd server.
// Needs `epmd` and `erl` on the path; a missing one is a failure.
#include <future>
#include <string>
#include <vector>

#include "fmt/format.h"
#include <gtest/gtest.h>

#include "base/status.h"
#include "dist/epmd_client.h"
#include "dist/epmd_server.h"
#include "tests/testlib/otp_node.h"
#include "tests/testlib/process.h"
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

template <class T>
std::future<T> Start(Loop& loop, Task<T> task) {
  auto promise = std::make_shared<std::promise<T>>();
  std::future<T> future = promise->get_future();
  base::Spawn(loop, "test", std::move(task),
              [promise](T result) { promise->set_value(std::move(result)); });
  return future;
}

base::TimePoint Soon() { return std::chrono::steady_clock::now() + std::chrono::seconds(30); }

std::string RunEpmdCommand(uint16_t port, std::vector<std::string> flags) {
  std::vector<std::string> words = {"epmd", "-port", std::to_string(port)};
  words.insert(words.end(), flags.begin(), flags.end());
  auto done = RunProgram(words);
  EXPECT_TRUE(done.ok()) << done.status();
  return done.ok() ? done->out : "";
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

TEST(OurEpmdTest, IsNotToldApartByOtpsTool) {
  Loop loop;
  auto server = EpmdServer::Start(loop, {.port = 0});
  ASSERT_TRUE(server.ok()) << server.status();
  const uint16_t port = (*server)->port();
  EpmdClient client(loop, {.port = port, .limits = {}});
  auto shop =
      Start(loop, client.Register({.name = "shop", .port = 4711}, AddressFamily::kV4, Soon()))
          .get();
  ASSERT_TRUE(shop.ok()) << shop.status();
  EXPECT_EQ(
      RunEpmdCommand(port, {"-names"}),
      fmt::format("epmd: up and running on port {} with data:\nname shop at port 4711\n", port));
  RunEpmdCommand(port, {"-kill"});
  RunEpmdCommand(port, {"-stop", "shop"});
  auto found = Start(loop, client.LookUp("shop", "127.0.0.1", AddressFamily::kV4, Soon())).get();
  EXPECT_TRUE(found.ok()) << found.status();
  loop.Run([&] { shop->reset(); });
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

}  // namespace
}  // namespace noded::dist
