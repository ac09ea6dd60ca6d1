#include "tls/context_steps.h"

namespace noded::tls {

absl::Status SetSessions(Context::Frozen& frozen, const Options& options, Role role) {
  mbedtls_ssl_config& config = frozen.config;
  mbedtls_ssl_conf_renegotiation(&config, MBEDTLS_SSL_RENEGOTIATION_DISABLED);
  mbedtls_ssl_conf_legacy_renegotiation(&config, options.renegotiation.secure_renegotiate
                                                     ? MBEDTLS_SSL_LEGACY_BREAK_HANDSHAKE
                                                     : MBEDTLS_SSL_LEGACY_NO_RENEGOTIATION);
  mbedtls_ssl_conf_session_tickets(&config, MBEDTLS_SSL_SESSION_TICKETS_DISABLED);
  if (role == Role::kServer) mbedtls_ssl_conf_new_session_tickets(&config, 0);
  return absl::OkStatus();
}

}  // namespace noded::tls
