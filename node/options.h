// What a Node is started with: plain values. node/config.h makes them from flags; C++ programs may
// fill them in themselves.
//
//   NodeOptions options;
//   options.name = "cart@shop.example.net";
//   options.cookies = std::make_shared<const dist::CookieJar>(cookie);
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/limits.h"
#include "dist/atom_name.h"
#include "dist/carrier/listener.h"
#include "dist/cookie.h"
#include "node/certificate_rule.h"
#include "node/peers.h"

namespace noded::node {

struct EpmdOptions {
  // False: register with none (peers are still looked up, unless there is a fixed port).
  bool is_used = true;
  uint16_t port = 4369;
  // Serve epmd's port in this process when nobody does.
  bool may_start = true;
  // The same when one that was there has gone for this long: one that is started anew is back by
  // then.
  std::chrono::milliseconds take_over_after{3000};
  // Where that server listens besides loopback; empty: everywhere.
  std::vector<std::string> addresses;
  // Whether it may be killed and told to stop nodes; see dist/epmd_server.h.
  bool relaxed_command_check = false;
  // Not 0: no epmd at all; this node, and every other, listens at this port.
  uint16_t fixed_port = 0;
};

struct NodeOptions {
  dist::AtomName name;  // in full: name@host
  std::shared_ptr<const dist::CookieJar> cookies;
  // Other nodes see it only when they look for hidden ones, and connect no mesh with it.
  bool is_hidden = false;
  // False: it connects to others and nobody connects to it.
  bool does_listen = true;
  dist::ListenOptions listen;
  // Take connections from the network that they come in on, and from no other.
  bool check_ip = false;
  EpmdOptions epmd;
  ConnectPolicy auto_connect = ConnectPolicy::kAlways;
  // Visible: be part of the full mesh of the cluster, and share its global names
  // (node/global_names.h).
  bool connect_all = true;
  // Leave a node that another node of our part of the cluster has lost, so that all parts are full
  // meshes.
  bool prevent_overlapping_partitions = true;
  // The scope pg of process groups is open from the start (node/process_groups.h).
  bool start_pg = false;
  // A peer that is silent for this long, give or take a quarter, is gone.
  std::chrono::milliseconds net_ticktime{60'000};
  // How many times in it a tick is sent.
  int tick_intensity = 4;
  // Which certificates may be which nodes; empty: all. Needs a carrier with TLS.
  std::vector<CertificateRule> dist_allow;
  // Patterns of the nodes that may be connected without TLS; empty: all. Where there is a carrier
  // with TLS too: the others then have to use that.
  std::vector<std::string> plain_peers;
  base::Limits limits;  // handshake_timeout is net_setuptime
  // 0: one a core.
  size_t loops = 0;
  size_t worker_threads = 4;
};

}  // namespace noded::node
