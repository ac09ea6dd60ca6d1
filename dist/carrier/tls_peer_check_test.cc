#include "dist/carrier/tls_peer_check.h"

#include <gtest/gtest.h>

#include "base/status.h"

namespace noded::dist {
namespace {

using Hosts = std::vector<std::string>;

base::PeerIdentity Peer(const std::string& address, Hosts addresses, Hosts names) {
  base::PeerIdentity peer{address, 4711};
  peer.tls.emplace();
  peer.tls->peer_subject = "CN=a";
  peer.tls->peer_certificate_der = base::Slice::Copy("der");
  peer.tls->peer_ip_addresses = std::move(addresses);
  peer.tls->peer_dns_names = std::move(names);
  return peer;
}

std::string Outcome(const base::PeerIdentity& peer, const Hosts& allowed) {
  const absl::Status status = CheckPeer(peer, allowed);
  if (status.ok()) return "ok";
  EXPECT_EQ(status.code(), absl::StatusCode::kUnauthenticated);
  return base::ReasonOf(status);
}

constexpr char kNoMatch[] = "cert_no_hostname_nor_ip_match";

TEST(TlsPeerCheckTest, TheAddressOfThePeerCounts) {
  EXPECT_EQ(Outcome(Peer("127.0.0.1", {"10.0.0.1", "127.0.0.1"}, {}), {}), "ok");
  EXPECT_EQ(Outcome(Peer("::1", {"0:0:0:0:0:0:0:1"}, {}), {}), "ok");
  EXPECT_EQ(Outcome(Peer("127.0.0.2", {"127.0.0.1"}, {}), {}), kNoMatch);
  EXPECT_EQ(Outcome(Peer("127.0.0.1", {}, {"127.0.0.1"}), {}), kNoMatch) << "a name is no address";
}

TEST(TlsPeerCheckTest, AnAllowedHostCounts) {
  EXPECT_EQ(Outcome(Peer("127.0.0.1", {}, {"A.example"}), {"b.example", "a.EXAMPLE"}), "ok");
  EXPECT_EQ(Outcome(Peer("127.0.0.1", {}, {"a.example"}), {"shop@a.example"}), "ok");
  EXPECT_EQ(Outcome(Peer("127.0.0.1", {}, {"a.example"}), {"a.example.net"}), kNoMatch);
  EXPECT_EQ(Outcome(Peer("127.0.0.1", {}, {"*.example"}), {"a.example"}), kNoMatch);
  EXPECT_EQ(Outcome(Peer("127.0.0.1", {}, {"a.example"}), {}), kNoMatch);
}

TEST(TlsPeerCheckTest, APeerWithoutCertificateIsRefused) {
  EXPECT_EQ(Outcome({"127.0.0.1", 1}, {"a.example"}), kNoMatch);
}

}  // namespace
}  // namespace noded::dist
