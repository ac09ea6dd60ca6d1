// How each option that is taken becomes a field of tls::Options, in files by concern. Private to
// tls_option_table.cc, which lists them.
//
//   RETURN_IF_ERROR(ApplyVerify(call, value));
//
// Errors as tls_option_values.h says. Source: OTP, ssl(3).
#pragma once

#include "absl/status/status.h"

#include "dist/carrier/tls_option_table.h"

namespace noded::dist {

using TlsOptionFunction = absl::Status(const TlsOptionCall& call, const Term& value);

// tls_option_identity.cc: who we are, and how that is kept.
TlsOptionFunction ApplyCertfile, ApplyKeyfile, ApplyPassword, ApplyCert, ApplyKey, ApplyCertsKeys;
TlsOptionFunction ApplyPskIdentity, ApplyUserLookupFun;

// tls_option_trust.cc: whom we believe.
TlsOptionFunction ApplyCacertfile, ApplyCacerts, ApplyVerify, ApplyFailIfNoPeerCert, ApplyDepth;
TlsOptionFunction ApplyServerNameIndication, ApplyVerifyFun;

// tls_option_protocol.cc: what is spoken.
TlsOptionFunction ApplyVersions, ApplyCiphers, ApplyHonorCipherOrder, ApplyGroups;
TlsOptionFunction ApplySignatureAlgorithms, ApplyCertificateSignatureAlgorithms;
TlsOptionFunction ApplyDhfile, ApplyDh, ApplyAlpn;
TlsOptionFunction ApplySecureRenegotiate, ApplyClientRenegotiation;
TlsOptionFunction ApplySniHosts, ApplySniFun;

// tls_option_sessions.cc: going on with earlier sessions.
TlsOptionFunction ApplyReuseSessions, ApplyReuseSession, ApplySessionTickets;

// tls_option_revocation.cc
TlsOptionFunction ApplyCrlCheck, ApplyCrlCache, ApplyPartialChain;

// tls_option_traffic.cc: what goes on while a connection is open.
TlsOptionFunction ApplyKeyUpdateAt, ApplyRenegotiateAt, ApplyMaxFragmentLength;
TlsOptionFunction ApplyHibernateAfter, ApplyKeylog, ApplyLogAlert;

}  // namespace noded::dist
