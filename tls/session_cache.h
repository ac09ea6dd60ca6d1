// Where sessions are kept so that a later connection can go on with one: OTP's behaviour
// `ssl_session_cache_api`.
//
//   auto cache = std::make_shared<MemorySessionCache>(1000);     // tls/memory_session_cache.h
//   options.sessions.cache = cache;
//   ASSIGN_OR_RETURN(options.sessions.cache,                      // session_cb, one for each role
//                    MakeSessionCache(SqliteSessionCache::Factory(folder), Role::kServer));
//
// A key is who the session is with, and which one: for a client the peer ("host:port/", and a
// digest of all that must be the same again), for a server the port that it listens on ("443";
// empty when unknown). A value is the session in the engine's own serialised form, with secrets:
// whoever reads it can read and forge what is sent under it. Store it where only this user can.
// Thread-safe; callers give time, caches have no clock. A cache that fails loses sessions, never
// connections: its errors are its own to log. What OTP calls init and terminate are construction
// and destruction. Source: OTP ssl_session_cache_api(3).
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
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
  // From then on it is not given out any more.
  SessionTime expires;
  // A TLS 1.3 ticket is used once (RFC 8446 appendix C.4): by the one whose Delete() took it out.
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
  virtual std::optional<StoredSession> Lookup(const SessionKey& key, SessionTime now) = 0;
  // All sessions of one partial key, the newest first.
  virtual std::vector<std::pair<SessionKey, StoredSession>> SelectSession(
      const std::string& partial, SessionTime now) = 0;
  // True when it was there: of two callers at once one gets true.
  virtual bool Delete(const SessionKey& key) = 0;
  // foldl/3: calls `visit` for each, expired ones too; it may not call the cache.
  virtual void ForEach(
      const std::function<void(const SessionKey&, const StoredSession&)>& visit) = 0;
  virtual size_t size() = 0;
};

// `session_cb` with `session_cb_init_args`.
using SessionCacheFactory = std::function<absl::StatusOr<std::shared_ptr<SessionCache>>(Role role)>;

// What the function makes. InvalidArgument or Internal when there is none, it gives none, or
// throws.
absl::StatusOr<std::shared_ptr<SessionCache>> MakeSessionCache(const SessionCacheFactory& factory,
                                                               Role role);

}  // namespace noded::tls
