// CRLs from where certificates say they are: OTP's `{crl_cache, {ssl_crl_cache, {internal, [{http,
// Timeout}]}}}`.
//
//   auto cache = std::make_shared<HttpCrlCache>(HttpCrlCache::Settings{.timeout = 5s});
//   options.revocation = {.check = CrlCheck::kBestEffort, .cache = cache};
//
// Lookup() tells which URIs to fetch; Fetch() blocks in libcurl, up to `timeout`, and is for a
// thread of its own (tls/crl_fetcher.h). As in OTP only http://, also after redirects (a list is
// signed, so TLS would prove nothing more); no user name in a URI; no more than `max_bytes` of a
// list. A list serves until its nextUpdate, one without for `default_lifetime`; nothing is fetched
// again within `retry_after`, whether it failed or not. The lists that were fetched longest ago
// make room (max_entries, max_total_bytes). Lists may be inserted as well, see InternalCrlCache;
// those are kept apart. Thread-safe. Errors of Fetch: Unavailable, DeadlineExceeded,
// ResourceExhausted, InvalidArgument (a URI that is not fetched, a body that is no list). Source:
// RFC 5280 section 4.2.1.13; OTP ssl_crl_cache(3).
#pragma once

#include <chrono>
#include <cstddef>
#include <ctime>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "tls/internal_crl_cache.h"

namespace noded::tls {

class HttpCrlCache : public CrlCache {
 public:
  struct Settings {
    std::chrono::milliseconds timeout{5000};
    size_t max_bytes = 16 * 1024 * 1024;
    size_t max_entries = 256;
    size_t max_total_bytes = 128 * 1024 * 1024;
    std::chrono::seconds default_lifetime{3600};
    std::chrono::seconds max_lifetime{24 * 3600};
    std::chrono::seconds retry_after{60};
    std::function<std::time_t()> clock;  // null: the wall clock
  };
  explicit HttpCrlCache(Settings settings);
  ~HttpCrlCache() override;

  InternalCrlCache& inserted() { return inserted_; }
  // Lists that were fetched and are still held.
  size_t size() const;

  CrlAnswer Lookup(const CrlQuery& query) override;
  std::vector<base::Slice> Select(const base::Slice& issuer) override;
  absl::Status Fetch(const std::string& uri) override;
  base::Slice FreshCrl(const CrlQuery& query, const base::Slice& crl) override;
  void Distrust(const CrlQuery& query) override;

 private:
  struct Entry {
    std::string issuer;  // DER
    base::Slice der;     // empty: the fetch failed
    std::time_t good_until = 0;
    std::list<std::string>::iterator place;  // in order_
  };

  std::time_t Now() const { return settings_.clock ? settings_.clock() : std::time(nullptr); }
  absl::StatusOr<base::Slice> Download(const std::string& uri) const;
  void Keep(const std::string& uri, Entry entry);

  const Settings settings_;
  InternalCrlCache inserted_;
  mutable std::mutex mutex_;  // of what follows
  std::map<std::string, Entry> entries_;
  std::list<std::string> order_;  // the oldest first
  size_t bytes_ = 0;
};

}  // namespace noded::tls
