// Why a connection ended, in words: mbedTLS's error codes and peers' alerts, each with cause, mend
// and the alert that goes with it. For tls/ alone.
//
//   Alert alert = AlertForError(MBEDTLS_ERR_SSL_INVALID_MAC);
//   return StatusForError(result, alert, Role::kServer);
//   return StatusForReceivedAlert(48, Role::kClient);
//
// Pure functions; thread-safe. Source: RFC 8446 section 6.
#pragma once

#include <cstdint>

#include "absl/status/status.h"

#include "base/bytes.h"
#include "tls/alert.h"
#include "tls/options.h"

namespace noded::tls {

// What to tell the peer when mbedTLS gave this error.
Alert AlertForError(int mbedtls_error);

// `role` is ours; `alert` is what the peer was told.
absl::Status StatusForError(int mbedtls_error, Alert alert, Role role);

// The peer gave up and said why. `role` is ours.
absl::Status StatusForReceivedAlert(uint8_t alert, Role role);

// The first bytes of a peer that does not speak TLS: says what it speaks, as far as they tell.
// `role` is ours.
absl::Status StatusForPlainPeer(base::ByteView first, Role role);

// The peer's bytes ended before the handshake did. `has_spoken`: it sent something.
absl::Status StatusForEndInHandshake(bool has_spoken, Role role);

}  // namespace noded::tls
