// The certificates that a chain may end at, in libcrypto's form: built once for a Context, shared
// by its connections.
//
//   auto anchors = TrustAnchors::Create(ders, "/etc/noded/ca.pem");
//   for (X509* anchor : anchors->all()) ...
//
// Immutable and thread-safe. A certificate given twice is one anchor; what libcrypto cannot read is
// left out. An anchor need not be self-signed. Source: RFC 5280 section 6.1.
#pragma once

#include <openssl/x509_vfy.h>

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "tls/libcrypto_x509.h"

namespace noded::tls {

using X509StorePtr = std::unique_ptr<X509_STORE, FreeWith<X509_STORE_free>>;

class TrustAnchors {
 public:
  // `origin`: where they came from, for messages.
  static std::shared_ptr<const TrustAnchors> Create(std::span<const base::Slice> ders,
                                                    std::string origin);
  TrustAnchors(const TrustAnchors&) = delete;
  TrustAnchors& operator=(const TrustAnchors&) = delete;

  const std::vector<X509*>& all() const { return views_; }
  // The anchor with just these bytes, or null.
  X509* Find(const X509& certificate) const;
  // All of them, as libcrypto's verification wants them. It takes this without const, and only
  // reads.
  X509_STORE* store() const { return store_.get(); }
  const std::string& origin() const { return origin_; }

 private:
  TrustAnchors() = default;

  std::vector<X509Ptr> owned_;
  std::vector<X509*> views_;
  X509StorePtr store_;
  std::string origin_;
};

}  // namespace noded::tls
