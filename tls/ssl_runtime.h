// What the connections of one Ssl (tls/ssl_application.h) share: its parameters, and the list by
// which stopping ends them all. For tls/ssl_*.cc alone.
//
// Thread-safe. Held by every connection, listener and accepted socket, so that none outlives it.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>

#include "absl/status/status.h"

#include "tls/ssl_owner.h"

namespace noded::tls {

class SslRuntime {
 public:
  explicit SslRuntime(std::chrono::milliseconds alert_timeout) : alert_timeout_(alert_timeout) {}

  std::chrono::milliseconds alert_timeout() const { return alert_timeout_; }
  SslSocketId NextId() { return next_id_.fetch_add(1); }

  // `end` cuts the thing short, is callable from any thread and does not block. Unavailable when
  // all has been stopped: it may not begin then.
  absl::Status Register(SslSocketId id, std::function<void()> end);
  void Forget(SslSocketId id);
  bool is_stopped() const;
  size_t size() const;

  // Ends everything that is registered, and waits until it is forgotten. Idempotent. Not from a
  // loop.
  void Stop();

 private:
  const std::chrono::milliseconds alert_timeout_;
  std::atomic<SslSocketId> next_id_{1};
  mutable std::mutex mutex_;
  std::condition_variable forgotten_;
  bool is_stopped_ = false;
  std::map<SslSocketId, std::function<void()>> ends_;
};

}  // namespace noded::tls
