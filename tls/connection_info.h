// What was agreed in a TLS handshake, and who the peer is. Plain values, safe to log.
//
// Source: OTP `ssl`, connection_information/1.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "tls/certificate_info.h"
#include "tls/options.h"

namespace noded::tls {

struct ConnectionInfo {
  Version version = Version::kTls13;
  std::string cipher_suite;  // IANA name
  std::string alpn;          // empty: none agreed
  // Server: the name that the client asked for; client: the name sent. Empty: none.
  std::string server_name;
  bool is_resumed = false;
  // Absent when the peer sent no certificate.
  std::optional<CertificateInfo> peer;
  // True when the peer's certificate was checked against our trust anchors (verify_peer).
  bool is_peer_verified = false;
  // As the peer sent it: its own certificate first, each DER.
  std::vector<base::Slice> peer_chain;
  // Of the key exchange, IANA name; empty: none, or of TLS 1.2's finite fields.
  std::string group;
  std::array<uint8_t, 32> client_random{};
  std::array<uint8_t, 32> server_random{};
  // TLS 1.2: what the session goes by; empty in 1.3.
  std::vector<uint8_t> session_id;
};

}  // namespace noded::tls
