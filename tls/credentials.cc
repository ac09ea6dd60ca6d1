#include "tls/credentials.h"

#include "fmt/format.h"

#include "base/status.h"
#include "tls/crypto.h"

namespace noded::tls {

Credentials::Credentials() { mbedtls_x509_crt_init(&anchors_); }

Credentials::~Credentials() { mbedtls_x509_crt_free(&anchors_); }

mbedtls_x509_crt* Credentials::anchors() const {
  if (anchors_.raw.p != nullptr) return &anchors_;
  return anchors_file_ == nullptr ? nullptr : anchors_file_->chain();
}

absl::StatusOr<std::unique_ptr<Credentials>> Credentials::Load(const Options& options, Role role,
                                                               PemCache& cache) {
  RETURN_IF_ERROR(StartCrypto());
  std::unique_ptr<Credentials> credentials(new Credentials());
  RETURN_IF_ERROR(credentials->LoadAnchors(options.trust, role, cache));
  int position = 0;
  for (const Identity* identity : IdentitiesOf(options)) {
    OptionPlace place{role, ""};
    if (!options.certs_keys.empty()) place.within = fmt::format("certs_keys {}", ++position);
    ASSIGN_OR_RETURN(auto own, OwnCertificate::Load(*identity, place, cache));
    own->CompleteChain(credentials->anchors());
    credentials->files_.insert(credentials->files_.end(), own->files().begin(), own->files().end());
    credentials->own_.push_back(std::move(own));
  }
  return credentials;
}

absl::Status Credentials::LoadAnchors(const Trust& trust, Role role, PemCache& cache) {
  const OptionPlace place{role, ""};
  if (!trust.cacertfile.empty()) {
    ASSIGN_OR_RETURN(std::shared_ptr<const PemFile> file,
                     place.ReadFile("cacertfile", trust.cacertfile, cache));
    if (file->certificates().empty()) {
      return place.Refuse(
          "cacertfile", fmt::format("{} {}", trust.cacertfile, WhatInstead(file->content().view())),
          "give a PEM file with the certificates of the CAs to trust", "bad_certificate");
    }
    if (file->chain() == nullptr) {
      return place.Refuse("cacertfile",
                          fmt::format("no certificate of {} can be used: {}", trust.cacertfile,
                                      MbedtlsErrorText(file->certificates().front().error)),
                          "give certificates with RSA or NIST curve keys", "bad_certificate");
    }
    unreadable_anchors_ = file->unusable_certificates();
    anchors_origin_ = trust.cacertfile;
    files_.push_back(file);
    anchors_file_ = std::move(file);
  }
  for (const base::Slice& cert : trust.cacerts) {
    if (const int error = AppendCertificates(anchors_, cert.text()); error != 0) {
      return place.Refuse("cacerts", fmt::format("cannot be read: {}", MbedtlsErrorText(error)),
                          "give certificates in DER or PEM with RSA or NIST curve keys",
                          "bad_certificate");
    }
    if (anchors_origin_.empty()) anchors_origin_ = "the given certificates";
  }
  if (anchors_file_ == nullptr || trust.cacerts.empty()) return absl::OkStatus();
  for (const PemFile::Certificate& one : anchors_file_->certificates()) {
    if (one.error != 0) continue;
    const int error = mbedtls_x509_crt_parse_der(&anchors_, one.der.data(), one.der.size());
    if (error != 0) return base::Error(absl::StatusCode::kInternal, MbedtlsErrorText(error));
  }
  return absl::OkStatus();
}

}  // namespace noded::tls
