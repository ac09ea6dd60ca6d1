// The inside of a Context: mbedTLS's configuration and all that it points to. For tls/ alone.
//
// Built by Context::Create, then only read, by many threads at once. A connection made with
// `config` has a HandshakeNotes as its user data.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "mbedtls/ssl.h"

#include "tls/context.h"
#include "tls/credentials.h"
#include "tls/host_contexts.h"
#include "tls/session_store.h"
#include "tls/trust_anchors.h"

namespace noded::tls {

// What mbedTLS's callbacks of the configuration note about one connection.
struct HandshakeNotes {
  std::string server_name;  // that a client asked for, or that we sent
  // Of a server with several hosts: the name, as sent, that the context was chosen by.
  std::optional<std::string> chosen_name = {};
  bool is_psk_refused = false;  // at a server: no key for the identity
};

struct Context::Frozen {
  Frozen() { mbedtls_ssl_config_init(&config); }
  ~Frozen() { mbedtls_ssl_config_free(&config); }
  Frozen(const Frozen&) = delete;
  Frozen& operator=(const Frozen&) = delete;

  PemCache* cache = nullptr;
  Context::FileMap files;  // that this context read; not those of its hosts
  std::unique_ptr<Credentials> credentials;
  // Of the credentials, as the judge of chains wants them.
  std::shared_ptr<const TrustAnchors> anchors;
  std::unique_ptr<SessionStore> sessions;  // null: none is gone on with
  std::unique_ptr<HostContexts> hosts;     // null: a server with one face, or a client
  mbedtls_ssl_config config;
  // Lists that the configuration refers to; they end as mbedTLS wants it.
  std::vector<int> suites;
  std::vector<uint16_t> groups;
  std::vector<uint16_t> signature_algorithms;
  std::vector<const char*> protocols;
};

}  // namespace noded::tls
