#include "tls/ssl_inbox.h"

#include <utility>
#include <vector>

#include "asio/post.hpp"
#include "asio/redirect_error.hpp"
#include "asio/steady_timer.hpp"
#include "asio/this_coro.hpp"
#include "asio/use_awaitable.hpp"

#include "base/status.h"

namespace noded::tls {
namespace {

size_t SizeOf(const SslMessage& message) {
  const auto* data = std::get_if<SslData>(&message.event);
  return data == nullptr ? 0 : data->bytes.size();
}

absl::Status TimedOut() {
  return base::Error(absl::StatusCode::kDeadlineExceeded, "receive: no message in time", "",
                     "timeout");
}

}  // namespace

// A coroutine in AsyncReceive. The timer is touched on its own executor alone.
struct SslInbox::Waiter {
  Waiter(const asio::any_io_executor& executor, base::TimePoint deadline)
      : timer(executor, deadline) {}
  asio::steady_timer timer;
  bool is_woken = false;  // of the timer's executor
};

// In the frame of the task: its waiter goes with it, and with its loop.
class SslInbox::Place {
 public:
  Place(std::shared_ptr<Waiters> waiters, std::shared_ptr<Waiter> waiter)
      : waiters_(std::move(waiters)), waiter_(std::move(waiter)) {}
  ~Place() {
    std::lock_guard lock(waiters_->mutex);
    std::erase(waiters_->list, waiter_);
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

 private:
  const std::shared_ptr<Waiters> waiters_;
  const std::shared_ptr<Waiter> waiter_;
};

bool SslInbox::IsFull() const { return messages_.size() >= max_messages_ || bytes_ >= max_bytes_; }

size_t SslInbox::size() const {
  std::lock_guard lock(mutex_);
  return messages_.size();
}

bool SslInbox::Take(SslMessage& message, const std::function<void()>& has_room) {
  std::lock_guard lock(mutex_);
  if (IsFull()) {
    held_back_.push_back(has_room);
    return false;
  }
  bytes_ += SizeOf(message);
  messages_.push_back(std::move(message));
  Wake();
  return true;
}

void SslInbox::Wake() {
  changed_.notify_one();
  std::lock_guard lock(waiters_->mutex);
  if (waiters_->list.empty()) return;
  std::shared_ptr<Waiter> waiter = std::move(waiters_->list.front());
  waiters_->list.pop_front();
  const asio::any_io_executor executor = waiter->timer.get_executor();
  asio::post(executor, [waiter = std::move(waiter)] {
    waiter->is_woken = true;
    waiter->timer.cancel();
  });
}

bool SslInbox::Pop(SslMessage& message, std::vector<std::function<void()>>& to_call) {
  if (messages_.empty()) return false;
  message = std::move(messages_.front());
  messages_.pop_front();
  bytes_ -= SizeOf(message);
  if (messages_.size() <= max_messages_ / 2 && bytes_ <= max_bytes_ / 2) {
    to_call.swap(held_back_);
  }
  return true;
}

bool SslInbox::TryReceive(SslMessage& message, const std::shared_ptr<Waiter>& waiter) {
  std::vector<std::function<void()>> to_call;
  bool is_there = false;
  {
    std::lock_guard lock(mutex_);
    is_there = Pop(message, to_call);
    if (!is_there && waiter != nullptr) {
      std::lock_guard lock_waiters(waiters_->mutex);
      waiters_->list.push_back(waiter);
    }
  }
  for (const auto& has_room : to_call) has_room();
  return is_there;
}

absl::StatusOr<SslMessage> SslInbox::Receive(Timeout timeout) {
  const base::TimePoint deadline = DeadlineOf(timeout);
  std::vector<std::function<void()>> to_call;
  SslMessage message;
  {
    std::unique_lock lock(mutex_);
    const auto has_message = [this] { return !messages_.empty(); };
    if (deadline == base::TimePoint::max()) {
      changed_.wait(lock, has_message);
    } else if (!changed_.wait_until(lock, deadline, has_message)) {
      return TimedOut();
    }
    Pop(message, to_call);
  }
  for (const auto& has_room : to_call) has_room();
  return message;
}

base::Task<absl::StatusOr<SslMessage>> SslInbox::AsyncReceive(Timeout timeout) {
  const base::TimePoint deadline = DeadlineOf(timeout);
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  SslMessage message;
  while (true) {
    auto waiter = std::make_shared<Waiter>(executor, deadline);
    {
      const Place place(waiters_, waiter);
      if (TryReceive(message, waiter)) co_return message;
      asio::error_code ignored;
      co_await waiter->timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
      if (waiter->is_woken) continue;
    }
    // A wake-up that came too late for this one must not be lost for the next.
    if (TryReceive(message, nullptr)) co_return message;
    co_return TimedOut();
  }
}

}  // namespace noded::tls
