#include "tls/crl_fetcher.h"

#include "asio/redirect_error.hpp"
#include "asio/steady_timer.hpp"
#include "asio/use_awaitable.hpp"

#include "base/log.h"

namespace noded::tls {
namespace {

// How the fetches reach the task that waits for them, which may be gone with its loop before they
// end.
struct Waiter {
  std::mutex mutex;
  base::Loop* loop = nullptr;  // null: nobody waits any more
  // The loop's thread alone touches these.
  asio::steady_timer* timer = nullptr;
  size_t left = 0;
};

void TellWaiter(const std::shared_ptr<Waiter>& waiter) {
  std::lock_guard lock(waiter->mutex);
  if (waiter->loop == nullptr) return;
  waiter->loop->Post([waiter] {
    --waiter->left;
    if (waiter->left == 0 && waiter->timer != nullptr) waiter->timer->cancel();
  });
}

// In the frame of the task: goes with it, on its loop.
class Wait {
 public:
  Wait(base::Loop& loop, base::TimePoint deadline, size_t count) : timer_(loop.io(), deadline) {
    std::lock_guard lock(waiter_->mutex);
    waiter_->loop = &loop;
    waiter_->timer = &timer_;
    waiter_->left = count;
  }
  ~Wait() {
    std::lock_guard lock(waiter_->mutex);
    waiter_->loop = nullptr;
    waiter_->timer = nullptr;
  }
  Wait(const Wait&) = delete;
  Wait& operator=(const Wait&) = delete;

  const std::shared_ptr<Waiter>& waiter() const { return waiter_; }
  asio::steady_timer& timer() { return timer_; }
  bool is_over() const { return waiter_->left == 0; }

 private:
  std::shared_ptr<Waiter> waiter_ = std::make_shared<Waiter>();
  asio::steady_timer timer_;
};

}  // namespace

CrlFetcher::CrlFetcher() {
  for (size_t i = 0; i < kThreads; ++i) threads_.emplace_back([this] { Work(); });
}

CrlFetcher::~CrlFetcher() {
  {
    std::lock_guard lock(mutex_);
    is_stopping_ = true;
    waiting_.clear();
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

CrlFetcher& CrlFetcher::Shared() {
  static CrlFetcher fetcher;
  return fetcher;
}

base::Task<void> CrlFetcher::Fetch(base::Loop& loop, std::shared_ptr<CrlCache> cache,
                                   std::vector<std::string> uris, base::TimePoint deadline) {
  if (cache == nullptr) co_return;
  Wait wait(loop, deadline, uris.size());
  for (std::string& uri : uris) {
    Want({cache, std::move(uri)}, [waiter = wait.waiter()] { TellWaiter(waiter); });
  }
  asio::error_code ignored;
  while (!wait.is_over() && loop.Now() < deadline) {
    co_await wait.timer().async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
}

void CrlFetcher::Want(Key key, Done done) {
  {
    std::lock_guard lock(mutex_);
    auto known = wanted_by_.find(key);
    if (known != wanted_by_.end()) {
      known->second.push_back(std::move(done));
      return;
    }
    if (waiting_.size() < kMaxWaiting && !is_stopping_) {
      wanted_by_[key].push_back(std::move(done));
      waiting_.push_back(std::move(key));
      changed_.notify_one();
      return;
    }
  }
  done();
}

void CrlFetcher::Work() {
  while (true) {
    Key key;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this]() { return is_stopping_ || !waiting_.empty(); });
      if (is_stopping_) return;
      key = std::move(waiting_.front());
      waiting_.pop_front();
    }
    const absl::Status status = key.first->Fetch(key.second);
    if (!status.ok()) base::LogWarn("crl_not_fetched").Add(status);
    std::vector<Done> done;
    {
      std::lock_guard lock(mutex_);
      done = std::move(wanted_by_[key]);
      wanted_by_.erase(key);
    }
    for (const Done& one : done) one();
  }
}

}  // namespace noded::tls
