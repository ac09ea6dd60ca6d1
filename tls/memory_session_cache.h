// Sessions in memory, for as long as the process runs: what every context has unless another cache
// is given.
//
//   MemorySessionCache cache(1000);      // session_cache_client_max, session_cache_server_max
//   cache.Update({"b.example:443/...", id}, {content, now, now + lifetime});
//   auto session = cache.Lookup({"b.example:443/...", id}, now);
//
// Beyond `max` sessions those go that nobody asked for longest (LRU); expired ones go when they are
// met, or when a later one comes. Contents are wiped when the last user is done with them.
// Thread-safe (tls/session_cache.h).
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <mutex>

#include "tls/session_cache.h"

namespace noded::tls {

class MemorySessionCache : public SessionCache {
 public:
  explicit MemorySessionCache(size_t max) : max_(max) {}

  // Each role has a cache of its own with `max` sessions.
  static SessionCacheFactory Factory(size_t max);

  void Update(const SessionKey& key, const StoredSession& session) override;
  std::optional<StoredSession> Lookup(const SessionKey& key, SessionTime now) override;
  std::vector<std::pair<SessionKey, StoredSession>> SelectSession(const std::string& partial,
                                                                  SessionTime now) override;
  bool Delete(const SessionKey& key) override;
  void ForEach(const std::function<void(const SessionKey&, const StoredSession&)>& visit) override;
  size_t size() override;

 private:
  struct Entry;
  using Entries = std::list<Entry>;
  using Ends = std::multimap<SessionTime, Entries::iterator>;
  struct Entry {
    SessionKey key;
    StoredSession session;
    uint64_t sequence;  // tells the newer one of a second
    Ends::iterator end;
  };
  // Session ids by partial key.
  using Ids = std::map<std::string, Entries::iterator, std::less<>>;

  void Remove(Entries::iterator entry);
  void DropExpired(SessionTime now);
  Entries::iterator Find(const SessionKey& key);

  const size_t max_;
  std::mutex mutex_;
  uint64_t next_sequence_ = 0;
  Entries entries_;  // what was used last first
  Ends by_end_;
  std::map<std::string, Ids> by_partial_;
};

}  // namespace noded::tls
