#include "tls/path_check.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <memory>

#include "fmt/format.h"

namespace noded::tls {
namespace {

// 112 bits: RSA from 2048, EC from 224, and no signature over SHA-1 or MD5.
constexpr int kSecurityLevel = 2;

using StoreContextPtr = std::unique_ptr<X509_STORE_CTX, FreeWith<X509_STORE_CTX_free>>;

void FreeStack(STACK_OF(X509) * stack) { sk_X509_free(stack); }
void FreeCrlStack(STACK_OF(X509_CRL) * stack) { sk_X509_CRL_free(stack); }
using X509StackPtr = std::unique_ptr<STACK_OF(X509), FreeWith<FreeStack>>;
using CrlStackPtr = std::unique_ptr<STACK_OF(X509_CRL), FreeWith<FreeCrlStack>>;

struct Found {
  int error;
  int depth;
  const X509_CRL* crl;  // to be compared alone
};

bool IsAboutCrls(int error);

// One run of X509_verify_cert; the context's app data.
struct Run {
  std::span<X509* const> certificates;  // the one to verify first
  X509* anchor;
  std::vector<Found> found;
  CrlFindings revoked;  // kRevoked when an entry was met
};

void NoteRevocation(Run& run, X509_STORE_CTX* context) {
  X509_REVOKED* entry = nullptr;
  X509_CRL* crl = X509_STORE_CTX_get0_current_crl(context);
  X509* certificate = X509_STORE_CTX_get_current_cert(context);
  // A list that has run out, or that nobody vouches for, says nothing, not even who was revoked. A
  // good one says it whatever becomes of the others.
  // libcrypto forgets which list it is at once it has told that its time is over.
  const bool is_faulty = std::any_of(run.found.begin(), run.found.end(), [crl](const Found& one) {
    return (crl == nullptr || one.crl == crl) && IsAboutCrls(one.error);
  });
  if (is_faulty) return;
  run.revoked.kind = CrlFindings::Kind::kRevoked;
  if (crl == nullptr || X509_CRL_get0_by_cert(crl, &entry, certificate) == 0) return;
  run.revoked.code = "unspecified";
  auto* reason = static_cast<ASN1_ENUMERATED*>(
      X509_REVOKED_get_ext_d2i(entry, NID_crl_reason, nullptr, nullptr));
  if (reason != nullptr) {
    constexpr const char* kCodes[] = {"unspecified",        "keyCompromise", "cACompromise",
                                      "affiliationChanged", "superseded",    "cessationOfOperation",
                                      "certificateHold",    "unspecified",   "removeFromCRL",
                                      "privilegeWithdrawn", "aACompromise"};
    const long code = ASN1_ENUMERATED_get(reason);
    if (code >= 0 && code < static_cast<long>(std::size(kCodes))) run.revoked.code = kCodes[code];
    ASN1_ENUMERATED_free(reason);
  }
  run.revoked.what = fmt::format("on {}", TimeText(*X509_REVOKED_get0_revocationDate(entry)));
}

// Takes note of every fault of the path and goes on; within the verification of a CRL's own issuer
// a fault ends it.
int OnResult(int is_good, X509_STORE_CTX* context) {
  auto* run = static_cast<Run*>(X509_STORE_CTX_get_app_data(context));
  if (run == nullptr) return is_good;
  if (is_good == 1) return 1;
  const int error = X509_STORE_CTX_get_error(context);
  run->found.push_back(
      {error, X509_STORE_CTX_get_error_depth(context), X509_STORE_CTX_get0_current_crl(context)});
  if (error == X509_V_ERR_CERT_REVOKED) NoteRevocation(*run, context);
  return 1;
}

int IsIssuedBy(X509_STORE_CTX* context, X509* certificate, X509* issuer) {
  const auto* run = static_cast<const Run*>(X509_STORE_CTX_get_app_data(context));
  // Above a CRL's issuer any path will do; above the anchor there is none.
  if (run == nullptr || certificate == run->anchor) {
    return X509_check_issued(issuer, certificate) == X509_V_OK ? 1 : 0;
  }
  for (size_t i = 0; i < run->certificates.size(); ++i) {
    if (run->certificates[i] != certificate) continue;
    const X509* next = i + 1 < run->certificates.size() ? run->certificates[i + 1] : run->anchor;
    return next == issuer ? 1 : 0;
  }
  return 0;
}

// False when the verification itself could not be done.
bool Verify(Run& run, std::span<X509* const> others, const TrustAnchors& anchors,
            STACK_OF(X509_CRL) * crls, std::time_t now) {
  StoreContextPtr context(X509_STORE_CTX_new());
  X509StackPtr untrusted(sk_X509_new_null()), trusted(sk_X509_new_null());
  if (context == nullptr || untrusted == nullptr || trusted == nullptr) return false;
  for (X509* one : run.certificates.subspan(1)) sk_X509_push(untrusted.get(), one);
  for (X509* one : others) sk_X509_push(untrusted.get(), one);
  sk_X509_push(trusted.get(), run.anchor);
  if (X509_STORE_CTX_init(context.get(), anchors.store(), run.certificates.front(),
                          untrusted.get()) != 1) {
    return false;
  }
  X509_STORE_CTX_set0_trusted_stack(context.get(), trusted.get());
  X509_STORE_CTX_set_app_data(context.get(), &run);
  X509_STORE_CTX_set_verify_cb(context.get(), OnResult);
  X509_VERIFY_PARAM* parameters = X509_STORE_CTX_get0_param(context.get());
  unsigned long flags = X509_V_FLAG_PARTIAL_CHAIN;
  if (crls != nullptr) {
    X509_STORE_CTX_set0_crls(context.get(), crls);
    flags |= X509_V_FLAG_CRL_CHECK | X509_V_FLAG_EXTENDED_CRL_SUPPORT;
  } else {
    flags |= X509_V_FLAG_POLICY_CHECK;
  }
  X509_VERIFY_PARAM_set_flags(parameters, flags);
  X509_VERIFY_PARAM_set_depth(parameters, static_cast<int>(kMaxPathLength) + 1);
  X509_VERIFY_PARAM_set_auth_level(parameters, kSecurityLevel);
  X509_VERIFY_PARAM_set_time(parameters, now);
  if (X509_verify_cert(context.get()) != 1) return false;
  // What was judged must be what was to be judged.
  const STACK_OF(X509)* chain = X509_STORE_CTX_get0_chain(context.get());
  const bool is_pinned = run.certificates.front() == run.anchor;
  const size_t expected = run.certificates.size() + (is_pinned ? 0 : 1);
  return chain != nullptr && static_cast<size_t>(sk_X509_num(chain)) == expected;
}

struct Meaning {
  int error;
  const char* reason;
  const char* what;
  const char* mend;
};

constexpr char kNewCertificate[] = "issue a new one";

constexpr Meaning kMeanings[] = {
    {X509_V_ERR_ERROR_IN_CERT_NOT_BEFORE_FIELD, "cert_expired", "begins at an unreadable time",
     kNewCertificate},
    {X509_V_ERR_ERROR_IN_CERT_NOT_AFTER_FIELD, "cert_expired", "ends at an unreadable time",
     kNewCertificate},
    {X509_V_ERR_CERT_SIGNATURE_FAILURE, "invalid_signature",
     "bears a signature that its issuer's key did not make",
     "issue it again: the CA was made anew, or the certificate was changed"},
    {X509_V_ERR_UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY, "invalid_signature",
     "has an issuer whose key cannot be read", "use a CA with an RSA or NIST curve key"},
    {X509_V_ERR_SUBJECT_ISSUER_MISMATCH, "invalid_issuer", "names another issuer than its CA",
     kNewCertificate},
    {X509_V_ERR_AKID_SKID_MISMATCH, "invalid_issuer", "names another key of its issuer",
     kNewCertificate},
    {X509_V_ERR_AKID_ISSUER_SERIAL_MISMATCH, "invalid_issuer",
     "names another certificate of its issuer", kNewCertificate},
    {X509_V_ERR_INVALID_CA, "missing_basic_constraint",
     "issued a certificate but is no CA (no basic constraints that say so)",
     "sign with a CA certificate"},
    {X509_V_ERR_KEYUSAGE_NO_CERTSIGN, "invalid_key_usage",
     "issued a certificate, which its key usage does not allow",
     "give the CA certificate the key usage keyCertSign"},
    {X509_V_ERR_PATH_LENGTH_EXCEEDED, "max_path_length_reached",
     "allows fewer CAs below it than the chain has (path length)", "use a shorter chain"},
    {X509_V_ERR_PERMITTED_VIOLATION, "name_not_permitted",
     "has a name that a CA above it may not give (permitted names)",
     "issue it with a name within the CA's name constraints"},
    {X509_V_ERR_EXCLUDED_VIOLATION, "name_not_permitted",
     "has a name that a CA above it may not give (excluded names)",
     "issue it with a name within the CA's name constraints"},
    {X509_V_ERR_SUBTREE_MINMAX, "name_not_permitted",
     "stands below name constraints with minimum or maximum, which nobody uses",
     "issue the CA without them"},
    {X509_V_ERR_UNSUPPORTED_CONSTRAINT_TYPE, "name_not_permitted",
     "stands below name constraints of a kind that is not supported", "issue the CA without them"},
    {X509_V_ERR_UNSUPPORTED_CONSTRAINT_SYNTAX, "name_not_permitted",
     "stands below name constraints that cannot be read", "issue the CA anew"},
    {X509_V_ERR_UNSUPPORTED_NAME_SYNTAX, "name_not_permitted",
     "has a name that cannot be compared with the name constraints of its CA", kNewCertificate},
    {X509_V_ERR_EE_KEY_TOO_SMALL, "weak_key", "has too weak a key",
     "use RSA with 2048 bits or more, or secp256r1, secp384r1 or secp521r1"},
    {X509_V_ERR_CA_KEY_TOO_SMALL, "weak_key", "has too weak a key",
     "use RSA with 2048 bits or more, or secp256r1, secp384r1 or secp521r1"},
    {X509_V_ERR_CA_MD_TOO_WEAK, "weak_signature",
     "is signed over a digest that is too weak (SHA-1 or MD5)", "issue it anew with SHA-256"},
    {X509_V_ERR_INVALID_POLICY_EXTENSION, "policy_requirement_not_met",
     "has certificate policies that cannot be read", kNewCertificate},
    {X509_V_ERR_NO_EXPLICIT_POLICY, "policy_requirement_not_met",
     "stands below a CA that demands a certificate policy which the chain does not have",
     "issue it with that policy"},
};

Fault Explain(const Found& found, const Path& path) {
  Fault fault;
  fault.index = std::min(static_cast<size_t>(std::max(found.depth, 0)), path.certificates.size());
  const X509* certificate =
      fault.index < path.certificates.size() ? path.certificates[fault.index] : path.anchor;
  if (found.error == X509_V_ERR_CERT_HAS_EXPIRED) {
    return {fault.index, "cert_expired",
            fmt::format("expired on {}", TimeText(*X509_get0_notAfter(certificate))),
            "renew it, and check the clock of this machine"};
  }
  if (found.error == X509_V_ERR_CERT_NOT_YET_VALID) {
    return {fault.index, "cert_expired",
            fmt::format("is valid only from {} on", TimeText(*X509_get0_notBefore(certificate))),
            "check the clocks of both machines"};
  }
  for (const Meaning& meaning : kMeanings) {
    if (meaning.error != found.error) continue;
    return {fault.index, meaning.reason, meaning.what, meaning.mend};
  }
  return {fault.index, "certificate_malformed",
          fmt::format("is not acceptable ({})", X509_verify_cert_error_string(found.error)),
          kNewCertificate};
}

// The others were judged by FindFaults, or are CERT_REVOKED.
bool IsAboutCrls(int error) {
  switch (error) {
    case X509_V_ERR_CRL_HAS_EXPIRED:
    case X509_V_ERR_CRL_NOT_YET_VALID:
    case X509_V_ERR_UNABLE_TO_GET_CRL:
    case X509_V_ERR_UNABLE_TO_DECRYPT_CRL_SIGNATURE:
    case X509_V_ERR_CRL_SIGNATURE_FAILURE:
    case X509_V_ERR_ERROR_IN_CRL_LAST_UPDATE_FIELD:
    case X509_V_ERR_ERROR_IN_CRL_NEXT_UPDATE_FIELD:
    case X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER:
    case X509_V_ERR_KEYUSAGE_NO_CRL_SIGN:
    case X509_V_ERR_UNHANDLED_CRITICAL_CRL_EXTENSION:
    case X509_V_ERR_DIFFERENT_CRL_SCOPE:
    case X509_V_ERR_CRL_PATH_VALIDATION_ERROR:
    case X509_V_ERR_INVALID_EXTENSION:
    case X509_V_ERR_UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY:
      return true;
    default:
      return false;
  }
}

}  // namespace

void PinPathsOf(X509_STORE* store) { X509_STORE_set_check_issued(store, IsIssuedBy); }

std::vector<Fault> FindFaults(const Path& path, const TrustAnchors& anchors, std::time_t now) {
  Run run{path.certificates, path.anchor, {}, {}};
  ERR_set_mark();
  const bool is_done = Verify(run, {}, anchors, nullptr, now);
  ERR_pop_to_mark();
  std::vector<Fault> faults;
  for (const Found& found : run.found) {
    // tls/path.cc asks the user about each of these.
    if (found.error == X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION) continue;
    faults.push_back(Explain(found, path));
  }
  if (!is_done) {
    faults.push_back({0, "certificate_malformed", "stands in a chain that cannot be judged",
                      "issue the chain anew"});
  }
  return faults;
}

CrlFindings CheckAgainstCrls(const Path& path, size_t index, std::span<X509* const> others,
                             const TrustAnchors& anchors, std::span<const X509CrlPtr> crls,
                             std::time_t now) {
  Run run{std::span(path.certificates).subspan(index), path.anchor, {}, {}};
  CrlStackPtr stack(sk_X509_CRL_new_null());
  CrlFindings findings;
  for (const X509CrlPtr& crl : crls) {
    if (stack == nullptr || sk_X509_CRL_push(stack.get(), crl.get()) == 0) stack = nullptr;
  }
  if (stack == nullptr) {
    findings.what = "there is not memory enough to look at them";
    return findings;
  }
  ERR_set_mark();
  const bool is_done = Verify(run, others, anchors, stack.get(), now);
  ERR_pop_to_mark();
  if (!is_done) {
    findings.what = "the chain cannot be judged against CRLs";
    return findings;
  }
  int fault = X509_V_OK;
  for (const Found& found : run.found) {
    if (fault == X509_V_OK && IsAboutCrls(found.error)) fault = found.error;
  }
  if (run.revoked.kind == CrlFindings::Kind::kRevoked) return run.revoked;
  if (fault == X509_V_OK) {
    findings.kind = CrlFindings::Kind::kGood;
    return findings;
  }
  findings.what = X509_verify_cert_error_string(fault);
  return findings;
}

}  // namespace noded::tls
