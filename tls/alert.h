// TLS alerts by name, as Erlang's `ssl` spells them: what one side tells the other before it gives
// up.
//
//   AlertName(48);                      // "unknown_ca"
//
// Constant table; thread-safe. Source: RFC 8446 section 6, RFC 5246 section 7.2; OTP `ssl`, type
// tls_alert.
#pragma once

#include <cstdint>
#include <string>

namespace noded::tls {

enum class Alert : uint8_t {
  kCloseNotify = 0,
  kUnexpectedMessage = 10,
  kBadRecordMac = 20,
  kRecordOverflow = 22,
  kHandshakeFailure = 40,
  kBadCertificate = 42,
  kUnsupportedCertificate = 43,
  kCertificateRevoked = 44,
  kCertificateExpired = 45,
  kCertificateUnknown = 46,
  kIllegalParameter = 47,
  kUnknownCa = 48,
  kAccessDenied = 49,
  kDecodeError = 50,
  kDecryptError = 51,
  kProtocolVersion = 70,
  kInsufficientSecurity = 71,
  kInternalError = 80,
  kUserCanceled = 90,
  kNoRenegotiation = 100,
  kMissingExtension = 109,
  kUnsupportedExtension = 110,
  kUnrecognizedName = 112,
  kUnknownPskIdentity = 115,
  kCertificateRequired = 116,
  kNoApplicationProtocol = 120,
};

// "unknown_ca"; "unknown_alert_N" for a number without a name.
std::string AlertName(uint8_t alert);
inline std::string AlertName(Alert alert) { return AlertName(static_cast<uint8_t>(alert)); }

}  // namespace noded::tls
