#include "node/epmd_presence.h"

#include <future>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "base/status.h"
#include "tests/testlib/ports.h"
#include "tests/testlib/wait.h"

namespace noded::node {
namespace {

using base::Loop;
using dist::AddressFamily;
using dist::EpmdServer;
using testlib::Eventually;

constexpr std::chrono::hours kNever{1};
constexpr std::chrono::milliseconds kAtOnce{0};

class EpmdPresenceTest : public testing::Test {
 protected:
  ~EpmdPresenceTest() override {
    if (presence_ != nullptr) loop_.Run([this] { presence_->Stop(); });
    if (ended_.valid()) ended_.wait();
  }

  EpmdOptions Options() const {
    EpmdOptions options;
    options.port = port_;
    options.addresses = {"127.0.0.1"};
    return options;
  }

  std::unique_ptr<EpmdServer> StartEpmd(bool relaxed_command_check = false) {
    EpmdServer::Options options;
    options.port = port_;
    options.addresses = {"127.0.0.1"};
    options.relaxed_command_check = relaxed_command_check;
    auto server = EpmdServer::Start(loop_, std::move(options));
    EXPECT_TRUE(server.ok()) << server.status();
    return server.ok() ? *std::move(server) : nullptr;
  }

  // Registers "shop" and keeps it so.
  absl::Status Start(EpmdOptions options) {
    presence_ = std::make_shared<EpmdPresence>(loop_, std::move(options),
                                               dist::EpmdNode{.name = "shop", .port = 4711},
                                               AddressFamily::kV4, base::Limits());
    auto creation = base::Await(loop_, presence_->Register(Soon()));
    if (!creation.ok()) return creation.status();
    auto end = std::make_shared<std::promise<void>>();
    ended_ = end->get_future();
    base::Spawn(loop_, "presence", presence_->StayRegistered(),
                [end](absl::Status) { end->set_value(); });
    return absl::OkStatus();
  }
  // Until epmd knows the node and the node knows that it does.
  bool WaitRegistered() {
    return Eventually([this] { return LookUp().ok() && Failures() == 0; });
  }

  absl::Status LookUp() {
    return base::Await(loop_, Client().LookUp("shop", "127.0.0.1", AddressFamily::kV4, Soon()))
        .status();
  }
  bool IsServed() {
    return base::Await(loop_, Client().Names("127.0.0.1", AddressFamily::kV4, Soon())).ok();
  }
  uint64_t Failures() {
    return loop_.Run([this] { return presence_->failures(); });
  }

  // Asks as epmd's own tool does, and gives the answer.
  std::string Ask(dist::EpmdRequest request) {
    auto answer = base::Await(loop_, AskRaw(std::move(request)));
    EXPECT_TRUE(answer.ok()) << answer.status();
    return answer.value_or("");
  }

  base::Task<absl::StatusOr<std::string>> AskRaw(dist::EpmdRequest request) {
    const base::TimePoint soon = Soon();
    auto stream = co_await dist::ConnectTcp(loop_, "127.0.0.1", port_, AddressFamily::kV4, soon);
    if (!stream.ok()) co_return stream.status();
    base::Buffer bytes = dist::EncodeEpmdRequest(request);
    absl::Status written = co_await (*stream)->Write(std::move(bytes));
    if (!written.ok()) co_return written;
    std::string answer;
    while (true) {
      auto more = co_await (*stream)->Read();
      if (!more.ok()) co_return more.status();
      if (more->empty()) co_return answer;
      answer += base::ToString(*more);
    }
  }

  dist::EpmdClient Client() { return dist::EpmdClient(loop_, {.port = port_, .limits = {}}); }
  static base::TimePoint Soon() {
    return std::chrono::steady_clock::now() + std::chrono::seconds(20);
  }

  Loop loop_;
  const uint16_t port_ = testlib::FreePort();
  std::shared_ptr<EpmdPresence> presence_;
  std::future<void> ended_;
};

TEST_F(EpmdPresenceTest, ServesWhenNobodyDoes) {
  ASSERT_TRUE(Start(Options()).ok());
  EXPECT_TRUE(LookUp().ok());
}

TEST_F(EpmdPresenceTest, SaysWhatToDoWhereItMayNotServe) {
  EpmdOptions options = Options();
  options.may_start = false;
  const absl::Status refused = Start(options);
  EXPECT_EQ(refused.code(), absl::StatusCode::kUnavailable);
  EXPECT_NE(base::MendOf(refused).find("-start_epmd false"), std::string::npos) << refused;
  EXPECT_FALSE(IsServed());
}

TEST_F(EpmdPresenceTest, RegistersWithTheNextEpmd) {
  EpmdOptions options = Options();
  options.may_start = false;
  auto epmd = StartEpmd();
  ASSERT_TRUE(Start(options).ok());
  for (int i = 0; i < 3; ++i) {
    epmd.reset();
    ASSERT_TRUE(Eventually([&] { return Failures() > 0; }));
    epmd = StartEpmd();
    ASSERT_NE(epmd, nullptr);
    EXPECT_TRUE(WaitRegistered());
  }
  epmd.reset();
  ASSERT_TRUE(Eventually([&] { return Failures() > 1; }));
  EXPECT_FALSE(IsServed());
}

TEST_F(EpmdPresenceTest, AnEpmdThatIsStartedAnewGetsItsPortBack) {
  EpmdOptions options = Options();
  options.take_over_after = kNever;
  auto epmd = StartEpmd();
  ASSERT_TRUE(Start(options).ok());
  epmd.reset();
  ASSERT_TRUE(Eventually([&] { return Failures() > 1; }));
  epmd = StartEpmd();
  ASSERT_NE(epmd, nullptr);
  EXPECT_TRUE(WaitRegistered());
}

TEST_F(EpmdPresenceTest, ServesWhenTheOneThatDidStaysAway) {
  EpmdOptions options = Options();
  options.take_over_after = std::chrono::milliseconds(100);
  auto epmd = StartEpmd();
  ASSERT_TRUE(Start(options).ok());
  epmd.reset();
  EXPECT_TRUE(WaitRegistered());
}

TEST_F(EpmdPresenceTest, WhoIsStoppedIsBackWhenItIsAlive) {
  EpmdOptions options = Options();
  options.relaxed_command_check = true;
  ASSERT_TRUE(Start(options).ok());
  EXPECT_EQ(Ask(dist::EpmdStop{"shop"}), "STOPPED");
  EXPECT_TRUE(WaitRegistered());
}

TEST_F(EpmdPresenceTest, AKillIsRefusedBecauseTheNodeItselfIsAlive) {
  ASSERT_TRUE(Start(Options()).ok());
  EXPECT_EQ(Ask(dist::EpmdKill{}), "NO");
  EXPECT_TRUE(LookUp().ok());
}

TEST_F(EpmdPresenceTest, ServesNoMoreOnceItWasKilled) {
  EpmdOptions options = Options();
  options.relaxed_command_check = true;
  options.take_over_after = kAtOnce;
  ASSERT_TRUE(Start(options).ok());
  EXPECT_EQ(Ask(dist::EpmdKill{}), "OK");
  ASSERT_TRUE(Eventually([&] { return Failures() > 1; }));
  EXPECT_FALSE(IsServed());
  // The node is alive and goes to the next one.
  auto epmd = StartEpmd();
  ASSERT_NE(epmd, nullptr);
  EXPECT_TRUE(WaitRegistered());
  epmd.reset();
  ASSERT_TRUE(Eventually([&] { return Failures() > 1; }));
  EXPECT_FALSE(IsServed());
}

}  // namespace
}  // namespace noded::node
