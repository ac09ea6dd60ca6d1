// What a PEM or DER file says about certificates, for people: `nodectl certs show`.
//
//   ASSIGN_OR_RETURN(auto all, DescribeCertificates(base::AsBytes(text)));
//   all[0].info.subject;  all[0].signature;  all[0].key_match == KeyMatch::kMatches;
//
// Values; thread-safe. Errors: InvalidArgument when the bytes hold no certificate, or one that
// cannot be read. Source: RFC 5280.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "base/bytes.h"
#include "tls/certificate_info.h"

namespace noded::tls {

// How a private key among the same bytes fits a certificate.
enum class KeyMatch {
  kNoKey,    // there is none
  kMatches,  // it is this certificate's
  kDiffers,  // it is another's
  kUnknown,  // it is encrypted, or of a kind that cannot be read
};

struct CertificateDescription {
  CertificateInfo info;
  std::string signature;  // "ECDSA with SHA256"
  KeyMatch key_match = KeyMatch::kNoKey;
};

absl::StatusOr<std::vector<CertificateDescription>> DescribeCertificates(base::ByteView pem_or_der);

}  // namespace noded::tls
