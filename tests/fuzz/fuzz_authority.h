// A certificate authority for fuzz targets: signs what was changed, so that it gets past the check
// of its signature.
//
//   const FuzzAuthority authority("fuzz CA");
//   authority.Sign(*certificate);                 // a parsed one, whatever is in it
//
// One thread at a time.
#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <chrono>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

#include "tls/issue.h"
#include "tls/libcrypto_x509.h"
#include "tls/pem.h"

namespace noded::fuzz {

inline void Require(bool claim) {
  if (!claim) std::abort();
}

class FuzzAuthority {
 public:
  explicit FuzzAuthority(const std::string& name) {
    const tls::Validity year = tls::ValidFor(
        std::chrono::days(365),
        std::chrono::time_point_cast<std::chrono::seconds>(std::chrono::system_clock::now()));
    auto issued = tls::IssueAuthority({.common_name = name, .validity = year});
    Require(issued.ok());
    issued_ = *std::move(issued);
    validity_ = year;
    certificate_ = tls::ParseX509(tls::SplitPem(issued_.cert_pem)[0].der);
    Require(certificate_ != nullptr);
    const std::string_view key = issued_.key_pem.view();
    const std::unique_ptr<BIO, tls::FreeWith<BIO_free_all>> text(
        BIO_new_mem_buf(key.data(), static_cast<int>(key.size())));
    key_.reset(PEM_read_bio_PrivateKey(text.get(), nullptr, nullptr, nullptr));
    Require(key_ != nullptr);
  }

  const X509& certificate() const { return *certificate_; }
  base::Slice der() const { return tls::DerOf(*certificate_); }

  // A peer's certificate, as it should be.
  base::Slice IssueNode(const std::string& name) const {
    const auto node = tls::IssueNode(issued_, {.common_name = name, .validity = validity_});
    Require(node.ok());
    return tls::SplitPem(node->cert_pem)[0].der;
  }

  // As an authority below this one, or a peer, with this one's key: its own is made up.
  bool Sign(X509& certificate) const {
    return X509_set_issuer_name(&certificate, X509_get_subject_name(certificate_.get())) == 1 &&
           X509_set_pubkey(&certificate, key_.get()) == 1 &&
           X509_sign(&certificate, key_.get(), EVP_sha256()) > 0;
  }
  bool Sign(X509_CRL& crl) const {
    return X509_CRL_set_issuer_name(&crl, X509_get_subject_name(certificate_.get())) == 1 &&
           X509_CRL_sign(&crl, key_.get(), EVP_sha256()) > 0;
  }

 private:
  tls::IssuedCertificate issued_;
  tls::Validity validity_;
  tls::X509Ptr certificate_;
  std::unique_ptr<EVP_PKEY, tls::FreeWith<EVP_PKEY_free>> key_;
};

}  // namespace noded::fuzz
