#include "tls/context_steps.h"

namespace noded::tls {

absl::Status SetIdentity(Context::Frozen& frozen) {
  const Credentials& credentials = *frozen.credentials;
  if (!credentials.has_certificate()) return absl::OkStatus();
  int result = mbedtls_ssl_conf_own_cert(&frozen.config, &credentials.chain(), &credentials.key());
  return result == 0 ? absl::OkStatus() : ConfigError("own certificate", result);
}

}  // namespace noded::tls
