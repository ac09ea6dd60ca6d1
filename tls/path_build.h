// Which ways lead from a peer's certificate to a trust anchor, through the certificates that it
// sent, in whatever order. Part of tls/path.h.
//
//   for (const Path& path : FindPaths(sent, anchors, nullptr)) ...
//
// A pure function of its arguments; the certificates stay the caller's. The work that a peer can
// cause is bounded: kMaxSignatures signatures, kMaxPaths ways, kMaxPathLength certificates.
// Source: RFC 4158.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "tls/libcrypto_x509.h"
#include "tls/trust_anchors.h"

namespace noded::tls {

constexpr size_t kMaxSignatures = 64;
constexpr size_t kMaxPaths = 8;
constexpr size_t kMaxPathLength = 32;

struct Path {
  // The peer's own first; each is issued by the one after it, the last by the anchor.
  std::vector<X509*> certificates;
  // Null: no trust anchor issued the last one. The peer's own certificate may be the anchor.
  X509* anchor = nullptr;

  bool is_pinned() const { return !certificates.empty() && anchor == certificates.front(); }
};

// Never empty when `sent` is not: complete paths, those through good signatures first; else one
// without an anchor, as far as it goes. `given` is one more anchor, or null.
std::vector<Path> FindPaths(std::span<const X509Ptr> sent, const TrustAnchors& anchors,
                            X509* given);

}  // namespace noded::tls
