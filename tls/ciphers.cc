#include "tls/ciphers.h"

#include <algorithm>

#include "fmt/format.h"

#include "base/status.h"

namespace noded::tls {
namespace {

constexpr Version k12 = Version::kTls12;
constexpr Version k13 = Version::kTls13;

constexpr CipherSuite kSuites[] = {
    {0x1302, "TLS_AES_256_GCM_SHA384", "TLS_AES_256_GCM_SHA384", k13, true},
    {0x1301, "TLS_AES_128_GCM_SHA256", "TLS_AES_128_GCM_SHA256", k13, true},
    {0x1303, "TLS_CHACHA20_POLY1305_SHA256", "TLS_CHACHA20_POLY1305_SHA256", k13, true},
    {0x1304, "TLS_AES_128_CCM_SHA256", "TLS_AES_128_CCM_SHA256", k13, true},
    {0x1305, "TLS_AES_128_CCM_8_SHA256", "TLS_AES_128_CCM_8_SHA256", k13, false},
    {0xc02c, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "ECDHE-ECDSA-AES256-GCM-SHA384", k12, true},
    {0xc030, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "ECDHE-RSA-AES256-GCM-SHA384", k12, true},
    {0xc02b, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256", k12, true},
    {0xc02f, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256", k12, true},
    {0xcca9, "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305", k12,
     true},
    {0xcca8, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-RSA-CHACHA20-POLY1305", k12,
     true},
    {0xc0ad, "TLS_ECDHE_ECDSA_WITH_AES_256_CCM", "ECDHE-ECDSA-AES256-CCM", k12, true},
    {0xc0ac, "TLS_ECDHE_ECDSA_WITH_AES_128_CCM", "ECDHE-ECDSA-AES128-CCM", k12, true},
    {0xc024, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384", "ECDHE-ECDSA-AES256-SHA384", k12, true},
    {0xc028, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384", "ECDHE-RSA-AES256-SHA384", k12, true},
    {0xc023, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256", "ECDHE-ECDSA-AES128-SHA256", k12, true},
    {0xc027, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256", "ECDHE-RSA-AES128-SHA256", k12, true},
    {0x009f, "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384", "DHE-RSA-AES256-GCM-SHA384", k12, true},
    {0x009e, "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256", "DHE-RSA-AES128-GCM-SHA256", k12, true},
    {0xccaa, "TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "DHE-RSA-CHACHA20-POLY1305", k12, true},
    {0x006b, "TLS_DHE_RSA_WITH_AES_256_CBC_SHA256", "DHE-RSA-AES256-SHA256", k12, true},
    {0x0067, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA256", "DHE-RSA-AES128-SHA256", k12, true},
    {0xc09f, "TLS_DHE_RSA_WITH_AES_256_CCM", "DHE-RSA-AES256-CCM", k12, false},
    {0xc09e, "TLS_DHE_RSA_WITH_AES_128_CCM", "DHE-RSA-AES128-CCM", k12, false},
    {0xc0af, "TLS_ECDHE_ECDSA_WITH_AES_256_CCM_8", "ECDHE-ECDSA-AES256-CCM8", k12, false},
    {0xc0ae, "TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8", "ECDHE-ECDSA-AES128-CCM8", k12, false},
    {0xc0a3, "TLS_DHE_RSA_WITH_AES_256_CCM_8", "DHE-RSA-AES256-CCM8", k12, false},
    {0xc0a2, "TLS_DHE_RSA_WITH_AES_128_CCM_8", "DHE-RSA-AES128-CCM8", k12, false},
    {0xc00a, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", "ECDHE-ECDSA-AES256-SHA", k12, false},
    {0xc014, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", "ECDHE-RSA-AES256-SHA", k12, false},
    {0xc009, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", "ECDHE-ECDSA-AES128-SHA", k12, false},
    {0xc013, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", "ECDHE-RSA-AES128-SHA", k12, false},
    {0x0039, "TLS_DHE_RSA_WITH_AES_256_CBC_SHA", "DHE-RSA-AES256-SHA", k12, false},
    {0x0033, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA", "DHE-RSA-AES128-SHA", k12, false},
    {0x009d, "TLS_RSA_WITH_AES_256_GCM_SHA384", "AES256-GCM-SHA384", k12, false},
    {0x009c, "TLS_RSA_WITH_AES_128_GCM_SHA256", "AES128-GCM-SHA256", k12, false},
    {0xc09d, "TLS_RSA_WITH_AES_256_CCM", "AES256-CCM", k12, false},
    {0xc09c, "TLS_RSA_WITH_AES_128_CCM", "AES128-CCM", k12, false},
    {0x003d, "TLS_RSA_WITH_AES_256_CBC_SHA256", "AES256-SHA256", k12, false},
    {0x003c, "TLS_RSA_WITH_AES_128_CBC_SHA256", "AES128-SHA256", k12, false},
    {0x0035, "TLS_RSA_WITH_AES_256_CBC_SHA", "AES256-SHA", k12, false},
    {0x002f, "TLS_RSA_WITH_AES_128_CBC_SHA", "AES128-SHA", k12, false},
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

// Parts of names whose suites nobody should use any more, with the reason.
struct Refused {
  const char* part;
  const char* why;
};
constexpr Refused kRefused[] = {
    {"RC4", "RC4 is prohibited (RFC 7465)"},
    {"3DES", "3DES has too small a block (CVE-2016-2183)"},
    {"DES", "DES keys and blocks are too small (CVE-2016-2183)"},
    {"EXP", "export suites are broken by design"},
    {"NULL", "a NULL suite does not encrypt"},
    {"anon", "an anonymous suite proves nothing about the peer"},
    {"ADH-", "an anonymous suite proves nothing about the peer"},
    {"AECDH-", "an anonymous suite proves nothing about the peer"},
    {"DSS", "DSS certificates are not supported in TLS 1.3 and were given up (RFC 8446 4.2.3)"},
    {"SRP", "SRP is not supported"},
    {"PSK", "PSK suites are not available in this version"},
};

std::optional<uint16_t> FindNumber(std::span<const NamedNumber> table, std::string_view name) {
  for (const NamedNumber& entry : table) {
    if (name == entry.name) return entry.id;
  }
  return std::nullopt;
}

size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      size_t above = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

absl::Status UnknownSuite(std::string_view name) {
  for (const Refused& refused : kRefused) {
    if (name.find(refused.part) != std::string_view::npos) {
      return base::Error(absl::StatusCode::kInvalidArgument,
                         fmt::format("cipher suite {} is refused: {}", name, refused.why),
                         "use an AEAD suite such as TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
                         "insufficient_crypto_support");
    }
  }
  const char* nearest = kSuites[0].iana;
  size_t best = SIZE_MAX;
  std::string_view shortened = name.substr(0, 80);
  for (const CipherSuite& suite : kSuites) {
    for (const char* candidate : {suite.iana, suite.openssl}) {
      size_t distance = EditDistance(shortened, candidate);
      if (distance < best) best = distance, nearest = candidate;
    }
  }
  return base::Error(absl::StatusCode::kInvalidArgument,
                     fmt::format("unknown cipher suite '{}'", shortened),
                     fmt::format("the nearest known one is {}", nearest), "options");
}

}  // namespace

std::span<const CipherSuite> AllCipherSuites() { return kSuites; }

std::vector<std::string> DefaultCipherSuites() {
  std::vector<std::string> names;
  for (const CipherSuite& suite : kSuites) {
    if (suite.is_default) names.emplace_back(suite.iana);
  }
  return names;
}

const CipherSuite* FindCipherSuite(std::string_view name) {
  for (const CipherSuite& suite : kSuites) {
    if (name == suite.iana || name == suite.openssl) return &suite;
  }
  return nullptr;
}

std::string_view CipherSuiteName(uint16_t id) {
  for (const CipherSuite& suite : kSuites) {
    if (suite.id == id) return suite.iana;
  }
  return {};
}

absl::StatusOr<std::vector<std::string>> ParseCipherSuites(std::string_view list) {
  std::vector<std::string> names;
  while (!list.empty()) {
    size_t end = std::min(list.find_first_of(":,"), list.size());
    std::string_view name = list.substr(0, end);
    list.remove_prefix(std::min(end + 1, list.size()));
    while (name.starts_with(' ')) name.remove_prefix(1);
    while (name.ends_with(' ')) name.remove_suffix(1);
    if (name.empty()) continue;
    const CipherSuite* suite = FindCipherSuite(name);
    if (suite == nullptr) return UnknownSuite(name);
    names.emplace_back(suite->iana);
  }
  if (names.empty()) {
    return base::Error(absl::StatusCode::kInvalidArgument, "the list of cipher suites is empty",
                       "name at least one suite, or leave the option out", "options");
  }
  return names;
}

std::span<const NamedNumber> AllGroups() { return kGroups; }
std::span<const NamedNumber> AllSignatureAlgorithms() { return kSignatureAlgorithms; }

std::optional<uint16_t> FindGroup(std::string_view name) { return FindNumber(kGroups, name); }

std::optional<uint16_t> FindSignatureAlgorithm(std::string_view name) {
  return FindNumber(kSignatureAlgorithms, name);
}

}  // namespace noded::tls
