// CRLs that somebody put here: OTP's `ssl_crl_cache`.
//
//   auto cache = std::make_shared<InternalCrlCache>();
//   RETURN_IF_ERROR(cache->InsertFile("/etc/pki/ca.crl"));                    // PEM or DER
//   RETURN_IF_ERROR(cache->Insert("http://ca.example/ca.crl", der_or_pem));   // for that URI alone
//   cache->DeleteFile("/etc/pki/ca.crl");
//
// A list under a URI is found by certificates whose distribution points name that URI; those
// without are found by issuer. A new list replaces what the same issuer had under the same URI, or,
// without a URI, whatever of that issuer has the same scope. Thread-safe. Errors: InvalidArgument
// (what cannot be read; the reason is bad_crl or an errno atom), ResourceExhausted (max_crls,
// max_bytes). Source: OTP ssl_crl_cache(3).
#pragma once

#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "tls/crl_cache.h"

namespace noded::tls {

class InternalCrlCache : public CrlCache {
 public:
  struct Limits {
    size_t max_crls = 1000;
    size_t max_bytes = 256 * 1024 * 1024;
  };
  InternalCrlCache() : InternalCrlCache(Limits()) {}
  explicit InternalCrlCache(Limits limits) : limits_(limits) {}

  // One DER list, or a PEM text with one or more; without a URI.
  absl::Status Insert(base::ByteView crls);
  absl::Status Insert(std::string_view uri, base::ByteView crls);
  // Blocks on the disk.
  absl::Status InsertFile(const std::string& path);
  // `uri`, too, for a file's lists.
  absl::Status InsertFile(std::string_view uri, const std::string& path);

  // What was inserted under this URI; just this list; what that file now holds.
  void DeleteUri(std::string_view uri);
  absl::Status Delete(base::ByteView crls);
  absl::Status DeleteFile(const std::string& path);

  size_t size() const;

  CrlAnswer Lookup(const CrlQuery& query) override;
  std::vector<base::Slice> Select(const base::Slice& issuer) override;
  absl::Status Fetch(const std::string& uri) override;
  base::Slice FreshCrl(const CrlQuery& query, const base::Slice& crl) override;

 private:
  struct Entry {
    std::string uri;     // empty: none
    std::string issuer;  // DER
    std::string scope;   // DER of the issuing distribution point; empty: all of the issuer
    base::Slice der;
  };

  const Limits limits_;
  mutable std::mutex mutex_;  // of what follows
  std::vector<Entry> entries_;
  size_t bytes_ = 0;
};

// The lists of a PEM text, or the one of a DER form. InvalidArgument, reason bad_crl.
absl::StatusOr<std::vector<base::Slice>> ReadCrls(base::ByteView pem_or_der);

}  // namespace noded::tls
