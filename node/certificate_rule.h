// A rule of -dist_allow: which nodes a certificate may be.
//
//   ASSIGN_OR_RETURN(CertificateRule rule,
//                    ParseCertificateRule("uri:spiffe://example.net/shop/*", "shop*@*"));
//   if (rule.Fits("shop1@a.example.net", facts)) ...
//
// A rule names a field of the certificate and a pattern for it, and a pattern for the node's name:
//   dns:PATTERN      a dNSName among the subject's alternative names, compared without case
//   uri:PATTERN      a uniformResourceIdentifier among them, as SPIFFE has its ids
//   subject:PATTERN  the subject as "C=SE, O=Shop, CN=a.example"
// In patterns * stands for any text, and in that of the certificate {node}, {name} and {host} for
// the node's name, its part before the @ and the one behind. All of a text must fit. A wildcard of
// the certificate itself ("*.example.net") is taken as it is written.
//
// Plain values: any thread. Errors: InvalidArgument, which says what is expected.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

#include "base/peer_identity.h"

namespace noded::node {

struct CertificateRule {
  enum class Field { kDns, kUri, kSubject };

  Field field = Field::kDns;
  std::string certificate;  // pattern
  std::string nodes;        // pattern

  // Whether the peer whose certificate is in `facts` may have this name by this rule. False for a
  // certificate that was not verified: it proves nothing.
  bool Fits(std::string_view node, const base::TlsFacts& facts) const;
};

absl::StatusOr<CertificateRule> ParseCertificateRule(std::string_view certificate,
                                                     std::string_view nodes);

}  // namespace noded::node
