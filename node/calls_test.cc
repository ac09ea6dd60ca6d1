// Calls to a node that is being connected to. Those that get there are in node_calls_test.cc.
#include "node/calls.h"

#include <future>

#include <gtest/gtest.h>

#include "base/status.h"

namespace noded::node {
namespace {

using dist::Term;

constexpr const char* kShop = "shop@host";

class CallsTest : public testing::Test {
 protected:
  ~CallsTest() override {
    workers_.Stop();
    loops_.Stop();
  }

  // On the home loop, as all of this.
  template <class F>
  auto AtHome(F function) {
    return home_.Run(std::move(function));
  }
  Calls::Done Keep() {
    return [this](absl::StatusOr<CallOutcome> outcome) { told_.push_back(outcome.status()); };
  }
  size_t process_count() {
    return AtHome([&] { return signals_.processes().size(); });
  }

  Workers workers_{1, 10};
  base::LoopGroup loops_{1};
  base::Loop& home_ = loops_.home();
  Identity identity_{"here@host", 7};
  int attempts_ = 0;
  base::SteadyClock clock_;
  Peers peers_{"here@host",
               {},
               {.connect = [this](const dist::AtomName&) { ++attempts_; },
                .up = [](const Peers::Peer&) {},
                .down = [](const dist::AtomName&, const absl::Status&) {},
                .unreachable = [](const dist::AtomName&, const absl::Status&) {}},
               clock_};
  Signals signals_{identity_, peers_};
  FunctionTable table_;
  FunctionCalls functions_{home_, signals_, workers_, table_};
  Calls calls_{home_, signals_, peers_, functions_};
  std::vector<absl::Status> told_;
};

TEST_F(CallsTest, ACallThatIsCancelledWhileItConnectsIsToldAtOnceAndOnce) {
  const auto cancel = [](const Calls::Pending& pending) {
    const auto call = pending.lock();
    ASSERT_TRUE(call);
    call->Cancel();
    call->Cancel();
  };
  AtHome([&] {
    cancel(calls_.Call({.node = kShop, .module = "m", .function = "f"}, Keep()));
    cancel(calls_.GenCall(Destination::OfName("cart", kShop), Term::Int(1), std::chrono::seconds(5),
                          Keep()));
    return true;
  });
  ASSERT_EQ(told_.size(), 2u);
  for (const absl::Status& status : told_) EXPECT_TRUE(absl::IsCancelled(status)) << status;
  EXPECT_EQ(attempts_, 1);
  EXPECT_EQ(process_count(), 0u);
  AtHome([&] {
    peers_.ConnectFailed(kShop, absl::UnavailableError("gone"), false);
    return true;
  });
  EXPECT_EQ(told_.size(), 2u);
}

TEST_F(CallsTest, WhatCannotBeConnectedToIsToldToEveryCall) {
  AtHome([&] {
    const CallRequest request{.node = kShop, .module = "m", .function = "f"};
    const auto pending = calls_.Call(request, Keep());
    calls_.Multicall({kShop, kShop}, request, [this](std::vector<NodeOutcome> all) {
      for (const NodeOutcome& one : all) told_.push_back(one.outcome.status());
    });
    EXPECT_FALSE(pending.expired());
    EXPECT_TRUE(told_.empty());
    peers_.ConnectFailed(kShop, absl::UnavailableError("gone"), false);
    EXPECT_TRUE(pending.expired());
    return true;
  });
  ASSERT_EQ(told_.size(), 3u);
  for (const absl::Status& status : told_) EXPECT_EQ(status, absl::UnavailableError("gone"));
  EXPECT_EQ(process_count(), 0u);
}

}  // namespace
}  // namespace noded::node
