// Pre-shared keys: the options `user_lookup_fun` and `psk_identity` of OTP's `ssl`.
//
//   server.psk.lookup = [](std::string_view identity) -> std::optional<Secret> { ... };
//   client.psk = {.identity = "shop", .lookup = SamePskForAll(key)};
//
// The function is called on the connection's loop during the handshake: at a server with the
// client's identity; at a client first with an empty hint, then, in TLS 1.2, with the server's hint
// when it gives one. Nothing means refused (unknown_psk_identity). It must not block. A key has 1
// to 64 bytes; TLS 1.3 uses it with SHA-256 suites.
//
// A pre-shared key stands for certificates on both sides: the peer of such a connection has none,
// and is_peer_verified stays false (but RSA-PSK has the server's). A side that has nothing but
// pre-shared keys, a server without certificate or a client without trust anchors and without
// `verify`, neither offers nor takes anything else. Source: RFC 4279, RFC 5489, RFC 8446 section
// 4.2.11; OTP ssl(3), common_option user_lookup_fun, client_option psk_identity.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "tls/secret.h"

namespace noded::tls {

using PskLookup = std::function<std::optional<Secret>(std::string_view identity_or_hint)>;

struct Psk {
  // Client: who we say we are. Server: the hint that TLS 1.2 clients get (psk_identity_hint).
  std::string identity;
  PskLookup lookup;
  // TLS 1.3: psk_ke too, which has no Diffie-Hellman and so no forward secrecy. RFC 8446 2.2 warns
  // of it, OTP has it not.
  bool allow_without_dh = false;
};

constexpr size_t kMaxPskBytes = 64;  // RFC 4279 5.3 asks for as many
constexpr size_t kMaxPskIdentityBytes = 1024;

// What the function answers, if it is a key that can be used (1 to kMaxPskBytes bytes).
std::optional<Secret> LookUpPsk(const Psk& psk, std::string_view identity_or_hint);

// The one key, whoever asks.
inline PskLookup SamePskForAll(Secret key) {
  return [key = std::move(key)](std::string_view) { return std::optional<Secret>(key); };
}

}  // namespace noded::tls
