#include "tls/path.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "fmt/format.h"

#include "base/status.h"
#include "tls/revocation.h"

namespace noded::tls {
namespace {

using Kind = VerifyEvent::Kind;

// More than any honest peer sends; the rest is not looked at.
constexpr size_t kMaxSent = 64;

struct Entry {
  std::string_view reason;
  Alert alert;
};

constexpr Entry kAlerts[] = {
    {"cert_expired", Alert::kCertificateExpired},
    {"invalid_issuer", Alert::kBadCertificate},
    {"invalid_signature", Alert::kBadCertificate},
    {"name_not_permitted", Alert::kBadCertificate},
    {"selfsigned_peer", Alert::kBadCertificate},
    {"revocation_status_undetermined", Alert::kBadCertificate},
    {"max_path_length_reached", Alert::kBadCertificate},
    {"weak_signature", Alert::kBadCertificate},
    {"certificate_malformed", Alert::kBadCertificate},
    {"unknown_ca", Alert::kUnknownCa},
    {"revoked", Alert::kCertificateRevoked},
    {"unknown_critical_extension", Alert::kUnsupportedCertificate},
    {"invalid_ext_key_usage", Alert::kUnsupportedCertificate},
    {"weak_key", Alert::kUnsupportedCertificate},
};

}  // namespace

Alert AlertForReason(std::string_view reason) {
  for (const Entry& entry : kAlerts) {
    if (entry.reason == reason) return entry.alert;
  }
  return Alert::kHandshakeFailure;
}

PathValidator::Outcome PathValidator::Judge(const std::vector<base::Slice>& chain) {
  now_ = policy_.now.value_or(std::time(nullptr));
  if (!Parse(chain)) return outcome_;
  ChoosePath(FindPaths(sent_, *policy_.anchors, AskPartialChain(chain)));
  return Run();
}

PathValidator::Outcome PathValidator::Resume() {
  if (outcome_ != Outcome::kNeedsCrls) return outcome_;
  wanted_.clear();
  has_fetched_ = true;
  outcome_ = Outcome::kPending;
  return Run();
}

bool PathValidator::Parse(const std::vector<base::Slice>& chain) {
  for (const base::Slice& der : chain) {
    if (sent_.size() == kMaxSent) break;
    X509Ptr certificate = ParseX509(der);
    if (certificate != nullptr) sent_.push_back(std::move(certificate));
    // Others may be of no use to us; the peer's own must be good.
    if (sent_.empty()) break;
  }
  if (!sent_.empty()) return true;
  return Refuse("certificate_malformed", "the peer's certificate cannot be read",
                "issue a new one");
}

X509* PathValidator::AskPartialChain(const std::vector<base::Slice>& chain) const {
  if (policy_.partial_chain == nullptr) return nullptr;
  base::Slice chosen;
  try {
    chosen = policy_.partial_chain(chain);
  } catch (...) {
    return nullptr;  // as OTP: then nothing is believed
  }
  X509Ptr certificate = ParseX509(chosen);
  if (certificate == nullptr) return nullptr;
  // Only one of those that were sent.
  for (const X509Ptr& sent : sent_) {
    if (X509_cmp(sent.get(), certificate.get()) == 0) return sent.get();
  }
  return nullptr;
}

void PathValidator::ChoosePath(const std::vector<Path>& candidates) {
  bool is_first = true;
  for (const Path& candidate : candidates) {
    std::vector<PathStep> steps = PlanPath(candidate, policy_, now_);
    const bool is_good = std::none_of(steps.begin(), steps.end(),
                                      [](const PathStep& step) { return step.is_fault(); });
    if (!is_good && !is_first) continue;
    path_ = candidate;
    steps_ = std::move(steps);
    if (is_good) return;
    is_first = false;
  }
}

PathValidator::Outcome PathValidator::Run() {
  while (position_ < steps_.size()) {
    if (!Settle(steps_[position_])) return outcome_;
    ++position_;
    has_fetched_ = false;
  }
  outcome_ = Outcome::kTrusted;
  return outcome_;
}

bool PathValidator::Settle(const PathStep& step) {
  if (step.is_revocation) return SettleRevocation(step);
  if (step.event.is_bad()) return SettleFault(step);
  const VerifyAnswer answer = Ask(step);
  if (answer.kind == VerifyAnswer::Kind::kFail) {
    return Refuse(answer.reason,
                  fmt::format("verify_fun refused {}: {}",
                              WhichCertificate(path_, step.index, policy_.role), answer.reason),
                  "see what it checks");
  }
  if (answer.kind != VerifyAnswer::Kind::kUnknown) return true;
  if (step.event.kind == Kind::kExtension) {
    if (!step.event.is_critical) return true;
    return Refuse("unknown_critical_extension", step.event.detail, step.mend);
  }
  return Refuse("verify_fun",
                fmt::format("verify_fun cannot say whether {} is valid",
                            WhichCertificate(path_, step.index, policy_.role)),
                "answer Valid or Fail");
}

bool PathValidator::SettleFault(const PathStep& step) {
  const VerifyAnswer answer = Ask(step);
  if (answer.kind == VerifyAnswer::Kind::kValid || answer.kind == VerifyAnswer::Kind::kValidPeer) {
    is_faultless_ = false;
    return true;
  }
  // "Unknown" is no leave to pass.
  const bool is_own = answer.kind == VerifyAnswer::Kind::kFail && !answer.reason.empty() &&
                      answer.reason != step.event.reason;
  if (!is_own) return Refuse(step.event.reason, step.event.detail, step.mend);
  return Refuse(answer.reason,
                fmt::format("verify_fun says {}: {}", answer.reason, step.event.detail), step.mend);
}

bool PathValidator::SettleRevocation(const PathStep& step) {
  // What is refused anyway is not worth a fetch.
  const auto rest = steps_.begin() + static_cast<std::ptrdiff_t>(position_);
  const bool is_lost =
      policy_.verify_fun == nullptr &&
      std::any_of(rest, steps_.end(), [](const PathStep& s) { return s.is_fault(); });
  if (is_lost) return true;
  const Path path = BelievedPath(path_);
  std::vector<X509*> others;
  for (const X509Ptr& sent : sent_) {
    const bool is_in_path = std::any_of(path.certificates.begin(), path.certificates.end(),
                                        [&](const X509* one) { return one == sent.get(); });
    if (!is_in_path && sent.get() != path.anchor) others.push_back(sent.get());
  }
  for (X509* anchor : policy_.anchors->all()) {
    if (anchor != path.anchor) others.push_back(anchor);
  }
  RevocationAnswer answer = CheckRevocation(
      {path, step.index, others, *policy_.anchors, policy_.crl_cache.get(), now_}, !has_fetched_);
  if (!answer.wanted.empty()) {
    wanted_ = std::move(answer.wanted);
    outcome_ = Outcome::kNeedsCrls;
    return false;
  }
  const CrlFindings& findings = answer.findings;
  if (findings.kind == CrlFindings::Kind::kGood) return true;
  const bool is_revoked = findings.kind == CrlFindings::Kind::kRevoked;
  if (!is_revoked && policy_.crl_check == CrlCheck::kBestEffort) return true;
  const std::string which = WhichCertificate(path_, step.index, policy_.role);
  PathStep fault = step;
  fault.event.kind = Kind::kBadCert;
  if (is_revoked) {
    fault.event.reason = "revoked";
    fault.event.detail = fmt::format("{}: {} was revoked {}", findings.code, which, findings.what);
    fault.mend = "issue a new one";
  } else {
    fault.event.reason = "revocation_status_undetermined";
    fault.event.detail =
        fmt::format("no CRL tells whether {} was revoked: {}", which, findings.what);
    fault.mend = "have its CRL in the crl_cache, or set crl_check to best_effort";
  }
  return SettleFault(fault);
}

VerifyAnswer PathValidator::Ask(const PathStep& step) {
  if (policy_.verify_fun == nullptr) {
    if (step.event.is_bad()) return VerifyAnswer::Fail(step.event.reason);
    if (step.event.kind == Kind::kExtension) return VerifyAnswer::Unknown({});
    return VerifyAnswer::Valid({});
  }
  const X509* certificate =
      step.index < path_.certificates.size() ? path_.certificates[step.index] : path_.anchor;
  VerifyAnswer answer;
  try {
    answer = policy_.verify_fun(Describe(*certificate), step.event,
                                std::exchange(policy_.verify_state, {}));
  } catch (const std::exception& error) {
    return VerifyAnswer::Fail(fmt::format("verify_fun threw {}", error.what()));
  } catch (...) {
    return VerifyAnswer::Fail("verify_fun threw what is no std::exception");
  }
  policy_.verify_state = std::move(answer.state);
  return answer;
}

bool PathValidator::Refuse(std::string_view reason, std::string_view what, std::string_view mend) {
  outcome_ = Outcome::kRefused;
  reason_ = std::string(reason);
  alert_ = AlertForReason(reason);
  status_ = base::Error(absl::StatusCode::kUnauthenticated, what, mend, AlertName(alert_));
  return false;
}

}  // namespace noded::tls
