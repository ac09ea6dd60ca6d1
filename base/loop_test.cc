#include "base/loop.h"

#include <memory>
#include <tuple>
#include <utility>

#include "asio/steady_timer.hpp"
#include "asio/use_awaitable.hpp"
#include <gtest/gtest.h>

#include "base/task.h"

namespace noded::base {
namespace {

Task<absl::Status> WaitWith(std::shared_ptr<asio::steady_timer> held, Loop* loop) {
  asio::steady_timer never(loop->io(), asio::steady_timer::time_point::max());
  co_await never.async_wait(asio::use_awaitable);
  held->cancel();
  co_return absl::OkStatus();
}

// What the sanitizers look at: neither loop may be gone when the tasks of the other go.
TEST(LoopGroupTest, ATaskThatWaitsMayHoldWhatLivesOnAnotherLoop) {
  auto loops = std::make_unique<LoopGroup>(2);
  Loop& first = loops->Next();
  Loop& second = loops->Next();
  ASSERT_NE(&first, &second);
  std::weak_ptr<asio::steady_timer> on_first, on_second;
  for (auto [timers, tasks, seen] :
       {std::tuple(&first, &second, &on_first), std::tuple(&second, &first, &on_second)}) {
    auto timer =
        std::make_shared<asio::steady_timer>(timers->io(), asio::steady_timer::time_point::max());
    *seen = timer;
    Spawn(*tasks, "waits", WaitWith(std::move(timer), tasks), [](absl::Status) {});
    tasks->Run([] {});
  }
  EXPECT_FALSE(on_first.expired() || on_second.expired());
  loops.reset();
  EXPECT_TRUE(on_first.expired() && on_second.expired());
}

}  // namespace
}  // namespace noded::base
