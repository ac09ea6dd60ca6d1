#include "tls/http_crl_cache.h"

#include <openssl/asn1.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "fmt/format.h"

#include "base/status.h"
#include "tls/libcrypto_x509.h"
#include "tls/libcurl.h"

namespace noded::tls {
namespace {

constexpr char kScheme[] = "http";
constexpr long kMaxRedirects = 3;

bool IsFetchable(std::string_view uri) {
  constexpr std::string_view kStart = "http://";
  if (!uri.starts_with(kStart)) return false;
  uri.remove_prefix(kStart.size());
  const std::string_view authority = uri.substr(0, uri.find_first_of("/?#"));
  return !authority.empty() && authority.find('@') == std::string_view::npos;
}

struct Body {
  std::vector<uint8_t> bytes;
  size_t most = 0;
  bool is_too_long = false;
};

// In the shape of CURLOPT_WRITEFUNCTION.
size_t OnBody(char* data, size_t, size_t count, void* self) {
  auto& body = *static_cast<Body*>(self);
  if (count > body.most - body.bytes.size()) {
    body.is_too_long = true;
    return 0;
  }
  body.bytes.insert(body.bytes.end(), data, data + count);
  return count;
}

// When the list says that there will be a newer one.
std::optional<std::time_t> NextUpdate(const X509_CRL& crl) {
  const ASN1_TIME* next = X509_CRL_get0_nextUpdate(&crl);
  struct tm parts = {};
  if (next == nullptr || ASN1_TIME_to_tm(next, &parts) != 1) return std::nullopt;
  return timegm(&parts);
}

}  // namespace

HttpCrlCache::HttpCrlCache(Settings settings) : settings_(std::move(settings)) {}

HttpCrlCache::~HttpCrlCache() = default;

size_t HttpCrlCache::size() const {
  std::lock_guard lock(mutex_);
  return static_cast<size_t>(std::count_if(
      entries_.begin(), entries_.end(), [](const auto& item) { return !item.second.der.empty(); }));
}

CrlAnswer HttpCrlCache::Lookup(const CrlQuery& query) {
  CrlAnswer answer = inserted_.Lookup(query);
  const std::time_t now = Now();
  std::lock_guard lock(mutex_);
  for (const std::string& uri : query.uris) {
    auto entry = entries_.find(uri);
    const bool is_known = entry != entries_.end();
    if (is_known && !entry->second.der.empty()) answer.crls.push_back(entry->second.der);
    const bool is_fresh = is_known && now < entry->second.good_until;
    if (!is_fresh && IsFetchable(uri)) answer.wanted.push_back(uri);
  }
  return answer;
}

std::vector<base::Slice> HttpCrlCache::Select(const base::Slice& issuer) {
  std::vector<base::Slice> crls = inserted_.Select(issuer);
  std::lock_guard lock(mutex_);
  for (const auto& [uri, entry] : entries_) {
    if (!entry.der.empty() && entry.issuer == issuer.text()) crls.push_back(entry.der);
  }
  return crls;
}

base::Slice HttpCrlCache::FreshCrl(const CrlQuery& query, const base::Slice& crl) {
  const std::time_t now = Now();
  std::lock_guard lock(mutex_);
  for (const std::string& uri : query.uris) {
    auto entry = entries_.find(uri);
    if (entry == entries_.end() || entry->second.der.empty()) continue;
    if (now < entry->second.good_until && !(entry->second.der == crl)) return entry->second.der;
  }
  return crl;
}

void HttpCrlCache::Distrust(const CrlQuery& query) {
  const std::time_t soon = Now() + settings_.retry_after.count();
  std::lock_guard lock(mutex_);
  for (const std::string& uri : query.uris) {
    auto entry = entries_.find(uri);
    if (entry != entries_.end())
      entry->second.good_until = std::min(entry->second.good_until, soon);
  }
}

absl::Status HttpCrlCache::Fetch(const std::string& uri) {
  if (!IsFetchable(uri)) {
    return base::Error(absl::StatusCode::kInvalidArgument,
                       fmt::format("CRL: {} is not fetched", uri),
                       "use a distribution point with http:// and without a user name", "bad_uri");
  }
  Entry entry;
  absl::StatusOr<base::Slice> body = Download(uri);
  absl::Status status = body.status();
  X509CrlPtr crl;
  if (body.ok()) {
    // OTP wants DER, as RFC 5280 does; some servers give PEM.
    absl::StatusOr<std::vector<base::Slice>> lists = ReadCrls(*body);
    status = base::Annotate(lists.status(), uri);
    if (lists.ok()) {
      entry.der = lists->front();
      crl = ParseCrl(entry.der);
    }
  }
  const std::time_t now = Now();
  entry.good_until = now + settings_.retry_after.count();
  if (crl != nullptr) {
    entry.issuer = std::string(DerOf(*X509_CRL_get_issuer(crl.get())).text());
    const std::time_t until = NextUpdate(*crl).value_or(now + settings_.default_lifetime.count());
    // Nobody has looked at its signature yet: it must not keep a better one out for good.
    entry.good_until =
        std::max(entry.good_until, std::min(until, now + settings_.max_lifetime.count()));
  }
  Keep(uri, std::move(entry));
  return status;
}

void HttpCrlCache::Keep(const std::string& uri, Entry entry) {
  std::lock_guard lock(mutex_);
  auto drop = [&](std::map<std::string, Entry>::iterator old) {
    bytes_ -= old->second.der.size();
    order_.erase(old->second.place);
    entries_.erase(old);
  };
  auto old = entries_.find(uri);
  if (old != entries_.end()) {
    // A list that has run out is worth more than none.
    if (entry.der.empty() && !old->second.der.empty()) {
      old->second.good_until = entry.good_until;
      return;
    }
    drop(old);
  }
  bytes_ += entry.der.size();
  entry.place = order_.insert(order_.end(), uri);
  entries_.emplace(uri, std::move(entry));
  while (entries_.size() > settings_.max_entries || bytes_ > settings_.max_total_bytes) {
    drop(entries_.find(order_.front()));
  }
}

absl::StatusOr<base::Slice> HttpCrlCache::Download(const std::string& uri) const {
  ASSIGN_OR_RETURN(const Libcurl* const library, Libcurl::Load());
  const auto setopt = library->easy_setopt;
  std::unique_ptr<CURL, decltype(library->easy_cleanup)> curl(library->easy_init(),
                                                              library->easy_cleanup);
  if (curl == nullptr) {
    return base::Error(absl::StatusCode::kResourceExhausted, "CRL: libcurl does not start");
  }
  Body body;
  body.most = settings_.max_bytes;
  char text[CURL_ERROR_SIZE] = "";
  CURL* handle = curl.get();
  const long timeout = static_cast<long>(settings_.timeout.count());
  setopt(handle, CURLOPT_URL, uri.c_str());
  setopt(handle, CURLOPT_PROTOCOLS_STR, kScheme);
  setopt(handle, CURLOPT_REDIR_PROTOCOLS_STR, kScheme);
  setopt(handle, CURLOPT_FOLLOWLOCATION, 1L);
  setopt(handle, CURLOPT_MAXREDIRS, kMaxRedirects);
  setopt(handle, CURLOPT_TIMEOUT_MS, timeout);
  setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, timeout);
  setopt(handle, CURLOPT_NOSIGNAL, 1L);
  setopt(handle, CURLOPT_FAILONERROR, 1L);
  setopt(handle, CURLOPT_MAXFILESIZE_LARGE, static_cast<curl_off_t>(body.most));
  setopt(handle, CURLOPT_ERRORBUFFER, text);
  setopt(handle, CURLOPT_WRITEFUNCTION, OnBody);
  setopt(handle, CURLOPT_WRITEDATA, &body);
  const CURLcode code = library->easy_perform(handle);
  if (code == CURLE_OK) return base::Slice(std::move(body.bytes));
  const std::string what = fmt::format("CRL: cannot fetch {}: {}", uri,
                                       *text != '\0' ? text : library->easy_strerror(code));
  if (body.is_too_long || code == CURLE_FILESIZE_EXCEEDED) {
    return base::Error(absl::StatusCode::kResourceExhausted,
                       fmt::format("CRL: {} gives more than {} bytes", uri, body.most),
                       "raise the cache's max_bytes");
  }
  if (code == CURLE_OPERATION_TIMEDOUT) {
    return base::Error(absl::StatusCode::kDeadlineExceeded, what, "raise the cache's timeout");
  }
  if (code == CURLE_UNSUPPORTED_PROTOCOL) {
    return base::Error(absl::StatusCode::kInvalidArgument, what,
                       "lists come over http, also after a redirect", "bad_uri");
  }
  return base::Error(absl::StatusCode::kUnavailable, what, "check the server of the CRL");
}

}  // namespace noded::tls
