// A TLS peer that says what it is told to, for tests: mbedTLS's session driven by hand.
//
//   RawPeer peer(Role::kClient, Version::kTls13, {cert_pem, key_pem});
//   while (!peer.Shake()) Exchange(peer, engine);
//   peer.SendRecord(22, message);                 // sealed, as the version has it
//   engine.Feed(peer.TakeOutput());
//
// It trusts everybody. One thread; misuse ends the program.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "mbedtls/ssl.h"
#include "mbedtls/x509_crt.h"

#include "base/bytes.h"
#include "tls/mbedtls_inside.h"
#include "tls/options.h"

namespace noded::tls {

class RawPeer {
 public:
  struct Pem {
    std::string cert;
    std::string key;
  };

  RawPeer(Role role, Version version, const Pem& identity);
  ~RawPeer();
  RawPeer(const RawPeer&) = delete;
  RawPeer& operator=(const RawPeer&) = delete;

  void Feed(base::ByteView bytes);
  std::vector<uint8_t> TakeOutput() { return std::exchange(output_, {}); }

  // As far as it gets; true when the handshake is over.
  bool Shake();
  void SendRecord(uint8_t type, base::ByteView content);
  void NextKey(noded_ssl_direction direction);

  // TLS 1.2: for the next handshake.
  void UseCertificate(const Pem& identity);
  void UseExtendedMasterSecret(bool is_used);
  void UseServerName(const std::string& name);
  void StartRenegotiation();
  // As Shake(), but the other side may refuse; mbedTLS's result.
  int Continue() { return mbedtls_ssl_handshake(&ssl_); }

  struct Record {
    uint8_t type;
    std::vector<uint8_t> content;
  };
  // What has come, of any type; none: not a whole one, or the peer's end.
  std::optional<Record> Read();

 private:
  static int OnSend(void* self, const unsigned char* bytes, size_t size);
  static int OnReceive(void* self, unsigned char* bytes, size_t size);

  mbedtls_ssl_config config_;
  mbedtls_ssl_context ssl_;
  struct Identity {
    mbedtls_x509_crt chain;
    mbedtls_pk_context key;
  };
  std::deque<Identity> identities_;
  std::vector<uint8_t> input_;
  std::vector<uint8_t> output_;
};

}  // namespace noded::tls
