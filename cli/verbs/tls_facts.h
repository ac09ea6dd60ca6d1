// What a TLS connection agreed on, for the lines of `nodectl tls serve` and for `nodectl tls
// connect --info`.
//
//   FactsLine(stream.peer());     // "127.0.0.1:50000 tlsv1.3 TLS_AES_256_GCM_SHA384 ..."
//   FactsText(stream.peer());     // one fact a line, and the chain
//   FactsJson(stream.peer());     // the same, for programs
//
// `peer.tls` is there. Functions of their arguments: any thread. Names of a peer are plain text.
#pragma once

#include <string>

#include "nlohmann/json.hpp"

#include "base/peer_identity.h"

namespace noded::cli {

std::string FactsLine(const base::PeerIdentity& peer);
std::string FactsText(const base::PeerIdentity& peer);
// {"peer", "protocol", "cipher_suite", "group", "alpn", "server_name", "is_resumed", "is_verified",
// "chain"}: what was not agreed is null, and the chain is empty when the peer sent none.
nlohmann::ordered_json FactsJson(const base::PeerIdentity& peer);

}  // namespace noded::cli
