#include "tls/client_psk.h"

#include <cstdlib>
#include <optional>
#include <string>

#include "fmt/format.h"
#include "mbedtls/platform.h"
#include "mbedtls/platform_util.h"

#include "base/bytes.h"
#include "base/status.h"
#include "tls/alert.h"
#include "tls/ciphers.h"
#include "tls/client_hello.h"
#include "tls/crypto.h"
#include "tls/frozen.h"

namespace noded::tls {
namespace {

constexpr uint8_t kServerKeyExchange = 12;
constexpr size_t kHandshakeHeaderBytes = 4;

absl::Status NoKey(const std::string& why) {
  return base::Error(absl::StatusCode::kUnauthenticated,
                     fmt::format("no pre-shared key to show: {}", why),
                     "compare client_user_lookup_fun with the server's keys",
                     AlertName(Alert::kUnknownPskIdentity));
}

}  // namespace

ClientPsk::ClientPsk(const Context& context)
    : context_(context), config_(context.frozen().config) {}

ClientPsk::~ClientPsk() {
  // The rest belongs to the context.
  unsigned char* key = config_.MBEDTLS_PRIVATE(psk);
  if (key != nullptr) mbedtls_platform_zeroize(key, config_.MBEDTLS_PRIVATE(psk_len));
  mbedtls_free(key);
  mbedtls_free(config_.MBEDTLS_PRIVATE(psk_identity));
}

absl::StatusOr<std::unique_ptr<ClientPsk>> ClientPsk::Create(const Context& context) {
  std::unique_ptr<ClientPsk> psk;
  if (context.role() != Role::kClient || context.options().psk.lookup == nullptr) return psk;
  psk.reset(new ClientPsk(context));
  RETURN_IF_ERROR(psk->TakeFirstKey());
  return psk;
}

absl::Status ClientPsk::TakeFirstKey() {
  const Options& options = context_.options();
  std::optional<Secret> key = LookUpPsk(options.psk, "");
  has_key_ = key.has_value();
  if (!has_key_) {
    // Perhaps there is one for the server's hint, which TLS 1.2 alone has. Until then mbedTLS needs
    // some key to offer PSK suites; AfterStep() sees to it that it is never used.
    if (!options.versions.tls12) return NoKey("the function knows none");
    int& modes = config_.MBEDTLS_PRIVATE(tls13_kex_modes);
    modes &= MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_EPHEMERAL;
    if (modes == 0) mbedtls_ssl_conf_max_tls_version(&config_, MBEDTLS_SSL_VERSION_TLS1_2);
    uint8_t noise[32];
    if (int result = Random(nullptr, noise, sizeof(noise)); result != 0) {
      return base::Error(absl::StatusCode::kInternal, MbedtlsErrorText(result));
    }
    key = Secret(base::AsText(noise));
  }
  const base::ByteView identity = base::AsBytes(options.psk.identity);
  const int result = mbedtls_ssl_conf_psk(&config_, key->bytes().data(), key->bytes().size(),
                                          identity.data(), identity.size());
  return result == 0 ? absl::OkStatus() : NoKey(MbedtlsErrorText(result));
}

absl::Status ClientPsk::AfterStep(mbedtls_ssl_context& ssl, int state_before) {
  if (state_before != MBEDTLS_SSL_SERVER_KEY_EXCHANGE ||
      ssl.MBEDTLS_PRIVATE(state) == state_before) {
    return absl::OkStatus();
  }
  const int id = ssl.MBEDTLS_PRIVATE(session_negotiate)->MBEDTLS_PRIVATE(ciphersuite);
  const CipherSuite* suite = FindCipherSuite(static_cast<uint16_t>(id));
  if (suite == nullptr || !suite->is_psk()) return absl::OkStatus();
  const base::ByteView message(ssl.MBEDTLS_PRIVATE(in_msg), ssl.MBEDTLS_PRIVATE(in_hslen));
  const bool has_message =
      message.size() > kHandshakeHeaderBytes && message[0] == kServerKeyExchange;
  const std::string_view hint =
      has_message ? PskHint(message.subspan(kHandshakeHeaderBytes)) : std::string_view();
  if (hint.empty()) {
    return has_key_ ? absl::OkStatus() : NoKey("the function knows none without a hint");
  }
  const std::optional<Secret> key = LookUpPsk(context_.options().psk, hint);
  if (!key) return NoKey("the function knows none for the server's hint");
  const int result = mbedtls_ssl_set_hs_psk(&ssl, key->bytes().data(), key->bytes().size());
  return result == 0 ? absl::OkStatus() : NoKey(MbedtlsErrorText(result));
}

}  // namespace noded::tls
