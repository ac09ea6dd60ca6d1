// What a certificate says, as plain text and safe to log.
//
//   ASSIGN_OR_RETURN(auto chain, ReadCertificates(base::AsBytes(pem)));   // or DER
//   chain.front().subject;                                                // "CN=a@host.example"
//
// Values; thread-safe. Errors: InvalidArgument when there is no certificate, or one that cannot be
// read. Source: RFC 5280.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "base/bytes.h"

namespace noded::tls {

struct CertificateInfo {
  std::string subject;  // "C=SE, O=Shop, CN=a.example"
  std::string issuer;
  std::string serial;              // lower-case hex
  std::string not_before;          // "2026-01-31 23:59:59 UTC"
  std::string not_after;           // the same
  std::string key;                 // "EC 256 bits", "RSA 2048 bits"
  std::string fingerprint_sha256;  // of the DER form; lower-case hex
  bool is_ca = false;
  // Subject alternative names.
  std::vector<std::string> dns_names;
  std::vector<std::string> ip_addresses;  // numeric
  std::vector<std::string> uris;
  base::Slice der;
};

// All certificates of a PEM text, or the one of a DER form, in order.
absl::StatusOr<std::vector<CertificateInfo>> ReadCertificates(base::ByteView pem_or_der);

}  // namespace noded::tls
