// First: it opens the fields of mbedTLS's structures.
#include "library/common.h"

#include "tls/mbedtls_resumption.h"

#include "mbedtls/version.h"
#include "library/ssl_misc.h"

#if MBEDTLS_VERSION_NUMBER < 0x03060000 || MBEDTLS_VERSION_NUMBER >= 0x03070000
#error "written against mbedTLS 3.6: read library/ssl_misc.h and ssl_client.c of this one first"
#endif

static int IsClientResumed(const mbedtls_ssl_context* ssl) {
  const mbedtls_ssl_handshake_params* handshake = ssl->handshake;
  if (ssl->tls_version == MBEDTLS_SSL_VERSION_TLS1_3) {
    // `resume` only says that a session was offered. The ticket is the first identity.
    return handshake->resume != 0 && handshake->selected_identity == 0 &&
           (handshake->key_exchange_mode & MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_PSK_ALL) != 0;
  }
  // Until ServerHello is read the same is true in TLS 1.2.
  return handshake->resume != 0 && ssl->state > MBEDTLS_SSL_SERVER_HELLO;
}

int noded_ssl_get_resumption(const mbedtls_ssl_context* ssl, struct noded_ssl_resumption* now) {
  const mbedtls_ssl_handshake_params* handshake = ssl->handshake;
  if (handshake == NULL || ssl->renego_status != MBEDTLS_SSL_INITIAL_HANDSHAKE) return 0;
  now->is_resumed = ssl->conf->endpoint == MBEDTLS_SSL_IS_CLIENT ? IsClientResumed(ssl)
                                                                 : handshake->resume != 0;
  now->has_extended_master_secret = handshake->extended_ms == MBEDTLS_SSL_EXTENDED_MS_ENABLED;
  return 1;
}

void noded_ssl_send_no_tickets(mbedtls_ssl_context* ssl) {
  if (ssl->handshake != NULL) ssl->handshake->new_session_tickets_count = 0;
}
