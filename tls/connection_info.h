// What was agreed in a TLS handshake, and who the peer is. Plain values, safe to log.
//
// Source: OTP `ssl`, connection_information/1.
#pragma once

#include <optional>
#include <string>

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
};

}  // namespace noded::tls
