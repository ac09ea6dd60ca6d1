// A client's pre-shared key, for one connection: mbedTLS wants it in the configuration, which is
// the context's and shared, so the connection has a copy of its own.
//
//   ASSIGN_OR_RETURN(auto psk, ClientPsk::Create(context));        // null: there are none
//   mbedtls_ssl_setup(&ssl, psk == nullptr ? &context.frozen().config : &psk->config());
//   ... a handshake step ...
//   RETURN_IF_ERROR(psk->AfterStep(ssl, state_before));            // the server's hint, TLS 1.2
//
// Outlives the mbedTLS session and is outlived by the context. Loop-confined; the key is wiped with
// it. Errors: Unauthenticated (unknown_psk_identity) when the user's function knows no key, or
// gives one that cannot be used. Source: RFC 4279 section 5.2, RFC 8446 section 4.2.11.
#pragma once

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "mbedtls/ssl.h"

#include "tls/context.h"

namespace noded::tls {

class ClientPsk {
 public:
  static absl::StatusOr<std::unique_ptr<ClientPsk>> Create(const Context& context);
  ~ClientPsk();
  ClientPsk(const ClientPsk&) = delete;
  ClientPsk& operator=(const ClientPsk&) = delete;

  const mbedtls_ssl_config& config() const { return config_; }

  // `state_before`: mbedTLS's state before the step.
  absl::Status AfterStep(mbedtls_ssl_context& ssl, int state_before);

 private:
  explicit ClientPsk(const Context& context);
  absl::Status TakeFirstKey();

  const Context& context_;
  mbedtls_ssl_config config_;  // shares all but the key with the context's
  bool has_key_ = false;
};

}  // namespace noded::tls
