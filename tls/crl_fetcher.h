// Fetches CRLs off the loop while a handshake waits: a few threads for the whole process.
//
//   CrlFetcher& fetcher = CrlFetcher::Shared();
//   co_await fetcher.Fetch(loop, cache, uris, deadline);       // then engine.Resume()
//
// Thread-safe. At most kThreads fetches at once and kMaxWaiting waiting; what finds no place is not
// fetched, so that revocation stays undetermined. Two handshakes that want the same list at once
// share one fetch. A task that is over its deadline goes on without; its fetch may still fill the
// cache.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/loop.h"
#include "base/task.h"
#include "tls/crl_cache.h"

namespace noded::tls {

class CrlFetcher {
 public:
  static constexpr size_t kThreads = 2;
  static constexpr size_t kMaxWaiting = 64;

  CrlFetcher();
  // Waits for the fetches under way; drops the others.
  ~CrlFetcher();
  CrlFetcher(const CrlFetcher&) = delete;
  CrlFetcher& operator=(const CrlFetcher&) = delete;

  static CrlFetcher& Shared();

  // On `loop`. Ends when all of them were tried, or at the deadline.
  base::Task<void> Fetch(base::Loop& loop, std::shared_ptr<CrlCache> cache,
                         std::vector<std::string> uris, base::TimePoint deadline);

 private:
  using Key = std::pair<std::shared_ptr<CrlCache>, std::string>;
  using Done = std::function<void()>;  // from a thread of the fetcher's

  // Calls `done` once, perhaps at once.
  void Want(Key key, Done done);
  void Work();

  std::mutex mutex_;  // of what follows
  std::condition_variable changed_;
  std::deque<Key> waiting_;
  std::map<Key, std::vector<Done>> wanted_by_;  // waiting or under way
  bool is_stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace noded::tls
