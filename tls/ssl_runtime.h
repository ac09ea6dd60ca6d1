// What the connections of one Ssl (tls/ssl_application.h) share: the list by which stopping ends
// them all. For tls/ssl_*.cc alone.
//
// Thread-safe. Held by every connection, listener and accepted socket, so that none outlives it.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"

#include "tls/context.h"
#include "tls/ssl_owner.h"

namespace noded::tls {

class SslRuntime {
 public:
  SslSocketId NextId() { return next_id_.fetch_add(1); }

  // `end` cuts the thing short, is callable from any thread and does not block. Unavailable when
  // all has been stopped: it may not begin then.
  absl::Status Register(SslSocketId id, std::function<void()> end);
  void Forget(SslSocketId id);
  bool is_stopped() const;
  size_t size() const;

  // Logs those that it has not logged before.
  void WarnOnce(const std::vector<Warning>& warnings);

  // Ends everything that is registered, and waits until it is forgotten. Idempotent. Not from a
  // loop.
  void Stop();

 private:
  std::atomic<SslSocketId> next_id_{1};
  mutable std::mutex mutex_;
  std::condition_variable forgotten_;
  bool is_stopped_ = false;
  std::map<SslSocketId, std::function<void()>> ends_;
  std::set<std::string> warned_;
};

}  // namespace noded::tls
