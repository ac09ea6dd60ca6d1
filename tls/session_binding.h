// What a session is tied to: a digest of all that decides whether a peer is believed and of who we
// are. A session is gone on with only where the digest is the same, so one that was made without
// verification, under other trust anchors or with another certificate of ours is not.
//
//   SessionBinding binding = BindSessions(options, role, {.own = ders, .anchors = ders});
//
// In it: role, versions, suites, signature algorithms, ALPN, verify, fail_if_no_peer_cert, depth,
// crl_check, the name check, our certificates and the trust anchors. What cannot be compared
// (verify_fun, partial_chain, user_lookup_fun) makes the digest this context's own: such sessions
// do not outlive it. Thread-safe. Source: RFC 8446 section 4.6.1, RFC 6066 section 3; compare OTP's
// ssl_session.erl.
#pragma once

#include <vector>

#include "base/bytes.h"
#include "tls/options.h"
#include "tls/session_record.h"

namespace noded::tls {

struct SessionCertificates {
  std::vector<base::ByteView> own;  // DER
  std::vector<base::ByteView> anchors;
};

SessionBinding BindSessions(const Options& options, Role role,
                            const SessionCertificates& certificates);

// The same for one connection: with the name that the peer must have.
SessionBinding BindToName(const SessionBinding& binding, std::string_view expected_name);

}  // namespace noded::tls
