// A bounded queue that owns TLS sockets: what they receive in active mode is waited for here, by a
// thread or on a loop.
//
//   auto inbox = std::make_shared<SslInbox>();
//   SocketSetup setup{.options = {.active = Active::True()}, .owner = inbox};
//   auto message = inbox->Receive(std::chrono::seconds(5));         // blocks
//   auto message = co_await inbox->AsyncReceive(kInfinity);         // on any loop
//
// Thread-safe. When it is full, its sockets stop reading until half of it has been taken. It may
// hold the messages of sockets that are gone. Errors: DeadlineExceeded (timeout).
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "absl/status/statusor.h"

#include "base/task.h"
#include "tls/ssl_owner.h"
#include "tls/timeout.h"

namespace noded::tls {

class SslInbox : public SslOwner {
 public:
  // One message may go beyond `max_bytes`.
  explicit SslInbox(size_t max_messages = 1024, size_t max_bytes = size_t{1} << 20)
      : max_messages_(max_messages), max_bytes_(max_bytes) {}

  absl::StatusOr<SslMessage> Receive(Timeout timeout = kInfinity);
  base::Task<absl::StatusOr<SslMessage>> AsyncReceive(Timeout timeout = kInfinity);

  size_t size() const;

  bool Take(SslMessage& message, const std::function<void()>& has_room) override;

 private:
  struct Waiter;
  // Who waits on a loop; shared with their tasks, which may be gone first, or later.
  struct Waiters {
    std::mutex mutex;
    std::deque<std::shared_ptr<Waiter>> list;
  };
  class Place;
  bool IsFull() const;
  // The oldest message, and whom to tell that there is room; with mutex_ held. False: there is
  // none.
  bool Pop(SslMessage& message, std::vector<std::function<void()>>& to_call);
  // With `waiter`, if there is one, registered when there is no message.
  bool TryReceive(SslMessage& message, const std::shared_ptr<Waiter>& waiter);
  void Wake();

  const size_t max_messages_;
  const size_t max_bytes_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<SslMessage> messages_;
  size_t bytes_ = 0;
  std::vector<std::function<void()>> held_back_;
  const std::shared_ptr<Waiters> waiters_ = std::make_shared<Waiters>();
};

}  // namespace noded::tls
