// Which other nodes may be connected with this one, besides that they must know the cookie.
//
//   Admission admission(rules, plain_peers);                     // -dist_allow, -dist_plain_peers
//   admission.Allow({"shop@a.example", "b.example"});            // net_kernel:allow/1
//   RETURN_IF_ERROR(admission.CheckTarget(node));                // before an attempt of ours
//   RETURN_IF_ERROR(admission.CheckPeer(node, stream.peer()));   // before names and cookies
//
// Three lists, and a node must be on each that is not empty:
// - The allow-list of net_kernel: names of nodes, or hosts. It is added to and never gets shorter.
//   We connect to nodes that it names, as OTP does. A peer that has a certificate must also have
//   one made for the host of its name, or for the address it comes from. (OTP then lets in any node
//   of that address; we do not.)
// - The rules of -dist_allow, of which one must fit (node/certificate_rule.h).
// - Without TLS: the patterns of -dist_plain_peers, of which one must fit its name.
// Thread-safe. Errors: PermissionDenied (not_allowed), which names the node, what it showed, and
// the mend. Source: OTP net_kernel.erl (setup_check), dist_util.erl (is_allowed),
// inet_tls_dist.erl (allowed_nodes).
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"

#include "base/peer_identity.h"
#include "dist/atom_name.h"
#include "node/certificate_rule.h"
#include "node/name_pattern.h"

namespace noded::node {

class Admission {
 public:
  explicit Admission(std::vector<CertificateRule> rules,
                     const std::vector<std::string>& plain_peers = {})
      : rules_(std::move(rules)), plain_peers_(plain_peers.begin(), plain_peers.end()) {}
  Admission(const Admission&) = delete;
  Admission& operator=(const Admission&) = delete;

  // Connections that there are stay.
  void Allow(const std::vector<dist::AtomName>& nodes);
  std::vector<dist::AtomName> Allowed() const;

  absl::Status CheckTarget(const dist::AtomName& node) const;
  absl::Status CheckPeer(const dist::AtomName& node, const base::PeerIdentity& peer) const;
  // Whether the two lists that mind would have it without TLS.
  bool MayBePlain(const dist::AtomName& node) const;

 private:
  bool IsPlainPeer(const dist::AtomName& node) const;
  absl::Status CheckRules(const dist::AtomName& node, const base::PeerIdentity& peer) const;

  const std::vector<CertificateRule> rules_;
  const std::vector<NamePattern> plain_peers_;
  mutable std::mutex mutex_;
  std::vector<dist::AtomName> allowed_;  // sorted
};

}  // namespace noded::node
