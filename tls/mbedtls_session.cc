#include "tls/mbedtls_session.h"

#include <utility>
#include <vector>

#include "mbedtls/platform.h"
#include "mbedtls/platform_time.h"
#include "mbedtls/x509_crt.h"

#include "tls/secret_slice.h"

namespace noded::tls {
namespace {

// Ends in the session, which frees it.
bool AttachPeer(const base::Slice& der, mbedtls_ssl_session* session) {
  auto* certificate = static_cast<mbedtls_x509_crt*>(mbedtls_calloc(1, sizeof(mbedtls_x509_crt)));
  if (certificate == nullptr) return false;
  mbedtls_x509_crt_init(certificate);
  if (mbedtls_x509_crt_parse_der(certificate, der.data(), der.size()) != 0) {
    mbedtls_x509_crt_free(certificate);
    mbedtls_free(certificate);
    return false;
  }
  session->MBEDTLS_PRIVATE(peer_cert) = certificate;
  return true;
}

}  // namespace

std::optional<base::Slice> SaveSession(const mbedtls_ssl_session& session) {
  // A copy of the fields, to leave one out; it owns nothing.
  mbedtls_ssl_session bare = session;
  bare.MBEDTLS_PRIVATE(peer_cert) = nullptr;
  size_t size = 0;
  std::optional<base::Slice> saved;
  if (mbedtls_ssl_session_save(&bare, nullptr, 0, &size) == MBEDTLS_ERR_SSL_BUFFER_TOO_SMALL) {
    std::vector<uint8_t> bytes(size);
    if (mbedtls_ssl_session_save(&bare, bytes.data(), bytes.size(), &size) == 0) {
      saved = SecretSlice(std::move(bytes));
    }
  }
  base::Wipe(&bare, sizeof(bare));
  return saved;
}

base::Slice PeerOf(const mbedtls_ssl_session& session) {
  const mbedtls_x509_crt* peer = session.MBEDTLS_PRIVATE(peer_cert);
  if (peer == nullptr) return base::Slice();
  return base::Slice::Copy(base::ByteView(peer->raw.p, peer->raw.len));
}

bool LoadSession(const SessionRecord& record, SessionMilliseconds now,
                 mbedtls_ssl_session* session) {
  // mbedTLS counts on a block, even of no bytes.
  if (record.session.empty() ||
      mbedtls_ssl_session_load(session, record.session.data(), record.session.size()) != 0) {
    return false;
  }
  const bool is_server = record.role == Role::kServer;
  const bool is_tls12 = record.version == Version::kTls12;
  if ((session->MBEDTLS_PRIVATE(endpoint) == MBEDTLS_SSL_IS_SERVER) != is_server ||
      (session->MBEDTLS_PRIVATE(tls_version) == MBEDTLS_SSL_VERSION_TLS1_2) != is_tls12 ||
      session->MBEDTLS_PRIVATE(peer_cert) != nullptr) {
    return false;
  }
  if (is_tls12) return record.peer.empty() || AttachPeer(record.peer, session);
  if (!is_server) {
    const std::chrono::milliseconds age = now - record.received;
    session->MBEDTLS_PRIVATE(ticket_reception_time) = mbedtls_ms_time() - age.count();
  }
  return true;
}

}  // namespace noded::tls
