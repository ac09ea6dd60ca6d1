// What a handshake leaves to derive from: key export, TLS 1.2's pseudo-random function, and the key
// log.
//
//   SessionSecrets secrets;
//   secrets.Attach(ssl, options.traffic.keylog);          // before the handshake
//   secrets.Commit(ssl);                                  // when it, or a renegotiation, is done
//   ASSIGN_OR_RETURN(auto key, secrets.Export(ssl, "EXPORTER-mine", std::nullopt, 32));
//
// One per connection; loop-confined; secrets are wiped. Errors: InvalidArgument (label, context or
// size out of range), FailedPrecondition (not for this version), Internal. Source: RFC 5705, RFC
// 8446 7.5, RFC 5246 5, the SSLKEYLOGFILE format of NSS.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "mbedtls/ssl.h"

#include "base/bytes.h"
#include "base/secret.h"
#include "tls/engine.h"
#include "tls/mbedtls_inside.h"

namespace noded::tls {

class SessionSecrets {
 public:
  using Log = std::function<void(std::string_view line)>;
  using Random = std::array<uint8_t, 32>;

  SessionSecrets() = default;
  SessionSecrets(const SessionSecrets&) = delete;
  SessionSecrets& operator=(const SessionSecrets&) = delete;

  // From now on notes what `ssl` agrees on. A null `log` logs nothing; it outlives this.
  void Attach(mbedtls_ssl_context& ssl, const Log& log);
  // What was agreed is now in force.
  void Commit(mbedtls_ssl_context& ssl);
  // The key of one direction changed for the `generation`th time.
  void LogTrafficSecret(const mbedtls_ssl_context& ssl, Role role, noded_ssl_direction direction,
                        uint64_t generation) const;

  absl::StatusOr<std::vector<uint8_t>> Export(mbedtls_ssl_context& ssl, std::string_view label,
                                              std::optional<base::ByteView> context,
                                              size_t size) const;
  absl::StatusOr<std::vector<uint8_t>> Prf(const PrfInput& secret, std::string_view label,
                                           const std::vector<PrfInput>& seed, size_t size) const;

  const Random& client_random() const { return current_.client_random; }
  const Random& server_random() const { return current_.server_random; }

 private:
  struct Agreed {
    Random client_random{};
    Random server_random{};
    base::Secret master;  // of TLS 1.2; empty in 1.3
    mbedtls_tls_prf_types prf = MBEDTLS_SSL_TLS_PRF_NONE;
  };

  static void OnSecret(void* self, mbedtls_ssl_key_export_type type, const unsigned char* secret,
                       size_t size, const unsigned char client_random[32],
                       const unsigned char server_random[32], mbedtls_tls_prf_types prf);
  void LogLine(std::string_view label, const Random& client_random, base::ByteView secret) const;
  base::ByteView BytesOf(const PrfInput& input) const;
  absl::StatusOr<std::vector<uint8_t>> Derive(base::ByteView secret, std::string_view label,
                                              base::ByteView seed, size_t size) const;

  const Log* log_ = nullptr;
  Agreed pending_;
  Agreed current_;
};

}  // namespace noded::tls
