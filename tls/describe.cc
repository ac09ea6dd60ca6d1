#include "tls/describe.h"

#include "mbedtls/oid.h"
#include "mbedtls/pk.h"
#include "mbedtls/x509_crt.h"

#include "base/status.h"
#include "tls/crypto.h"

namespace noded::tls {
namespace {

struct Certificate {
  Certificate() { mbedtls_x509_crt_init(&context); }
  ~Certificate() { mbedtls_x509_crt_free(&context); }
  Certificate(const Certificate&) = delete;
  Certificate& operator=(const Certificate&) = delete;
  mbedtls_x509_crt context;
};

// The private key of a PEM text, if there is one.
class FoundKey {
 public:
  explicit FoundKey(base::ByteView pem) {
    mbedtls_pk_init(&key_);
    is_there_ = base::AsText(pem).find("PRIVATE KEY-----") != std::string_view::npos;
    if (!is_there_) return;
    std::vector<uint8_t> text = base::ToVector(pem);
    text.push_back(0);  // which the library wants, and counts
    is_readable_ =
        mbedtls_pk_parse_key(&key_, text.data(), text.size(), nullptr, 0, Random, nullptr) == 0;
    base::Wipe(text.data(), text.size());
  }
  ~FoundKey() { mbedtls_pk_free(&key_); }
  FoundKey(const FoundKey&) = delete;
  FoundKey& operator=(const FoundKey&) = delete;

  KeyMatch Match(const mbedtls_pk_context& of_certificate) {
    if (!is_there_) return KeyMatch::kNoKey;
    if (!is_readable_) return KeyMatch::kUnknown;
    return mbedtls_pk_check_pair(&of_certificate, &key_, Random, nullptr) == 0 ? KeyMatch::kMatches
                                                                               : KeyMatch::kDiffers;
  }

 private:
  mbedtls_pk_context key_;
  bool is_there_ = false;
  bool is_readable_ = false;
};

}  // namespace

absl::StatusOr<std::vector<CertificateDescription>> DescribeCertificates(
    base::ByteView pem_or_der) {
  ASSIGN_OR_RETURN(std::vector<CertificateInfo> certificates, ReadCertificates(pem_or_der));
  FoundKey key(pem_or_der);
  std::vector<CertificateDescription> all;
  for (CertificateInfo& info : certificates) {
    Certificate certificate;
    if (mbedtls_x509_crt_parse_der(&certificate.context, info.der.data(), info.der.size()) != 0) {
      return base::Error(absl::StatusCode::kInternal, "cannot read a certificate a second time");
    }
    CertificateDescription& one = all.emplace_back();
    const char* signature = nullptr;
    if (mbedtls_oid_get_sig_alg_desc(&certificate.context.sig_oid, &signature) == 0) {
      one.signature = signature;
    }
    one.key_match = key.Match(certificate.context.pk);
    one.info = std::move(info);
  }
  return all;
}

}  // namespace noded::tls
