// What mbedTLS 3.6 knows about a handshake under way that its public interface does not tell, as
// far as going on with a session needs it. For tls/resumption.cc alone.
//
//   struct noded_ssl_resumption now;
//   if (noded_ssl_get_resumption(&ssl, &now) != 0 && now.is_resumed) ...
//
// A C file, because the library's private headers are not C++. Loop-confined like the session.
#pragma once

#include "mbedtls/ssl.h"

#ifdef __cplusplus
extern "C" {
#endif

struct noded_ssl_resumption {
  // The peer has taken the session that was offered (client), or we have (server).
  int is_resumed;
  int has_extended_master_secret;  // TLS 1.2; known from ServerHello on
};

// False when there is no handshake under way, or it is a renegotiation.
int noded_ssl_get_resumption(const mbedtls_ssl_context* ssl, struct noded_ssl_resumption* now);
// TLS 1.3 server, at the end of its handshake: sends no tickets.
void noded_ssl_send_no_tickets(mbedtls_ssl_context* ssl);

#ifdef __cplusplus
}
#endif
