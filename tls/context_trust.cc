#include <vector>

#include "tls/ciphers.h"
#include "tls/context_steps.h"

namespace noded::tls {
namespace {

// SHA-1 and short RSA keys are refused; a trust anchor's own signature is not looked at.
constexpr mbedtls_x509_crt_profile kCertificateProfile = {
    MBEDTLS_X509_ID_FLAG(MBEDTLS_MD_SHA224) | MBEDTLS_X509_ID_FLAG(MBEDTLS_MD_SHA256) |
        MBEDTLS_X509_ID_FLAG(MBEDTLS_MD_SHA384) | MBEDTLS_X509_ID_FLAG(MBEDTLS_MD_SHA512),
    0xFFFFFFF,
    MBEDTLS_X509_ID_FLAG(MBEDTLS_ECP_DP_SECP256R1) |
        MBEDTLS_X509_ID_FLAG(MBEDTLS_ECP_DP_SECP384R1) |
        MBEDTLS_X509_ID_FLAG(MBEDTLS_ECP_DP_SECP521R1),
    2048,
};

// The option signature_algs_cert: digests, as the second half of a scheme's name says them.
uint32_t Digests(const std::vector<std::string>& schemes) {
  uint32_t digests = 0;
  for (const std::string& scheme : schemes) {
    if (scheme.ends_with("sha256")) digests |= MBEDTLS_X509_ID_FLAG(MBEDTLS_MD_SHA256);
    if (scheme.ends_with("sha384")) digests |= MBEDTLS_X509_ID_FLAG(MBEDTLS_MD_SHA384);
    if (scheme.ends_with("sha512")) digests |= MBEDTLS_X509_ID_FLAG(MBEDTLS_MD_SHA512);
  }
  return digests;
}

}  // namespace

absl::Status SetTrust(Context::Frozen& frozen, const Options& options, Role role) {
  mbedtls_ssl_config& config = frozen.config;
  frozen.certificate_profile = kCertificateProfile;
  const std::vector<std::string>& schemes = options.ciphers.certificate_signature_algorithms;
  if (!schemes.empty()) frozen.certificate_profile.allowed_mds = Digests(schemes);
  mbedtls_ssl_conf_cert_profile(&config, &frozen.certificate_profile);
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
