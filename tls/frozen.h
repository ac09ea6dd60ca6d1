// The inside of a Context: mbedTLS's configuration and all that it points to. For tls/ alone.
//
// Built by Context::Create, then only read, by many threads at once. A connection made with
// `config` has a std::string as its user data: the server name that a client asks for goes there.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "mbedtls/ssl.h"

#include "tls/context.h"
#include "tls/credentials.h"
#include "tls/trust_anchors.h"
#include "tls/session_store.h"

namespace noded::tls {

struct Context::Frozen {
  Frozen() { mbedtls_ssl_config_init(&config); }
  ~Frozen() { mbedtls_ssl_config_free(&config); }
  Frozen(const Frozen&) = delete;
  Frozen& operator=(const Frozen&) = delete;

  std::unique_ptr<Credentials> credentials;
  // Of the credentials, as the judge of chains wants them.
  std::shared_ptr<const TrustAnchors> anchors;
  std::unique_ptr<SessionStore> sessions;  // null: none is gone on with
  mbedtls_ssl_config config;
  // Lists that the configuration refers to; they end as mbedTLS wants it.
  std::vector<int> suites;
  std::vector<uint16_t> groups;
  std::vector<uint16_t> signature_algorithms;
  std::vector<const char*> protocols;
};

}  // namespace noded::tls
