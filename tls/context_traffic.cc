#include "tls/context_steps.h"

namespace noded::tls {

absl::Status SetTraffic(Context::Frozen& frozen, const Options& options, Role role) {
  const size_t length = options.traffic.max_fragment_length;
  if (role == Role::kServer || length == 0) return absl::OkStatus();
  const unsigned char code = length == 512    ? MBEDTLS_SSL_MAX_FRAG_LEN_512
                             : length == 1024 ? MBEDTLS_SSL_MAX_FRAG_LEN_1024
                             : length == 2048 ? MBEDTLS_SSL_MAX_FRAG_LEN_2048
                                              : MBEDTLS_SSL_MAX_FRAG_LEN_4096;
  const int result = mbedtls_ssl_conf_max_frag_len(&frozen.config, code);
  return result == 0 ? absl::OkStatus() : ConfigError("maximum fragment length", result);
}

}  // namespace noded::tls
