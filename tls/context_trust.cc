#include <vector>

#include "tls/context_steps.h"

namespace noded::tls {

absl::Status SetTrust(Context::Frozen& frozen, const Options& options, Role role) {
  mbedtls_ssl_config& config = frozen.config;
  // With kPeer mbedTLS asks for the certificate; tls/verify.h judges.
  mbedtls_ssl_conf_authmode(&config, EffectiveVerify(options.trust, role) == Verify::kPeer
                                         ? MBEDTLS_SSL_VERIFY_OPTIONAL
                                         : MBEDTLS_SSL_VERIFY_NONE);
  std::vector<base::Slice> ders;
  for (const mbedtls_x509_crt* one = frozen.credentials->anchors(); one != nullptr;
       one = one->next) {
    if (one->raw.p != nullptr) ders.push_back(base::Slice::Copy({one->raw.p, one->raw.len}));
  }
  frozen.anchors = TrustAnchors::Create(ders, frozen.credentials->anchors_origin());
  if (mbedtls_x509_crt* anchors = frozen.credentials->anchors(); anchors != nullptr) {
    mbedtls_ssl_conf_ca_chain(&config, anchors, nullptr);
  }
  return absl::OkStatus();
}

}  // namespace noded::tls
