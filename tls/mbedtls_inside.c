// First: it opens the private fields of the public headers that follow.
#include "library/common.h"

#include "tls/mbedtls_inside.h"

#include <string.h>

#include "library/ssl_misc.h"
#include "library/ssl_tls13_keys.h"
#include "mbedtls/platform.h"
#include "mbedtls/platform_util.h"
#include "mbedtls/version.h"

#if MBEDTLS_VERSION_MAJOR != 3 || MBEDTLS_VERSION_MINOR != 6
#error \
    "tls/mbedtls_inside.c is written for mbedTLS 3.6: read it again with the new library's ssl_msg.c"
#endif
#if defined(MBEDTLS_USE_PSA_CRYPTO) || defined(MBEDTLS_SSL_VARIABLE_BUFFER_LENGTH) || \
    defined(MBEDTLS_SSL_PROTO_DTLS)
#error "tls/mbedtls_inside.c knows classic cipher contexts, buffers of one size, and no DTLS"
#endif

// RFC 8446 5.3: every suite of TLS 1.3 has nonces of this size.
#define NONCE_BYTES 12

int noded_ssl_read_message(mbedtls_ssl_context* ssl) { return mbedtls_ssl_read_record(ssl, 0); }

void noded_ssl_keep_message(mbedtls_ssl_context* ssl) { ssl->keep_current_message = 1; }

int noded_ssl_message_ends_record(const mbedtls_ssl_context* ssl) {
  return ssl->in_hslen >= ssl->in_msglen;
}

int noded_ssl_add_to_transcript(mbedtls_ssl_context* ssl) {
  return mbedtls_ssl_update_handshake_status(ssl);
}

int noded_ssl_write_record(mbedtls_ssl_context* ssl, uint8_t type, const uint8_t* content,
                           size_t size) {
  if (size > MBEDTLS_SSL_OUT_CONTENT_LEN) return MBEDTLS_ERR_SSL_BAD_INPUT_DATA;
  ssl->out_msgtype = type;
  ssl->out_msglen = size;
  if (size > 0) memcpy(ssl->out_msg, content, size);
  return mbedtls_ssl_write_record(ssl, 1);
}

static const mbedtls_ssl_ciphersuite_t* suite_of(const mbedtls_ssl_context* ssl) {
  return mbedtls_ssl_ciphersuite_from_id(ssl->session->ciphersuite);
}

static size_t hash_size(const mbedtls_ssl_ciphersuite_t* suite) {
  return PSA_HASH_LENGTH(mbedtls_md_psa_alg_from_type((mbedtls_md_type_t)suite->mac));
}

static uint8_t* secret_of(mbedtls_ssl_session* session, const mbedtls_ssl_config* conf,
                          enum noded_ssl_direction direction) {
  const int is_client = conf->endpoint == MBEDTLS_SSL_IS_CLIENT;
  const int is_clients = is_client == (direction == NODED_SSL_OUTGOING);
  return is_clients ? session->app_secrets.client_application_traffic_secret_N
                    : session->app_secrets.server_application_traffic_secret_N;
}

static int renew_cipher(mbedtls_cipher_context_t* cipher, const mbedtls_ssl_ciphersuite_t* suite,
                        const uint8_t* key, mbedtls_operation_t operation) {
  const mbedtls_cipher_info_t* info =
      mbedtls_cipher_info_from_type((mbedtls_cipher_type_t)suite->cipher);
  if (info == NULL) return MBEDTLS_ERR_SSL_INTERNAL_ERROR;
  mbedtls_cipher_free(cipher);
  mbedtls_cipher_init(cipher);
  int ret = mbedtls_cipher_setup(cipher, info);
  if (ret != 0) return ret;
  return mbedtls_cipher_setkey(cipher, key, (int)mbedtls_cipher_info_get_key_bitlen(info),
                               operation);
}

int noded_ssl_next_traffic_key(mbedtls_ssl_context* ssl, enum noded_ssl_direction direction) {
  mbedtls_ssl_transform* transform = ssl->transform_application;
  if (ssl->session == NULL || transform == NULL || ssl->transform_in != transform ||
      ssl->transform_out != transform) {
    return MBEDTLS_ERR_SSL_INTERNAL_ERROR;
  }
  const mbedtls_ssl_ciphersuite_t* suite = suite_of(ssl);
  if (suite == NULL) return MBEDTLS_ERR_SSL_INTERNAL_ERROR;
  const mbedtls_cipher_info_t* info =
      mbedtls_cipher_info_from_type((mbedtls_cipher_type_t)suite->cipher);
  if (info == NULL) return MBEDTLS_ERR_SSL_INTERNAL_ERROR;
  const psa_algorithm_t hash = mbedtls_md_psa_alg_from_type((mbedtls_md_type_t)suite->mac);
  const size_t size = hash_size(suite);
  uint8_t* secret = secret_of(ssl->session, ssl->conf, direction);
  uint8_t next[MBEDTLS_TLS1_3_MD_MAX_SIZE];
  mbedtls_ssl_key_set keys;

  int ret = mbedtls_ssl_tls13_hkdf_expand_label(
      hash, secret, size, MBEDTLS_SSL_TLS1_3_LBL_WITH_LEN(traffic_upd), NULL, 0, next, size);
  if (ret == 0) {
    // Both halves of the set get the same key; one is used.
    ret = mbedtls_ssl_tls13_make_traffic_keys(
        hash, next, next, size, mbedtls_cipher_info_get_key_bitlen(info) / 8, NONCE_BYTES, &keys);
  }
  if (ret == 0 && direction == NODED_SSL_OUTGOING) {
    ret = renew_cipher(&transform->cipher_ctx_enc, suite, keys.client_write_key, MBEDTLS_ENCRYPT);
    memcpy(transform->iv_enc, keys.client_write_iv, NONCE_BYTES);
    memset(ssl->cur_out_ctr, 0, sizeof(ssl->cur_out_ctr));
  } else if (ret == 0) {
    ret = renew_cipher(&transform->cipher_ctx_dec, suite, keys.client_write_key, MBEDTLS_DECRYPT);
    memcpy(transform->iv_dec, keys.client_write_iv, NONCE_BYTES);
    memset(ssl->in_ctr, 0, MBEDTLS_SSL_SEQUENCE_NUMBER_LEN);
  }
  if (ret == 0) memcpy(secret, next, size);
  mbedtls_platform_zeroize(next, sizeof(next));
  mbedtls_platform_zeroize(&keys, sizeof(keys));
  return ret;
}

const uint8_t* noded_ssl_traffic_secret(const mbedtls_ssl_context* ssl,
                                        enum noded_ssl_direction direction, size_t* size) {
  *size = hash_size(suite_of(ssl));
  return secret_of(ssl->session, ssl->conf, direction);
}

const uint8_t* noded_ssl_exporter_secret(const mbedtls_ssl_context* ssl, size_t* size) {
  *size = hash_size(suite_of(ssl));
  return ssl->session->app_secrets.exporter_master_secret;
}

int noded_ssl_start_renegotiation(mbedtls_ssl_context* ssl) {
  return mbedtls_ssl_start_renegotiation(ssl);
}

void noded_ssl_abandon_renegotiation(mbedtls_ssl_context* ssl) {
  mbedtls_ssl_handshake_free(ssl);
  mbedtls_free(ssl->handshake);
  ssl->handshake = NULL;
  mbedtls_ssl_transform_free(ssl->transform_negotiate);
  mbedtls_free(ssl->transform_negotiate);
  ssl->transform_negotiate = NULL;
  mbedtls_ssl_session_free(ssl->session_negotiate);
  mbedtls_free(ssl->session_negotiate);
  ssl->session_negotiate = NULL;
  ssl->renego_status = MBEDTLS_SSL_RENEGOTIATION_DONE;
  ssl->renego_records_seen = 0;
  mbedtls_ssl_handshake_set_state(ssl, MBEDTLS_SSL_HANDSHAKE_OVER);
}

static uint16_t group_of_psa_key(psa_key_type_t type, size_t bits) {
  switch (type) {
    case PSA_KEY_TYPE_ECC_KEY_PAIR(PSA_ECC_FAMILY_SECP_R1):
      return bits == 256   ? MBEDTLS_SSL_IANA_TLS_GROUP_SECP256R1
             : bits == 384 ? MBEDTLS_SSL_IANA_TLS_GROUP_SECP384R1
             : bits == 521 ? MBEDTLS_SSL_IANA_TLS_GROUP_SECP521R1
                           : 0;
    case PSA_KEY_TYPE_ECC_KEY_PAIR(PSA_ECC_FAMILY_MONTGOMERY):
      return bits == 255   ? MBEDTLS_SSL_IANA_TLS_GROUP_X25519
             : bits == 448 ? MBEDTLS_SSL_IANA_TLS_GROUP_X448
                           : 0;
    default:
      return 0;
  }
}

int noded_ssl_is_tls12(const mbedtls_ssl_context* ssl) {
  return ssl->tls_version == MBEDTLS_SSL_VERSION_TLS1_2;
}

int noded_ssl_is_tls13(const mbedtls_ssl_context* ssl) {
  return ssl->tls_version == MBEDTLS_SSL_VERSION_TLS1_3;
}

int noded_ssl_peer_key_decrypts(const mbedtls_ssl_context* ssl) {
  if (ssl->conf->endpoint != MBEDTLS_SSL_IS_CLIENT || ssl->handshake == NULL) return 0;
  if (noded_ssl_is_tls13(ssl)) return 0;
  const mbedtls_ssl_ciphersuite_t* suite = ssl->handshake->ciphersuite_info;
  return suite != NULL && (suite->key_exchange == MBEDTLS_KEY_EXCHANGE_RSA ||
                           suite->key_exchange == MBEDTLS_KEY_EXCHANGE_RSA_PSK);
}

int noded_ssl_extended_master_secret(const mbedtls_ssl_context* ssl) {
  if (ssl->handshake == NULL || ssl->state <= MBEDTLS_SSL_SERVER_HELLO) return -1;
  return ssl->handshake->extended_ms == MBEDTLS_SSL_EXTENDED_MS_ENABLED;
}

uint16_t noded_ssl_group(const mbedtls_ssl_context* ssl) {
  const mbedtls_ssl_handshake_params* handshake = ssl->handshake;
  if (handshake == NULL) return 0;
  if (ssl->tls_version == MBEDTLS_SSL_VERSION_TLS1_3) {
    return group_of_psa_key(handshake->xxdh_psa_type, handshake->xxdh_psa_bits);
  }
#if defined(MBEDTLS_ECDH_LEGACY_CONTEXT)
  const mbedtls_ecp_group_id id = handshake->ecdh_ctx.grp.id;
#else
  const mbedtls_ecp_group_id id = handshake->ecdh_ctx.grp_id;
#endif
  return id == MBEDTLS_ECP_DP_NONE ? 0 : mbedtls_ssl_get_tls_id_from_ecp_group_id(id);
}

size_t noded_ssl_buffer_bytes(const mbedtls_ssl_context* ssl) {
  return (ssl->in_buf != NULL ? MBEDTLS_SSL_IN_BUFFER_LEN : 0) +
         (ssl->out_buf != NULL ? MBEDTLS_SSL_OUT_BUFFER_LEN : 0);
}

int noded_ssl_drop_buffers(mbedtls_ssl_context* ssl, uint8_t* counter) {
  const int is_message_left =
      ssl->in_msgtype == MBEDTLS_SSL_MSG_HANDSHAKE && !noded_ssl_message_ends_record(ssl);
  if (ssl->in_buf == NULL || ssl->out_buf == NULL || ssl->state != MBEDTLS_SSL_HANDSHAKE_OVER ||
      ssl->in_left != 0 || ssl->in_offt != NULL || ssl->keep_current_message != 0 ||
      ssl->badmac_seen_or_in_hsfraglen != 0 || is_message_left || ssl->out_left != 0) {
    return 0;
  }
  memcpy(counter, ssl->in_ctr, MBEDTLS_SSL_SEQUENCE_NUMBER_LEN);
  mbedtls_zeroize_and_free(ssl->in_buf, MBEDTLS_SSL_IN_BUFFER_LEN);
  mbedtls_zeroize_and_free(ssl->out_buf, MBEDTLS_SSL_OUT_BUFFER_LEN);
  ssl->in_buf = ssl->in_hdr = ssl->in_ctr = ssl->in_len = ssl->in_iv = ssl->in_msg = NULL;
  ssl->out_buf = ssl->out_hdr = ssl->out_ctr = ssl->out_len = ssl->out_iv = ssl->out_msg = NULL;
  // What was read has been taken.
  ssl->in_msglen = 0;
  ssl->in_hslen = 0;
  return 1;
}

int noded_ssl_restore_buffers(mbedtls_ssl_context* ssl, const uint8_t* counter) {
  ssl->in_buf = mbedtls_calloc(1, MBEDTLS_SSL_IN_BUFFER_LEN);
  ssl->out_buf = mbedtls_calloc(1, MBEDTLS_SSL_OUT_BUFFER_LEN);
  if (ssl->in_buf == NULL || ssl->out_buf == NULL) return MBEDTLS_ERR_SSL_ALLOC_FAILED;
  mbedtls_ssl_reset_in_pointers(ssl);
  memcpy(ssl->in_ctr, counter, MBEDTLS_SSL_SEQUENCE_NUMBER_LEN);
  mbedtls_ssl_reset_out_pointers(ssl);
  mbedtls_ssl_update_out_pointers(ssl, ssl->transform_out);
  return 0;
}
