#include <cstring>

#include "mbedtls/platform.h"

#include "tls/context_steps.h"

namespace noded::tls {
namespace {

// In the shape of mbedTLS's f_psk: a client showed an identity. `self` are the Options.
int OnPskIdentity(void* self, mbedtls_ssl_context* ssl, const unsigned char* identity,
                  size_t size) {
  const auto& options = *static_cast<const Options*>(self);
  auto* notes = static_cast<HandshakeNotes*>(mbedtls_ssl_get_user_data_p(ssl));
  std::optional<Secret> key;
  if (size <= kMaxPskIdentityBytes) key = LookUpPsk(options.psk, base::AsText({identity, size}));
  notes->is_psk_refused = !key;
  if (!key) return MBEDTLS_ERR_SSL_UNKNOWN_IDENTITY;
  return mbedtls_ssl_set_hs_psk(ssl, key->bytes().data(), key->bytes().size());
}

// mbedTLS has no call for it (third_party/mbedtls/mbedtls.BUILD, psk_hint); it frees the copy.
absl::Status SetHint(mbedtls_ssl_config& config, std::string_view hint) {
  if (hint.empty()) return absl::OkStatus();
  auto* copy = static_cast<unsigned char*>(mbedtls_calloc(1, hint.size()));
  if (copy == nullptr) return ConfigError("PSK hint", MBEDTLS_ERR_SSL_ALLOC_FAILED);
  std::memcpy(copy, hint.data(), hint.size());
  config.MBEDTLS_PRIVATE(psk_identity) = copy;
  config.MBEDTLS_PRIVATE(psk_identity_len) = hint.size();
  return absl::OkStatus();
}

}  // namespace

absl::Status SetPsk(Context::Frozen& frozen, const Options& options, Role role) {
  if (options.psk.lookup == nullptr) return absl::OkStatus();
  mbedtls_ssl_config& config = frozen.config;
  int modes = MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_PSK_EPHEMERAL;
  if (!IsPskOnly(options, role)) modes |= MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_EPHEMERAL;
  if (options.psk.allow_without_dh) modes |= MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_PSK;
  mbedtls_ssl_conf_tls13_key_exchange_modes(&config, modes);
  // A client's key is set for each connection (tls/client_psk.h).
  if (role == Role::kClient) return absl::OkStatus();
  mbedtls_ssl_conf_psk_cb(&config, OnPskIdentity, const_cast<Options*>(&options));
  return SetHint(config, options.psk.identity);
}

}  // namespace noded::tls
