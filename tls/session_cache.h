// Where sessions are kept so that a later connection can go on with one: OTP's behaviour
// `ssl_session_cache_api`.
//
//   auto cache = std::make_shared<MemorySessionCache>(1000);     // tls/memory_session_cache.h
//   options.sessions.cache = cache;                              // or a factory, see
//   SessionCacheFactory
//
// A key is who the session is with, and which one: for a client the peer ("host:port"), for a
// server the port that it listens on ("443"; empty when unknown). A value is the session in the
// engine's own serialised form, with secrets: store it where only this user can read it.
// Thread-safe; callers give time, caches have no clock. A cache that fails loses sessions, never
// connections: its errors are its own to log. Source: OTP ssl_session_cache_api(3).
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "base/bytes.h"
#include "tls/options.h"

namespace noded::tls {

using SessionTime = std::chrono::sys_seconds;

struct SessionKey {
  std::string partial;  // the peer, or the server's port
  base::Slice id;       // session id, or a digest of the ticket

  friend bool operator==(const SessionKey&, const SessionKey&) = default;
};

struct StoredSession {
  base::Slice content;
  SessionTime created;
  SessionTime expires;
  // A TLS 1.3 ticket is used once (RFC 8446 appendix C.4).
  bool is_single_use = false;
};

class SessionCache {
 public:
  virtual ~SessionCache() = default;
  SessionCache() = default;
  SessionCache(const SessionCache&) = delete;
  SessionCache& operator=(const SessionCache&) = delete;

  // Adds or replaces. When the cache is full the oldest go.
  virtual void Update(const SessionKey& key, const StoredSession& session) = 0;
  virtual std::optional<StoredSession> Lookup(const SessionKey& key) = 0;
  // All sessions of one partial key, the newest first.
  virtual std::vector<std::pair<SessionKey, StoredSession>> SelectSession(
      const std::string& partial) = 0;
  virtual void Delete(const SessionKey& key) = 0;
  // Calls `visit` for each; it may not call the cache.
  virtual void ForEach(
      const std::function<void(const SessionKey&, const StoredSession&)>& visit) = 0;
  virtual size_t size() = 0;
};

// `session_cb` with `session_cb_init_args`: called once for each role when TLS starts.
using SessionCacheFactory = std::function<absl::StatusOr<std::shared_ptr<SessionCache>>(Role role)>;

}  // namespace noded::tls
