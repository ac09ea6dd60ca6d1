#include <algorithm>

#include "fmt/format.h"
#include "mbedtls/dhm.h"

#include "base/status.h"
#include "tls/ciphers.h"
#include "tls/context_steps.h"
#include "tls/crypto.h"
#include "tls/pem.h"

namespace noded::tls {
namespace {

constexpr unsigned kMinDhBits = 2048;
// First byte of the RSA-PSS signature schemes.
constexpr int kPssPrefix = 8;

// DH parameters of our own; `content` is PEM or DER.
absl::Status UseDh(mbedtls_ssl_config& config, const char* option, std::string_view content,
                   const std::string& where) {
  mbedtls_dhm_context dhm;
  mbedtls_dhm_init(&dhm);
  // The PEM reader wants a closing zero, counted.
  const std::string text(content);
  int result = mbedtls_dhm_parse_dhm(&dhm, reinterpret_cast<const uint8_t*>(text.c_str()),
                                     text.size() + (IsPem(text) ? 1 : 0));
  const size_t bits = result == 0 ? mbedtls_dhm_get_bitlen(&dhm) : 0;
  if (result == 0 && bits >= kMinDhBits) result = mbedtls_ssl_conf_dh_param_ctx(&config, &dhm);
  mbedtls_dhm_free(&dhm);
  if (result == 0 && bits >= kMinDhBits) return absl::OkStatus();
  const std::string why =
      result != 0 ? MbedtlsErrorText(result) : fmt::format("{} bits are too few", bits);
  return base::Error(absl::StatusCode::kInvalidArgument,
                     fmt::format("option server_{}: cannot use {}: {}", option, where, why),
                     "give DH parameters (PKCS#3) with 2048 bits or more, or leave the option out",
                     "options");
}

absl::Status SetDh(Context::Frozen& frozen, const Ciphers& ciphers, Role role) {
  mbedtls_ssl_config& config = frozen.config;
  if (role == Role::kClient) {
    mbedtls_ssl_conf_dhm_min_bitlen(&config, kMinDhBits);
    return absl::OkStatus();
  }
  if (!ciphers.dh.empty()) return UseDh(config, "dh", ciphers.dh.text(), "the given parameters");
  if (!ciphers.dhfile.empty()) {
    ASSIGN_OR_RETURN(std::shared_ptr<const PemFile> file,
                     (OptionPlace{role, ""}.ReadFile("dhfile", ciphers.dhfile, *frozen.cache)));
    frozen.files[ciphers.dhfile] = file;
    return UseDh(config, "dhfile", file->content().view(), ciphers.dhfile);
  }
  constexpr uint8_t kPrime[] = MBEDTLS_DHM_RFC7919_FFDHE2048_P_BIN;
  constexpr uint8_t kGenerator[] = MBEDTLS_DHM_RFC7919_FFDHE2048_G_BIN;
  const int result = mbedtls_ssl_conf_dh_param_bin(&config, kPrime, sizeof(kPrime), kGenerator,
                                                   sizeof(kGenerator));
  return result == 0 ? absl::OkStatus() : ConfigError("DH parameters", result);
}

}  // namespace

absl::Status SetVersions(Context::Frozen& frozen, const Options& options) {
  mbedtls_ssl_config& config = frozen.config;
  const Versions& versions = options.versions;
  mbedtls_ssl_conf_min_tls_version(
      &config, versions.tls12 ? MBEDTLS_SSL_VERSION_TLS1_2 : MBEDTLS_SSL_VERSION_TLS1_3);
  mbedtls_ssl_conf_max_tls_version(
      &config, versions.tls13 ? MBEDTLS_SSL_VERSION_TLS1_3 : MBEDTLS_SSL_VERSION_TLS1_2);
  mbedtls_ssl_conf_tls13_key_exchange_modes(&config,
                                            MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_EPHEMERAL);
  return absl::OkStatus();
}

absl::Status SetCiphers(Context::Frozen& frozen, const Options& options, Role role) {
  mbedtls_ssl_config& config = frozen.config;
  const Ciphers& ciphers = options.ciphers;
  const bool has_psk = options.psk.lookup != nullptr, is_default = ciphers.suites.empty();
  for (const std::string& name : is_default ? DefaultCipherSuites(has_psk) : ciphers.suites) {
    const CipherSuite& suite = *FindCipherSuite(name);
    if (suite.is_psk() && !has_psk) continue;
    const bool is_certificate = suite.version == Version::kTls12 && !suite.is_psk();
    if (is_default && is_certificate && IsPskOnly(options, role)) continue;
    frozen.suites.push_back(suite.id);
  }
  frozen.suites.push_back(0);
  mbedtls_ssl_conf_ciphersuites(&config, frozen.suites.data());
  mbedtls_ssl_conf_preference_order(&config, ciphers.honor_cipher_order
                                                 ? MBEDTLS_SSL_SRV_CIPHERSUITE_ORDER_SERVER
                                                 : MBEDTLS_SSL_SRV_CIPHERSUITE_ORDER_CLIENT);

  for (const NamedNumber& group : AllGroups()) {
    if (ciphers.groups.empty()) frozen.groups.push_back(group.id);
  }
  for (const std::string& name : ciphers.groups) frozen.groups.push_back(*FindGroup(name));
  frozen.groups.push_back(0);
  mbedtls_ssl_conf_groups(&config, frozen.groups.data());

  for (const NamedNumber& scheme : AllSignatureAlgorithms()) {
    if (ciphers.signature_algorithms.empty()) frozen.signature_algorithms.push_back(scheme.id);
  }
  for (const std::string& name : ciphers.signature_algorithms) {
    frozen.signature_algorithms.push_back(*FindSignatureAlgorithm(name));
  }
  if (role == Role::kClient && options.versions.tls12) {
    // mbedTLS offers RSA-PSS for the sake of TLS 1.3, but cannot take it in 1.2, as RFC 8446 4.2.3
    // demands. Servers go by the client's order: there PKCS#1 comes first (1.3 leaves it out).
    std::stable_partition(frozen.signature_algorithms.begin(), frozen.signature_algorithms.end(),
                          [](uint16_t scheme) { return (scheme >> 8) != kPssPrefix; });
  }
  frozen.signature_algorithms.push_back(MBEDTLS_TLS1_3_SIG_NONE);
  mbedtls_ssl_conf_sig_algs(&config, frozen.signature_algorithms.data());

  return SetDh(frozen, ciphers, role);
}

}  // namespace noded::tls
