// The check that OTP's distribution has under the name inet_tls_dist:verify_client: a node that
// connects must have a certificate for where it comes from.
//
//   -ssl_dist_opt server_verify_fun "{inet_tls_dist, verify_client, []}"
//
//   RETURN_IF_ERROR(CheckPeer(stream.peer(), allowed));      // after the handshake
//
// The certificate must carry the peer's address (an iPAddress entry), or one of the allowed hosts
// (a dNSName entry, compared without case, wildcards not taken). As in OTP names are not resolved;
// unlike OTP, which lets everybody in who has a valid certificate as long as no host is allowed by
// name, an empty list leaves the address alone to count. A function of its arguments: any thread.
// Errors: Unauthenticated (cert_no_hostname_nor_ip_match). Source: OTP, inet_tls_dist.erl.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"

#include "base/peer_identity.h"

namespace noded::dist {

// `allowed_hosts`: hosts, or node names of which the host counts.
absl::Status CheckPeer(const base::PeerIdentity& peer,
                       const std::vector<std::string>& allowed_hosts);

}  // namespace noded::dist
