#include "tls/crypto.h"

#include <mutex>

#include "fmt/format.h"
#include "mbedtls/entropy.h"
#include "mbedtls/error.h"
#include "mbedtls/ssl_ciphersuites.h"
#include "psa/crypto.h"

#include "base/status.h"

namespace noded::tls {

absl::Status StartCrypto() {
  static std::once_flag once;
  static psa_status_t result = PSA_ERROR_BAD_STATE;
  std::call_once(once, [] {
    result = psa_crypto_init();
    // mbedTLS makes this list when it is first wanted, without a lock.
    mbedtls_ssl_list_ciphersuites();
  });
  if (result == PSA_SUCCESS) return absl::OkStatus();
  return base::Error(absl::StatusCode::kInternal,
                     fmt::format("TLS cannot start its cryptography: PSA error {}", result),
                     "check that /dev/urandom or getrandom(2) works here", "insufficient_entropy");
}

int Random(void*, unsigned char* output, size_t size) {
  return psa_generate_random(output, size) == PSA_SUCCESS ? 0 : MBEDTLS_ERR_ENTROPY_SOURCE_FAILED;
}

std::string MbedtlsErrorText(int code) {
  char text[160] = "";
  mbedtls_strerror(code, text, sizeof(text));
  return fmt::format("{} (-0x{:04x})", text, static_cast<unsigned>(-code));
}

}  // namespace noded::tls
