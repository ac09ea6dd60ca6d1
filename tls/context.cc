#include "tls/context.h"

#include <algorithm>

#include "fmt/format.h"
#include "mbedtls/dhm.h"
#include "mbedtls/oid.h"

#include "base/status.h"
#include "tls/ciphers.h"
#include "tls/crypto.h"
#include "tls/frozen.h"
#include "tls/x509.h"

namespace noded::tls {
namespace {

constexpr unsigned kMinDhBits = 2048;
// First byte of the RSA-PSS signature schemes.
constexpr int kPssPrefix = 8;

// SHA-1 and short RSA keys are refused; a trust anchor's own signature is not looked at.
constexpr mbedtls_x509_crt_profile kCertificateProfile = {
    MBEDTLS_X509_ID_FLAG(MBEDTLS_MD_SHA224) | MBEDTLS_X509_ID_FLAG(MBEDTLS_MD_SHA256) |
        MBEDTLS_X509_ID_FLAG(MBEDTLS_MD_SHA384) | MBEDTLS_X509_ID_FLAG(MBEDTLS_MD_SHA512),
    0xFFFFFFF,
    MBEDTLS_X509_ID_FLAG(MBEDTLS_ECP_DP_SECP256R1) |
        MBEDTLS_X509_ID_FLAG(MBEDTLS_ECP_DP_SECP384R1) |
        MBEDTLS_X509_ID_FLAG(MBEDTLS_ECP_DP_SECP521R1),
    2048,
};

absl::Status Internal(std::string_view what, int code) {
  return base::Error(absl::StatusCode::kInternal,
                     fmt::format("TLS configuration, {}: {}", what, MbedtlsErrorText(code)));
}

void SetVersions(mbedtls_ssl_config& config, const Versions& versions) {
  mbedtls_ssl_conf_min_tls_version(
      &config, versions.tls12 ? MBEDTLS_SSL_VERSION_TLS1_2 : MBEDTLS_SSL_VERSION_TLS1_3);
  mbedtls_ssl_conf_max_tls_version(
      &config, versions.tls13 ? MBEDTLS_SSL_VERSION_TLS1_3 : MBEDTLS_SSL_VERSION_TLS1_2);
  mbedtls_ssl_conf_tls13_key_exchange_modes(&config,
                                            MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_EPHEMERAL);
}

absl::Status SetCiphers(Context::Frozen& frozen, const Options& options, Role role) {
  mbedtls_ssl_config& config = frozen.config;
  const Ciphers& ciphers = options.ciphers;
  for (const std::string& name : ciphers.suites.empty() ? DefaultCipherSuites() : ciphers.suites) {
    frozen.suites.push_back(FindCipherSuite(name)->id);
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

  if (role == Role::kClient) {
    mbedtls_ssl_conf_dhm_min_bitlen(&config, kMinDhBits);
    return absl::OkStatus();
  }
  if (ciphers.dhfile.empty()) {
    constexpr uint8_t kPrime[] = MBEDTLS_DHM_RFC7919_FFDHE2048_P_BIN;
    constexpr uint8_t kGenerator[] = MBEDTLS_DHM_RFC7919_FFDHE2048_G_BIN;
    int result = mbedtls_ssl_conf_dh_param_bin(&config, kPrime, sizeof(kPrime), kGenerator,
                                               sizeof(kGenerator));
    return result == 0 ? absl::OkStatus() : Internal("DH parameters", result);
  }
  mbedtls_dhm_context dhm;
  mbedtls_dhm_init(&dhm);
  int result = mbedtls_dhm_parse_dhmfile(&dhm, ciphers.dhfile.c_str());
  const size_t bits = result == 0 ? mbedtls_dhm_get_bitlen(&dhm) : 0;
  if (result == 0 && bits >= kMinDhBits) result = mbedtls_ssl_conf_dh_param_ctx(&config, &dhm);
  mbedtls_dhm_free(&dhm);
  if (result != 0 || bits < kMinDhBits) {
    const std::string why =
        result != 0 ? MbedtlsErrorText(result) : fmt::format("{} bits are too few", bits);
    return base::Error(absl::StatusCode::kInvalidArgument,
                       fmt::format("option server_dhfile: cannot use {}: {}", ciphers.dhfile, why),
                       "give DH parameters in PEM with 2048 bits or more, or leave the option out",
                       "options");
  }
  return absl::OkStatus();
}

absl::Status SetIdentity(Context::Frozen& frozen) {
  const Credentials& credentials = *frozen.credentials;
  if (!credentials.has_certificate()) return absl::OkStatus();
  int result = mbedtls_ssl_conf_own_cert(&frozen.config, &credentials.chain(), &credentials.key());
  return result == 0 ? absl::OkStatus() : Internal("own certificate", result);
}

absl::Status SetAlpn(Context::Frozen& frozen, const Alpn& alpn) {
  if (alpn.protocols.empty()) return absl::OkStatus();
  for (const std::string& protocol : alpn.protocols) frozen.protocols.push_back(protocol.c_str());
  frozen.protocols.push_back(nullptr);
  int result = mbedtls_ssl_conf_alpn_protocols(&frozen.config, frozen.protocols.data());
  return result == 0 ? absl::OkStatus() : Internal("ALPN", result);
}

// In the shape of mbedTLS's f_sni: notes the name that a client asked for where the engine wants it
// (frozen.h).
int OnServerName(void*, mbedtls_ssl_context* ssl, const unsigned char* name, size_t size) {
  auto* server_name = static_cast<std::string*>(mbedtls_ssl_get_user_data_p(ssl));
  server_name->clear();
  // It goes into logs: no control bytes, and no longer than a host name.
  for (size_t i = 0; i < std::min<size_t>(size, 255); ++i) {
    server_name->push_back(name[i] > 0x20 && name[i] < 0x7f ? static_cast<char>(name[i]) : '?');
  }
  return 0;
}

bool IsPast(const mbedtls_x509_time& time) { return mbedtls_x509_time_is_past(&time) != 0; }
bool IsFuture(const mbedtls_x509_time& time) { return mbedtls_x509_time_is_future(&time) != 0; }

}  // namespace

Context::Context(Options options, Role role)
    : options_(std::move(options)), role_(role), frozen_(std::make_unique<Frozen>()) {}

Context::~Context() = default;

Verify Context::verify() const { return EffectiveVerify(options_.trust, role_); }

absl::StatusOr<std::shared_ptr<const Context>> Context::Create(Options options, Role role) {
  RETURN_IF_ERROR(Validate(options, role));
  std::shared_ptr<Context> context(new Context(std::move(options), role));
  Options& kept = context->options_;
  Frozen& frozen = *context->frozen_;
  ASSIGN_OR_RETURN(frozen.credentials, Credentials::Load(kept, role));
  kept.identity.password.Clear();
  kept.identity.key.Clear();

  mbedtls_ssl_config& config = frozen.config;
  int endpoint = role == Role::kServer ? MBEDTLS_SSL_IS_SERVER : MBEDTLS_SSL_IS_CLIENT;
  if (int result = mbedtls_ssl_config_defaults(&config, endpoint, MBEDTLS_SSL_TRANSPORT_STREAM,
                                               MBEDTLS_SSL_PRESET_DEFAULT);
      result != 0) {
    return Internal("defaults", result);
  }
  mbedtls_ssl_conf_rng(&config, Random, nullptr);
  mbedtls_ssl_conf_cert_profile(&config, &kCertificateProfile);
  SetVersions(config, kept.versions);
  RETURN_IF_ERROR(SetCiphers(frozen, kept, role));
  RETURN_IF_ERROR(SetIdentity(frozen));
  RETURN_IF_ERROR(SetAlpn(frozen, kept.alpn));

  // With kPeer mbedTLS asks for the certificate and checks the signatures; tls/verify.h judges.
  mbedtls_ssl_conf_authmode(&config, context->verify() == Verify::kPeer
                                         ? MBEDTLS_SSL_VERIFY_OPTIONAL
                                         : MBEDTLS_SSL_VERIFY_NONE);
  if (frozen.credentials->has_anchors()) {
    mbedtls_ssl_conf_ca_chain(&config, &frozen.credentials->anchors(), nullptr);
  }
  mbedtls_ssl_conf_renegotiation(&config, MBEDTLS_SSL_RENEGOTIATION_DISABLED);
  mbedtls_ssl_conf_legacy_renegotiation(&config, kept.renegotiation.secure_renegotiate
                                                     ? MBEDTLS_SSL_LEGACY_BREAK_HANDSHAKE
                                                     : MBEDTLS_SSL_LEGACY_NO_RENEGOTIATION);
  mbedtls_ssl_conf_session_tickets(&config, MBEDTLS_SSL_SESSION_TICKETS_DISABLED);
  if (role == Role::kServer) {
    mbedtls_ssl_conf_new_session_tickets(&config, 0);
    mbedtls_ssl_conf_sni(&config, OnServerName, nullptr);
  }

  for (const mbedtls_x509_crt* one = &frozen.credentials->chain();
       one != nullptr && one->raw.p != nullptr; one = one->next) {
    context->certificates_.push_back(Describe(*one));
  }
  return std::shared_ptr<const Context>(std::move(context));
}

std::vector<Warning> Context::Warnings() const {
  std::vector<Warning> warnings;
  const Credentials& credentials = *frozen_->credentials;
  const char* name = RoleName(role_);
  const bool is_server = role_ == Role::kServer;
  if (verify() == Verify::kNone) {
    warnings.push_back(
        {is_server ? "the server asks nobody for a certificate (verify_none): any peer that knows "
                     "the cookie gets in"
                   : "the client does not check the server's certificate (verify_none): the "
                     "connection is encrypted, but perhaps with an impostor",
         fmt::format("set {0}_verify verify_peer and {0}_cacertfile{1}", name,
                     is_server ? ", and server_fail_if_no_peer_cert true" : "")});
    if (credentials.has_anchors()) {
      warnings.push_back({fmt::format("{}_cacertfile {} has no effect: nothing is verified", name,
                                      credentials.anchors_origin()),
                          fmt::format("add {}_verify verify_peer, or remove it", name)});
    }
  } else if (is_server && !options_.trust.fail_if_no_peer_cert) {
    warnings.push_back(
        {"the server lets clients in that send no certificate (fail_if_no_peer_cert is false)",
         "add server_fail_if_no_peer_cert true"});
  }
  if (verify() == Verify::kPeer && !is_server &&
      options_.trust.name_check == NameCheck::kDisabled) {
    warnings.push_back(
        {"the client accepts a trusted certificate of any host "
         "(server_name_indication is disabled)",
         "remove client_server_name_indication"});
  }
  if (credentials.unreadable_anchors() > 0) {
    warnings.push_back({fmt::format("{} certificates of {} cannot be used and are left out",
                                    credentials.unreadable_anchors(), credentials.anchors_origin()),
                        "remove them, or give certificates with RSA or NIST curve keys"});
  }
  if (credentials.is_key_open_to_others()) {
    warnings.push_back({fmt::format("any user may read the private key in {}",
                                    options_.identity.keyfile.empty() ? options_.identity.certfile
                                                                      : options_.identity.keyfile),
                        "chmod 600 it"});
  }
  if (!credentials.has_certificate()) return warnings;
  const mbedtls_x509_crt& own = credentials.chain();
  const std::string subject = NameText(own.subject);
  if (IsPast(own.valid_to)) {
    warnings.push_back({fmt::format("the {}'s certificate ({}) expired on {}: peers will refuse it",
                                    name, subject, TimeText(own.valid_to)),
                        "renew it"});
  } else if (IsFuture(own.valid_from)) {
    warnings.push_back({fmt::format("the {}'s certificate ({}) is valid only from {} on", name,
                                    subject, TimeText(own.valid_from)),
                        "check the clock of this machine"});
  }
  const bool fits =
      is_server
          ? mbedtls_x509_crt_check_extended_key_usage(
                &own, MBEDTLS_OID_SERVER_AUTH, MBEDTLS_OID_SIZE(MBEDTLS_OID_SERVER_AUTH)) == 0
          : mbedtls_x509_crt_check_extended_key_usage(
                &own, MBEDTLS_OID_CLIENT_AUTH, MBEDTLS_OID_SIZE(MBEDTLS_OID_CLIENT_AUTH)) == 0;
  if (!fits) {
    warnings.push_back(
        {fmt::format("the extended key usage of the {}'s certificate ({}) lacks {} authentication: "
                     "peers will refuse it",
                     name, subject, name),
         "issue it for serverAuth and clientAuth: a node is both"});
  }
  return warnings;
}

}  // namespace noded::tls
