// By what rules a peer's chain is judged. Part of tls/path.h.
//
// Plain values; the anchors are never null.
#pragma once

#include <any>
#include <ctime>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tls/crl_cache.h"
#include "tls/options.h"
#include "tls/trust_anchors.h"
#include "tls/verify_fun.h"

namespace noded::tls {

struct PathPolicy {
  Role role = Role::kClient;  // ours: a client judges a server
  std::shared_ptr<const TrustAnchors> anchors;
  int depth = 10;    // the most certificates between the peer's own and an anchor
  std::string host;  // what the peer's certificate must be for; empty: anything
  // TLS 1.2 with an RSA key exchange: the peer's key decrypts and need not sign.
  bool is_key_for_encipherment = false;
  VerifyFun verify_fun;
  std::any verify_state;
  PartialChainFun partial_chain;
  CrlCheck crl_check = CrlCheck::kFalse;
  std::shared_ptr<CrlCache> crl_cache;
  // The option `signature_algs_cert`, IANA names; empty: any that is not weak.
  std::vector<std::string> signature_schemes;
  std::optional<std::time_t> now;  // unset: the wall clock
};

}  // namespace noded::tls
