#include "tls/trust_anchors.h"

#include <openssl/err.h>

#include <utility>

#include "tls/path_check.h"

namespace noded::tls {

std::shared_ptr<const TrustAnchors> TrustAnchors::Create(std::span<const base::Slice> ders,
                                                         std::string origin) {
  std::shared_ptr<TrustAnchors> anchors(new TrustAnchors());
  anchors->origin_ = std::move(origin);
  anchors->store_.reset(X509_STORE_new());
  PinPathsOf(anchors->store_.get());
  ERR_set_mark();
  for (const base::Slice& der : ders) {
    X509Ptr certificate = ParseX509(der);
    if (certificate == nullptr || anchors->Find(*certificate) != nullptr) continue;
    X509_STORE_add_cert(anchors->store_.get(), certificate.get());
    anchors->views_.push_back(certificate.get());
    anchors->owned_.push_back(std::move(certificate));
  }
  ERR_pop_to_mark();
  return anchors;
}

X509* TrustAnchors::Find(const X509& certificate) const {
  for (X509* anchor : views_) {
    if (X509_cmp(anchor, &certificate) == 0) return anchor;
  }
  return nullptr;
}

}  // namespace noded::tls
