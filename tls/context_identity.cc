#include "tls/context_steps.h"

namespace noded::tls {

absl::Status SetIdentity(Context::Frozen& frozen) {
  // mbedTLS takes the first of them that fits the suite and the peer's signature schemes.
  for (const auto& own : frozen.credentials->own()) {
    const int result = mbedtls_ssl_conf_own_cert(&frozen.config, &own->chain(), &own->key());
    if (result != 0) return ConfigError("own certificate", result);
  }
  return absl::OkStatus();
}

}  // namespace noded::tls
