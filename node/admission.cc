#include "node/admission.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "fmt/format.h"
#include "fmt/ranges.h"

#include "base/status.h"
#include "dist/carrier/tls_peer_check.h"

namespace noded::node {
namespace {

using dist::AtomName;

std::string_view HostOf(std::string_view node) {
  const size_t at = node.find('@');
  return at == std::string_view::npos ? node : node.substr(at + 1);
}

// A name in full, "name@" for that name anywhere, or a host; as dist_util:is_allowed/2 has it.
bool IsNamedBy(std::string_view entry, std::string_view node) {
  if (entry == node) return true;
  if (entry.ends_with('@')) return node.starts_with(entry);
  return entry.find('@') == std::string_view::npos && HostOf(node) == entry;
}

std::string CertificateText(const base::PeerIdentity& peer) {
  if (!peer.tls) return "no certificate, for the link is not encrypted";
  if (peer.tls->peer_certificate_der.empty()) return "no certificate";
  std::string text = fmt::format("the certificate '{}'", peer.tls->peer_subject);
  if (!peer.tls->is_peer_verified) text += ", which nobody verified";
  const auto add = [&text](std::string_view kind, const std::vector<std::string>& names) {
    if (!names.empty()) text += fmt::format(", {} {}", kind, fmt::join(names, " "));
  };
  add("dns", peer.tls->peer_dns_names);
  add("ip", peer.tls->peer_ip_addresses);
  add("uri", peer.tls->peer_uris);
  return text;
}

absl::Status Refuse(std::string what, std::string_view mend) {
  return base::Error(absl::StatusCode::kPermissionDenied, std::move(what), mend, "not_allowed");
}

}  // namespace

void Admission::Allow(const std::vector<AtomName>& nodes) {
  const std::lock_guard lock(mutex_);
  allowed_.insert(allowed_.end(), nodes.begin(), nodes.end());
  std::sort(allowed_.begin(), allowed_.end());
  allowed_.erase(std::unique(allowed_.begin(), allowed_.end()), allowed_.end());
}

std::vector<AtomName> Admission::Allowed() const {
  const std::lock_guard lock(mutex_);
  return allowed_;
}

absl::Status Admission::CheckTarget(const AtomName& node) const {
  const std::vector<AtomName> allowed = Allowed();
  if (allowed.empty() || std::find(allowed.begin(), allowed.end(), node) != allowed.end()) {
    return absl::OkStatus();
  }
  return Refuse(fmt::format("{} is not on the allow-list of this node", node.view()),
                "name it in net_kernel:allow/1");
}

absl::Status Admission::CheckPeer(const AtomName& node, const base::PeerIdentity& peer) const {
  const std::vector<AtomName> allowed = Allowed();
  if (!allowed.empty()) {
    const bool is_named = std::any_of(allowed.begin(), allowed.end(), [&](const AtomName& entry) {
      return IsNamedBy(entry.view(), node.view());
    });
    if (!is_named) {
      return Refuse(fmt::format("{} at {} is not on the allow-list of this node", node.view(),
                                base::AddressText(peer)),
                    "name it, or its host, in net_kernel:allow/1");
    }
    const bool has_certificate = peer.tls && !peer.tls->peer_certificate_der.empty();
    if (has_certificate && !dist::CheckPeer(peer, {node.ToString()}).ok()) {
      return Refuse(
          fmt::format("{} is on the allow-list, and what connects from {} under this name has {}",
                      node.view(), base::AddressText(peer), CertificateText(peer)),
          fmt::format("give it a certificate with the dns name {}, or the address it comes from",
                      HostOf(node.view())));
    }
  }
  if (!peer.tls && !IsPlainPeer(node)) {
    return Refuse(
        fmt::format("{} at {} comes without TLS, and is not on the list of those that may",
                    node.view(), base::AddressText(peer)),
        "start it with -proto_dist inet_tls, or name it in -dist_plain_peers");
  }
  return CheckRules(node, peer);
}

bool Admission::IsPlainPeer(const AtomName& node) const {
  return plain_peers_.empty() ||
         std::any_of(plain_peers_.begin(), plain_peers_.end(),
                     [&](const NamePattern& pattern) { return pattern.Fits(node.view()); });
}

bool Admission::MayBePlain(const AtomName& node) const {
  return rules_.empty() && IsPlainPeer(node);
}

absl::Status Admission::CheckRules(const AtomName& node, const base::PeerIdentity& peer) const {
  if (rules_.empty()) return absl::OkStatus();
  if (peer.tls) {
    for (const CertificateRule& rule : rules_) {
      if (rule.Fits(node.view(), *peer.tls)) return absl::OkStatus();
    }
  }
  return Refuse(fmt::format("no rule of -dist_allow lets {} at {} have the name {}",
                            CertificateText(peer), base::AddressText(peer), node.view()),
                "add a rule for this certificate and name, or give the node its own certificate");
}

}  // namespace noded::node
