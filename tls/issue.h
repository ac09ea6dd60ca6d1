// A development certificate authority: makes its certificate and those of the nodes.
//
//   const Validity year = ValidFor(std::chrono::days(365), now);
//   ASSIGN_OR_RETURN(auto authority, IssueAuthority({.common_name = "Shop CA", .validity = year}));
//   CertificateRequest request{.common_name = "a@127.0.0.1", .validity = year};
//   AddHost(request, "127.0.0.1");
//   ASSIGN_OR_RETURN(auto node, IssueNode(authority, request));
//   node.cert_pem;  node.key_pem.view();                    // the latter into a file of mode 0600
//
// X.509 version 3, ECDSA P-256 and SHA-256 unless asked otherwise, random serial numbers of 127
// bits, key identifiers of subject and authority. Nodes may be server and client. Thread-safe.
// Errors: InvalidArgument for a name, an address or a time that a certificate cannot hold, and for
// an authority that cannot sign. Source: RFC 5280; for names, OTP's check (AddHost).
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "base/secret.h"

namespace noded::tls {

using CertificateTime = std::chrono::sys_seconds;

struct Validity {
  CertificateTime not_before;
  CertificateTime not_after;
};

// From an hour before `now`, for machines whose clocks differ.
Validity ValidFor(std::chrono::days days, CertificateTime now);

enum class KeyType { kEcP256, kEcP384, kRsa2048 };

struct CertificateRequest {
  // At most 64 bytes, which X.509 allows and OTP insists on.
  std::string common_name;
  Validity validity;
  KeyType key_type = KeyType::kEcP256;
  // Subject alternative names; of an authority there are none.
  std::vector<std::string> dns_names;
  std::vector<std::string> ip_addresses;
  std::vector<std::string> uris;  // a SPIFFE id, for one
  // Of an authority: how many authorities may stand between it and a node; unset is any number.
  std::optional<int> max_intermediates;
};

struct IssuedCertificate {
  std::string cert_pem;
  base::Secret key_pem;  // SEC 1 or PKCS#1, not encrypted
};

// Adds what a peer that connects to a node at `host` checks. For an IP address that is both an IP
// entry and a DNS entry with the same text: OTP up to 25 compares with DNS entries only.
void AddHost(CertificateRequest& request, const std::string& host);

// Signed by itself.
absl::StatusOr<IssuedCertificate> IssueAuthority(const CertificateRequest& request);
// An authority below `authority`.
absl::StatusOr<IssuedCertificate> IssueIntermediate(const IssuedCertificate& authority,
                                                    const CertificateRequest& request);
absl::StatusOr<IssuedCertificate> IssueNode(const IssuedCertificate& authority,
                                            const CertificateRequest& request);

// Whether the first certificate of `cert_pem` is signed by an authority of `authority_pem`, perhaps
// through intermediates that follow it; times do not matter. Unauthenticated if not.
absl::Status CheckIssuedBy(const std::string& authority_pem, const std::string& cert_pem);

}  // namespace noded::tls
