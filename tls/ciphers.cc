#include "tls/ciphers.h"

#include "fmt/format.h"

#include "base/nearest_name.h"
#include "base/status.h"
#include "tls/refused.h"

namespace noded::tls {
namespace {

constexpr Version k12 = Version::kTls12;
constexpr Version k13 = Version::kTls13;
using enum CipherSuite::Use;

// Best first: protocol 1.3, forward secrecy, authenticated encryption, key size.
// clang-format off
constexpr CipherSuite kSuites[] = {
    {0x1302, "TLS_AES_256_GCM_SHA384", "TLS_AES_256_GCM_SHA384",
     k13, kDefault, {"any", "aes_256_gcm", "aead", "sha384"}},
    {0x1301, "TLS_AES_128_GCM_SHA256", "TLS_AES_128_GCM_SHA256",
     k13, kDefault, {"any", "aes_128_gcm", "aead", "sha256"}},
    {0x1303, "TLS_CHACHA20_POLY1305_SHA256", "TLS_CHACHA20_POLY1305_SHA256",
     k13, kDefault, {"any", "chacha20_poly1305", "aead", "sha256"}},
    {0x1304, "TLS_AES_128_CCM_SHA256", "TLS_AES_128_CCM_SHA256",
     k13, kDefault, {"any", "aes_128_ccm", "aead", "sha256"}},
    {0x1305, "TLS_AES_128_CCM_8_SHA256", "TLS_AES_128_CCM_8_SHA256",
     k13, kOther, {"any", "aes_128_ccm_8", "aead", "sha256"}},
    {0xc02c, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "ECDHE-ECDSA-AES256-GCM-SHA384",
     k12, kDefault, {"ecdhe_ecdsa", "aes_256_gcm", "aead", "sha384"}},
    {0xc030, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "ECDHE-RSA-AES256-GCM-SHA384",
     k12, kDefault, {"ecdhe_rsa", "aes_256_gcm", "aead", "sha384"}},
    {0xc02b, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256",
     k12, kDefault, {"ecdhe_ecdsa", "aes_128_gcm", "aead", "sha256"}},
    {0xc02f, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256",
     k12, kDefault, {"ecdhe_rsa", "aes_128_gcm", "aead", "sha256"}},
    {0xcca9, "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305",
     k12, kDefault, {"ecdhe_ecdsa", "chacha20_poly1305", "aead", "sha256"}},
    {0xcca8, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-RSA-CHACHA20-POLY1305",
     k12, kDefault, {"ecdhe_rsa", "chacha20_poly1305", "aead", "sha256"}},
    {0xc0ad, "TLS_ECDHE_ECDSA_WITH_AES_256_CCM", "ECDHE-ECDSA-AES256-CCM",
     k12, kDefault, {"ecdhe_ecdsa", "aes_256_ccm", "aead", "default_prf"}},
    {0xc0ac, "TLS_ECDHE_ECDSA_WITH_AES_128_CCM", "ECDHE-ECDSA-AES128-CCM",
     k12, kDefault, {"ecdhe_ecdsa", "aes_128_ccm", "aead", "default_prf"}},
    {0xc024, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384", "ECDHE-ECDSA-AES256-SHA384",
     k12, kDefault, {"ecdhe_ecdsa", "aes_256_cbc", "sha384", "sha384"}},
    {0xc028, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384", "ECDHE-RSA-AES256-SHA384",
     k12, kDefault, {"ecdhe_rsa", "aes_256_cbc", "sha384", "sha384"}},
    {0xc023, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256", "ECDHE-ECDSA-AES128-SHA256",
     k12, kDefault, {"ecdhe_ecdsa", "aes_128_cbc", "sha256", "sha256"}},
    {0xc027, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256", "ECDHE-RSA-AES128-SHA256",
     k12, kDefault, {"ecdhe_rsa", "aes_128_cbc", "sha256", "sha256"}},
    {0x009f, "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384", "DHE-RSA-AES256-GCM-SHA384",
     k12, kDefault, {"dhe_rsa", "aes_256_gcm", "aead", "sha384"}},
    {0x009e, "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256", "DHE-RSA-AES128-GCM-SHA256",
     k12, kDefault, {"dhe_rsa", "aes_128_gcm", "aead", "sha256"}},
    {0xccaa, "TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "DHE-RSA-CHACHA20-POLY1305",
     k12, kDefault, {"dhe_rsa", "chacha20_poly1305", "aead", "sha256"}},
    {0x006b, "TLS_DHE_RSA_WITH_AES_256_CBC_SHA256", "DHE-RSA-AES256-SHA256",
     k12, kDefault, {"dhe_rsa", "aes_256_cbc", "sha256", "default_prf"}},
    {0x0067, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA256", "DHE-RSA-AES128-SHA256",
     k12, kDefault, {"dhe_rsa", "aes_128_cbc", "sha256", "default_prf"}},
    {0xc09f, "TLS_DHE_RSA_WITH_AES_256_CCM", "DHE-RSA-AES256-CCM",
     k12, kOther, {"dhe_rsa", "aes_256_ccm", "aead", "default_prf"}},
    {0xc09e, "TLS_DHE_RSA_WITH_AES_128_CCM", "DHE-RSA-AES128-CCM",
     k12, kOther, {"dhe_rsa", "aes_128_ccm", "aead", "default_prf"}},
    {0xc0af, "TLS_ECDHE_ECDSA_WITH_AES_256_CCM_8", "ECDHE-ECDSA-AES256-CCM8",
     k12, kOther, {"ecdhe_ecdsa", "aes_256_ccm_8", "aead", "default_prf"}},
    {0xc0ae, "TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8", "ECDHE-ECDSA-AES128-CCM8",
     k12, kOther, {"ecdhe_ecdsa", "aes_128_ccm_8", "aead", "default_prf"}},
    {0xc0a3, "TLS_DHE_RSA_WITH_AES_256_CCM_8", "DHE-RSA-AES256-CCM8",
     k12, kOther, {"dhe_rsa", "aes_256_ccm_8", "aead", "default_prf"}},
    {0xc0a2, "TLS_DHE_RSA_WITH_AES_128_CCM_8", "DHE-RSA-AES128-CCM8",
     k12, kOther, {"dhe_rsa", "aes_128_ccm_8", "aead", "default_prf"}},
    {0xc00a, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", "ECDHE-ECDSA-AES256-SHA",
     k12, kOther, {"ecdhe_ecdsa", "aes_256_cbc", "sha", "default_prf"}},
    {0xc014, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", "ECDHE-RSA-AES256-SHA",
     k12, kOther, {"ecdhe_rsa", "aes_256_cbc", "sha", "default_prf"}},
    {0xc009, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", "ECDHE-ECDSA-AES128-SHA",
     k12, kOther, {"ecdhe_ecdsa", "aes_128_cbc", "sha", "default_prf"}},
    {0xc013, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", "ECDHE-RSA-AES128-SHA",
     k12, kOther, {"ecdhe_rsa", "aes_128_cbc", "sha", "default_prf"}},
    {0x0039, "TLS_DHE_RSA_WITH_AES_256_CBC_SHA", "DHE-RSA-AES256-SHA",
     k12, kOther, {"dhe_rsa", "aes_256_cbc", "sha", "default_prf"}},
    {0x0033, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA", "DHE-RSA-AES128-SHA",
     k12, kOther, {"dhe_rsa", "aes_128_cbc", "sha", "default_prf"}},
    {0x009d, "TLS_RSA_WITH_AES_256_GCM_SHA384", "AES256-GCM-SHA384",
     k12, kOther, {"rsa", "aes_256_gcm", "aead", "sha384"}},
    {0x009c, "TLS_RSA_WITH_AES_128_GCM_SHA256", "AES128-GCM-SHA256",
     k12, kOther, {"rsa", "aes_128_gcm", "aead", "sha256"}},
    {0xc09d, "TLS_RSA_WITH_AES_256_CCM", "AES256-CCM",
     k12, kOther, {"rsa", "aes_256_ccm", "aead", "default_prf"}},
    {0xc09c, "TLS_RSA_WITH_AES_128_CCM", "AES128-CCM",
     k12, kOther, {"rsa", "aes_128_ccm", "aead", "default_prf"}},
    {0xc0a1, "TLS_RSA_WITH_AES_256_CCM_8", "AES256-CCM8",
     k12, kOther, {"rsa", "aes_256_ccm_8", "aead", "default_prf"}},
    {0xc0a0, "TLS_RSA_WITH_AES_128_CCM_8", "AES128-CCM8",
     k12, kOther, {"rsa", "aes_128_ccm_8", "aead", "default_prf"}},
    {0x003d, "TLS_RSA_WITH_AES_256_CBC_SHA256", "AES256-SHA256",
     k12, kOther, {"rsa", "aes_256_cbc", "sha256", "default_prf"}},
    {0x003c, "TLS_RSA_WITH_AES_128_CBC_SHA256", "AES128-SHA256",
     k12, kOther, {"rsa", "aes_128_cbc", "sha256", "default_prf"}},
    {0x0035, "TLS_RSA_WITH_AES_256_CBC_SHA", "AES256-SHA",
     k12, kOther, {"rsa", "aes_256_cbc", "sha", "default_prf"}},
    {0x002f, "TLS_RSA_WITH_AES_128_CBC_SHA", "AES128-SHA",
     k12, kOther, {"rsa", "aes_128_cbc", "sha", "default_prf"}},
    {0xccac, "TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-PSK-CHACHA20-POLY1305",
     k12, kPskDefault, {"ecdhe_psk", "chacha20_poly1305", "aead", "sha256"}},
    {0xc038, "TLS_ECDHE_PSK_WITH_AES_256_CBC_SHA384", "ECDHE-PSK-AES256-CBC-SHA384",
     k12, kPskDefault, {"ecdhe_psk", "aes_256_cbc", "sha384", "sha384"}},
    {0xc037, "TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA256", "ECDHE-PSK-AES128-CBC-SHA256",
     k12, kPskDefault, {"ecdhe_psk", "aes_128_cbc", "sha256", "sha256"}},
    {0x00ab, "TLS_DHE_PSK_WITH_AES_256_GCM_SHA384", "DHE-PSK-AES256-GCM-SHA384",
     k12, kPskDefault, {"dhe_psk", "aes_256_gcm", "aead", "sha384"}},
    {0x00aa, "TLS_DHE_PSK_WITH_AES_128_GCM_SHA256", "DHE-PSK-AES128-GCM-SHA256",
     k12, kPskDefault, {"dhe_psk", "aes_128_gcm", "aead", "sha256"}},
    {0xccad, "TLS_DHE_PSK_WITH_CHACHA20_POLY1305_SHA256", "DHE-PSK-CHACHA20-POLY1305",
     k12, kPskDefault, {"dhe_psk", "chacha20_poly1305", "aead", "sha256"}},
    {0xc0a7, "TLS_DHE_PSK_WITH_AES_256_CCM", "DHE-PSK-AES256-CCM",
     k12, kPskDefault, {"dhe_psk", "aes_256_ccm", "aead", "default_prf"}},
    {0xc0a6, "TLS_DHE_PSK_WITH_AES_128_CCM", "DHE-PSK-AES128-CCM",
     k12, kPskDefault, {"dhe_psk", "aes_128_ccm", "aead", "default_prf"}},
    {0x00b3, "TLS_DHE_PSK_WITH_AES_256_CBC_SHA384", "DHE-PSK-AES256-CBC-SHA384",
     k12, kPskDefault, {"dhe_psk", "aes_256_cbc", "sha384", "sha384"}},
    {0x00b2, "TLS_DHE_PSK_WITH_AES_128_CBC_SHA256", "DHE-PSK-AES128-CBC-SHA256",
     k12, kPskDefault, {"dhe_psk", "aes_128_cbc", "sha256", "sha256"}},
    {0x00ad, "TLS_RSA_PSK_WITH_AES_256_GCM_SHA384", "RSA-PSK-AES256-GCM-SHA384",
     k12, kPskDefault, {"rsa_psk", "aes_256_gcm", "aead", "sha384"}},
    {0x00ac, "TLS_RSA_PSK_WITH_AES_128_GCM_SHA256", "RSA-PSK-AES128-GCM-SHA256",
     k12, kPskDefault, {"rsa_psk", "aes_128_gcm", "aead", "sha256"}},
    {0xccae, "TLS_RSA_PSK_WITH_CHACHA20_POLY1305_SHA256", "RSA-PSK-CHACHA20-POLY1305",
     k12, kPskDefault, {"rsa_psk", "chacha20_poly1305", "aead", "sha256"}},
    {0x00b7, "TLS_RSA_PSK_WITH_AES_256_CBC_SHA384", "RSA-PSK-AES256-CBC-SHA384",
     k12, kPskDefault, {"rsa_psk", "aes_256_cbc", "sha384", "sha384"}},
    {0x00b6, "TLS_RSA_PSK_WITH_AES_128_CBC_SHA256", "RSA-PSK-AES128-CBC-SHA256",
     k12, kPskDefault, {"rsa_psk", "aes_128_cbc", "sha256", "default_prf"}},
    {0x00a9, "TLS_PSK_WITH_AES_256_GCM_SHA384", "PSK-AES256-GCM-SHA384",
     k12, kPskDefault, {"psk", "aes_256_gcm", "aead", "sha384"}},
    {0x00a8, "TLS_PSK_WITH_AES_128_GCM_SHA256", "PSK-AES128-GCM-SHA256",
     k12, kPskDefault, {"psk", "aes_128_gcm", "aead", "sha256"}},
    {0xccab, "TLS_PSK_WITH_CHACHA20_POLY1305_SHA256", "PSK-CHACHA20-POLY1305",
     k12, kPskDefault, {"psk", "chacha20_poly1305", "aead", "sha256"}},
    {0xc0a5, "TLS_PSK_WITH_AES_256_CCM", "PSK-AES256-CCM",
     k12, kPskDefault, {"psk", "aes_256_ccm", "aead", "default_prf"}},
    {0xc0a4, "TLS_PSK_WITH_AES_128_CCM", "PSK-AES128-CCM",
     k12, kPskDefault, {"psk", "aes_128_ccm", "aead", "default_prf"}},
    {0x00af, "TLS_PSK_WITH_AES_256_CBC_SHA384", "PSK-AES256-CBC-SHA384",
     k12, kPskDefault, {"psk", "aes_256_cbc", "sha384", "sha384"}},
    {0x00ae, "TLS_PSK_WITH_AES_128_CBC_SHA256", "PSK-AES128-CBC-SHA256",
     k12, kPskDefault, {"psk", "aes_128_cbc", "sha256", "sha256"}},
    {0xc036, "TLS_ECDHE_PSK_WITH_AES_256_CBC_SHA", "ECDHE-PSK-AES256-CBC-SHA",
     k12, kOther, {"ecdhe_psk", "aes_256_cbc", "sha", "default_prf"}},
    {0xc035, "TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA", "ECDHE-PSK-AES128-CBC-SHA",
     k12, kOther, {"ecdhe_psk", "aes_128_cbc", "sha", "default_prf"}},
    {0x0091, "TLS_DHE_PSK_WITH_AES_256_CBC_SHA", "DHE-PSK-AES256-CBC-SHA",
     k12, kOther, {"dhe_psk", "aes_256_cbc", "sha", "default_prf"}},
    {0x0090, "TLS_DHE_PSK_WITH_AES_128_CBC_SHA", "DHE-PSK-AES128-CBC-SHA",
     k12, kOther, {"dhe_psk", "aes_128_cbc", "sha", "default_prf"}},
    {0xc0ab, "TLS_PSK_DHE_WITH_AES_256_CCM_8", "DHE-PSK-AES256-CCM8",
     k12, kOther, {"dhe_psk", "aes_256_ccm_8", "aead", "default_prf"}},
    {0xc0aa, "TLS_PSK_DHE_WITH_AES_128_CCM_8", "DHE-PSK-AES128-CCM8",
     k12, kOther, {"dhe_psk", "aes_128_ccm_8", "aead", "default_prf"}},
    {0x0095, "TLS_RSA_PSK_WITH_AES_256_CBC_SHA", "RSA-PSK-AES256-CBC-SHA",
     k12, kOther, {"rsa_psk", "aes_256_cbc", "sha", "default_prf"}},
    {0x0094, "TLS_RSA_PSK_WITH_AES_128_CBC_SHA", "RSA-PSK-AES128-CBC-SHA",
     k12, kOther, {"rsa_psk", "aes_128_cbc", "sha", "default_prf"}},
    {0x008d, "TLS_PSK_WITH_AES_256_CBC_SHA", "PSK-AES256-CBC-SHA",
     k12, kOther, {"psk", "aes_256_cbc", "sha", "default_prf"}},
    {0x008c, "TLS_PSK_WITH_AES_128_CBC_SHA", "PSK-AES128-CBC-SHA",
     k12, kOther, {"psk", "aes_128_cbc", "sha", "default_prf"}},
    {0xc0a9, "TLS_PSK_WITH_AES_256_CCM_8", "PSK-AES256-CCM8",
     k12, kOther, {"psk", "aes_256_ccm_8", "aead", "default_prf"}},
    {0xc0a8, "TLS_PSK_WITH_AES_128_CCM_8", "PSK-AES128-CCM8",
     k12, kOther, {"psk", "aes_128_ccm_8", "aead", "default_prf"}},
};
// clang-format on

// OTP's names where they are not IANA's.
struct Alias {
  std::string_view name;
  uint16_t id;
};
constexpr Alias kAliases[] = {
    {"TLS_DHE_PSK_WITH_AES_256_CCM_8", 0xc0ab},
    {"TLS_DHE_PSK_WITH_AES_128_CCM_8", 0xc0aa},
};

constexpr NamedNumber kGroups[] = {
    {0x001d, "x25519"},    {0x0017, "secp256r1"}, {0x0018, "secp384r1"}, {0x0019, "secp521r1"},
    {0x001e, "x448"},      {0x0100, "ffdhe2048"}, {0x0101, "ffdhe3072"}, {0x0102, "ffdhe4096"},
    {0x0103, "ffdhe6144"}, {0x0104, "ffdhe8192"},
};

constexpr NamedNumber kSignatureAlgorithms[] = {
    {0x0403, "ecdsa_secp256r1_sha256"}, {0x0503, "ecdsa_secp384r1_sha384"},
    {0x0603, "ecdsa_secp521r1_sha512"}, {0x0806, "rsa_pss_rsae_sha512"},
    {0x0805, "rsa_pss_rsae_sha384"},    {0x0804, "rsa_pss_rsae_sha256"},
    {0x0601, "rsa_pkcs1_sha512"},       {0x0501, "rsa_pkcs1_sha384"},
    {0x0401, "rsa_pkcs1_sha256"},
};

std::optional<uint16_t> FindNumber(std::span<const NamedNumber> table, std::string_view name) {
  for (const NamedNumber& entry : table) {
    if (name == entry.name) return entry.id;
  }
  return std::nullopt;
}

}  // namespace

std::span<const CipherSuite> AllCipherSuites() { return kSuites; }

std::vector<std::string> DefaultCipherSuites(bool has_psk) {
  std::vector<std::string> names;
  for (const CipherSuite& suite : kSuites) {
    if (suite.use == kDefault || (has_psk && suite.use == kPskDefault)) {
      names.emplace_back(suite.iana);
    }
  }
  return names;
}

std::vector<const CipherSuite*> CipherSuites(SuiteList list) {
  std::vector<const CipherSuite*> suites;
  for (const CipherSuite& suite : kSuites) {
    if (list == SuiteList::kAll || suite.use == kDefault) suites.push_back(&suite);
  }
  return suites;
}

const CipherSuite* FindCipherSuite(std::string_view name) {
  for (const CipherSuite& suite : kSuites) {
    if (name == suite.iana || name == suite.openssl) return &suite;
  }
  for (const Alias& alias : kAliases) {
    if (name == alias.name) return FindCipherSuite(alias.id);
  }
  return nullptr;
}

const CipherSuite* FindCipherSuite(const ErlangSuite& wanted) {
  const std::string_view mac = wanted.mac == "null" ? "aead" : wanted.mac;
  for (const CipherSuite& suite : kSuites) {
    const ErlangSuite& has = suite.erlang;
    if (has.key_exchange == wanted.key_exchange && has.cipher == wanted.cipher && has.mac == mac &&
        (wanted.prf.empty() || has.prf == wanted.prf)) {
      return &suite;
    }
  }
  return nullptr;
}

const CipherSuite* FindCipherSuite(uint16_t id) {
  for (const CipherSuite& suite : kSuites) {
    if (suite.id == id) return &suite;
  }
  return nullptr;
}

std::string_view CipherSuiteName(uint16_t id) {
  const CipherSuite* suite = FindCipherSuite(id);
  return suite == nullptr ? std::string_view() : suite->iana;
}

std::string ErlangText(const CipherSuite& suite) {
  const ErlangSuite& erlang = suite.erlang;
  return fmt::format("{{{},{},{},{}}}", erlang.key_exchange, erlang.cipher, erlang.mac, erlang.prf);
}

absl::StatusOr<Version> ParseVersion(std::string_view name) {
  if (name == "tlsv1.2" || name == "TLSv1.2") return Version::kTls12;
  if (name == "tlsv1.3" || name == "TLSv1.3") return Version::kTls13;
  if (const Refusal* refusal = RefusedVersion(name); refusal != nullptr) {
    return RefusedError(*refusal, name);
  }
  constexpr std::string_view kKnown[] = {"tlsv1.2", "tlsv1.3"};
  return base::Error(absl::StatusCode::kInvalidArgument,
                     fmt::format("unknown protocol version '{}'{}", ShortText(name),
                                 base::DidYouMean(ShortText(name), kKnown)),
                     "write tlsv1.2 or tlsv1.3", "options");
}

std::span<const NamedNumber> AllGroups() { return kGroups; }
std::span<const NamedNumber> AllSignatureAlgorithms() { return kSignatureAlgorithms; }

std::optional<uint16_t> FindGroup(std::string_view name) { return FindNumber(kGroups, name); }

std::optional<uint16_t> FindSignatureAlgorithm(std::string_view name) {
  return FindNumber(kSignatureAlgorithms, name);
}

}  // namespace noded::tls
