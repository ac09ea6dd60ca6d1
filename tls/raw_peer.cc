#include "tls/raw_peer.h"

#include <algorithm>
#include <cstdlib>

#include "tls/crypto.h"

namespace noded::tls {
namespace {

void Require(bool claim) {
  if (!claim) std::abort();
}

bool IsFine(int result) { return result == 0 || result == MBEDTLS_ERR_SSL_WANT_READ; }

const uint8_t* Bytes(const std::string& text) {
  return reinterpret_cast<const uint8_t*>(text.c_str());
}

}  // namespace

RawPeer::RawPeer(Role role, Version version, const Pem& identity) {
  Require(StartCrypto().ok());
  mbedtls_ssl_config_init(&config_);
  mbedtls_ssl_init(&ssl_);
  const bool is_server = role == Role::kServer;
  Require(mbedtls_ssl_config_defaults(
              &config_, is_server ? MBEDTLS_SSL_IS_SERVER : MBEDTLS_SSL_IS_CLIENT,
              MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT) == 0);
  mbedtls_ssl_conf_rng(&config_, Random, nullptr);
  mbedtls_ssl_conf_authmode(&config_, MBEDTLS_SSL_VERIFY_NONE);
  const auto number =
      version == Version::kTls13 ? MBEDTLS_SSL_VERSION_TLS1_3 : MBEDTLS_SSL_VERSION_TLS1_2;
  mbedtls_ssl_conf_min_tls_version(&config_, number);
  mbedtls_ssl_conf_max_tls_version(&config_, number);
  UseCertificate(identity);
  Require(mbedtls_ssl_setup(&ssl_, &config_) == 0);
  Require(mbedtls_ssl_set_hostname(&ssl_, is_server ? nullptr : "b.example") == 0);
  mbedtls_ssl_set_bio(&ssl_, this, OnSend, OnReceive, nullptr);
}

RawPeer::~RawPeer() {
  mbedtls_ssl_free(&ssl_);
  mbedtls_ssl_config_free(&config_);
  for (Identity& identity : identities_) {
    mbedtls_pk_free(&identity.key);
    mbedtls_x509_crt_free(&identity.chain);
  }
}

void RawPeer::UseServerName(const std::string& name) {
  Require(mbedtls_ssl_set_hostname(&ssl_, name.c_str()) == 0);
}

void RawPeer::UseExtendedMasterSecret(bool is_used) {
  mbedtls_ssl_conf_extended_master_secret(
      &config_, is_used ? MBEDTLS_SSL_EXTENDED_MS_ENABLED : MBEDTLS_SSL_EXTENDED_MS_DISABLED);
}

void RawPeer::UseCertificate(const Pem& identity) {
  Identity& added = identities_.emplace_back();
  mbedtls_x509_crt_init(&added.chain);
  mbedtls_pk_init(&added.key);
  // With the zero at their ends, as PEM is to be given.
  Require(mbedtls_x509_crt_parse(&added.chain, Bytes(identity.cert), identity.cert.size() + 1) ==
          0);
  Require(mbedtls_pk_parse_key(&added.key, Bytes(identity.key), identity.key.size() + 1, nullptr, 0,
                               Random, nullptr) == 0);
  // An empty one first: it clears what was there.
  Require(mbedtls_ssl_conf_own_cert(&config_, nullptr, nullptr) == 0);
  Require(mbedtls_ssl_conf_own_cert(&config_, &added.chain, &added.key) == 0);
}

void RawPeer::StartRenegotiation() {
  const int result = noded_ssl_start_renegotiation(&ssl_);
  Require(IsFine(result));
}

int RawPeer::OnSend(void* self, const unsigned char* bytes, size_t size) {
  auto& output = static_cast<RawPeer*>(self)->output_;
  output.insert(output.end(), bytes, bytes + size);
  return static_cast<int>(size);
}

int RawPeer::OnReceive(void* self, unsigned char* bytes, size_t size) {
  auto& input = static_cast<RawPeer*>(self)->input_;
  if (input.empty()) return MBEDTLS_ERR_SSL_WANT_READ;
  const size_t count = std::min(size, input.size());
  std::copy_n(input.begin(), count, bytes);
  input.erase(input.begin(), input.begin() + static_cast<long>(count));
  return static_cast<int>(count);
}

void RawPeer::Feed(base::ByteView bytes) {
  input_.insert(input_.end(), bytes.begin(), bytes.end());
}

bool RawPeer::Shake() {
  const int result = mbedtls_ssl_handshake(&ssl_);
  Require(IsFine(result));
  return result == 0;
}

void RawPeer::SendRecord(uint8_t type, base::ByteView content) {
  Require(noded_ssl_write_record(&ssl_, type, content.data(), content.size()) == 0);
}

void RawPeer::NextKey(noded_ssl_direction direction) {
  Require(noded_ssl_next_traffic_key(&ssl_, direction) == 0);
}

std::optional<RawPeer::Record> RawPeer::Read() {
  if (noded_ssl_read_message(&ssl_) == MBEDTLS_ERR_SSL_WANT_READ) return std::nullopt;
  const uint8_t* content = ssl_.MBEDTLS_PRIVATE(in_msg);
  return Record{static_cast<uint8_t>(ssl_.MBEDTLS_PRIVATE(in_msgtype)),
                {content, content + ssl_.MBEDTLS_PRIVATE(in_msglen)}};
}

}  // namespace noded::tls
