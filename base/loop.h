// An event loop: one Asio io_context run by one thread. A link lives and dies on one loop; loops
// share nothing and talk by posting.
//
//   LoopGroup loops(2);
//   Loop& loop = loops.Next();            // round robin
//   loop.Post([packet = std::move(packet)]() mutable { ... });   // from any thread
//   loops.Stop();                         // joins
//
// Post, Dispatch and is_current are thread-safe; io() is for objects that live on the loop.
// Destroying a LoopGroup stops it: functions posted later are dropped, unrun, and tasks that wait
// go before any of its loops does, so a task on one loop may hold what lives on another.
#pragma once

#include <atomic>
#include <cstddef>
#include <future>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "asio/dispatch.hpp"
#include "asio/executor_work_guard.hpp"
#include "asio/io_context.hpp"
#include "asio/post.hpp"

#include "base/clock.h"

namespace noded::base {

class Loop {
 public:
  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Runs `function` (move-only is fine) on the loop, later and in order.
  template <class F>
  void Post(F&& function) {
    asio::post(io_, std::forward<F>(function));
  }
  // The same, but at once when the caller already is on the loop.
  template <class F>
  void Dispatch(F&& function) {
    asio::dispatch(io_, std::forward<F>(function));
  }
  // Runs `function` on the loop and waits for its result. From the loop itself, and when the loop
  // has stopped, it just runs. Not while another thread is in Stop().
  template <class F>
  auto Run(F function) -> decltype(function()) {
    if (is_current() || is_stopped_.load()) return function();
    std::packaged_task<decltype(function())()> task(std::move(function));
    auto result = task.get_future();
    Post([&task] { task(); });
    return result.get();
  }

  bool is_current() const { return std::this_thread::get_id() == thread_id_.load(); }
  TimePoint Now() const { return std::chrono::steady_clock::now(); }
  asio::io_context& io() { return io_; }

  // Ends the loop's thread after the function it is in, and waits for it. Idempotent.
  void Stop();

 private:
  friend class LoopGroup;

  class Context : public asio::io_context {
   public:
    using asio::io_context::io_context;
    // Destroys the tasks and functions that still wait, with all that they hold.
    void DropPending() { shutdown(); }
  };

  Context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_{io_.get_executor()};
  std::atomic<std::thread::id> thread_id_{};
  std::atomic<bool> is_stopped_{false};
  std::thread thread_;
};

class LoopGroup {
 public:
  // `count` 0 means one a core.
  explicit LoopGroup(size_t count);
  ~LoopGroup();

  // The loop for shared tables that one loop owns.
  Loop& home() { return *loops_.front(); }
  // The next one in turn. Thread-safe.
  Loop& Next() { return *loops_[next_.fetch_add(1) % loops_.size()]; }
  size_t size() const { return loops_.size(); }
  void Stop();

 private:
  std::vector<std::unique_ptr<Loop>> loops_;
  std::atomic<size_t> next_{0};
};

}  // namespace noded::base
