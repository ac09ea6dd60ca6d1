// libcrypto's judgement of one path: what is wrong with which certificate, and whether one was
// revoked. Part of tls/path.h, which orders what is found here, asks the user and decides.
//
//   for (const Fault& fault : FindFaults(path, anchors, now)) ...
//   CrlFindings findings = CheckAgainstCrls(path, 0, others, anchors, crls, now);
//
// Pure functions. Nothing is left out because something else is wrong: all faults are given, in no
// special order. Source: RFC 5280 sections 6.1 and 6.3.3; X509_verify_cert(3).
#pragma once

#include <openssl/x509_vfy.h>

#include <ctime>
#include <span>
#include <string>
#include <vector>

#include "tls/path_build.h"
#include "tls/trust_anchors.h"

namespace noded::tls {

// Makes verifications with this store take the path that they are given, and no other.
void PinPathsOf(X509_STORE* store);

struct Fault {
  size_t index = 0;    // in Path::certificates; its size means the anchor
  std::string reason;  // as in VerifyEvent
  std::string what;    // for people, without the certificate's name: "expired on ..."
  std::string mend;
};

// Signatures, names, times, constraints, key sizes, digests, policies. `path` has an anchor; the
// extensions that libcrypto does not know are not looked at.
std::vector<Fault> FindFaults(const Path& path, const TrustAnchors& anchors, std::time_t now);

struct CrlFindings {
  enum class Kind { kGood, kRevoked, kUndetermined };
  Kind kind = Kind::kUndetermined;
  std::string code;  // kRevoked: the reason code, "keyCompromise"; "unspecified" without one
  std::string what;  // for people: "on 2026-01-31 ..." or why nothing can be told
};

// Of the certificate at `index`. `others`: where issuers of indirect CRLs may be, besides the path.
// Delta CRLs are ignored.
CrlFindings CheckAgainstCrls(const Path& path, size_t index, std::span<X509* const> others,
                             const TrustAnchors& anchors, std::span<const X509CrlPtr> crls,
                             std::time_t now);

}  // namespace noded::tls
