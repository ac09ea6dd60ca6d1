#include "tls/path_plan.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

#include "fmt/format.h"

#include "tls/path_check.h"

namespace noded::tls {
namespace {

using Kind = VerifyEvent::Kind;

PathStep FaultStep(size_t index, std::string reason, std::string detail, std::string mend) {
  PathStep step;
  step.index = index;
  step.event.kind = Kind::kBadCert;
  step.event.reason = std::move(reason);
  step.event.detail = std::move(detail);
  step.mend = std::move(mend);
  return step;
}

const char* PurposeOf(Role role) { return role == Role::kServer ? "clientAuth" : "serverAuth"; }

bool HasPurpose(X509* certificate, Role role) {
  const uint32_t wanted = role == Role::kServer ? XKU_SSL_CLIENT : XKU_SSL_SERVER;
  return (X509_get_extended_key_usage(certificate) & (wanted | XKU_ANYEKU)) != 0;
}

// A peer's own key signs the handshake (RFC 8446 4.4.2.2, RFC 5246 7.4.2), or decrypts.
bool HasTlsKeyUsage(X509* certificate, const PathPolicy& policy) {
  const uint32_t wanted =
      policy.is_key_for_encipherment ? KU_KEY_ENCIPHERMENT : KU_DIGITAL_SIGNATURE;
  return (X509_get_key_usage(certificate) & wanted) != 0;
}

bool HasKnownNames(const X509* certificate) {
  auto* names = static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  bool is_known = sk_GENERAL_NAME_num(names) > 0;
  for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
    const int type = sk_GENERAL_NAME_value(names, i)->type;
    is_known = is_known && (type == GEN_DNS || type == GEN_IPADD || type == GEN_URI ||
                            type == GEN_EMAIL || type == GEN_DIRNAME);
  }
  GENERAL_NAMES_free(names);
  return is_known;
}

// The path validation settles it by itself.
bool IsJudged(const X509* certificate, int nid, bool is_critical) {
  switch (nid) {
    case NID_basic_constraints:
    case NID_key_usage:
    case NID_ext_key_usage:
    case NID_name_constraints:
    case NID_certificate_policies:
    case NID_policy_mappings:
    case NID_policy_constraints:
    case NID_inhibit_any_policy:
      return true;
    case NID_subject_alt_name:
      return is_critical && HasKnownNames(certificate);
    default:
      return false;
  }
}

// TLS 1.3's names of signature schemes say the key's kind and the digest; the curve of an ECDSA key
// is of no matter in a certificate's own signature.
bool IsSignedBy(X509* certificate, const std::vector<std::string>& schemes) {
  int digest = NID_undef, key = NID_undef;
  if (X509_get_signature_info(certificate, &digest, &key, nullptr, nullptr) != 1) return false;
  std::string_view family, ending;
  if (key == NID_X9_62_id_ecPublicKey) family = "ecdsa_";
  if (key == NID_rsaEncryption) family = "rsa_pkcs1_";
  if (key == NID_rsassaPss) family = "rsa_pss_";
  if (digest == NID_sha256) ending = "_sha256";
  if (digest == NID_sha384) ending = "_sha384";
  if (digest == NID_sha512) ending = "_sha512";
  if (family.empty() || ending.empty()) return false;
  return std::any_of(schemes.begin(), schemes.end(), [&](const std::string& scheme) {
    return scheme.starts_with(family) && scheme.ends_with(ending);
  });
}

class Planner {
 public:
  Planner(const Path& shown, const PathPolicy& policy, std::time_t now)
      : shown_(shown), path_(BelievedPath(shown)), policy_(policy) {
    if (!path_.certificates.empty()) faults_ = FindFaults(path_, *policy.anchors, now);
  }

  std::vector<PathStep> Run() {
    if (shown_.anchor == nullptr) steps_.push_back(TrustFault());
    const size_t count = path_.certificates.size();
    // Of the anchor there are only faults.
    if (!path_.is_pinned()) TakeFaults(count);
    for (size_t i = count; i-- > 0;) PlanOne(i);
    return std::move(steps_);
  }

 private:
  std::string Which(size_t index) const { return WhichCertificate(shown_, index, policy_.role); }

  void Add(size_t index, std::string reason, std::string detail, std::string mend) {
    steps_.push_back(FaultStep(index, std::move(reason), std::move(detail), std::move(mend)));
  }

  // Moves the faults of a certificate that libcrypto found to the steps; all, or these alone.
  void TakeFaults(size_t index, std::string_view reason = "") {
    for (size_t i = 0; i < faults_.size();) {
      Fault& fault = faults_[i];
      if (fault.index != index || (!reason.empty() && fault.reason != reason)) {
        ++i;
        continue;
      }
      const bool is_known = std::any_of(steps_.begin(), steps_.end(), [&](const PathStep& step) {
        return step.index == index && step.event.is_bad() && step.event.reason == fault.reason;
      });
      if (!is_known) {
        Add(index, fault.reason, fmt::format("{} {}", Which(index), fault.what), fault.mend);
      }
      faults_.erase(faults_.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }

  void PlanOne(size_t index) {
    X509* certificate = path_.certificates[index];
    const bool is_peer = index == 0;
    PlanDepth(index);
    if ((X509_get_extension_flags(certificate) & EXFLAG_INVALID) != 0) {
      Add(index, "certificate_malformed", Which(index) + " has extensions that cannot be read",
          "issue a new one");
    }
    TakeFaults(index, "certificate_malformed");
    PlanExtensions(index);
    TakeFaults(index, "invalid_key_usage");
    TakeFaults(index, "missing_basic_constraint");
    if (!is_peer && X509_check_ca(certificate) != 1) {
      const bool is_known = std::any_of(steps_.begin(), steps_.end(), [&](const PathStep& step) {
        return step.index == index && step.event.reason == "missing_basic_constraint";
      });
      if (!is_known) {
        Add(index, "missing_basic_constraint",
            Which(index) + " issued a certificate without basic constraints that make it a CA",
            "sign with a CA certificate");
      }
    }
    for (const char* reason :
         {"max_path_length_reached", "cert_expired", "invalid_issuer", "name_not_permitted",
          "invalid_signature", "weak_signature", "weak_key"}) {
      TakeFaults(index, reason);
    }
    PlanSignature(index);
    TakeFaults(index);
    PlanVerdict(index);
  }

  void PlanDepth(size_t index) {
    const size_t intermediates = shown_.certificates.size() - 1;
    const size_t allowed = static_cast<size_t>(std::max(policy_.depth, 0));
    if (intermediates <= allowed || index != intermediates - allowed - 1) return;
    Add(index, "max_path_length_reached",
        fmt::format("the peer's chain has {} intermediate certificates, {} are allowed",
                    intermediates, policy_.depth),
        fmt::format("raise {}_depth, or use a shorter chain", RoleName(policy_.role)));
  }

  void PlanExtensions(size_t index) {
    X509* certificate = path_.certificates[index];
    for (int i = 0; i < X509_get_ext_count(certificate); ++i) {
      X509_EXTENSION* extension = X509_get_ext(certificate, i);
      ASN1_OBJECT* oid = X509_EXTENSION_get_object(extension);
      const int nid = OBJ_obj2nid(oid);
      const bool is_critical = X509_EXTENSION_get_critical(extension) == 1;
      if (nid == NID_key_usage) PlanKeyUsage(index);
      if (nid == NID_ext_key_usage) PlanPurpose(index);
      if (IsJudged(certificate, nid, is_critical)) continue;
      PathStep step;
      step.index = index;
      step.event.kind = Kind::kExtension;
      step.event.oid = OidText(*oid);
      step.event.is_critical = is_critical;
      const ASN1_OCTET_STRING* value = X509_EXTENSION_get_data(extension);
      step.event.value = base::Slice::Copy(base::ByteView(
          ASN1_STRING_get0_data(value), static_cast<size_t>(ASN1_STRING_length(value))));
      step.event.detail = fmt::format("{} has the {}extension {}, which is not known here",
                                      Which(index), is_critical ? "critical " : "", step.event.oid);
      step.mend = "issue it without, or judge it in a verify_fun";
      steps_.push_back(std::move(step));
    }
  }

  void PlanKeyUsage(size_t index) {
    TakeFaults(index, "invalid_key_usage");
    if (index != 0 || HasTlsKeyUsage(path_.certificates[index], policy_)) return;
    const char* wanted = policy_.is_key_for_encipherment ? "keyEncipherment" : "digitalSignature";
    Add(index, "invalid_key_usage",
        fmt::format("the key usage of {} lacks {}, which this handshake needs", Which(index),
                    wanted),
        fmt::format("issue it with the key usage {}", wanted));
  }

  void PlanPurpose(size_t index) {
    X509* certificate = path_.certificates[index];
    if (HasPurpose(certificate, policy_.role)) return;
    Add(index, "invalid_ext_key_usage",
        fmt::format("the extended key usage of {} lacks {}",
                    index == 0
                        ? fmt::format("the peer's certificate ({})", SubjectText(*certificate))
                        : Which(index),
                    PurposeOf(policy_.role)),
        "issue it for serverAuth and clientAuth: a node is both");
  }

  void PlanSignature(size_t index) {
    const std::vector<std::string>& schemes = policy_.signature_schemes;
    if (schemes.empty() || IsSignedBy(path_.certificates[index], schemes)) return;
    Add(index, "weak_signature",
        fmt::format("{0} is signed in a way that {1}_signature_algs_cert (without it "
                    "{1}_signature_algs) does not name",
                    Which(index), RoleName(policy_.role)),
        "issue it with one of those algorithms, or add its own to the option");
  }

  void PlanVerdict(size_t index) {
    X509* certificate = path_.certificates[index];
    if (index == 0 && !policy_.host.empty() && !MatchesHost(*certificate, policy_.host)) {
      Add(index, "hostname_check_failed",
          fmt::format("the server's certificate ({}) is for another host: it has {}, expected {}",
                      SubjectText(*certificate), HostsText(*certificate), policy_.host),
          fmt::format("issue it with the alternative name {}:{}, or set "
                      "client_server_name_indication to a name that it has",
                      IsLiteralAddress(policy_.host) ? "IP" : "DNS", policy_.host));
    } else {
      PathStep step;
      step.index = index;
      step.event.kind = index == 0 ? Kind::kValidPeer : Kind::kValid;
      steps_.push_back(std::move(step));
    }
    const bool is_due = policy_.crl_check == CrlCheck::kPeer    ? index == 0
                        : policy_.crl_check == CrlCheck::kFalse ? false
                                                                : true;
    // An anchor is not looked up.
    if (!is_due || path_.is_pinned()) return;
    PathStep step;
    step.index = index;
    step.is_revocation = true;
    steps_.push_back(std::move(step));
  }

  PathStep TrustFault() const;

  const Path& shown_;
  const Path path_;
  const PathPolicy& policy_;
  std::vector<Fault> faults_;
  std::vector<PathStep> steps_;
};

PathStep Planner::TrustFault() const {
  const size_t index = shown_.certificates.size() - 1;
  const X509& certificate = *shown_.certificates[index];
  const std::string subject = SubjectText(certificate);
  const std::string& origin = policy_.anchors->origin();
  const std::string option = fmt::format("{}_cacertfile", RoleName(policy_.role));
  if (index == 0 && IsSelfIssued(certificate)) {
    return FaultStep(index, "selfsigned_peer",
                     fmt::format("the peer's certificate ({}) is self-signed and not among the "
                                 "trust anchors in {}",
                                 subject, origin),
                     "give the peer a certificate of your CA");
  }
  for (const X509* anchor : policy_.anchors->all()) {
    if (!IsSameName(*X509_get_subject_name(anchor), *X509_get_issuer_name(&certificate))) continue;
    return FaultStep(
        index, "unknown_ca",
        fmt::format("certificate {} was not signed with the key of the trust anchor {} in {}, "
                    "though it names it as its issuer",
                    subject, SubjectText(*anchor), origin),
        fmt::format("the CA was made anew, or may not sign: issue the certificate again, or "
                    "update {}",
                    option));
  }
  return FaultStep(index, "unknown_ca",
                   fmt::format("no trust anchor in {} issued certificate {}; its issuer is {}",
                               origin, subject, NameText(*X509_get_issuer_name(&certificate))),
                   fmt::format("add that CA to {}, have the peer send its intermediate "
                               "certificates, or give the peer a certificate of your CA",
                               option));
}

}  // namespace

Path BelievedPath(const Path& path) {
  Path believed = path;
  if (path.anchor != nullptr) return believed;
  believed.anchor = believed.certificates.back();
  believed.certificates.pop_back();
  return believed;
}

std::string WhichCertificate(const Path& path, size_t index, Role role) {
  const X509* certificate =
      index < path.certificates.size() ? path.certificates[index] : path.anchor;
  const std::string subject = SubjectText(*certificate);
  if (index != 0) return fmt::format("the CA certificate {}", subject);
  return fmt::format("the {}'s certificate ({})", role == Role::kServer ? "client" : "server",
                     subject);
}

std::vector<PathStep> PlanPath(const Path& path, const PathPolicy& policy, std::time_t now) {
  ERR_set_mark();
  std::vector<PathStep> steps = Planner(path, policy, now).Run();
  ERR_pop_to_mark();
  return steps;
}

}  // namespace noded::tls
