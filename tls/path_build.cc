#include "tls/path_build.h"

#include <openssl/err.h>

#include <algorithm>

namespace noded::tls {
namespace {

constexpr size_t kMaxSteps = 256;

class Search {
 public:
  Search(std::span<const X509Ptr> sent, const TrustAnchors& anchors, X509* given)
      : sent_(sent), anchors_(anchors), given_(given) {}

  std::vector<Path> Run() {
    current_.certificates = {sent_.front().get()};
    longest_ = current_;
    Extend(/*needs_signatures=*/true);
    // Through issuers by name alone: to tell a forged signature from an issuer that is missing.
    if (found_.empty()) Extend(/*needs_signatures=*/false);
    if (found_.empty()) found_.push_back(longest_);
    return std::move(found_);
  }

 private:
  void Extend(bool needs_signatures) {
    // Certificates that all bear one name could be put in any order.
    if (found_.size() >= kMaxPaths || ++steps_ > kMaxSteps) return;
    X509* last = current_.certificates.back();
    X509* anchor = given_ != nullptr && X509_cmp(given_, last) == 0 ? given_ : nullptr;
    if (anchor == nullptr) anchor = anchors_.Find(*last);
    if (anchor != nullptr) return Complete(anchor);
    if (given_ != nullptr && IsIssuedBy(last, given_, true)) Complete(given_);
    for (X509* candidate : anchors_.all()) {
      if (IsIssuedBy(last, candidate, true)) Complete(candidate);
    }
    if (current_.certificates.size() > longest_.certificates.size()) longest_ = current_;
    if (current_.certificates.size() == kMaxPathLength) return;
    for (const X509Ptr& candidate : sent_) {
      if (IsInPath(candidate.get()) || !IsIssuedBy(last, candidate.get(), needs_signatures)) {
        continue;
      }
      current_.certificates.push_back(candidate.get());
      Extend(needs_signatures);
      current_.certificates.pop_back();
    }
  }

  void Complete(X509* anchor) {
    if (found_.size() >= kMaxPaths) return;
    found_.push_back(current_);
    Path& path = found_.back();
    // An anchor that the peer sent too is no part of the path, but for its own certificate.
    if (X509_cmp(path.certificates.back(), anchor) == 0) {
      if (path.certificates.size() == 1) {
        anchor = path.certificates.front();
      } else {
        path.certificates.pop_back();
      }
    }
    path.anchor = anchor;
  }

  bool IsInPath(const X509* certificate) const {
    return std::any_of(current_.certificates.begin(), current_.certificates.end(),
                       [&](const X509* one) { return X509_cmp(one, certificate) == 0; });
  }

  bool IsIssuedBy(X509* certificate, X509* issuer, bool needs_signature) {
    if (!IsSameName(*X509_get_issuer_name(certificate), *X509_get_subject_name(issuer))) {
      return false;
    }
    if (!needs_signature) return true;
    if (signatures_ == kMaxSignatures) return false;
    ++signatures_;
    EVP_PKEY* key = X509_get0_pubkey(issuer);
    return key != nullptr && X509_verify(certificate, key) == 1;
  }

  const std::span<const X509Ptr> sent_;
  const TrustAnchors& anchors_;
  X509* const given_;
  Path current_, longest_;
  std::vector<Path> found_;
  size_t signatures_ = 0;
  size_t steps_ = 0;
};

}  // namespace

std::vector<Path> FindPaths(std::span<const X509Ptr> sent, const TrustAnchors& anchors,
                            X509* given) {
  if (sent.empty()) return {};
  ERR_set_mark();
  std::vector<Path> paths = Search(sent, anchors, given).Run();
  ERR_pop_to_mark();
  return paths;
}

}  // namespace noded::tls
