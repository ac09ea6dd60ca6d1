// Whom we believe: trust anchors, names, the user's own judgement, revocation. Part of
// tls/options.h.
//
//   options.trust.cacertfile = "/etc/noded/ca.pem";
//   options.trust.verify = Verify::kPeer;
//   options.revocation = {.check = CrlCheck::kBestEffort, .cache = cache};
//
// Plain values. Source: OTP ssl(3), common_option verify, verify_fun, depth, partial_chain,
// crl_check, crl_cache; client_option server_name_indication.
#pragma once

#include <any>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "tls/crl_cache.h"
#include "tls/verify_fun.h"

namespace noded::tls {

enum class Verify { kNone, kPeer };

// What OTP calls `server_name_indication`, at a client.
enum class NameCheck {
  kPeerHost,  // send and check the host that we connect to
  kGiven,     // send and check Trust::server_name instead
  kDisabled,  // send none, check none
};

// Whom we believe.
struct Trust {
  // PEM file of trust anchors.
  std::string cacertfile;
  // Trust anchors besides, each DER or PEM.
  std::vector<base::Slice> cacerts;
  // Unset: what OTP 26 and later do, as far as it can work. A client verifies when it has trust
  // anchors, a server does not verify. See Warnings() in tls/context.h.
  std::optional<Verify> verify;
  // Server with kPeer: refuse a client that sends no certificate (else it is let in unnamed, while
  // a certificate that does not verify is refused anyway).
  bool fail_if_no_peer_cert = false;
  // The most intermediate certificates between the peer's certificate and a trust anchor. 10 is
  // OTP's today; before OTP 24 it was 1.
  int depth = 10;
  // Client: the name that goes into SNI and that the server's certificate must carry. A literal IP
  // address is checked against IP entries too, and is never sent as SNI (RFC 6066).
  NameCheck name_check = NameCheck::kPeerHost;
  std::string server_name;
  // The user's own say about each certificate; `verify_state` goes into the first call.
  VerifyFun verify_fun;
  std::any verify_state;
  PartialChainFun partial_chain;
};

// Which certificates are looked up in revocation lists, and where those come from.
struct Revocation {
  CrlCheck check = CrlCheck::kFalse;
  // Null: an empty one, so that kTrue and kPeer refuse everybody.
  std::shared_ptr<CrlCache> cache;
};

}  // namespace noded::tls
