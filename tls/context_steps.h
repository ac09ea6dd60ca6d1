// The steps of Context::Create, one a concern and each in a file of its own: they put what the
// options say into mbedTLS's configuration. For tls/context*.cc alone.
//
//   RETURN_IF_ERROR(SetTrust(frozen, options, role));
//
// `frozen.credentials` is loaded when they are called; what the configuration is to point to is
// kept in `frozen`. Errors: InvalidArgument, which name the option; Internal.
#pragma once

#include <string_view>

#include "absl/status/status.h"

#include "tls/frozen.h"
#include "tls/options.h"

namespace noded::tls {

// context_ciphers.cc: versions, cipher suites, groups, signature algorithms, DH parameters.
absl::Status SetVersions(Context::Frozen& frozen, const Options& options);
absl::Status SetCiphers(Context::Frozen& frozen, const Options& options, Role role);
// context_identity.cc: our certificates and keys.
absl::Status SetIdentity(Context::Frozen& frozen);
// context_psk.cc: pre-shared keys.
absl::Status SetPsk(Context::Frozen& frozen, const Options& options, Role role);
// context_trust.cc: whether and how the peer's certificate is checked.
absl::Status SetTrust(Context::Frozen& frozen, const Options& options, Role role);
// context_sessions.cc: session ids, tickets, renegotiation.
absl::Status SetSessions(Context::Frozen& frozen, const Options& options, Role role);
// context_names.cc: SNI and ALPN.
absl::Status SetServerNames(Context::Frozen& frozen, const Options& options, Role role);
absl::Status SetAlpn(Context::Frozen& frozen, const Options& options);
// context_traffic.cc: what a client asks for about records.
absl::Status SetTraffic(Context::Frozen& frozen, const Options& options, Role role);

// For what mbedTLS refuses though Validate() passed.
absl::Status ConfigError(std::string_view what, int code);

}  // namespace noded::tls
