#include "tls/own_certificate.h"

#include "fmt/format.h"

#include "base/status.h"
#include "tls/crypto.h"
#include "tls/pem.h"
#include "tls/x509.h"

namespace noded::tls {
namespace {

constexpr const char* kOtherKeys =
    "the engine (mbedTLS 3.6) has none of these: issue the certificate with RSA and 2048 bits or "
    "more, secp256r1, secp384r1 or secp521r1 (openssl genpkey -algorithm EC -pkeyopt "
    "ec_paramgen_curve:P-256)";

// What a private key that mbedTLS cannot use is; empty when it is none of these.
std::string UnusableKeyKind(std::string_view text, int error) {
  // The algorithm of a PKCS#8 key stands at its beginning, so that base64 shows it too.
  if (text.find("wBQYDK2Vw") != std::string_view::npos) return "an Ed25519 key";
  if (text.find("wBQYDK2Vx") != std::string_view::npos) return "an Ed448 key";
  if (text.find("DSA PRIVATE KEY-----") != std::string_view::npos) return "a DSA key";
  const std::string kind = IsPem(text) ? "" : UnusableKind(base::AsBytes(text));
  if (!kind.empty()) return kind;
  // An encrypted one shows what it is when it is opened.
  return error == MBEDTLS_ERR_PK_UNKNOWN_PK_ALG ? "a key of another kind" : "";
}

// "the given certificate", or the file.
std::string CertificateOrigin(const Identity& identity) {
  return identity.certs.empty() ? identity.certfile : std::string("the given certificate");
}

std::string KeyOrigin(const Identity& identity) {
  if (!identity.key.empty()) return "the given key";
  return identity.keyfile.empty() ? identity.certfile : identity.keyfile;
}

// The key's password: the option's text, or what its function gives.
absl::StatusOr<Secret> PasswordOf(const Identity& identity, const OptionPlace& place) {
  if (identity.password_fun == nullptr) return identity.password;
  try {
    return identity.password_fun();
  } catch (const std::exception& error) {
    return place.Refuse("password", fmt::format("its function failed: {}", error.what()),
                        "correct the function: it must not throw", "bad_password");
  }
}

}  // namespace

std::string OptionPlace::Name(std::string_view option) const {
  if (within.empty()) return fmt::format("{}_{}", RoleName(role), option);
  return fmt::format("{}_{}, {}", RoleName(role), within, option);
}

absl::Status OptionPlace::Refuse(std::string_view option, std::string_view what,
                                 std::string_view mend, std::string_view reason) const {
  return base::Error(absl::StatusCode::kInvalidArgument,
                     fmt::format("option {}: {}", Name(option), what), mend, reason);
}

absl::StatusOr<std::shared_ptr<const PemFile>> OptionPlace::ReadFile(std::string_view option,
                                                                     const std::string& path,
                                                                     PemCache& cache) const {
  absl::StatusOr<std::shared_ptr<const PemFile>> file = cache.Get(path);
  if (file.ok()) return file;
  return Refuse(option, base::CauseOf(file.status()),
                "give the path of a PEM file that this user may read",
                base::ReasonOf(file.status()));
}

std::string WhatInstead(std::string_view text) {
  if (text.empty()) return "is empty";
  for (std::string_view kind : {"CERTIFICATE REQUEST", "PRIVATE KEY", "PUBLIC KEY", "X509 CRL"}) {
    if (text.find(kind) != std::string_view::npos) {
      return fmt::format("holds a {} but no CERTIFICATE", kind);
    }
  }
  return "holds no PEM block 'BEGIN CERTIFICATE'";
}

std::string CertificateMend(base::ByteView der) {
  const std::string kind = UnusableKind(der);
  if (kind.empty()) {
    return "check that each is complete and has an RSA or NIST curve key (ed25519 and DSA are not "
           "supported)";
  }
  return kOtherKeys;
}

OwnCertificate::OwnCertificate() {
  mbedtls_x509_crt_init(&chain_);
  mbedtls_pk_init(&key_);
}

OwnCertificate::~OwnCertificate() {
  mbedtls_x509_crt_free(&chain_);
  mbedtls_pk_free(&key_);
}

absl::StatusOr<std::unique_ptr<OwnCertificate>> OwnCertificate::Load(const Identity& identity,
                                                                     const OptionPlace& place,
                                                                     PemCache& cache) {
  std::unique_ptr<OwnCertificate> own(new OwnCertificate());
  RETURN_IF_ERROR(own->LoadChain(identity, place, cache));
  RETURN_IF_ERROR(own->LoadKey(identity, place, cache));
  RETURN_IF_ERROR(own->CheckPair(identity, place));
  return own;
}

absl::Status OwnCertificate::LoadChain(const Identity& identity, const OptionPlace& place,
                                       PemCache& cache) {
  if (!identity.certs.empty()) {
    for (const base::Slice& cert : identity.certs) {
      const int error = AppendCertificates(chain_, cert.text());
      if (error == 0) continue;
      const std::string kind = UnusableKind(cert);
      return place.Refuse("cert",
                          kind.empty() ? fmt::format("cannot be read: {}", MbedtlsErrorText(error))
                                       : fmt::format("a certificate has {}", kind),
                          CertificateMend(cert), "bad_certificate");
    }
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(std::shared_ptr<const PemFile> file,
                   place.ReadFile("certfile", identity.certfile, cache));
  files_.push_back(file);
  if (file->certificates().empty()) {
    return place.Refuse(
        "certfile", fmt::format("{} {}", identity.certfile, WhatInstead(file->content().view())),
        "give a PEM file with the node's certificate, its issuers after it", "bad_certificate");
  }
  int position = 0;
  for (const PemFile::Certificate& one : file->certificates()) {
    ++position;
    int error = one.error;
    if (error == 0) error = mbedtls_x509_crt_parse_der(&chain_, one.der.data(), one.der.size());
    if (error == 0) continue;
    const std::string kind = UnusableKind(one.der);
    return place.Refuse(
        "certfile",
        fmt::format("cannot use certificate {} of {}: {}", position, identity.certfile,
                    kind.empty() ? MbedtlsErrorText(error) : fmt::format("it has {}", kind)),
        CertificateMend(one.der), "bad_certificate");
  }
  return absl::OkStatus();
}

absl::Status OwnCertificate::LoadKey(const Identity& identity, const OptionPlace& place,
                                     PemCache& cache) {
  if (!identity.key.empty()) {
    return ParseKey(identity.key.view(), identity, place, "key", KeyOrigin(identity));
  }
  const char* option = identity.keyfile.empty() ? "certfile" : "keyfile";
  ASSIGN_OR_RETURN(std::shared_ptr<const PemFile> file,
                   place.ReadFile(option, KeyOrigin(identity), cache));
  if (files_.empty() || files_.front() != file) files_.push_back(file);
  if (file->is_open_to_others()) open_key_file_ = file->path();
  return ParseKey(file->content().view(), identity, place, option, file->path());
}

absl::Status OwnCertificate::ParseKey(std::string_view text, const Identity& identity,
                                      const OptionPlace& place, const char* option,
                                      const std::string& where) {
  const bool is_pem = IsPem(text);
  if (is_pem && text.find("PRIVATE KEY-----") == std::string_view::npos) {
    return place.Refuse(option, fmt::format("{} holds no private key", where),
                        fmt::format("name the PEM file of the key with {}", place.Name("keyfile")),
                        "bad_key");
  }
  const auto refuse_encrypted = [&] {
    return place.Refuse(option, fmt::format("the key in {} is encrypted", where),
                        fmt::format("give its password with {}", place.Name("password")),
                        "bad_password");
  };
  const bool is_encrypted = text.find("ENCRYPTED") != std::string_view::npos;
  Secret password = identity.password;
  if (is_encrypted || !is_pem) {
    ASSIGN_OR_RETURN(password, PasswordOf(identity, place));
  }
  if (is_encrypted && password.empty()) return refuse_encrypted();
  // The PEM reader wants a closing zero, counted.
  std::string whole(text);
  const int result = mbedtls_pk_parse_key(&key_, reinterpret_cast<const uint8_t*>(whole.c_str()),
                                          whole.size() + (is_pem ? 1 : 0),
                                          password.empty() ? nullptr : password.bytes().data(),
                                          password.bytes().size(), Random, nullptr);
  base::Wipe(whole.data(), whole.size());
  if (result == 0) return absl::OkStatus();
  if (const std::string kind = UnusableKeyKind(text, result); !kind.empty()) {
    return place.Refuse(option, fmt::format("{} holds {}", where, kind), kOtherKeys, "bad_key");
  }
  // A wrong password leaves anything: a bad padding, or a key that makes no sense.
  if (is_encrypted || result == MBEDTLS_ERR_PK_PASSWORD_MISMATCH) {
    return place.Refuse(
        "password", fmt::format("does not open the key in {}: {}", where, MbedtlsErrorText(result)),
        "correct the password; if it is right, encrypt the key anew with AES (openssl pkcs8 "
        "-topk8)",
        "bad_password");
  }
  if (result == MBEDTLS_ERR_PK_PASSWORD_REQUIRED) return refuse_encrypted();
  return place.Refuse(option,
                      fmt::format("cannot use the key in {}: {}", where, MbedtlsErrorText(result)),
                      "give an RSA or NIST curve key in PEM (PKCS#8, PKCS#1 or SEC 1)", "bad_key");
}

absl::Status OwnCertificate::CheckPair(const Identity& identity, const OptionPlace& place) const {
  if (mbedtls_pk_check_pair(&chain_.pk, &key_, Random, nullptr) == 0) return absl::OkStatus();
  std::string mend = "give the key that the certificate was made for";
  int position = 1;
  for (const mbedtls_x509_crt* other = chain_.next; other != nullptr; other = other->next) {
    ++position;
    if (mbedtls_pk_check_pair(&other->pk, &key_, Random, nullptr) != 0) continue;
    mend = fmt::format("the key fits certificate {} of the file, {}: put that one first", position,
                       NameText(other->subject));
  }
  return place.Refuse(
      identity.keyfile.empty() ? "certfile" : "keyfile",
      fmt::format("the private key in {} does not belong to the certificate in {} "
                  "({})",
                  KeyOrigin(identity), CertificateOrigin(identity), NameText(chain_.subject)),
      mend, "bad_key");
}

void OwnCertificate::CompleteChain(const mbedtls_x509_crt* anchors) {
  constexpr int kMost = 10;
  for (int added = 0; added < kMost; ++added) {
    const mbedtls_x509_crt* last = &chain_;
    while (last->next != nullptr) last = last->next;
    if (IsSelfIssued(*last)) return;
    const mbedtls_x509_crt* issuer = anchors;
    while (issuer != nullptr && (issuer->raw.p == nullptr || IsSelfIssued(*issuer) ||
                                 !IsSameName(issuer->subject_raw, last->issuer_raw))) {
      issuer = issuer->next;
    }
    if (issuer == nullptr) return;
    if (mbedtls_x509_crt_parse_der(&chain_, issuer->raw.p, issuer->raw.len) != 0) return;
  }
}

}  // namespace noded::tls
