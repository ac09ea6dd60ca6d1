// What noded needs of mbedTLS 3.6 and its public interface does not give: messages one by one after
// the handshake, TLS 1.3 key changes, a renegotiation that can be left again, buffers that can be
// dropped. For tls/engine_*.cc and tls/key_update.cc alone.
//
//   int result = noded_ssl_read_message(&ssl);     // 0: ssl.in_msgtype, in_msg, in_msglen tell
//   noded_ssl_next_traffic_key(&ssl, NODED_SSL_INCOMING);
//
// A C file, because the library's private headers are not C++. It includes them, so that a changed
// signature or field fails the build; mbedtls_inside.c refuses another series than 3.6.
// Loop-confined like the session. Results are mbedTLS's: 0 or a negative error.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "mbedtls/ssl.h"

#ifdef __cplusplus
extern "C" {
#endif

enum noded_ssl_direction { NODED_SSL_INCOMING, NODED_SSL_OUTGOING };

// Reads and opens the next record or handshake message; it is not added to a transcript.
int noded_ssl_read_message(mbedtls_ssl_context* ssl);
// The message just read is read once more, by whoever reads next.
void noded_ssl_keep_message(mbedtls_ssl_context* ssl);
// True when the handshake message just read is the last in its record.
int noded_ssl_message_ends_record(const mbedtls_ssl_context* ssl);
// The message just read belongs to the handshake that is under way.
int noded_ssl_add_to_transcript(mbedtls_ssl_context* ssl);
// Sends one record of any type (RFC 8446 5.1, ContentType) with this content.
int noded_ssl_write_record(mbedtls_ssl_context* ssl, uint8_t type, const uint8_t* content,
                           size_t size);

// TLS 1.3, after the handshake: the next generation of one direction's traffic secret (RFC 8446
// 7.2) and the key, nonce and record number that go with it (7.3, 5.3).
int noded_ssl_next_traffic_key(mbedtls_ssl_context* ssl, enum noded_ssl_direction direction);
// The traffic secret in use; `size` is its length.
const uint8_t* noded_ssl_traffic_secret(const mbedtls_ssl_context* ssl,
                                        enum noded_ssl_direction direction, size_t* size);
// TLS 1.3: exporter_master_secret.
const uint8_t* noded_ssl_exporter_secret(const mbedtls_ssl_context* ssl, size_t* size);

// TLS 1.2: a handshake on the open connection begins; steps follow by mbedtls_ssl_handshake_step.
int noded_ssl_start_renegotiation(mbedtls_ssl_context* ssl);
// Client, before ServerHello: as if the handshake had not begun.
void noded_ssl_abandon_renegotiation(mbedtls_ssl_context* ssl);

// The group of the key exchange (IANA number), 0 when there is none or it is not known yet. Ask
// before the end of a TLS 1.2 handshake.
uint16_t noded_ssl_group(const mbedtls_ssl_context* ssl);
// TLS 1.2, and TLS 1.3, is agreed on. (In C++ already the reading of a version that a peer made up
// would be undefined: it is an enumeration.)
int noded_ssl_is_tls12(const mbedtls_ssl_context* ssl);
int noded_ssl_is_tls13(const mbedtls_ssl_context* ssl);
// A client in TLS 1.2 whose suite has an RSA key exchange: the server's key decrypts.
int noded_ssl_peer_key_decrypts(const mbedtls_ssl_context* ssl);
// TLS 1.2: whether this handshake uses RFC 7627; -1: not known yet, or no longer.
int noded_ssl_extended_master_secret(const mbedtls_ssl_context* ssl);

// Bytes of the record buffers.
size_t noded_ssl_buffer_bytes(const mbedtls_ssl_context* ssl);
// Wipes and frees them; nothing but noded_ssl_restore_buffers and mbedtls_ssl_free may follow.
// False, and nothing done, while a record or message is in them. `counter` takes 8 bytes.
int noded_ssl_drop_buffers(mbedtls_ssl_context* ssl, uint8_t* counter);
int noded_ssl_restore_buffers(mbedtls_ssl_context* ssl, const uint8_t* counter);

#ifdef __cplusplus
}
#endif
