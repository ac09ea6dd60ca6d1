// What is to be settled about the certificates of a path, one thing after the other, in OTP's
// order: from the trust anchor down to the peer's own certificate, for each its extensions in their
// order, its times, its issuer, its names, its signature; then that it is valid; then its
// revocation. Part of tls/path.h.
//
//   for (const PathStep& step : PlanPath(path, policy, now)) ...
//
// A pure function. Source: OTP `public_key`, pkix_path_validation/3 and `pubkey_cert`.
#pragma once

#include <cstddef>
#include <ctime>
#include <string>
#include <vector>

#include "tls/path_build.h"
#include "tls/path_policy.h"
#include "tls/verify_fun.h"

namespace noded::tls {

struct PathStep {
  size_t index = 0;   // in Path::certificates; its size means the anchor
  VerifyEvent event;  // detail: a whole sentence
  std::string mend;
  bool is_revocation = false;  // then without an event: it is known when it is looked up

  // Cannot pass without somebody saying so.
  bool is_fault() const {
    return event.is_bad() || (event.kind == VerifyEvent::Kind::kExtension && event.is_critical);
  }
};

std::vector<PathStep> PlanPath(const Path& path, const PathPolicy& policy, std::time_t now);

// A path without an anchor that is let pass: its last certificate is then believed in. Others as
// they are.
Path BelievedPath(const Path& path);

// "the server's certificate (CN=b.example)", "the CA certificate CN=Shop CA".
std::string WhichCertificate(const Path& path, size_t index, Role role);

}  // namespace noded::tls
