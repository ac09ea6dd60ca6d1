// Where certificate revocation lists come from: OTP's behaviour `ssl_crl_cache_api`.
//
//   auto cache = std::make_shared<InternalCrlCache>();            // tls/internal_crl_cache.h
//   RETURN_IF_ERROR(cache->InsertFile("/etc/pki/ca.crl"));
//   options.revocation = {.check = CrlCheck::kTrue, .cache = cache};
//
// Lookup answers from memory and never blocks; what must be fetched first is named in `wanted`, the
// connection's driver calls Fetch() off the loop and then asks again. Thread-safe. Source: OTP
// ssl_crl_cache_api(3), ssl_crl_cache(3); RFC 5280 sections 5 and 6.3.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"

#include "base/bytes.h"

namespace noded::tls {

// The option `crl_check`.
enum class CrlCheck {
  kFalse,
  kTrue,        // every certificate of the chain; no usable CRL means refused
  kPeer,        // the peer's own certificate alone
  kBestEffort,  // every certificate that a CRL can be had for
};

struct CrlQuery {
  // fullName URIs of the certificate's CRL distribution points; empty: it has none.
  std::vector<std::string> uris;
  // DER names: of the certificate's issuer, and of the CRL issuers that the points name.
  base::Slice issuer;
  std::vector<base::Slice> crl_issuers;
};

struct CrlAnswer {
  std::vector<base::Slice> crls;    // DER
  std::vector<std::string> wanted;  // URIs to fetch before asking again
};

class CrlCache {
 public:
  virtual ~CrlCache() = default;
  CrlCache() = default;
  CrlCache(const CrlCache&) = delete;
  CrlCache& operator=(const CrlCache&) = delete;

  // lookup/3: by distribution point.
  virtual CrlAnswer Lookup(const CrlQuery& query) = 0;
  // select/2: by issuer (DER name), for a certificate without distribution points.
  virtual std::vector<base::Slice> Select(const base::Slice& issuer) = 0;
  // Blocks; not for a loop. A cache without a network says Unimplemented.
  virtual absl::Status Fetch(const std::string& uri) = 0;
  // fresh_crl/2: a newer list than `crl`, which has run out, from memory; else `crl` itself.
  virtual base::Slice FreshCrl(const CrlQuery& query, const base::Slice& crl) = 0;
  // What Lookup gave for this could not be used: what was fetched may soon be fetched again.
  virtual void Distrust(const CrlQuery&) {}
};

}  // namespace noded::tls
