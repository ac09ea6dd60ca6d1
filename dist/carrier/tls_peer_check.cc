#include "dist/carrier/tls_peer_check.h"

#include <algorithm>
#include <string_view>

#include "asio/ip/address.hpp"
#include "fmt/format.h"

#include "base/ascii.h"
#include "base/status.h"

namespace noded::dist {
namespace {

// "::1" and "0:0:0:0:0:0:0:1" are the same.
bool IsSameAddress(const std::string& a, const std::string& b) {
  asio::error_code error_a, error_b;
  const asio::ip::address left = asio::ip::make_address(a, error_a);
  const asio::ip::address right = asio::ip::make_address(b, error_b);
  return !error_a && !error_b && left == right;
}

}  // namespace

absl::Status CheckPeer(const base::PeerIdentity& peer,
                       const std::vector<std::string>& allowed_hosts) {
  constexpr std::string_view kReason = "cert_no_hostname_nor_ip_match";
  if (!peer.tls || peer.tls->peer_certificate_der.empty()) {
    return base::Error(
        absl::StatusCode::kUnauthenticated,
        fmt::format("{} sent no certificate, and verify_client looks at its names",
                    base::AddressText(peer)),
        "give the peer a certificate, and this node server_fail_if_no_peer_cert true", kReason);
  }
  const base::TlsFacts& facts = *peer.tls;
  for (const std::string& address : facts.peer_ip_addresses) {
    if (IsSameAddress(address, peer.address)) return absl::OkStatus();
  }
  for (const std::string& allowed : allowed_hosts) {
    const std::string_view host = std::string_view(allowed).substr(allowed.rfind('@') + 1);
    for (const std::string& name : facts.peer_dns_names) {
      if (base::IsSameIgnoringCase(name, host)) return absl::OkStatus();
    }
  }
  return base::Error(
      absl::StatusCode::kUnauthenticated,
      fmt::format("the certificate of {} ({}) is neither for that address nor for an allowed host",
                  base::AddressText(peer), facts.peer_subject),
      "issue it with the address of its node, or allow its host: "
      "server_verify_fun \"{inet_tls_dist, verify_client, [\\\"HOST\\\"]}\"",
      kReason);
}

}  // namespace noded::dist
