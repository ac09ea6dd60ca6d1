#include "tls/session_secrets.h"

#include <algorithm>

#include "fmt/format.h"

#include "base/byte_writer.h"
#include "base/status.h"
#include "tls/crypto.h"

namespace noded::tls {
namespace {

// What both versions can give: HKDF gives 255 times the hash.
constexpr size_t kMostBytes = 255 * 32;
constexpr size_t kMostLabel = 249;  // RFC 8446 7.1
constexpr size_t kMostContext = UINT16_MAX;

const char* LogLabel(mbedtls_ssl_key_export_type type) {
  switch (type) {
    case MBEDTLS_SSL_KEY_EXPORT_TLS12_MASTER_SECRET:
      return "CLIENT_RANDOM";
    case MBEDTLS_SSL_KEY_EXPORT_TLS1_3_CLIENT_HANDSHAKE_TRAFFIC_SECRET:
      return "CLIENT_HANDSHAKE_TRAFFIC_SECRET";
    case MBEDTLS_SSL_KEY_EXPORT_TLS1_3_SERVER_HANDSHAKE_TRAFFIC_SECRET:
      return "SERVER_HANDSHAKE_TRAFFIC_SECRET";
    case MBEDTLS_SSL_KEY_EXPORT_TLS1_3_CLIENT_APPLICATION_TRAFFIC_SECRET:
      return "CLIENT_TRAFFIC_SECRET_0";
    case MBEDTLS_SSL_KEY_EXPORT_TLS1_3_SERVER_APPLICATION_TRAFFIC_SECRET:
      return "SERVER_TRAFFIC_SECRET_0";
    default:
      return nullptr;  // early data, which is not used
  }
}

// TLS 1.3 wants a label (RFC 8446 7.1); RFC 5705 does not say how long one is.
absl::Status CheckSizes(std::string_view label, size_t least_label, size_t size) {
  if (label.size() < least_label || label.size() > kMostLabel ||
      label.find('\0') != std::string_view::npos) {
    return base::Error(absl::StatusCode::kInvalidArgument,
                       fmt::format("TLS key derivation: the label has {} bytes", label.size()),
                       fmt::format("give {} to {} bytes without a zero", least_label, kMostLabel),
                       "badarg");
  }
  if (size > kMostBytes) {
    return base::Error(absl::StatusCode::kInvalidArgument,
                       fmt::format("TLS key derivation: {} bytes are asked for", size),
                       fmt::format("ask for {} at most", kMostBytes), "badarg");
  }
  return absl::OkStatus();
}

absl::Status Internal(int error) {
  return base::Error(absl::StatusCode::kInternal,
                     fmt::format("TLS key derivation: {}", MbedtlsErrorText(error)));
}

}  // namespace

void SessionSecrets::Attach(mbedtls_ssl_context& ssl, const Log& log) {
  log_ = &log;
  mbedtls_ssl_set_export_keys_cb(&ssl, OnSecret, this);
}

void SessionSecrets::OnSecret(void* self, mbedtls_ssl_key_export_type type,
                              const unsigned char* secret, size_t size,
                              const unsigned char client_random[32],
                              const unsigned char server_random[32], mbedtls_tls_prf_types prf) {
  auto& secrets = *static_cast<SessionSecrets*>(self);
  Agreed& agreed = secrets.pending_;
  std::copy_n(client_random, agreed.client_random.size(), agreed.client_random.begin());
  std::copy_n(server_random, agreed.server_random.size(), agreed.server_random.begin());
  const base::ByteView bytes(secret, size);
  if (type == MBEDTLS_SSL_KEY_EXPORT_TLS12_MASTER_SECRET) {
    agreed.master = base::Secret(base::AsText(bytes));
    agreed.prf = prf;
  }
  if (const char* label = LogLabel(type); label != nullptr) {
    secrets.LogLine(label, agreed.client_random, bytes);
  }
}

void SessionSecrets::Commit(mbedtls_ssl_context& ssl) {
  current_ = pending_;
  if (noded_ssl_is_tls13(&ssl) == 0) return;
  size_t size = 0;
  const uint8_t* secret = noded_ssl_exporter_secret(&ssl, &size);
  LogLine("EXPORTER_SECRET", current_.client_random, {secret, size});
}

void SessionSecrets::LogTrafficSecret(const mbedtls_ssl_context& ssl, Role role,
                                      noded_ssl_direction direction, uint64_t generation) const {
  if (log_ == nullptr || !*log_) return;
  size_t size = 0;
  const uint8_t* secret = noded_ssl_traffic_secret(&ssl, direction, &size);
  const bool is_clients = (role == Role::kClient) == (direction == NODED_SSL_OUTGOING);
  LogLine(fmt::format("{}_TRAFFIC_SECRET_{}", is_clients ? "CLIENT" : "SERVER", generation),
          current_.client_random, {secret, size});
}

void SessionSecrets::LogLine(std::string_view label, const Random& client_random,
                             base::ByteView secret) const {
  if (log_ == nullptr || !*log_) return;
  std::string line =
      fmt::format("{} {} {}", label, base::ToHex(client_random), base::ToHex(secret));
  (*log_)(line);
  base::Wipe(line.data(), line.size());
}

absl::StatusOr<std::vector<uint8_t>> SessionSecrets::Derive(base::ByteView secret,
                                                            std::string_view label,
                                                            base::ByteView seed,
                                                            size_t size) const {
  std::vector<uint8_t> key(size);
  if (size == 0) return key;
  const std::string text(label);
  int result = mbedtls_ssl_tls_prf(current_.prf, secret.data(), secret.size(), text.c_str(),
                                   seed.data(), seed.size(), key.data(), key.size());
  if (result != 0) return Internal(result);
  return key;
}

absl::StatusOr<std::vector<uint8_t>> SessionSecrets::Export(mbedtls_ssl_context& ssl,
                                                            std::string_view label,
                                                            std::optional<base::ByteView> context,
                                                            size_t size) const {
  RETURN_IF_ERROR(CheckSizes(label, current_.master.empty() ? 1 : 0, size));
  if (context && context->size() > kMostContext) {
    return base::Error(absl::StatusCode::kInvalidArgument,
                       fmt::format("TLS key export: the context has {} bytes", context->size()),
                       fmt::format("give {} at most", kMostContext), "badarg");
  }
  if (current_.master.empty()) {
    std::vector<uint8_t> key(size);
    if (size == 0) return key;
    const base::ByteView value = context.value_or(base::ByteView());
    int result = mbedtls_ssl_export_keying_material(&ssl, key.data(), size, label.data(),
                                                    label.size(), value.data(), value.size(), 1);
    if (result != 0) return Internal(result);
    return key;
  }
  // mbedTLS's own exporter takes the suite's MAC for the hash, which is wrong for CBC suites with
  // SHA-1.
  base::ByteWriter seed;
  seed.Bytes(base::ByteView(current_.client_random));
  seed.Bytes(base::ByteView(current_.server_random));
  if (context) {
    seed.U16(static_cast<uint16_t>(context->size()));
    seed.Bytes(*context);
  }
  return Derive(current_.master.bytes(), label, seed.Take().ToSlice(), size);
}

base::ByteView SessionSecrets::BytesOf(const PrfInput& input) const {
  if (const auto* bytes = std::get_if<base::Slice>(&input)) return *bytes;
  switch (std::get<PrfValue>(input)) {
    case PrfValue::kMasterSecret:
      return current_.master.bytes();
    case PrfValue::kClientRandom:
      return current_.client_random;
    case PrfValue::kServerRandom:
      return current_.server_random;
  }
  return {};
}

absl::StatusOr<std::vector<uint8_t>> SessionSecrets::Prf(const PrfInput& secret,
                                                         std::string_view label,
                                                         const std::vector<PrfInput>& seed,
                                                         size_t size) const {
  RETURN_IF_ERROR(CheckSizes(label, 0, size));
  if (current_.master.empty()) {
    return base::Error(absl::StatusCode::kFailedPrecondition,
                       "TLS prf: TLS 1.3 has no pseudo-random function of this kind",
                       "use the exporter of RFC 8446 7.5 (Export)", "undefined");
  }
  base::Buffer bytes;
  for (const PrfInput& part : seed) bytes.Append(BytesOf(part));
  return Derive(BytesOf(secret), label, bytes.ToSlice(), size);
}

}  // namespace noded::tls
