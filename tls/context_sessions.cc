#include <utility>
#include <vector>

#include "tls/context_steps.h"
#include "tls/memory_session_cache.h"
#include "tls/session_binding.h"

namespace noded::tls {
namespace {

// What a server sends after a TLS 1.3 handshake: each is used once, and a peer may connect twice.
constexpr uint16_t kTickets = 2;

void AddChain(const mbedtls_x509_crt* first, std::vector<base::ByteView>& ders) {
  for (const mbedtls_x509_crt* one = first; one != nullptr; one = one->next) {
    if (one->raw.p != nullptr) ders.emplace_back(one->raw.p, one->raw.len);
  }
}

void SetRenegotiation(mbedtls_ssl_config& config, const Options& options) {
  mbedtls_ssl_conf_renegotiation(&config, MBEDTLS_SSL_RENEGOTIATION_DISABLED);
  mbedtls_ssl_conf_legacy_renegotiation(&config, options.renegotiation.secure_renegotiate
                                                     ? MBEDTLS_SSL_LEGACY_BREAK_HANDSHAKE
                                                     : MBEDTLS_SSL_LEGACY_NO_RENEGOTIATION);
}

}  // namespace

absl::Status SetSessions(Context::Frozen& frozen, const Options& options, Role role) {
  mbedtls_ssl_config& config = frozen.config;
  SetRenegotiation(config, options);
  const Sessions& sessions = options.sessions;
  if (!sessions.reuse_sessions) {
    mbedtls_ssl_conf_session_tickets(&config, MBEDTLS_SSL_SESSION_TICKETS_DISABLED);
    if (role == Role::kServer) mbedtls_ssl_conf_new_session_tickets(&config, 0);
    return absl::OkStatus();
  }
  mbedtls_ssl_conf_session_tickets(&config, MBEDTLS_SSL_SESSION_TICKETS_ENABLED);
  if (role == Role::kServer) mbedtls_ssl_conf_new_session_tickets(&config, kTickets);
  // Never without a fresh key exchange: who gets a ticket's key later must not read the traffic.
  mbedtls_ssl_conf_tls13_key_exchange_modes(
      &config, config.MBEDTLS_PRIVATE(tls13_kex_modes) |
                   static_cast<int>(MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_PSK_EPHEMERAL));
  SessionCertificates certificates;
  for (const auto& own : frozen.credentials->own()) AddChain(&own->chain(), certificates.own);
  AddChain(frozen.credentials->anchors(), certificates.anchors);
  const SessionBinding binding = BindSessions(options, role, certificates);
  std::shared_ptr<SessionCache> cache = sessions.cache;
  if (cache == nullptr) cache = std::make_shared<MemorySessionCache>(sessions.cache_max);
  frozen.sessions = std::make_unique<SessionStore>(std::move(cache), sessions.lifetime, binding);
  return absl::OkStatus();
}

}  // namespace noded::tls
