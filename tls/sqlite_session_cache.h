// Sessions in a file, through SQLite, so that they outlive the process; several processes may share
// one file.
//
//   ASSIGN_OR_RETURN(auto cache, SqliteSessionCache::Open("/var/lib/noded/client.sessions", 1000));
//   options.sessions.cache = std::move(cache);
//   auto make = SqliteSessionCache::Factory("/var/lib/noded", 1000);   // client.sessions
//                                                                     // and server.sessions there
// The file holds the keys of past and future connections: it is made with mode 0600, one that
// others may read is refused, and it belongs on a disk that is not backed up. Deleted sessions are
// overwritten in the file, and in its log (-wal) when that is next folded in. Beyond `max` sessions
// the oldest go, and expired ones with the next Update.
//
// Thread-safe. Calls hand their writes to the kernel and do not wait for the disk: after a crash of
// the machine the file may have to be made anew. They wait for another process at most
// kBusyTimeout. Errors of Open: InvalidArgument, with the path: the folder is missing, the file is
// open to others, not a session cache at all, or of a newer noded. A cache of ours that is damaged,
// or of an older layout, is emptied and made anew: was_rebuilt() tells. Later errors lose a
// session, not a connection: they are counted and logged, at most once a minute. Source: SQLite,
// pragmas application_id, user_version, secure_delete, journal_mode.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <string>

#include "absl/status/statusor.h"

#include "tls/session_cache.h"

struct sqlite3;

namespace noded::tls {

class SqliteSessionCache : public SessionCache {
 public:
  // Of calls on loops, which lose a session rather than wait; Open() waits longer.
  static constexpr std::chrono::milliseconds kBusyTimeout{20};

  static absl::StatusOr<std::shared_ptr<SqliteSessionCache>> Open(const std::string& path,
                                                                  size_t max);
  // "client.sessions" and "server.sessions" in this folder.
  static SessionCacheFactory Factory(const std::string& folder, size_t max);
  ~SqliteSessionCache() override;

  void Update(const SessionKey& key, const StoredSession& session) override;
  std::optional<StoredSession> Lookup(const SessionKey& key, SessionTime now) override;
  std::vector<std::pair<SessionKey, StoredSession>> SelectSession(const std::string& partial,
                                                                  SessionTime now) override;
  bool Delete(const SessionKey& key) override;
  void ForEach(const std::function<void(const SessionKey&, const StoredSession&)>& visit) override;
  size_t size() override;

  // The file was damaged or of an older layout, and began anew.
  bool was_rebuilt() const { return was_rebuilt_; }
  // Calls that failed.
  size_t failures();

 private:
  class Statement;

  SqliteSessionCache(std::string path, size_t max) : path_(std::move(path)), max_(max) {}
  absl::Status Prepare();
  absl::Status OpenFile();
  // OK(false): damaged or of an older layout.
  absl::StatusOr<bool> CheckLayout();
  absl::StatusOr<bool> ReadLayout();
  absl::Status MakeLayout();
  absl::Status RemoveFile();
  absl::Status Run(const char* sql);
  absl::StatusOr<int64_t> Number(const char* sql);
  absl::Status Failure(const char* what) const;
  // With mutex_ held.
  void Count(const char* what);

  const std::string path_;
  const size_t max_;
  bool was_rebuilt_ = false;
  std::mutex mutex_;
  sqlite3* db_ = nullptr;
  size_t failures_ = 0;
  std::chrono::steady_clock::time_point logged_;
};

}  // namespace noded::tls
