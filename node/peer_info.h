// A connected node, as a program and nodectl are told of it.
//
//   for (const PeerInfo& peer : node->Peers()) Print(peer.name, peer.carrier);
//
// A plain value: any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "base/peer_identity.h"
#include "dist/atom_name.h"
#include "dist/link.h"

namespace noded::node {

struct PeerInfo {
  dist::AtomName name;
  bool is_hidden = false;
  bool is_incoming = false;
  uint32_t creation = 0;
  uint64_t flags = 0;
  int handshake_version = 0;
  std::chrono::system_clock::time_point since;
  std::string carrier;          // that of the link: "inet_tls"
  base::PeerIdentity identity;  // its address, and what TLS knows of it
  dist::NodeLink::Counters counters;
};

}  // namespace noded::node
