#include "tls/failure.h"

#include "fmt/format.h"
#include "mbedtls/ssl.h"

#include "base/status.h"
#include "tls/crypto.h"

namespace noded::tls {
namespace {

using absl::StatusCode;

struct Known {
  int error;
  Alert alert;
  StatusCode code;
  const char* cause;
  const char* mend;
};

constexpr const char* kWidenCiphers =
    "compare the options ciphers, versions, supported_groups and signature_algs of both nodes, "
    "and the kind of key in the certificate";
constexpr const char* kBroken =
    "the bytes were damaged or forged on their way, or the peer is not "
    "a TLS peer: look for a middlebox or a mistaken port";

constexpr Known kKnown[] = {
    {MBEDTLS_ERR_SSL_BAD_PROTOCOL_VERSION, Alert::kProtocolVersion, StatusCode::kFailedPrecondition,
     "no TLS version in common", "allow tlsv1.2 or tlsv1.3 in the option versions of both nodes"},
    {MBEDTLS_ERR_SSL_HANDSHAKE_FAILURE, Alert::kHandshakeFailure, StatusCode::kFailedPrecondition,
     "no TLS version, cipher suite, group or signature algorithm in common", kWidenCiphers},
    {MBEDTLS_ERR_SSL_NO_APPLICATION_PROTOCOL, Alert::kNoApplicationProtocol,
     StatusCode::kFailedPrecondition, "no ALPN protocol in common",
     "give both nodes a common protocol, or none"},
    {MBEDTLS_ERR_SSL_PRIVATE_KEY_REQUIRED, Alert::kInternalError, StatusCode::kFailedPrecondition,
     "this side has no certificate to show", "give a certfile"},
    {MBEDTLS_ERR_SSL_UNRECOGNIZED_NAME, Alert::kUnrecognizedName, StatusCode::kFailedPrecondition,
     "the name asked for is not ours", "correct the name"},
    {MBEDTLS_ERR_SSL_UNKNOWN_IDENTITY, Alert::kUnknownPskIdentity, StatusCode::kUnauthenticated,
     "there is no pre-shared key for the client's identity",
     "compare the peer's psk_identity with what user_lookup_fun knows"},
    {MBEDTLS_ERR_SSL_UNSUPPORTED_EXTENSION, Alert::kUnsupportedExtension, StatusCode::kDataLoss,
     "the peer sent an extension that was not asked for", kBroken},
    {MBEDTLS_ERR_SSL_INVALID_MAC, Alert::kBadRecordMac, StatusCode::kDataLoss,
     "a record does not authenticate", kBroken},
    {MBEDTLS_ERR_SSL_INVALID_RECORD, Alert::kUnexpectedMessage, StatusCode::kDataLoss,
     "a malformed record", kBroken},
    {MBEDTLS_ERR_SSL_DECODE_ERROR, Alert::kDecodeError, StatusCode::kDataLoss,
     "a malformed handshake message", kBroken},
    {MBEDTLS_ERR_SSL_ILLEGAL_PARAMETER, Alert::kIllegalParameter, StatusCode::kDataLoss,
     "a handshake message with values that contradict each other", kBroken},
    {MBEDTLS_ERR_SSL_UNEXPECTED_MESSAGE, Alert::kUnexpectedMessage, StatusCode::kDataLoss,
     "a message that does not belong here", kBroken},
    {MBEDTLS_ERR_SSL_BAD_CERTIFICATE, Alert::kBadCertificate, StatusCode::kUnauthenticated,
     "the peer's certificate cannot be used",
     "issue it with an RSA or NIST curve key and SHA-256 or better"},
    {MBEDTLS_ERR_SSL_NO_CLIENT_CERTIFICATE, Alert::kCertificateRequired,
     StatusCode::kUnauthenticated, "the client sent no certificate", "give it a client_certfile"},
    {MBEDTLS_ERR_SSL_PK_TYPE_MISMATCH, Alert::kHandshakeFailure, StatusCode::kDataLoss,
     "the peer signed with another kind of key than its certificate's", kBroken},
    {MBEDTLS_ERR_SSL_BUFFER_TOO_SMALL, Alert::kInternalError, StatusCode::kResourceExhausted,
     "a handshake message longer than 16 KiB",
     "shorten the certificate chain or the list of trust anchors"},
    {MBEDTLS_ERR_SSL_COUNTER_WRAPPING, Alert::kInternalError, StatusCode::kResourceExhausted,
     "the record counter is used up", "connect anew"},
    {MBEDTLS_ERR_SSL_ALLOC_FAILED, Alert::kInternalError, StatusCode::kResourceExhausted,
     "out of memory", "give the node more memory, or fewer connections"},
};

// mbedTLS adds a low-level code to a high-level one: -(high + low).
int HighPart(int error) { return -((-error) & 0xFF80); }

const Known* Find(int error) {
  for (const Known& known : kKnown) {
    if (known.error == error || known.error == HighPart(error)) return &known;
  }
  return nullptr;
}

// Errors of the X.509, PK and ASN.1 modules, which during a handshake are about the peer's
// certificate.
bool IsAboutCertificate(int error) {
  int high = -HighPart(error);
  return (high >= 0x2000 && high <= 0x2F80) || (high >= 0x3800 && high <= 0x3F80);
}

struct Refusal {
  uint8_t alert;
  StatusCode code;
  const char* meaning;
  const char* mend;
};

constexpr const char* kTheirTrust =
    "add the CA of our certificate to the peer's cacertfile, or use a certificate of its CA";

constexpr Refusal kRefusals[] = {
    {40, StatusCode::kFailedPrecondition,
     "nothing in common, or our certificate names another host", kWidenCiphers},
    {42, StatusCode::kUnauthenticated, "it cannot use our certificate",
     "see the peer's log; compare the certificate with its CA, depth and key rules"},
    {43, StatusCode::kUnauthenticated, "our certificate is of a kind that it does not accept",
     "issue it for serverAuth and clientAuth with an RSA or NIST curve key"},
    {44, StatusCode::kUnauthenticated, "our certificate was revoked", "issue a new one"},
    {45, StatusCode::kUnauthenticated, "our certificate has expired, by the peer's clock",
     "renew it, and check the peer's clock"},
    {46, StatusCode::kUnauthenticated, "our certificate is not acceptable to it",
     "see the peer's log"},
    {48, StatusCode::kUnauthenticated, "it does not know the CA of our certificate", kTheirTrust},
    {49, StatusCode::kUnauthenticated, "it denies us access", "see the peer's log"},
    {51, StatusCode::kUnauthenticated, "it could not verify a signature of ours",
     "check that certificate and key belong together"},
    {70, StatusCode::kFailedPrecondition, "no TLS version in common",
     "allow tlsv1.2 or tlsv1.3 in the option versions of both nodes"},
    {71, StatusCode::kFailedPrecondition, "our cipher suites are too weak for it", kWidenCiphers},
    {112, StatusCode::kFailedPrecondition, "it does not go by the name that we asked for",
     "connect by a name that the peer knows itself by"},
    {115, StatusCode::kUnauthenticated, "it has no pre-shared key for our identity",
     "compare psk_identity with the identities that the peer knows"},
    {116, StatusCode::kUnauthenticated, "it requires a certificate of us and got none",
     "give a certfile"},
    {120, StatusCode::kFailedPrecondition, "no ALPN protocol in common",
     "give both nodes a common protocol, or none"},
};

const char* PeerName(Role role) { return role == Role::kServer ? "client" : "server"; }

std::string Printable(base::ByteView bytes) {
  std::string text;
  for (uint8_t byte : bytes) {
    if (byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\') {
      text.push_back(static_cast<char>(byte));
    } else {
      text += fmt::format("\\x{:02x}", byte);
    }
  }
  return text;
}

}  // namespace

Alert AlertForError(int error) {
  if (const Known* known = Find(error); known != nullptr) return known->alert;
  return IsAboutCertificate(error) ? Alert::kBadCertificate : Alert::kInternalError;
}

absl::Status StatusForError(int error, Alert alert, Role role) {
  const std::string reason = AlertName(alert);
  if (const Known* known = Find(error); known != nullptr) {
    return base::Error(known->code,
                       fmt::format("{} (told the {}: {})", known->cause, PeerName(role), reason),
                       known->mend, reason);
  }
  if (IsAboutCertificate(error)) {
    return base::Error(StatusCode::kUnauthenticated,
                       fmt::format("the {}'s certificate cannot be read: {} (told it: {})",
                                   PeerName(role), MbedtlsErrorText(error), reason),
                       "issue it with an RSA or NIST curve key and SHA-256 or better", reason);
  }
  return base::Error(
      StatusCode::kDataLoss,
      fmt::format("{} (told the {}: {})", MbedtlsErrorText(error), PeerName(role), reason), kBroken,
      reason);
}

absl::Status StatusForReceivedAlert(uint8_t alert, Role role) {
  const std::string name = AlertName(alert);
  for (const Refusal& refusal : kRefusals) {
    if (refusal.alert != alert) continue;
    return base::Error(
        refusal.code,
        fmt::format("the {} refused with the alert {}: {}", PeerName(role), name, refusal.meaning),
        refusal.mend, name);
  }
  return base::Error(StatusCode::kDataLoss,
                     fmt::format("the {} gave up with the alert {}", PeerName(role), name),
                     "see the peer's log", name);
}

absl::Status StatusForPlainPeer(base::ByteView first, Role role) {
  constexpr const char* kReason = "plain_on_tls_port";
  const std::string_view text = base::AsText(first);
  // The distribution handshake: a length of two bytes, then 'n' or 'N' (name) or 's' (status).
  const bool is_distribution =
      first.size() >= 3 && (first[2] == 'n' || first[2] == 'N' || first[2] == 's');
  if (is_distribution) {
    return base::Error(
        StatusCode::kDataLoss,
        fmt::format("the {} speaks plain distribution to a TLS port", PeerName(role)),
        "start it with -proto_dist inet_tls, or this node with -proto_dist inet_tcp", kReason);
  }
  for (std::string_view method : {"GET ", "HEAD", "POST", "PUT ", "OPTI", "HTTP", "PRI "}) {
    if (text.substr(0, 4) != method) continue;
    return base::Error(StatusCode::kDataLoss,
                       fmt::format("the {} speaks HTTP to a TLS port", PeerName(role)),
                       "correct the port it connects to, or use https", kReason);
  }
  return base::Error(
      StatusCode::kDataLoss,
      fmt::format("the {} does not speak TLS: its first bytes are \"{}\", expected a handshake "
                  "record",
                  PeerName(role), Printable(first.first(std::min<size_t>(first.size(), 8)))),
      "check the port and that both nodes have the same -proto_dist", kReason);
}

absl::Status StatusForEndInHandshake(bool has_spoken, Role role) {
  if (has_spoken) {
    return base::Error(StatusCode::kUnavailable,
                       fmt::format("the {} closed in the middle of the handshake, without an alert",
                                   PeerName(role)),
                       "see the peer's log", "closed");
  }
  if (role == Role::kServer) {
    return base::Error(StatusCode::kUnavailable, "the client closed without a word",
                       "nothing, when it was a port scan or a health check", "closed");
  }
  return base::Error(StatusCode::kUnavailable,
                     "the server closed without answering the TLS handshake",
                     "check that the peer has -proto_dist inet_tls and see its log", "closed");
}

}  // namespace noded::tls
