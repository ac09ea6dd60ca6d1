// mbedTLS's session object, and its way into a SessionRecord and back. For tls/ alone.
//
//   record.session = SaveSession(*ssl.session);
//   MbedtlsSession session;
//   if (!LoadSession(record, now, session.get())) ...     // damaged, or of another build
//   mbedtls_ssl_set_session(&ssl, session.get());
//
// Loop-confined. Source: mbedTLS 3.6, mbedtls_ssl_session_save.
#pragma once

#include <optional>

#include "mbedtls/ssl.h"

#include "tls/session_record.h"

namespace noded::tls {

// Owns; wiped with it.
class MbedtlsSession {
 public:
  MbedtlsSession() { mbedtls_ssl_session_init(&session_); }
  ~MbedtlsSession() { mbedtls_ssl_session_free(&session_); }
  MbedtlsSession(const MbedtlsSession&) = delete;
  MbedtlsSession& operator=(const MbedtlsSession&) = delete;

  mbedtls_ssl_session* get() { return &session_; }
  mbedtls_ssl_session* operator->() { return &session_; }

 private:
  mbedtls_ssl_session session_;
};

// Without the peer's certificate, which the record holds. None: it has not enough memory, or is
// none that can be gone on with.
std::optional<base::Slice> SaveSession(const mbedtls_ssl_session& session);
// The certificate in it; empty when there is none.
base::Slice PeerOf(const mbedtls_ssl_session& session);

// Into an initialised `session`, with the peer's certificate in TLS 1.2 (which a renegotiation
// compares with) and, at a client, the age that the ticket has by `now`. False: not loaded.
bool LoadSession(const SessionRecord& record, SessionMilliseconds now,
                 mbedtls_ssl_session* session);

}  // namespace noded::tls
