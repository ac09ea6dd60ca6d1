// One certificate of ours: its chain as it is sent, and its key, in mbedTLS's form.
//
//   ASSIGN_OR_RETURN(auto own, OwnCertificate::Load(identity, {Role::kServer, ""}, cache));
//
// Read-only once loaded, and then thread-safe; the key is wiped with it. Errors: InvalidArgument,
// which name the option, the file, what was found and the mend; the reason is an errno atom for
// files that cannot be read, else bad_certificate, bad_key or bad_password.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "mbedtls/pk.h"
#include "mbedtls/x509_crt.h"

#include "tls/options.h"
#include "tls/pem_cache.h"

namespace noded::tls {

// Which options a message is about: "server_certfile", or "server_certs_keys 2, certfile".
struct OptionPlace {
  Role role;
  std::string within;  // "certs_keys 2", or empty

  std::string Name(std::string_view option) const;
  // "option NAME: what"
  absl::Status Refuse(std::string_view option, std::string_view what, std::string_view mend,
                      std::string_view reason) const;
  // A file through the cache; errors name the option.
  absl::StatusOr<std::shared_ptr<const PemFile>> ReadFile(std::string_view option,
                                                          const std::string& path,
                                                          PemCache& cache) const;
};

class OwnCertificate {
 public:
  static absl::StatusOr<std::unique_ptr<OwnCertificate>> Load(const Identity& identity,
                                                              const OptionPlace& place,
                                                              PemCache& cache);
  ~OwnCertificate();
  OwnCertificate(const OwnCertificate&) = delete;
  OwnCertificate& operator=(const OwnCertificate&) = delete;

  // mbedTLS takes these without const, and only reads them.
  mbedtls_x509_crt& chain() const { return chain_; }
  mbedtls_pk_context& key() const { return key_; }
  // What it was read from.
  const std::vector<std::shared_ptr<const PemFile>>& files() const { return files_; }
  // The file of the key when any user of the machine may read it; else empty.
  const std::string& open_key_file() const { return open_key_file_; }

  // OTP sends the issuers that it finds among its trust anchors, so that a certfile may hold the
  // node's certificate alone; we do the same, but leave out the root, which the peer must have.
  void CompleteChain(const mbedtls_x509_crt* anchors);

 private:
  OwnCertificate();
  absl::Status LoadChain(const Identity& identity, const OptionPlace& place, PemCache& cache);
  absl::Status LoadKey(const Identity& identity, const OptionPlace& place, PemCache& cache);
  absl::Status ParseKey(std::string_view text, const Identity& identity, const OptionPlace& place,
                        const char* option, const std::string& where);
  absl::Status CheckPair(const Identity& identity, const OptionPlace& place) const;

  mutable mbedtls_x509_crt chain_;
  mutable mbedtls_pk_context key_;
  std::vector<std::shared_ptr<const PemFile>> files_;
  std::string open_key_file_;
};

// What a file without a certificate is, as far as a glance tells.
std::string WhatInstead(std::string_view text);

// What to do about a certificate that cannot be used.
std::string CertificateMend(base::ByteView der);

}  // namespace noded::tls
