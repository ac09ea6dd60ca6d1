// What the files and blobs of Identity and Trust hold, in mbedTLS's form: our certificates with
// their keys, and the trust anchors.
//
//   ASSIGN_OR_RETURN(auto credentials, Credentials::Load(options, Role::kServer, cache));
//
// Read-only once loaded, and then thread-safe. Errors as tls/own_certificate.h says.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "mbedtls/x509_crt.h"

#include "tls/options.h"
#include "tls/own_certificate.h"
#include "tls/pem_cache.h"

namespace noded::tls {

class Credentials {
 public:
  using Files = std::vector<std::shared_ptr<const PemFile>>;

  static absl::StatusOr<std::unique_ptr<Credentials>> Load(const Options& options, Role role,
                                                           PemCache& cache);
  ~Credentials();
  Credentials(const Credentials&) = delete;
  Credentials& operator=(const Credentials&) = delete;

  // Ours, the preferred first; perhaps none.
  const std::vector<std::unique_ptr<OwnCertificate>>& own() const { return own_; }
  // Null when there is none. mbedTLS takes it without const, and only reads it.
  mbedtls_x509_crt* anchors() const;

  // Every file that was read.
  const Files& files() const { return files_; }
  // Where the trust anchors came from, for messages: the file, or "the given certificates".
  const std::string& anchors_origin() const { return anchors_origin_; }
  // Entries of the CA file that are no use here (other key types, damaged): left out.
  int unreadable_anchors() const { return unreadable_anchors_; }

 private:
  Credentials();
  absl::Status LoadAnchors(const Trust& trust, Role role, PemCache& cache);

  std::vector<std::unique_ptr<OwnCertificate>> own_;
  Files files_;
  // The file's chain is shared by all that name it; one of our own only when there are blobs too.
  std::shared_ptr<const PemFile> anchors_file_;
  mutable mbedtls_x509_crt anchors_;
  std::string anchors_origin_;
  int unreadable_anchors_ = 0;
};

}  // namespace noded::tls
