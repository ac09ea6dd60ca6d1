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

}  // namespace

absl::Status SetTrust(Context::Frozen& frozen, const Options& options, Role role) {
  mbedtls_ssl_config& config = frozen.config;
  mbedtls_ssl_conf_cert_profile(&config, &kCertificateProfile);
  // With kPeer mbedTLS asks for the certificate and checks the signatures; tls/verify.h judges.
  mbedtls_ssl_conf_authmode(&config, EffectiveVerify(options.trust, role) == Verify::kPeer
                                         ? MBEDTLS_SSL_VERIFY_OPTIONAL
                                         : MBEDTLS_SSL_VERIFY_NONE);
  if (frozen.credentials->has_anchors()) {
    mbedtls_ssl_conf_ca_chain(&config, &frozen.credentials->anchors(), nullptr);
  }
  return absl::OkStatus();
}

}  // namespace noded::tls
