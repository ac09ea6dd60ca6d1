#include "tls/session_binding.h"

#include "mbedtls/sha256.h"

#include "base/random.h"

namespace noded::tls {
namespace {

// Each field behind its length, each list behind its count: nothing can be shifted into another.
class Digest {
 public:
  Digest() {
    mbedtls_sha256_init(&sha_);
    mbedtls_sha256_starts(&sha_, 0);
  }
  ~Digest() { mbedtls_sha256_free(&sha_); }
  Digest(const Digest&) = delete;
  Digest& operator=(const Digest&) = delete;

  Digest& Number(uint64_t value) {
    uint8_t bytes[8];
    for (int i = 0; i < 8; ++i) bytes[i] = static_cast<uint8_t>(value >> (8 * i));
    mbedtls_sha256_update(&sha_, bytes, sizeof(bytes));
    return *this;
  }
  Digest& Bytes(base::ByteView bytes) {
    Number(bytes.size());
    mbedtls_sha256_update(&sha_, bytes.data(), bytes.size());
    return *this;
  }
  Digest& Text(std::string_view text) { return Bytes(base::AsBytes(text)); }
  Digest& Texts(const std::vector<std::string>& list) {
    Number(list.size());
    for (const std::string& text : list) Text(text);
    return *this;
  }
  Digest& Views(const std::vector<base::ByteView>& list) {
    Number(list.size());
    for (const base::ByteView view : list) Bytes(view);
    return *this;
  }
  SessionBinding Take() {
    SessionBinding binding;
    mbedtls_sha256_finish(&sha_, binding.data());
    return binding;
  }

 private:
  mbedtls_sha256_context sha_;
};

}  // namespace

SessionBinding BindSessions(const Options& options, Role role,
                            const SessionCertificates& certificates) {
  const Trust& trust = options.trust;
  Digest digest;
  digest.Text("noded session 1").Number(static_cast<uint64_t>(role));
  digest.Number(options.versions.tls12).Number(options.versions.tls13);
  digest.Texts(options.ciphers.suites)
      .Texts(options.ciphers.signature_algorithms)
      .Texts(options.ciphers.certificate_signature_algorithms)
      .Texts(options.alpn.protocols);
  digest.Number(static_cast<uint64_t>(EffectiveVerify(trust, role)))
      .Number(trust.fail_if_no_peer_cert)
      .Number(static_cast<uint64_t>(trust.depth))
      .Number(static_cast<uint64_t>(trust.name_check))
      .Text(trust.server_name)
      .Number(static_cast<uint64_t>(options.revocation.check));
  digest.Text(options.psk.identity);
  digest.Views(certificates.own).Views(certificates.anchors);
  const bool has_functions = trust.verify_fun != nullptr || trust.partial_chain != nullptr ||
                             options.psk.lookup != nullptr;
  if (has_functions) digest.Number(base::Random64()).Number(base::Random64());
  return digest.Take();
}

SessionBinding BindToName(const SessionBinding& binding, std::string_view expected_name) {
  return Digest().Bytes(binding).Text(expected_name).Take();
}

}  // namespace noded::tls
