#include "tls/credentials.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "fmt/format.h"

#include "base/status.h"
#include "tls/crypto.h"
#include "tls/x509.h"

namespace noded::tls {
namespace {

// More than the certificate bundle of any system.
constexpr size_t kMaxFileBytes = 16 * 1024 * 1024;

absl::Status Refuse(Role role, std::string_view option, std::string_view what,
                    std::string_view mend, std::string_view reason) {
  return base::Error(absl::StatusCode::kInvalidArgument,
                     fmt::format("option {}_{}: {}", RoleName(role), option, what), mend, reason);
}

struct File {
  Secret content;  // perhaps a key
  mode_t mode = 0;
};

absl::StatusOr<File> ReadFile(Role role, std::string_view option, const std::string& path) {
  auto refuse = [&](int error) {
    return Refuse(role, option, fmt::format("cannot read {}: {}", path, base::ErrnoText(error)),
                  "give the path of a PEM file that this user may read", base::ErrnoAtom(error));
  };
  int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) return refuse(errno);
  struct stat facts = {};
  int error = fstat(descriptor, &facts) != 0 ? errno : S_ISDIR(facts.st_mode) ? EISDIR : 0;
  std::vector<char> bytes;
  if (error == 0 && static_cast<uint64_t>(facts.st_size) > kMaxFileBytes) error = EFBIG;
  // A pipe or a file that grows has no size to trust.
  bytes.reserve(static_cast<size_t>(facts.st_size) + 1);
  char block[16 * 1024];
  while (error == 0) {
    ssize_t got = read(descriptor, block, sizeof(block));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) error = errno;
    if (got <= 0) break;
    bytes.insert(bytes.end(), block, block + got);
    if (bytes.size() > kMaxFileBytes) error = EFBIG;
  }
  close(descriptor);
  base::Wipe(block, sizeof(block));
  File file{Secret({bytes.data(), bytes.size()}), facts.st_mode};
  base::Wipe(bytes.data(), bytes.size());
  if (error != 0) return refuse(error);
  return file;
}

bool IsPem(std::string_view text) { return text.find("-----BEGIN ") != std::string_view::npos; }

// Appends to `chain`. The PEM reader wants a closing zero, counted.
int Parse(mbedtls_x509_crt& chain, std::string_view content) {
  std::string text(content);
  int result = mbedtls_x509_crt_parse(&chain, reinterpret_cast<const uint8_t*>(text.c_str()),
                                      text.size() + (IsPem(content) ? 1 : 0));
  base::Wipe(text.data(), text.size());
  return result;
}

// What a file without a certificate is, as far as a glance tells.
std::string WhatInstead(std::string_view text) {
  if (text.empty()) return "is empty";
  for (std::string_view kind : {"CERTIFICATE REQUEST", "PRIVATE KEY", "PUBLIC KEY", "X509 CRL"}) {
    if (text.find(kind) != std::string_view::npos) {
      return fmt::format("holds a {} but no CERTIFICATE", kind);
    }
  }
  return "holds no PEM block 'BEGIN CERTIFICATE'";
}

bool HasCertificate(std::string_view text) {
  return text.find("-----BEGIN CERTIFICATE-----") != std::string_view::npos ||
         (!IsPem(text) && text.starts_with('\x30'));
}

}  // namespace

Credentials::Credentials() {
  mbedtls_x509_crt_init(&chain_);
  mbedtls_pk_init(&key_);
  mbedtls_x509_crt_init(&anchors_);
}

Credentials::~Credentials() {
  mbedtls_x509_crt_free(&chain_);
  mbedtls_pk_free(&key_);
  mbedtls_x509_crt_free(&anchors_);
}

absl::StatusOr<std::unique_ptr<Credentials>> Credentials::Load(const Options& options, Role role) {
  RETURN_IF_ERROR(StartCrypto());
  std::unique_ptr<Credentials> credentials(new Credentials());
  RETURN_IF_ERROR(credentials->LoadAnchors(options.trust, role));
  const Identity& identity = options.identity;
  if (!identity.certfile.empty() || !identity.certs.empty()) {
    RETURN_IF_ERROR(credentials->LoadChain(identity, role));
    RETURN_IF_ERROR(credentials->LoadKey(identity, role));
    RETURN_IF_ERROR(credentials->CheckPair(identity, role));
    credentials->CompleteChain();
  }
  return credentials;
}

absl::Status Credentials::LoadChain(const Identity& identity, Role role) {
  if (!identity.certs.empty()) {
    for (const base::Slice& cert : identity.certs) {
      if (int result = Parse(chain_, cert.text()); result != 0) {
        return Refuse(role, "cert", fmt::format("cannot be read: {}", MbedtlsErrorText(result)),
                      "give certificates in DER or PEM with RSA or NIST curve keys",
                      "bad_certificate");
      }
    }
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const File file, ReadFile(role, "certfile", identity.certfile));
  const std::string_view text = file.content.view();
  if (!HasCertificate(text)) {
    return Refuse(role, "certfile", fmt::format("{} {}", identity.certfile, WhatInstead(text)),
                  "give a PEM file with the node's certificate, its issuers after it",
                  "bad_certificate");
  }
  if (int result = Parse(chain_, text); result != 0) {
    const std::string why = result > 0 ? fmt::format("{} of its certificates", result)
                                       : fmt::format("{}", MbedtlsErrorText(result));
    return Refuse(role, "certfile", fmt::format("cannot use {}: {}", identity.certfile, why),
                  "check that each is complete and has an RSA or NIST curve key (ed25519 and DSA "
                  "are not supported)",
                  "bad_certificate");
  }
  return absl::OkStatus();
}

absl::Status Credentials::LoadKey(const Identity& identity, Role role) {
  const bool is_given = !identity.key.empty();
  const char* option = is_given ? "key" : identity.keyfile.empty() ? "certfile" : "keyfile";
  const std::string& path = identity.keyfile.empty() ? identity.certfile : identity.keyfile;
  const std::string where = is_given ? "the given key" : path;
  Secret content = identity.key;
  if (!is_given) {
    ASSIGN_OR_RETURN(File file, ReadFile(role, option, path));
    content = std::move(file.content);
    is_key_open_to_others_ = S_ISREG(file.mode) && (file.mode & S_IROTH) != 0;
  }
  const std::string_view text = content.view();
  const bool is_pem = IsPem(text);
  if (is_pem && text.find("PRIVATE KEY-----") == std::string_view::npos) {
    return Refuse(role, option, fmt::format("{} holds no private key", where),
                  fmt::format("name the PEM file of the key with {}_keyfile", RoleName(role)),
                  "bad_key");
  }
  const bool is_encrypted = text.find("ENCRYPTED") != std::string_view::npos;
  if (is_encrypted && identity.password.empty()) {
    return Refuse(role, option, fmt::format("the key in {} is encrypted", where),
                  fmt::format("give its password with {}_password", RoleName(role)),
                  "bad_password");
  }
  // The PEM reader wants a closing zero, counted; view() is of a std::string.
  const base::ByteView password = identity.password.bytes();
  int result = mbedtls_pk_parse_key(
      &key_, reinterpret_cast<const uint8_t*>(text.data()), text.size() + (is_pem ? 1 : 0),
      password.empty() ? nullptr : password.data(), password.size(), Random, nullptr);
  if (result == 0) return absl::OkStatus();
  // A wrong password leaves anything: a bad padding, or a key that makes no sense.
  if (is_encrypted || result == MBEDTLS_ERR_PK_PASSWORD_MISMATCH) {
    return Refuse(role, "password",
                  fmt::format("does not open the key in {}: {}", where, MbedtlsErrorText(result)),
                  "correct the password; if it is right, encrypt the key anew with AES (openssl "
                  "pkcs8 -topk8)",
                  "bad_password");
  }
  if (result == MBEDTLS_ERR_PK_PASSWORD_REQUIRED) {
    return Refuse(role, option, fmt::format("the key in {} is encrypted", where),
                  fmt::format("give its password with {}_password", RoleName(role)),
                  "bad_password");
  }
  return Refuse(role, option,
                fmt::format("cannot use the key in {}: {}", where, MbedtlsErrorText(result)),
                "give an RSA or NIST curve key in PEM (PKCS#8, PKCS#1 or SEC 1)", "bad_key");
}

absl::Status Credentials::CheckPair(const Identity& identity, Role role) const {
  if (mbedtls_pk_check_pair(&chain_.pk, &key_, Random, nullptr) == 0) return absl::OkStatus();
  const std::string cert =
      identity.certs.empty() ? identity.certfile : std::string("the given certificate");
  const std::string key = !identity.key.empty()      ? std::string("the given key")
                          : identity.keyfile.empty() ? identity.certfile
                                                     : identity.keyfile;
  std::string mend = "give the key that the certificate was made for";
  int position = 1;
  for (const mbedtls_x509_crt* other = chain_.next; other != nullptr; other = other->next) {
    ++position;
    if (mbedtls_pk_check_pair(&other->pk, &key_, Random, nullptr) != 0) continue;
    mend = fmt::format("the key fits certificate {} of the file, {}: put that one first", position,
                       NameText(other->subject));
  }
  return Refuse(role, identity.keyfile.empty() ? "certfile" : "keyfile",
                fmt::format("the private key in {} does not belong to the certificate in {} ({})",
                            key, cert, NameText(chain_.subject)),
                mend, "bad_key");
}

absl::Status Credentials::LoadAnchors(const Trust& trust, Role role) {
  if (!trust.cacertfile.empty()) {
    ASSIGN_OR_RETURN(const File file, ReadFile(role, "cacertfile", trust.cacertfile));
    const std::string_view text = file.content.view();
    if (!HasCertificate(text)) {
      return Refuse(role, "cacertfile", fmt::format("{} {}", trust.cacertfile, WhatInstead(text)),
                    "give a PEM file with the certificates of the CAs to trust", "bad_certificate");
    }
    int result = Parse(anchors_, text);
    if (result < 0 || anchors_.raw.p == nullptr) {
      return Refuse(role, "cacertfile",
                    fmt::format("no certificate of {} can be used: {}", trust.cacertfile,
                                result < 0 ? MbedtlsErrorText(result) : "unknown kinds of keys"),
                    "give certificates with RSA or NIST curve keys", "bad_certificate");
    }
    unreadable_anchors_ = result;
    anchors_origin_ = trust.cacertfile;
  }
  for (const base::Slice& cert : trust.cacerts) {
    if (int result = Parse(anchors_, cert.text()); result != 0) {
      return Refuse(role, "cacerts", fmt::format("cannot be read: {}", MbedtlsErrorText(result)),
                    "give certificates in DER or PEM with RSA or NIST curve keys",
                    "bad_certificate");
    }
    if (anchors_origin_.empty()) anchors_origin_ = "the given certificates";
  }
  return absl::OkStatus();
}

// OTP sends the issuers that it finds among its trust anchors, so that a certfile may hold the
// node's certificate alone; we do the same, but leave out the root, which the peer must have.
void Credentials::CompleteChain() {
  constexpr int kMost = 10;
  for (int added = 0; added < kMost; ++added) {
    const mbedtls_x509_crt* last = &chain_;
    while (last->next != nullptr) last = last->next;
    if (IsSelfIssued(*last)) return;
    const mbedtls_x509_crt* issuer = &anchors_;
    while (issuer != nullptr && (issuer->raw.p == nullptr || IsSelfIssued(*issuer) ||
                                 !IsSameName(issuer->subject_raw, last->issuer_raw))) {
      issuer = issuer->next;
    }
    if (issuer == nullptr) return;
    if (mbedtls_x509_crt_parse_der(&chain_, issuer->raw.p, issuer->raw.len) != 0) return;
  }
}

}  // namespace noded::tls
