// What a user's own function is asked about a peer's certificates, and what it may answer: the
// option `verify_fun` of OTP's `ssl`.
//
//   VerifyFun pin = [](const CertificateInfo& cert, const VerifyEvent& event, std::any state) {
//     if (event.kind == VerifyEvent::Kind::kBadCert && event.reason == "cert_expired")
//       return VerifyAnswer::Valid(std::move(state));            // let it pass
//     if (event.kind == VerifyEvent::Kind::kExtension)
//       return VerifyAnswer::Unknown(std::move(state));          // a critical one then fails
//     return event.is_bad() ? VerifyAnswer::Fail(event.reason) : VerifyAnswer::Valid(state);
//   };
//
// Called on the connection's loop during the handshake, from the certificate below the trust anchor
// down to the peer's own: for each certificate its faults, then the extensions that the path
// validation does not know, then kValid or, for the peer's own, kValidPeer. The state goes from
// call to call and ends with the handshake. It must not block. Without a function: every fault
// fails, an unknown extension is left unknown. Source: OTP ssl(3), common_option verify_fun; RFC
// 5280 section 6.
#pragma once

#include <any>
#include <functional>
#include <string>
#include <utility>

#include "base/bytes.h"
#include "tls/certificate_info.h"

namespace noded::tls {

struct VerifyEvent {
  enum class Kind { kBadCert, kExtension, kValid, kValidPeer };

  Kind kind = Kind::kValid;
  // kBadCert, Erlang's spelling: unknown_ca, selfsigned_peer, cert_expired, invalid_issuer,
  // invalid_signature, name_not_permitted, missing_basic_constraint, invalid_key_usage,
  // invalid_ext_key_usage, hostname_check_failed, max_path_length_reached, revoked,
  // revocation_status_undetermined, weak_signature, weak_key, certificate_malformed.
  std::string reason;
  // What was found and expected, for people; with "revoked" it begins with the CRL's reason
  // ("keyCompromise").
  std::string detail;
  // kExtension.
  std::string oid;  // "1.2.3.4"
  bool is_critical = false;
  base::Slice value;  // DER

  bool is_bad() const { return kind == Kind::kBadCert; }
};

struct VerifyAnswer {
  enum class Kind { kValid, kValidPeer, kFail, kUnknown };

  Kind kind = Kind::kValid;
  std::string reason;  // kFail
  std::any state;

  static VerifyAnswer Valid(std::any state) { return {Kind::kValid, "", std::move(state)}; }
  static VerifyAnswer ValidPeer(std::any state) { return {Kind::kValidPeer, "", std::move(state)}; }
  static VerifyAnswer Fail(std::string reason) { return {Kind::kFail, std::move(reason), {}}; }
  static VerifyAnswer Unknown(std::any state) { return {Kind::kUnknown, "", std::move(state)}; }
};

using VerifyFun = std::function<VerifyAnswer(const CertificateInfo& certificate,
                                             const VerifyEvent& event, std::any state)>;

// The option `partial_chain`: given the peer's chain as sent, DER, its own certificate first; gives
// the DER of the one that is to be believed as if it were a trust anchor, or an empty slice for
// unknown_ca.
using PartialChainFun = std::function<base::Slice(const std::vector<base::Slice>& chain)>;

}  // namespace noded::tls
