#include <algorithm>
#include <string>

#include "base/status.h"
#include "tls/context_steps.h"

namespace noded::tls {
namespace {

// In the shape of mbedTLS's f_sni: notes the name that a client asked for where the engine wants it
// (frozen.h).
int OnServerName(void*, mbedtls_ssl_context* ssl, const unsigned char* name, size_t size) {
  // As OTP does: an empty name, and one with a dot at its end, is none (RFC 6066 section 3).
  if (size == 0 || name[size - 1] == '.') return MBEDTLS_ERR_SSL_UNRECOGNIZED_NAME;
  auto* notes = static_cast<HandshakeNotes*>(mbedtls_ssl_get_user_data_p(ssl));
  // A second one, in the same hello, after a retry or in a renegotiation, must not pass for the
  // name whose rules hold (RFC 8446 4.1.2).
  if (notes->chosen_name && base::AsText({name, size}) != *notes->chosen_name) {
    return MBEDTLS_ERR_SSL_UNRECOGNIZED_NAME;
  }
  std::string* server_name = &notes->server_name;
  server_name->clear();
  // It goes into logs: no control bytes, and no longer than a host name.
  for (size_t i = 0; i < std::min<size_t>(size, 255); ++i) {
    server_name->push_back(name[i] > 0x20 && name[i] < 0x7f ? static_cast<char>(name[i]) : '?');
  }
  return 0;
}

}  // namespace

absl::Status SetServerNames(Context::Frozen& frozen, const Options& options, Role role) {
  if (role != Role::kServer) return absl::OkStatus();
  mbedtls_ssl_conf_sni(&frozen.config, OnServerName, nullptr);
  ASSIGN_OR_RETURN(frozen.hosts, HostContexts::Create(options.server_names, *frozen.cache));
  return absl::OkStatus();
}

absl::Status SetAlpn(Context::Frozen& frozen, const Options& options) {
  const Alpn& alpn = options.alpn;
  if (alpn.protocols.empty()) return absl::OkStatus();
  for (const std::string& protocol : alpn.protocols) frozen.protocols.push_back(protocol.c_str());
  frozen.protocols.push_back(nullptr);
  int result = mbedtls_ssl_conf_alpn_protocols(&frozen.config, frozen.protocols.data());
  return result == 0 ? absl::OkStatus() : ConfigError("ALPN", result);
}

}  // namespace noded::tls
