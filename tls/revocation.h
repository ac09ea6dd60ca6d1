// Was this certificate of a path revoked? Asks the CrlCache and has libcrypto compare. Part of
// tls/path.h.
//
//   RevocationAnswer answer = CheckRevocation(question, /*may_want=*/true);
//   if (!answer.wanted.empty()) ...                    // fetch these, then ask with false
//
// As OTP: first what the certificate's distribution points give, then what the cache has of its
// issuer. At most kMaxCrls lists and kMaxCrlUris addresses a certificate. Does not wait. Source:
// OTP `ssl_handshake`, crl_check; RFC 5280 sections 4.2.1.13 and 6.3.
#pragma once

#include <ctime>
#include <span>
#include <string>
#include <vector>

#include "tls/crl_cache.h"
#include "tls/path_check.h"

namespace noded::tls {

constexpr size_t kMaxCrls = 64;
constexpr size_t kMaxCrlUris = 8;
constexpr size_t kMaxCrlUriBytes = 2048;

struct RevocationQuestion {
  const Path& path;
  size_t index;                   // in path.certificates
  std::span<X509* const> others;  // where issuers of indirect CRLs may be
  const TrustAnchors& anchors;
  CrlCache* cache;  // null: an empty one
  std::time_t now;
};

struct RevocationAnswer {
  CrlFindings findings;
  std::vector<std::string> wanted;  // not empty: findings mean nothing yet
};

RevocationAnswer CheckRevocation(const RevocationQuestion& question, bool may_want);

// What the distribution points of a certificate say.
CrlQuery QueryOf(const X509& certificate);

}  // namespace noded::tls
