// Threads for exported functions, so that user code never runs on a loop.
//
//   Workers workers(4, limits);
//   if (!workers.Run([=] { ... })) ...        // too many are waiting already
//   auto lane = workers.MakeLane();           // what is run in one lane keeps its order
//
// Thread-safe. The threads start with the first work or lane: a client that only asks has none.
// Stop waits for what runs and drops what waits and what comes later. Lanes go before the workers.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <mutex>
#include <optional>

#include "asio/post.hpp"
#include "asio/strand.hpp"
#include "asio/thread_pool.hpp"

namespace noded::node {

class Workers {
 public:
  using Lane = asio::strand<asio::thread_pool::executor_type>;

  Workers(size_t threads, size_t max_waiting) : threads_(threads), max_waiting_(max_waiting) {}
  ~Workers() { Stop(); }

  // False when the limit is reached: `work` is not taken.
  bool Run(std::function<void()> work) { return Enqueue(Pool().get_executor(), std::move(work)); }
  bool RunIn(const Lane& lane, std::function<void()> work) {
    return Enqueue(lane, std::move(work));
  }
  Lane MakeLane() { return asio::make_strand(Pool()); }

  void Stop() {
    // One that nobody wanted is made without threads, so that nothing starts any later.
    Threads& pool = Pool(0);
    pool.stop();
    pool.join();
    pool.DropPending();
  }

 private:
  class Threads : public asio::thread_pool {
   public:
    using asio::thread_pool::thread_pool;
    // Destroys the work that waits, with all that it holds: here, and not with the threads, which
    // may go when what it needs is gone.
    void DropPending() { shutdown(); }
  };

  template <class Executor>
  bool Enqueue(const Executor& executor, std::function<void()> work) {
    if (waiting_.fetch_add(1) >= max_waiting_) {
      waiting_.fetch_sub(1);
      return false;
    }
    asio::post(executor, [this, work = std::move(work)] {
      waiting_.fetch_sub(1);
      work();
    });
    return true;
  }

  Threads& Pool() { return Pool(threads_); }
  Threads& Pool(size_t threads) {
    std::call_once(started_, [&] { pool_.emplace(threads); });
    return *pool_;
  }

  std::once_flag started_;
  std::optional<Threads> pool_;
  const size_t threads_;
  const size_t max_waiting_;
  std::atomic<size_t> waiting_{0};
};

}  // namespace noded::node
