#include "tls/sqlite_session_cache.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "fmt/format.h"

#include "base/log.h"
#include "base/status.h"
#include "tls/secret_slice.h"

namespace noded::tls {
namespace {

constexpr int kApplicationId = 0x6e736573;  // "nses"
constexpr int kSchemaVersion = 1;
constexpr std::chrono::minutes kLogPause{1};
constexpr std::chrono::milliseconds kOpenTimeout{250};

constexpr char kLayout[] =
    "CREATE TABLE sessions (sequence INTEGER PRIMARY KEY AUTOINCREMENT, partial TEXT NOT NULL,"
    " id BLOB NOT NULL, content BLOB NOT NULL, created INTEGER NOT NULL,"
    " expires INTEGER NOT NULL, is_single_use INTEGER NOT NULL, UNIQUE (partial, id));"
    "CREATE INDEX by_end ON sessions (expires);";

absl::Status Refuse(const std::string& path, std::string_view what, std::string_view mend,
                    std::string_view reason) {
  return base::Error(absl::StatusCode::kInvalidArgument,
                     fmt::format("session cache {}: {}", path, what), mend, reason);
}

// Makes the file, empty and ours alone, when there is none; SQLite gives its side files the same
// mode.
absl::Status CheckFile(const std::string& path) {
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file >= 0) {
    close(file);
    return absl::OkStatus();
  }
  struct stat facts = {};
  const int error = errno;
  // One that is there is not opened: closing it would take the locks of a second cache on it.
  if (error != EEXIST || lstat(path.c_str(), &facts) != 0) {
    return Refuse(path, base::ErrnoText(error),
                  "name a file in a folder that this user may write to", base::ErrnoAtom(error));
  }
  if (!S_ISREG(facts.st_mode)) return Refuse(path, "is no file", "name a file", "einval");
  if ((facts.st_mode & 077) != 0) {
    return Refuse(path, "others may read or write it, and it holds secrets",
                  fmt::format("remove it, or run: chmod 600 {}", path), "eacces");
  }
  return absl::OkStatus();
}

}  // namespace

// A prepared statement, used once. Values are bound in order.
class SqliteSessionCache::Statement {
 public:
  Statement(sqlite3* db, const char* sql) {
    result_ = sqlite3_prepare_v2(db, sql, -1, &statement_, nullptr);
  }
  ~Statement() { sqlite3_finalize(statement_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  Statement& Bind(int64_t value) { return Note(sqlite3_bind_int64(statement_, ++bound_, value)); }
  Statement& Bind(const std::string& text) {
    return Note(sqlite3_bind_text64(statement_, ++bound_, text.data(), text.size(),
                                    SQLITE_TRANSIENT, SQLITE_UTF8));
  }
  Statement& Bind(base::ByteView bytes) {
    // An empty view must not become NULL.
    static constexpr uint8_t kNothing = 0;
    return Note(sqlite3_bind_blob64(statement_, ++bound_, bytes.empty() ? &kNothing : bytes.data(),
                                    bytes.size(), SQLITE_TRANSIENT));
  }
  // SQLITE_ROW, SQLITE_DONE or an error.
  int Step() { return result_ == SQLITE_OK ? sqlite3_step(statement_) : result_; }

  int64_t Integer(int column) { return sqlite3_column_int64(statement_, column); }
  base::ByteView Bytes(int column) {
    const auto* data = static_cast<const uint8_t*>(sqlite3_column_blob(statement_, column));
    const int size = sqlite3_column_bytes(statement_, column);
    return data == nullptr ? base::ByteView() : base::ByteView(data, static_cast<size_t>(size));
  }
  // Of the columns partial, id, content, created, expires, is_single_use.
  SessionKey Key() { return {base::ToString(Bytes(0)), base::Slice::Copy(Bytes(1))}; }
  StoredSession Session() {
    return {CopySecret(Bytes(2)), SessionTime(std::chrono::seconds(Integer(3))),
            SessionTime(std::chrono::seconds(Integer(4))), Integer(5) != 0};
  }

 private:
  Statement& Note(int result) {
    if (result_ == SQLITE_OK) result_ = result;
    return *this;
  }

  sqlite3_stmt* statement_ = nullptr;
  int result_ = SQLITE_OK;
  int bound_ = 0;
};

#define SESSION_COLUMNS "SELECT partial, id, content, created, expires, is_single_use FROM sessions"

absl::StatusOr<std::shared_ptr<SqliteSessionCache>> SqliteSessionCache::Open(
    const std::string& path, size_t max) {
  std::shared_ptr<SqliteSessionCache> cache(new SqliteSessionCache(path, max));
  RETURN_IF_ERROR(cache->Prepare());
  return cache;
}

SessionCacheFactory SqliteSessionCache::Factory(const std::string& folder, size_t max) {
  return [folder, max](Role role) -> absl::StatusOr<std::shared_ptr<SessionCache>> {
    return Open(fmt::format("{}/{}.sessions", folder, RoleName(role)), max);
  };
}

SqliteSessionCache::~SqliteSessionCache() { sqlite3_close(db_); }

absl::Status SqliteSessionCache::Failure(const char* what) const {
  return base::Error(absl::StatusCode::kInvalidArgument,
                     fmt::format("session cache {}: {}: {}", path_, what, sqlite3_errmsg(db_)),
                     "check the disk and who else uses the file; sessions may be lost, so removing "
                     "it is safe",
                     "session_cache");
}

absl::Status SqliteSessionCache::Run(const char* sql) {
  return sqlite3_exec(db_, sql, nullptr, nullptr, nullptr) == SQLITE_OK ? absl::OkStatus()
                                                                        : Failure("cannot be used");
}

absl::StatusOr<int64_t> SqliteSessionCache::Number(const char* sql) {
  Statement statement(db_, sql);
  if (statement.Step() != SQLITE_ROW) return Failure("cannot be read");
  return statement.Integer(0);
}

absl::Status SqliteSessionCache::OpenFile() {
  RETURN_IF_ERROR(CheckFile(path_));
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_NOMUTEX;
  if (sqlite3_open_v2(path_.c_str(), &db_, flags, nullptr) != SQLITE_OK) {
    return Failure("cannot be opened");
  }
  sqlite3_busy_timeout(db_, static_cast<int>(kOpenTimeout.count()));
  return absl::OkStatus();
}

absl::StatusOr<bool> SqliteSessionCache::CheckLayout() {
  // All of it as of one moment: another process may be making it.
  RETURN_IF_ERROR(Run("BEGIN"));
  absl::StatusOr<bool> is_whole = ReadLayout();
  if (is_whole.ok() && *is_whole) RETURN_IF_ERROR(Run("COMMIT"));
  return is_whole;
}

absl::StatusOr<bool> SqliteSessionCache::ReadLayout() {
  const auto application = Number("PRAGMA application_id");
  if (!application.ok()) {
    const int error = sqlite3_errcode(db_);
    if (error == SQLITE_NOTADB) {
      return Refuse(path_, "is no session cache", "name another file, or remove this one",
                    "session_cache");
    }
    if (error == SQLITE_CORRUPT) return false;
    return application.status();
  }
  ASSIGN_OR_RETURN(const int64_t version, Number("PRAGMA user_version"));
  const auto tables = Number("SELECT count(*) FROM sqlite_master");
  if (!tables.ok()) {
    // The header is whole: it says whose file this is.
    if (*application == kApplicationId) return false;
    return Refuse(path_, "is no session cache, or its beginning is damaged",
                  "name another file, or remove this one", "session_cache");
  }
  const bool is_new = *application == 0 && *tables == 0;
  if (!is_new && *application != kApplicationId) {
    return Refuse(path_, "is the database of another program", "name another file",
                  "session_cache");
  }
  if (version > kSchemaVersion) {
    return Refuse(
        path_,
        fmt::format("has layout {}, and this noded knows layout {}", version, kSchemaVersion),
        "use the newer noded, or remove the file", "session_cache");
  }
  if (is_new) return true;
  if (version < kSchemaVersion) return false;
  Statement check(db_, "PRAGMA quick_check(1)");
  return check.Step() == SQLITE_ROW && base::AsText(check.Bytes(0)) == "ok";
}

absl::Status SqliteSessionCache::MakeLayout() {
  RETURN_IF_ERROR(Run("BEGIN IMMEDIATE"));
  // Another process may have been as fast.
  ASSIGN_OR_RETURN(const int64_t version, Number("PRAGMA user_version"));
  if (version == 0) {
    RETURN_IF_ERROR(Run(kLayout));
    RETURN_IF_ERROR(Run(fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {}",
                                    kApplicationId, kSchemaVersion)
                            .c_str()));
  }
  return Run("COMMIT");
}

absl::Status SqliteSessionCache::RemoveFile() {
  sqlite3_close(std::exchange(db_, nullptr));
  for (const char* suffix : {"-wal", "-shm", ""}) {
    const std::string file = path_ + suffix;
    if (unlink(file.c_str()) == 0 || errno == ENOENT) continue;
    const int error = errno;
    return Refuse(path_,
                  fmt::format("is damaged and cannot be removed: {}", base::ErrnoText(error)),
                  "remove it", base::ErrnoAtom(error));
  }
  return absl::OkStatus();
}

absl::Status SqliteSessionCache::Prepare() {
  RETURN_IF_ERROR(OpenFile());
  ASSIGN_OR_RETURN(const bool is_whole, CheckLayout());
  if (!is_whole) {
    RETURN_IF_ERROR(RemoveFile());
    RETURN_IF_ERROR(OpenFile());
    was_rebuilt_ = true;
    base::LogWarn("session_cache_rebuilt").Add("file", path_);
  }
  // Readers and a writer do not wait for each other; after a crash of the machine the newest
  // sessions may be gone.
  RETURN_IF_ERROR(
      Run("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;"
          "PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY"));
  RETURN_IF_ERROR(MakeLayout());
  sqlite3_busy_timeout(db_, static_cast<int>(kBusyTimeout.count()));
  return absl::OkStatus();
}

void SqliteSessionCache::Count(const char* what) {
  const int code = sqlite3_extended_errcode(db_);
  const std::string text = sqlite3_errmsg(db_);
  ++failures_;
  const auto now = std::chrono::steady_clock::now();
  if (failures_ > 1 && now - logged_ < kLogPause) return;
  logged_ = now;
  base::LogWarn("session_cache_failed")
      .Add("file", path_)
      .Add("call", what)
      .Add("cause", text)
      .Add("code", code)
      .Add("mend", "check the disk; removing the file is safe while no noded uses it");
}

void SqliteSessionCache::Update(const SessionKey& key, const StoredSession& session) {
  const std::lock_guard lock(mutex_);
  if (max_ == 0) return;
  bool is_good = sqlite3_exec(db_, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr) == SQLITE_OK;
  if (is_good) {
    Statement insert(db_,
                     "INSERT OR REPLACE INTO sessions (partial, id, content, created, expires,"
                     " is_single_use) VALUES (?, ?, ?, ?, ?, ?)");
    insert.Bind(key.partial).Bind(key.id.view()).Bind(session.content.view());
    insert.Bind(session.created.time_since_epoch().count());
    insert.Bind(session.expires.time_since_epoch().count());
    insert.Bind(session.is_single_use ? 1 : 0);
    Statement expired(db_, "DELETE FROM sessions WHERE expires <= ?");
    expired.Bind(session.created.time_since_epoch().count());
    Statement oldest(db_,
                     "DELETE FROM sessions WHERE sequence <= (SELECT sequence FROM sessions"
                     " ORDER BY sequence DESC LIMIT 1 OFFSET ?)");
    oldest.Bind(static_cast<int64_t>(max_));
    is_good = insert.Step() == SQLITE_DONE && expired.Step() == SQLITE_DONE &&
              oldest.Step() == SQLITE_DONE;
    if (!is_good) Count("update");
    const char* end = is_good ? "COMMIT" : "ROLLBACK";
    const bool has_ended = sqlite3_exec(db_, end, nullptr, nullptr, nullptr) == SQLITE_OK;
    if (!is_good || has_ended) return;
    sqlite3_exec(db_, "ROLLBACK", nullptr, nullptr, nullptr);
  }
  Count("update");
}

std::optional<StoredSession> SqliteSessionCache::Lookup(const SessionKey& key, SessionTime now) {
  const std::lock_guard lock(mutex_);
  Statement select(db_, SESSION_COLUMNS " WHERE partial = ? AND id = ? AND expires > ?");
  const int result =
      select.Bind(key.partial).Bind(key.id.view()).Bind(now.time_since_epoch().count()).Step();
  if (result == SQLITE_ROW) return select.Session();
  if (result != SQLITE_DONE) Count("lookup");
  return std::nullopt;
}

std::vector<std::pair<SessionKey, StoredSession>> SqliteSessionCache::SelectSession(
    const std::string& partial, SessionTime now) {
  const std::lock_guard lock(mutex_);
  Statement select(db_, SESSION_COLUMNS
                   " WHERE partial = ? AND expires > ? ORDER BY created DESC, sequence DESC");
  select.Bind(partial).Bind(now.time_since_epoch().count());
  std::vector<std::pair<SessionKey, StoredSession>> found;
  int result = select.Step();
  for (; result == SQLITE_ROW; result = select.Step()) {
    found.emplace_back(select.Key(), select.Session());
  }
  if (result != SQLITE_DONE) Count("select_session");
  return found;
}

bool SqliteSessionCache::Delete(const SessionKey& key) {
  const std::lock_guard lock(mutex_);
  Statement remove(db_, "DELETE FROM sessions WHERE partial = ? AND id = ?");
  if (remove.Bind(key.partial).Bind(key.id.view()).Step() == SQLITE_DONE) {
    return sqlite3_changes(db_) > 0;
  }
  Count("delete");
  return false;
}

void SqliteSessionCache::ForEach(
    const std::function<void(const SessionKey&, const StoredSession&)>& visit) {
  const std::lock_guard lock(mutex_);
  Statement select(db_, SESSION_COLUMNS " ORDER BY sequence");
  int result = select.Step();
  for (; result == SQLITE_ROW; result = select.Step()) visit(select.Key(), select.Session());
  if (result != SQLITE_DONE) Count("foldl");
}

size_t SqliteSessionCache::size() {
  const std::lock_guard lock(mutex_);
  Statement count(db_, "SELECT count(*) FROM sessions");
  if (count.Step() == SQLITE_ROW) return static_cast<size_t>(count.Integer(0));
  Count("size");
  return 0;
}

size_t SqliteSessionCache::failures() {
  const std::lock_guard lock(mutex_);
  return failures_;
}

#undef SESSION_COLUMNS

}  // namespace noded::tls
