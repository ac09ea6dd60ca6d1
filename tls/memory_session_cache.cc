#include "tls/memory_session_cache.h"

#include <algorithm>
#include <tuple>

#include "tls/secret_slice.h"

namespace noded::tls {

SessionCacheFactory MemorySessionCache::Factory(size_t max) {
  return [max](Role) -> absl::StatusOr<std::shared_ptr<SessionCache>> {
    return std::make_shared<MemorySessionCache>(max);
  };
}

MemorySessionCache::Entries::iterator MemorySessionCache::Find(const SessionKey& key) {
  const auto ids = by_partial_.find(key.partial);
  if (ids == by_partial_.end()) return entries_.end();
  const auto entry = ids->second.find(key.id.text());
  return entry == ids->second.end() ? entries_.end() : entry->second;
}

void MemorySessionCache::Remove(Entries::iterator entry) {
  const auto ids = by_partial_.find(entry->key.partial);
  ids->second.erase(std::string(entry->key.id.text()));
  if (ids->second.empty()) by_partial_.erase(ids);
  by_end_.erase(entry->end);
  entries_.erase(entry);
}

void MemorySessionCache::DropExpired(SessionTime now) {
  while (!by_end_.empty() && by_end_.begin()->first <= now) Remove(by_end_.begin()->second);
}

void MemorySessionCache::Update(const SessionKey& key, const StoredSession& session) {
  const std::lock_guard lock(mutex_);
  if (const auto old = Find(key); old != entries_.end()) Remove(old);
  if (max_ == 0) return;
  DropExpired(session.created);
  while (entries_.size() >= max_) Remove(std::prev(entries_.end()));
  entries_.push_front({key, session, next_sequence_++, {}});
  entries_.front().session.content = CopySecret(session.content);
  entries_.front().end = by_end_.emplace(session.expires, entries_.begin());
  by_partial_[key.partial][std::string(key.id.text())] = entries_.begin();
}

std::optional<StoredSession> MemorySessionCache::Lookup(const SessionKey& key, SessionTime now) {
  const std::lock_guard lock(mutex_);
  const auto entry = Find(key);
  if (entry == entries_.end()) return std::nullopt;
  if (entry->session.expires <= now) {
    Remove(entry);
    return std::nullopt;
  }
  entries_.splice(entries_.begin(), entries_, entry);
  return entry->session;
}

std::vector<std::pair<SessionKey, StoredSession>> MemorySessionCache::SelectSession(
    const std::string& partial, SessionTime now) {
  const std::lock_guard lock(mutex_);
  std::vector<Entries::iterator> live;
  const auto ids = by_partial_.find(partial);
  if (ids == by_partial_.end()) return {};
  std::vector<Entries::iterator> expired;
  for (const auto& [id, entry] : ids->second) {
    if (entry->session.expires <= now) {
      expired.push_back(entry);
    } else {
      live.push_back(entry);
      entries_.splice(entries_.begin(), entries_, entry);
    }
  }
  for (const auto entry : expired) Remove(entry);
  std::sort(live.begin(), live.end(), [](const auto& a, const auto& b) {
    return std::tie(a->session.created, a->sequence) > std::tie(b->session.created, b->sequence);
  });
  std::vector<std::pair<SessionKey, StoredSession>> found;
  for (const auto entry : live) found.emplace_back(entry->key, entry->session);
  return found;
}

bool MemorySessionCache::Delete(const SessionKey& key) {
  const std::lock_guard lock(mutex_);
  const auto entry = Find(key);
  if (entry == entries_.end()) return false;
  Remove(entry);
  return true;
}

void MemorySessionCache::ForEach(
    const std::function<void(const SessionKey&, const StoredSession&)>& visit) {
  const std::lock_guard lock(mutex_);
  for (const Entry& entry : entries_) visit(entry.key, entry.session);
}

size_t MemorySessionCache::size() {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

}  // namespace noded::tls
