// Our epmd client against OTP's epmd, and OTP's nodes and tools against our epmd server.
// Needs `epmd` and `erl` on the path; a missing one is a failure.
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <future>
#include <string>
#include <vector>

#include "asio/ip/tcp.hpp"
#include "fmt/format.h"
#include <gtest/gtest.h>

#include "base/status.h"
#include "dist/epmd_client.h"
#include "dist/epmd_server.h"

namespace noded::dist {
namespace {

using asio::ip::tcp;
using base::Loop;
using base::ReasonOf;
using base::Task;

template <class T>
std::future<T> Start(Loop& loop, Task<T> task) {
  auto promise = std::make_shared<std::promise<T>>();
  std::future<T> future = promise->get_future();
  base::Spawn(loop, "test", std::move(task),
              [promise](T result) { promise->set_value(std::move(result)); });
  return future;
}

base::TimePoint Soon() { return std::chrono::steady_clock::now() + std::chrono::seconds(30); }

uint16_t FreePort() {
  asio::io_context io;
  tcp::acceptor acceptor(io, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  return acceptor.local_endpoint().port();
}

// A program of OTP, its output in a pipe; killed, if it still runs, when this goes.
class Program {
 public:
  Program(std::vector<std::string> words, std::vector<std::string> environment) {
    const char* test_folder = std::getenv("TEST_TMPDIR");
    const char* path = std::getenv("PATH");
    environment.push_back(fmt::format("HOME={}", test_folder ? test_folder : "/tmp"));
    environment.push_back(fmt::format("PATH={}", path ? path : "/usr/bin:/bin"));
    int ends[2];
    EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 2);
    std::vector<char*> arguments = Pointers(words), variables = Pointers(environment);
    const int error =
        posix_spawnp(&pid_, arguments[0], &actions, nullptr, arguments.data(), variables.data());
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    output_ = ends[0];
    EXPECT_EQ(error, 0) << words[0] << ": install Erlang/OTP (./dev setup does)";
    if (error != 0) pid_ = -1;
  }
  ~Program() {
    Kill();
    close(output_);
  }

  void Kill() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }

  // One line of its output, without the end; empty when there is no more.
  std::string ReadLine() {
    std::string line;
    char c = 0;
    while (read(output_, &c, 1) == 1 && c != '\n') line.push_back(c);
    return line;
  }
  std::string ReadAll() {
    std::string all;
    char block[4096];
    for (ssize_t got; (got = read(output_, block, sizeof(block))) > 0;) all.append(block, got);
    return all;
  }

 private:
  static std::vector<char*> Pointers(std::vector<std::string>& words) {
    std::vector<char*> pointers;
    for (std::string& word : words) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    return pointers;
  }

  pid_t pid_ = -1;
  int output_ = -1;
};

std::unique_ptr<Program> StartEpmd(Loop& loop, uint16_t port) {
  auto epmd = std::make_unique<Program>(
      std::vector<std::string>{"epmd", "-port", std::to_string(port)}, std::vector<std::string>{});
  EpmdClient client(loop, {.port = port, .limits = {}});
  const base::TimePoint deadline = Soon();
  while (true) {  // until it listens
    auto names =
        Start(loop, client.Names("127.0.0.1", AddressFamily::kV4, std::min(deadline, Soon())))
            .get();
    if (names.ok()) break;
    if (loop.Now() > deadline) {
      ADD_FAILURE() << "epmd does not answer: " << names.status();
      break;
    }
  }
  return epmd;
}

std::string RunEpmdCommand(uint16_t port, std::vector<std::string> flags) {
  std::vector<std::string> words = {"epmd", "-port", std::to_string(port)};
  words.insert(words.end(), flags.begin(), flags.end());
  return Program(words, {}).ReadAll();
}

Program Erl(const std::string& name, uint16_t epmd_port, const std::string& expression) {
  return Program({"erl", "-name", name, "-setcookie", "epmd_interop", "-noshell", "-start_epmd",
                  "false", "-eval", expression},
                 {fmt::format("ERL_EPMD_PORT={}", epmd_port)});
}

TEST(OtpEpmdTest, TakesOurRegistrationsAndAnswersOurQuestions) {
  Loop loop;
  const uint16_t port = FreePort();
  auto epmd = StartEpmd(loop, port);
  EpmdClient client(loop, {.port = port, .limits = {}});
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
  const uint16_t port = FreePort();
  auto epmd = StartEpmd(loop, port);
  EpmdClient client(loop, {.port = port, .limits = {}});
  const EpmdNode node{.name = "shop", .port = 4711};
  auto first = Start(loop, client.Register(node, AddressFamily::kV4, Soon())).get();
  ASSERT_TRUE(first.ok()) << first.status();
  auto lost = Start(loop, (*first)->Lost());
  epmd->Kill();
  EXPECT_EQ(ReasonOf(lost.get()), "epmd_close");
  auto none = Start(loop, client.Register(node, AddressFamily::kV4, Soon())).get();
  EXPECT_EQ(ReasonOf(none.status()), "econnrefused");
  epmd = StartEpmd(loop, port);
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

  Program shop = Erl("shop@127.0.0.1", port,
                     "io:format(\"~p ~p~n\", [node(), lists:sort(element(2, net_adm:names()))]).");
  const std::string ready = shop.ReadLine();
  EXPECT_TRUE(ready.starts_with("'shop@127.0.0.1' [{\"shop\",")) << ready;
  auto found = Start(loop, client.LookUp("shop", "127.0.0.1", AddressFamily::kV4, Soon())).get();
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(found->type, EpmdNode::kNormal);
  EXPECT_EQ(found->highest_version, 6);

  Program till =
      Erl("till@127.0.0.1", port, "io:format(\"~p~n\", [net_adm:ping('shop@127.0.0.1')]), halt().");
  EXPECT_EQ(till.ReadLine(), "pong");
  till.ReadAll();

  Program twin = Erl("shop@127.0.0.1", port, "halt().");
  EXPECT_NE(twin.ReadAll().find("in use"), std::string::npos);

  shop.Kill();
  while (Start(loop, client.LookUp("shop", "127.0.0.1", AddressFamily::kV4, Soon())).get().ok()) {
  }
}

}  // namespace
}  // namespace noded::dist
