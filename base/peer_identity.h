// Who is at the other end of a connection: its address, and what TLS found out.
//
//   AddressText(stream.peer())   // "127.0.0.1:4369"
//
// Plain values: any thread. The text of a peer is made safe to log by whoever fills it in.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace noded::base {

// What TLS knows of a peer and its connection. Plain text, safe to log.
struct TlsFacts {
  std::string version;       // "tlsv1.2" or "tlsv1.3", as Erlang spells it
  std::string cipher_suite;  // IANA name
  std::string group;         // of the key exchange; empty: none, or of TLS 1.2's finite fields
  std::string alpn;
  std::string sni;
  bool is_resumed = false;
  // The peer's certificate was checked against our trust anchors.
  bool is_peer_verified = false;
  // The peer's certificate; empty when it sent none.
  std::string peer_subject;
  std::string peer_issuer;
  std::string peer_fingerprint_sha256;  // lower-case hex
  std::vector<std::string> peer_dns_names;
  std::vector<std::string> peer_ip_addresses;
  std::vector<std::string> peer_uris;
  Slice peer_certificate_der;
  // As the peer sent it, its own certificate first.
  std::vector<Slice> peer_chain_der;
};

struct PeerIdentity {
  std::string address;  // numeric, without brackets
  uint16_t port = 0;
  std::optional<TlsFacts> tls;  // absent on a plain stream
};

// "127.0.0.1:4369" or "[::1]:4369".
std::string AddressText(const PeerIdentity& peer);

}  // namespace noded::base
