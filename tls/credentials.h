// What the files and blobs of Identity and Trust hold, in mbedTLS's form: our chain and key, and
// the trust anchors.
//
//   ASSIGN_OR_RETURN(auto credentials, Credentials::Load(options, Role::kServer));
//
// Read-only once loaded, and then thread-safe. The key is wiped with it. Errors: InvalidArgument,
// which name the option, the file, what was found and the mend; the reason is an errno atom for
// files that cannot be read, else bad_certificate, bad_key or bad_password.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "mbedtls/pk.h"
#include "mbedtls/x509_crt.h"

#include "tls/options.h"

namespace noded::tls {

class Credentials {
 public:
  static absl::StatusOr<std::unique_ptr<Credentials>> Load(const Options& options, Role role);
  ~Credentials();
  Credentials(const Credentials&) = delete;
  Credentials& operator=(const Credentials&) = delete;

  bool has_certificate() const { return chain_.raw.p != nullptr; }
  bool has_anchors() const { return anchors_.raw.p != nullptr; }
  // mbedTLS takes these without const, and only reads them.
  mbedtls_x509_crt& chain() const { return chain_; }
  mbedtls_pk_context& key() const { return key_; }
  mbedtls_x509_crt& anchors() const { return anchors_; }

  // Where the trust anchors came from, for messages: the file, or "the given certificates".
  const std::string& anchors_origin() const { return anchors_origin_; }
  // Entries of the CA file that are no use here (other key types, damaged): left out.
  int unreadable_anchors() const { return unreadable_anchors_; }
  // A key file that any user of the machine may read.
  bool is_key_open_to_others() const { return is_key_open_to_others_; }

 private:
  Credentials();
  absl::Status LoadChain(const Identity& identity, Role role);
  absl::Status LoadKey(const Identity& identity, Role role);
  absl::Status LoadAnchors(const Trust& trust, Role role);
  absl::Status CheckPair(const Identity& identity, Role role) const;
  void CompleteChain();

  mutable mbedtls_x509_crt chain_;
  mutable mbedtls_pk_context key_;
  mutable mbedtls_x509_crt anchors_;
  std::string anchors_origin_;
  int unreadable_anchors_ = 0;
  bool is_key_open_to_others_ = false;
};

}  // namespace noded::tls
