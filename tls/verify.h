// Decides about the peer's certificate chain: trust anchors, validity, depth, purpose and host
// name, by OTP's rules. mbedTLS checks the signatures and reports each certificate; this judges.
//
//   ChainCheck check(context, "b.example");
//   mbedtls_ssl_set_verify(&ssl, ChainCheck::OnCertificate, &check);
//   ... a handshake step ...
//   if (check.outcome() == ChainCheck::Outcome::kRefused) Send(check.alert()), check.status();
//
// One per connection; loop-confined. The status is Unauthenticated, reason the alert's name: it
// says which certificate, what was found, what is expected and the mend. Source: OTP
// `public_key:pkix_path_validation/3`, `pkix_verify_hostname/2` and `ssl`, server option
// fail_if_no_peer_cert, common options depth and verify; RFC 6125 for wildcards.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "mbedtls/x509_crt.h"

#include "tls/alert.h"
#include "tls/context.h"

namespace noded::tls {

class ChainCheck {
 public:
  enum class Outcome { kPending, kTrusted, kRefused };

  // `expected_name`: what a server's certificate must carry; empty checks no name. `context`
  // outlives it.
  ChainCheck(const Context& context, std::string expected_name)
      : context_(context), expected_name_(std::move(expected_name)) {}
  ChainCheck(const ChainCheck&) = delete;
  ChainCheck& operator=(const ChainCheck&) = delete;

  // In the shape of mbedTLS's f_vrfy; `self` is the ChainCheck. Called from the top of the chain
  // down to the peer's own certificate.
  static int OnCertificate(void* self, mbedtls_x509_crt* certificate, int depth, uint32_t* flags);

  // For the next certificate, in a renegotiation.
  void Reset();

  Outcome outcome() const { return outcome_; }
  Alert alert() const { return alert_; }
  const absl::Status& status() const { return status_; }

 private:
  struct Seen {
    const mbedtls_x509_crt* certificate;
    int depth;
    uint32_t flags;
  };

  void Judge();
  bool JudgeOne(const Seen& seen);
  bool JudgeTrust(const Seen& seen);
  bool JudgeDepth();
  bool JudgePurpose(const mbedtls_x509_crt& peer);
  bool JudgeName(const mbedtls_x509_crt& peer);
  // Always false, to be returned.
  bool Refuse(Alert alert, std::string_view what, std::string_view mend);

  const Context& context_;
  const std::string expected_name_;
  std::vector<Seen> chain_;  // the top first; valid during mbedTLS's verification
  Outcome outcome_ = Outcome::kPending;
  Alert alert_ = Alert::kCertificateUnknown;
  absl::Status status_;
};

// True when the certificate is for this host: dNSName entries (a wildcard may be the whole of the
// left-most label), for a literal address iPAddress entries too, and the common names when there is
// no alternative name at all.
bool MatchesHost(const mbedtls_x509_crt& certificate, std::string_view host);

// True for a literal IPv4 or IPv6 address, without brackets.
bool IsLiteralAddress(std::string_view host);

}  // namespace noded::tls
