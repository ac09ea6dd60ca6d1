#include "tls/refused.h"

#include <algorithm>

#include "fmt/format.h"

#include "base/ascii.h"
#include "base/status.h"

namespace noded::tls {
namespace {

constexpr const char* kVersions = "write tlsv1.2 or tlsv1.3";
constexpr const char* kAead = "use an AEAD suite such as TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384";
constexpr const char* kCertificates =
    "use an ECDHE suite with certificates, or pre-shared keys (user_lookup_fun)";
constexpr const char* kWeak = "insufficient_crypto_support";
constexpr const char* kOption = "options";

constexpr Refusal kRefusedVersions[] = {
    {"sslv2", "SSL 2.0 is prohibited (RFC 6176)", kVersions, kOption},
    {"sslv3", "SSL 3.0 is prohibited (RFC 7568)", kVersions, kOption},
    {"tlsv1", "TLS 1.0 is deprecated (RFC 8996)", kVersions, kOption},
    {"tlsv1.0", "TLS 1.0 is deprecated (RFC 8996)", kVersions, kOption},
    {"tlsv1.1", "TLS 1.1 is deprecated (RFC 8996)", kVersions, kOption},
    {"dtlsv1", "DTLS is for datagrams, and these are streams (RFC 9147)", kVersions, kOption},
    {"dtlsv1.2", "DTLS is for datagrams, and these are streams (RFC 9147)", kVersions, kOption},
};

// The first whose feature is in the name tells why, so the graver come first.
constexpr Refusal kRefusedSuites[] = {
    {"NULL", "a suite without encryption or without authentication protects nothing (RFC 7525 4.1)",
     kAead, kWeak},
    {"anon", "an anonymous suite proves nothing about the peer (RFC 5246 F.1.1.1)", kCertificates,
     kWeak},
    {"ADH", "an anonymous suite proves nothing about the peer (RFC 5246 F.1.1.1)", kCertificates,
     kWeak},
    {"AECDH", "an anonymous suite proves nothing about the peer (RFC 5246 F.1.1.1)", kCertificates,
     kWeak},
    {"EXP", "export suites have keys that anybody can break (RFC 7525 4.1)", kAead, kWeak},
    {"LOW", "its suites have keys that anybody can break (RFC 7525 4.1)", kAead, kWeak},
    {"MEDIUM", "its suites have weak ciphers (RFC 7465, CVE-2016-2183)", kAead, kWeak},
    {"RC4", "RC4 is prohibited (RFC 7465)", kAead, kWeak},
    {"RC2", "RC2 is broken (RFC 7525 4.1)", kAead, kWeak},
    {"3DES", "3DES has too small a block (CVE-2016-2183)", kAead, kWeak},
    {"DES", "DES keys and blocks are too small (RFC 5469, CVE-2016-2183)", kAead, kWeak},
    {"IDEA", "IDEA has too small a block (RFC 5469)", kAead, kWeak},
    {"MD5", "MD5 is broken (RFC 6151)", kAead, kWeak},
    {"SRP", "SRP suites have SHA-1 and CBC alone, and TLS 1.3 has none (RFC 5054, RFC 8446)",
     kCertificates, kWeak},
    {"DSS", "DSA was dropped from TLS (RFC 8446 4.2.3)", "use certificates with ECDSA or RSA keys",
     kWeak},
    {"KRB5", "Kerberos suites have DES and RC4 alone (RFC 2712)", kCertificates, kWeak},
    {"GOST", "GOST suites are not in the engine", kAead, kWeak},
    {"SEED", "SEED suites are not in the engine", kAead, kWeak},
    {"CAMELLIA", "Camellia suites are not in the engine", kAead, kWeak},
    {"ARIA", "ARIA suites are not in the engine", kAead, kWeak},
    {"kECDH", "ECDH with the certificate's own key has no forward secrecy (RFC 9325 4.1)",
     "use ECDHE", kWeak},
    {"aECDH", "ECDH with the certificate's own key has no forward secrecy (RFC 9325 4.1)",
     "use ECDHE", kWeak},
    {"TLS_ECDH_", "ECDH with the certificate's own key has no forward secrecy (RFC 9325 4.1)",
     "use ECDHE", kWeak},
    {"ECDH-", "ECDH with the certificate's own key has no forward secrecy (RFC 9325 4.1)",
     "use ECDHE", kWeak},
    {"TLS_DH_", "DH with the certificate's own key has no forward secrecy (RFC 9325 4.1)",
     "use DHE or ECDHE", kWeak},
    {"SSLv3", "SSL 3.0 is prohibited (RFC 7568); its suites have SHA-1 alone", kAead, kWeak},
    {"TLSv1.0", "TLS 1.0 is deprecated (RFC 8996); its suites have SHA-1 alone", kAead, kWeak},
};

constexpr Refusal kRefusedOptions[] = {
    {"padding_check", "it is about TLS 1.0, which is deprecated (RFC 8996)",
     "remove it: padding is always checked", kOption},
    {"beast_mitigation", "it is about TLS 1.0, which is deprecated (RFC 8996)",
     "remove it: the attack does not reach TLS 1.2", kOption},
    {"fallback", "TLS_FALLBACK_SCSV means nothing without old versions (RFC 7507, RFC 8996)",
     "remove it", kOption},
    {"next_protocols_advertised", "NPN never became a standard and TLS 1.3 has none of it",
     "use alpn_preferred_protocols (RFC 7301)", kOption},
    {"client_preferred_next_protocols", "NPN never became a standard and TLS 1.3 has none of it",
     "use alpn_advertised_protocols (RFC 7301)", kOption},
    {"srp_identity", "SRP suites have SHA-1 and CBC alone, and TLS 1.3 has none (RFC 5054)",
     "use certificates, or pre-shared keys (psk_identity, user_lookup_fun)", kOption},
    {"compression", "compression tells secrets by their length (RFC 7525 3.3, CVE-2012-4929)",
     "remove it, and compress above TLS what is no secret", kOption},
};

}  // namespace

const Refusal* RefusedVersion(std::string_view name) {
  for (const Refusal& refusal : kRefusedVersions) {
    if (base::IsSameIgnoringCase(name, refusal.feature)) return &refusal;
  }
  return nullptr;
}

const Refusal* RefusedSuite(std::string_view name) {
  for (const Refusal& refusal : kRefusedSuites) {
    if (name.find(refusal.feature) != std::string_view::npos) return &refusal;
  }
  return nullptr;
}

const Refusal* RefusedOption(std::string_view name) {
  for (const Refusal& refusal : kRefusedOptions) {
    if (name == refusal.feature) return &refusal;
  }
  return nullptr;
}

std::span<const Refusal> AllRefusedVersions() { return kRefusedVersions; }
std::span<const Refusal> AllRefusedSuites() { return kRefusedSuites; }
std::span<const Refusal> AllRefusedOptions() { return kRefusedOptions; }

absl::Status RefusedError(const Refusal& refusal, std::string_view what) {
  return base::Error(absl::StatusCode::kInvalidArgument,
                     fmt::format("{} is refused: {}", ShortText(what), refusal.why),
                     refusal.instead, refusal.reason);
}

std::string ShortText(std::string_view text) {
  std::string kept(text.substr(0, 80));
  for (char& c : kept) {
    if (c < 0x20 || c > 0x7e) c = '?';
  }
  return kept;
}

}  // namespace noded::tls
