// Pre-shared keys: the options `user_lookup_fun` and `psk_identity` of OTP's `ssl`.
//
//   server.psk.lookup = [](std::string_view identity) -> std::optional<Secret> { ... };
//   client.psk = {.identity = "shop", .lookup = SamePskForAll(key)};
//
// The function is called on the connection's loop during the handshake, with the peer's identity at
// a server and with the server's hint at a client (empty: none); nothing means refused
// (unknown_psk_identity). It must not block. Source: RFC 4279, RFC 5489, RFC 8446 section 4.2.11;
// OTP ssl(3), common_option user_lookup_fun, client_option psk_identity.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "tls/secret.h"

namespace noded::tls {

using PskLookup = std::function<std::optional<Secret>(std::string_view identity_or_hint)>;

struct Psk {
  // Client: who we say we are. Server: the hint that TLS 1.2 clients get (psk_identity_hint).
  std::string identity;
  PskLookup lookup;
};

}  // namespace noded::tls
