// Judges a peer's certificate chain by OTP's rules: signatures, times, names, constraints, purpose,
// host and revocation, with a say for the user's verify_fun. Knows no TLS engine and no network.
//
//   PathValidator judge({.role = Role::kClient, .anchors = anchors, .host = "b.example"});
//   auto outcome = judge.Judge(chain);                         // DER, the peer's own first
//   while (outcome == PathValidator::Outcome::kNeedsCrls) {
//     for (const std::string& uri : judge.wanted()) cache->Fetch(uri);    // off the loop
//     outcome = judge.Resume();
//   }
//   if (outcome == PathValidator::Outcome::kRefused) Send(judge.alert()), judge.status();
//
// One per chain; loop-confined; does not wait. verify_fun is asked about each thing once, also when
// CRLs had to be fetched in between. The status is Unauthenticated, its reason the alert's name: it
// says which certificate, what was found, what is expected and the mend. docs/verification.md has
// the order of the checks. Source: OTP `public_key:pkix_path_validation/3`, `ssl_handshake`; RFC
// 5280 section 6.
#pragma once

#include <ctime>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

#include "base/bytes.h"
#include "tls/alert.h"
#include "tls/path_build.h"
#include "tls/path_plan.h"
#include "tls/path_policy.h"
#include "tls/verify_fun.h"

namespace noded::tls {

// The alert that OTP sends for a fault of this name.
Alert AlertForReason(std::string_view reason);

class PathValidator {
 public:
  enum class Outcome { kPending, kTrusted, kRefused, kNeedsCrls };

  explicit PathValidator(PathPolicy policy) : policy_(std::move(policy)) {}
  PathValidator(const PathValidator&) = delete;
  PathValidator& operator=(const PathValidator&) = delete;

  // Once.
  Outcome Judge(const std::vector<base::Slice>& chain);
  // After kNeedsCrls, when they have been fetched, as far as they can be.
  Outcome Resume();

  Outcome outcome() const { return outcome_; }
  // Of kTrusted: nothing was wrong that verify_fun let pass.
  bool is_faultless() const { return is_faultless_; }
  // Of kRefused.
  Alert alert() const { return alert_; }
  const absl::Status& status() const { return status_; }
  const std::string& reason() const { return reason_; }  // "cert_expired", or verify_fun's own
  // Of kNeedsCrls: URIs.
  const std::vector<std::string>& wanted() const { return wanted_; }

 private:
  bool Parse(const std::vector<base::Slice>& chain);
  X509* AskPartialChain(const std::vector<base::Slice>& chain) const;
  void ChoosePath(const std::vector<Path>& candidates);
  Outcome Run();
  // False: refused, or CRLs are wanted.
  bool Settle(const PathStep& step);
  bool SettleRevocation(const PathStep& step);
  bool SettleFault(const PathStep& step);
  VerifyAnswer Ask(const PathStep& step);
  // Always false, to be returned.
  bool Refuse(std::string_view reason, std::string_view what, std::string_view mend);

  PathPolicy policy_;
  std::time_t now_ = 0;
  std::vector<X509Ptr> sent_;
  Path path_;
  std::vector<PathStep> steps_;
  size_t position_ = 0;
  bool has_fetched_ = false;  // for the step at position_
  Outcome outcome_ = Outcome::kPending;
  bool is_faultless_ = true;
  Alert alert_ = Alert::kCertificateUnknown;
  absl::Status status_;
  std::string reason_;
  std::vector<std::string> wanted_;
};

}  // namespace noded::tls
