#include "tls/session_cache.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <set>
#include <stdexcept>
#include <thread>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/status.h"
#include "tests/testlib/temp_dir.h"
#include "tls/memory_session_cache.h"
#include "tls/sqlite_session_cache.h"

namespace noded::tls {
namespace {

using std::chrono::seconds;

constexpr SessionTime kNow{seconds(1'800'000'000)};

SessionKey Key(std::string partial, std::string_view id) {
  return {std::move(partial), base::Slice::Copy(id)};
}

StoredSession Session(std::string_view content, SessionTime created = kNow,
                      seconds lifetime = seconds(100)) {
  return {base::Slice::Copy(content), created, created + lifetime, false};
}

std::shared_ptr<SqliteSessionCache> Open(const std::string& path, size_t max = 1000) {
  auto cache = SqliteSessionCache::Open(path, max);
  EXPECT_TRUE(cache.ok()) << cache.status();
  return cache.ok() ? *std::move(cache) : nullptr;
}

std::string Found(SessionCache& cache, const SessionKey& key, SessionTime now = kNow) {
  const auto session = cache.Lookup(key, now);
  return session ? std::string(session->content.text()) : "none";
}

// Both implementations keep to the interface.
class SessionCacheTest : public testing::TestWithParam<bool> {
 protected:
  std::shared_ptr<SessionCache> Make(size_t max) {
    if (GetParam()) return Open(dir_.File(fmt::format("{}.sessions", ++files_)), max);
    return std::make_shared<MemorySessionCache>(max);
  }
  testlib::TempDir dir_;
  int files_ = 0;
};

INSTANTIATE_TEST_SUITE_P(Kinds, SessionCacheTest, testing::Values(false, true),
                         [](const auto& info) { return info.param ? "Sqlite" : "Memory"; });

TEST_P(SessionCacheTest, GivesBackWhatWasPutInUntilItIsReplacedOrDeleted) {
  auto cache = Make(10);
  const std::string odd("\0\xff'; DROP TABLE sessions", 25);
  StoredSession session = Session(odd);
  session.is_single_use = true;
  cache->Update(Key("a:1/x", odd), session);
  auto found = cache->Lookup(Key("a:1/x", odd), kNow);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->content.text(), odd);
  EXPECT_EQ(found->created, session.created);
  EXPECT_EQ(found->expires, session.expires);
  EXPECT_TRUE(found->is_single_use);
  EXPECT_EQ(Found(*cache, Key("a:1/y", odd)), "none");
  EXPECT_EQ(Found(*cache, Key("a:1/x", "other")), "none");

  cache->Update(Key("a:1/x", odd), Session("new"));
  EXPECT_EQ(Found(*cache, Key("a:1/x", odd)), "new");
  EXPECT_EQ(cache->size(), 1u);
  EXPECT_TRUE(cache->Delete(Key("a:1/x", odd)));
  EXPECT_FALSE(cache->Delete(Key("a:1/x", odd)));
  EXPECT_EQ(Found(*cache, Key("a:1/x", odd)), "none");
  EXPECT_EQ(cache->size(), 0u);
}

TEST_P(SessionCacheTest, KeepsEmptyKeysAndContents) {
  auto cache = Make(10);
  cache->Update(Key("", ""), Session(""));
  EXPECT_EQ(Found(*cache, Key("", "")), "");
  EXPECT_TRUE(cache->Delete(Key("", "")));
}

TEST_P(SessionCacheTest, SelectsAllOfOnePeerTheNewestFirst) {
  auto cache = Make(10);
  cache->Update(Key("a:1", "2"), Session("second", kNow + seconds(2)));
  cache->Update(Key("a:1", "1"), Session("first", kNow + seconds(1)));
  cache->Update(Key("a:1", "3"), Session("third", kNow + seconds(3)));
  cache->Update(Key("a:12", "4"), Session("another's"));
  std::vector<std::string> contents;
  for (const auto& [key, session] : cache->SelectSession("a:1", kNow)) {
    EXPECT_EQ(key.partial, "a:1");
    contents.emplace_back(session.content.text());
  }
  EXPECT_EQ(contents, (std::vector<std::string>{"third", "second", "first"}));
  EXPECT_TRUE(cache->SelectSession("a:2", kNow).empty());
}

TEST_P(SessionCacheTest, GivesOutNothingFromItsEndOn) {
  auto cache = Make(10);
  cache->Update(Key("a", "1"), Session("x", kNow, seconds(100)));
  EXPECT_EQ(Found(*cache, Key("a", "1"), kNow + seconds(99)), "x");
  EXPECT_EQ(cache->SelectSession("a", kNow + seconds(99)).size(), 1u);
  EXPECT_TRUE(cache->SelectSession("a", kNow + seconds(100)).empty());
  EXPECT_EQ(Found(*cache, Key("a", "1"), kNow + seconds(100)), "none");
}

TEST_P(SessionCacheTest, ExpiredSessionsLeaveWithTheNextOne) {
  const auto cache = Make(10);
  cache->Update(Key("a", "1"), Session("old", kNow, seconds(10)));
  cache->Update(Key("b", "1"), Session("older", kNow, seconds(5)));
  cache->Update(Key("b", "2"), Session("young", kNow, seconds(11)));
  cache->Update(Key("a", "2"), Session("new", kNow + seconds(10)));
  EXPECT_EQ(cache->size(), 2u);
  EXPECT_EQ(Found(*cache, Key("b", "2")), "young");
}

TEST_P(SessionCacheTest, HoldsNoMoreThanItsLimit) {
  auto cache = Make(3);
  for (int i = 0; i < 10; ++i) {
    cache->Update(Key("a", std::to_string(i)), Session(std::to_string(i)));
    EXPECT_LE(cache->size(), 3u);
  }
  std::multiset<std::string> left;
  cache->ForEach([&](const SessionKey&, const StoredSession& session) {
    left.insert(std::string(session.content.text()));
  });
  EXPECT_EQ(left, (std::multiset<std::string>{"7", "8", "9"}));
  auto none = Make(0);
  none->Update(Key("a", "1"), Session("x"));
  EXPECT_EQ(none->size(), 0u);
}

TEST_P(SessionCacheTest, OneOfManyThreadsTakesASessionOut) {
  auto cache = Make(1000);
  constexpr int kSessions = 50;
  for (int i = 0; i < kSessions; ++i) {
    cache->Update(Key("a", std::to_string(i)), Session("x"));
  }
  std::atomic<int> taken = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (const auto& [key, session] : cache->SelectSession("a", kNow)) {
        if (cache->Delete(key)) ++taken;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(taken, kSessions);
}

TEST(MemorySessionCacheTest, DropsWhatWasNotAskedForLongest) {
  MemorySessionCache cache(2);
  cache.Update(Key("a", "1"), Session("1"));
  cache.Update(Key("a", "2"), Session("2"));
  EXPECT_EQ(Found(cache, Key("a", "1")), "1");
  cache.Update(Key("a", "3"), Session("3"));
  EXPECT_EQ(Found(cache, Key("a", "2")), "none");
  EXPECT_EQ(Found(cache, Key("a", "1")), "1");
}

TEST(SqliteSessionCacheTest, SurvivesARestartInAFileForItsOwnerAlone) {
  testlib::TempDir dir;
  const std::string path = dir.File("client.sessions");
  {
    auto cache = Open(path);
    cache->Update(Key("a:1", "1"), Session("kept"));
    for (const char* suffix : {"", "-wal", "-shm"}) {
      struct stat facts = {};
      ASSERT_EQ(stat((path + suffix).c_str(), &facts), 0) << suffix;
      EXPECT_EQ(facts.st_mode & 0777, 0600u) << suffix;
    }
  }
  auto cache = Open(path);
  EXPECT_FALSE(cache->was_rebuilt());
  EXPECT_EQ(Found(*cache, Key("a:1", "1")), "kept");
  EXPECT_EQ(cache->failures(), 0u);
}

TEST(SqliteSessionCacheTest, DeletedSessionsAreOverwritten) {
  testlib::TempDir dir;
  const std::string path = dir.File("sessions");
  {
    auto cache = Open(path);
    cache->Update(Key("a", "1"), Session("the-secret-of-a-session"));
    EXPECT_TRUE(cache->Delete(Key("a", "1")));
  }
  EXPECT_EQ(testlib::ReadFile(path).find("the-secret-of-a-session"), std::string::npos);
  EXPECT_NE(access((path + "-wal").c_str(), F_OK), 0);
}

TEST(SqliteSessionCacheTest, SeveralProcessesShareAFile) {
  testlib::TempDir dir;
  const std::string path = dir.File("sessions");
  constexpr int kProcesses = 4, kEach = 25;
  std::vector<pid_t> children;
  for (int child = 0; child < kProcesses; ++child) {
    const pid_t pid = fork();
    ASSERT_GE(pid, 0);
    if (pid == 0) {
      auto cache = SqliteSessionCache::Open(path, 1000);
      if (!cache.ok()) {
        fmt::print(stderr, "{}\n", cache.status().ToString());
        _exit(1);
      }
      for (int i = 0; i < kEach; ++i) {
        // A loaded machine may take longer than the busy time: a cache may then lose one.
        const SessionKey key = Key("a", fmt::format("{}-{}", child, i));
        while (!(*cache)->Lookup(key, kNow)) (*cache)->Update(key, Session("x"));
      }
      _exit(0);
    }
    children.push_back(pid);
  }
  for (const pid_t pid : children) {
    int status = 0;
    ASSERT_EQ(waitpid(pid, &status, 0), pid);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
  auto cache = Open(path);
  EXPECT_FALSE(cache->was_rebuilt());
  EXPECT_EQ(cache->size(), size_t{kProcesses * kEach});
}

// Whether this process has a lock on the file, as another one sees it.
bool IsLocked(const std::string& path) {
  const pid_t pid = fork();
  if (pid == 0) {
    struct flock lock = {};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    const int file = open(path.c_str(), O_RDWR | O_CLOEXEC);
    _exit(file >= 0 && fcntl(file, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK ? 1 : 0);
  }
  int status = 0;
  EXPECT_EQ(waitpid(pid, &status, 0), pid);
  return WIFEXITED(status) && WEXITSTATUS(status) == 1;
}

TEST(SqliteSessionCacheTest, ASecondOneOnAFileLeavesTheFirstItsLocks) {
  testlib::TempDir dir;
  const std::string path = dir.File("sessions");
  const auto first = Open(path);
  first->Update(Key("a", "1"), Session("kept"));
  ASSERT_TRUE(IsLocked(path));
  Open(path);
  EXPECT_TRUE(IsLocked(path));
  EXPECT_EQ(Found(*first, Key("a", "1")), "kept");
}

TEST(SqliteSessionCacheTest, ADamagedFileOfItsOwnBeginsAnew) {
  testlib::TempDir dir;
  const std::string path = dir.File("sessions");
  {
    auto cache = Open(path);
    for (int i = 0; i < 200; ++i) {
      cache->Update(Key("a", std::to_string(i)), Session(std::string(500, 'x')));
    }
  }
  {
    // All pages but the first.
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(4096);
    file << std::string(64 * 1024, '\x5a');
  }
  auto cache = Open(path);
  ASSERT_NE(cache, nullptr);
  EXPECT_TRUE(cache->was_rebuilt());
  EXPECT_EQ(cache->size(), 0u);
  cache->Update(Key("a", "1"), Session("again"));
  EXPECT_EQ(Found(*cache, Key("a", "1")), "again");
}

TEST(SqliteSessionCacheTest, DamageThatComesLaterLosesSessionsNotTheProcess) {
  testlib::TempDir dir;
  const std::string path = dir.File("sessions");
  auto cache = Open(path);
  cache->Update(Key("a", "1"), Session("x"));
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &other), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(other, "DROP TABLE sessions", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(other);
  EXPECT_EQ(Found(*cache, Key("a", "1")), "none");
  cache->Update(Key("a", "1"), Session("x"));
  EXPECT_FALSE(cache->Delete(Key("a", "1")));
  EXPECT_TRUE(cache->SelectSession("a", kNow).empty());
  EXPECT_EQ(cache->size(), 0u);
  cache->ForEach([](const SessionKey&, const StoredSession&) { FAIL(); });
  EXPECT_EQ(cache->failures(), 6u);
}

std::string Refusal(const std::string& path) {
  auto cache = SqliteSessionCache::Open(path, 10);
  EXPECT_FALSE(cache.ok());
  if (cache.ok()) return "";
  EXPECT_EQ(cache.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(base::MendOf(cache.status()), "");
  const std::string text(cache.status().message());
  EXPECT_NE(text.find(path), std::string::npos) << text;
  return text;
}

void Execute(const std::string& path, const char* sql) {
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &db), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(db, sql, nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(db);
  sqlite3_close(db);
  ASSERT_EQ(chmod(path.c_str(), 0600), 0);
}

TEST(SqliteSessionCacheTest, RefusesWhatIsNotItsOwnAndLeavesItAlone) {
  testlib::TempDir dir;
  EXPECT_NE(Refusal(dir.File("missing/sessions")).find("no such file"), std::string::npos);

  const std::string text = dir.Write("notes.txt", std::string(5000, 'n'));
  EXPECT_NE(Refusal(text).find("is no session cache"), std::string::npos);
  EXPECT_EQ(testlib::ReadFile(text), std::string(5000, 'n'));

  const std::string open_file = dir.Write("open", "");
  ASSERT_EQ(chmod(open_file.c_str(), 0644), 0);
  EXPECT_NE(Refusal(open_file).find("others may read"), std::string::npos);

  const std::string other = dir.File("other.db");
  Execute(other, "CREATE TABLE precious (x); INSERT INTO precious VALUES (1)");
  EXPECT_NE(Refusal(other).find("another program"), std::string::npos);
  Execute(other, "INSERT INTO precious VALUES (2)");

  const std::string link = dir.File("link");
  ASSERT_EQ(symlink(other.c_str(), link.c_str()), 0);
  Refusal(link);

  const std::string newer = dir.File("newer");
  ASSERT_NE(Open(newer), nullptr);
  Execute(newer, "PRAGMA user_version = 99");
  EXPECT_NE(Refusal(newer).find("layout 99"), std::string::npos);
}

TEST(MakeSessionCacheTest, TheFactoriesGiveEachRoleItsOwn) {
  testlib::TempDir dir;
  for (const auto& factory :
       {MemorySessionCache::Factory(5), SqliteSessionCache::Factory(dir.path(), 5)}) {
    auto server = MakeSessionCache(factory, Role::kServer);
    auto client = MakeSessionCache(factory, Role::kClient);
    ASSERT_TRUE(server.ok() && client.ok()) << server.status() << client.status();
    (*server)->Update(Key("a", "1"), Session("x"));
    EXPECT_EQ((*client)->size(), 0u);
  }
  EXPECT_EQ(access(dir.File("server.sessions").c_str(), F_OK), 0);
  EXPECT_EQ(access(dir.File("client.sessions").c_str(), F_OK), 0);
}

TEST(MakeSessionCacheTest, AFunctionThatFailsIsAnError) {
  const auto code = [](const SessionCacheFactory& factory) {
    return MakeSessionCache(factory, Role::kClient).status().code();
  };
  EXPECT_EQ(code([](Role) -> absl::StatusOr<std::shared_ptr<SessionCache>> {
              throw std::runtime_error("no disk");
            }),
            absl::StatusCode::kInternal);
  EXPECT_EQ(code([](Role) -> absl::StatusOr<std::shared_ptr<SessionCache>> {
              return absl::UnavailableError("no disk");
            }),
            absl::StatusCode::kUnavailable);
  EXPECT_EQ(code([](Role) -> absl::StatusOr<std::shared_ptr<SessionCache>> { return nullptr; }),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code(nullptr), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace noded::tls
