#include "tls/context.h"

#include "fmt/format.h"

#include "base/status.h"
#include "tls/context_steps.h"
#include "tls/crypto.h"
#include "tls/frozen.h"
#include "tls/x509.h"

namespace noded::tls {

absl::Status ConfigError(std::string_view what, int code) {
  return base::Error(absl::StatusCode::kInternal,
                     fmt::format("TLS configuration, {}: {}", what, MbedtlsErrorText(code)));
}

Context::Context(Options options, Role role)
    : options_(std::move(options)), role_(role), frozen_(std::make_unique<Frozen>()) {}

Context::~Context() = default;

Verify Context::verify() const { return EffectiveVerify(options_.trust, role_); }

SessionCounts Context::session_counts() const {
  return frozen_->sessions == nullptr ? SessionCounts() : frozen_->sessions->counters.Read();
}

absl::StatusOr<std::shared_ptr<const Context>> Context::Create(Options options, Role role,
                                                               PemCache& cache) {
  RETURN_IF_ERROR(Validate(options, role));
  std::shared_ptr<Context> context(new Context(std::move(options), role));
  Options& kept = context->options_;
  Frozen& frozen = *context->frozen_;
  frozen.cache = &cache;
  ASSIGN_OR_RETURN(frozen.credentials, Credentials::Load(kept, role, cache));
  for (const auto& file : frozen.credentials->files()) frozen.files[file->path()] = file;
  kept.identity.password.Clear();
  kept.identity.key.Clear();
  for (Identity& identity : kept.certs_keys) {
    identity.password.Clear();
    identity.key.Clear();
  }

  mbedtls_ssl_config& config = frozen.config;
  int endpoint = role == Role::kServer ? MBEDTLS_SSL_IS_SERVER : MBEDTLS_SSL_IS_CLIENT;
  if (int result = mbedtls_ssl_config_defaults(&config, endpoint, MBEDTLS_SSL_TRANSPORT_STREAM,
                                               MBEDTLS_SSL_PRESET_DEFAULT);
      result != 0) {
    return ConfigError("defaults", result);
  }
  mbedtls_ssl_conf_rng(&config, Random, nullptr);
  RETURN_IF_ERROR(SetVersions(frozen, kept));
  RETURN_IF_ERROR(SetCiphers(frozen, kept, role));
  RETURN_IF_ERROR(SetIdentity(frozen));
  RETURN_IF_ERROR(SetPsk(frozen, kept, role));
  RETURN_IF_ERROR(SetTrust(frozen, kept, role));
  RETURN_IF_ERROR(SetSessions(frozen, kept, role));
  RETURN_IF_ERROR(SetServerNames(frozen, kept, role));
  RETURN_IF_ERROR(SetAlpn(frozen, kept));
  RETURN_IF_ERROR(SetTraffic(frozen, kept, role));

  if (!frozen.credentials->own().empty()) {
    for (const mbedtls_x509_crt* one = &frozen.credentials->own().front()->chain(); one != nullptr;
         one = one->next) {
      context->certificates_.push_back(Describe(*one));
    }
  }
  return std::shared_ptr<const Context>(std::move(context));
}

Context::FileMap Context::Files() const {
  FileMap files = frozen_->files;
  if (frozen_->hosts == nullptr) return files;
  for (const auto& host : frozen_->hosts->All()) files.merge(host->Files());
  return files;
}

}  // namespace noded::tls
