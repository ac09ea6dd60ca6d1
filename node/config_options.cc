#include "node/config_options.h"

#include <memory>
#include <utility>

#include "base/status.h"

namespace noded::node {
namespace {

absl::StatusOr<std::shared_ptr<const dist::CookieJar>> Cookies(const CookieConfig& config) {
  dist::Cookie common;
  if (config.common) {
    common = *config.common;
  } else {
    ASSIGN_OR_RETURN(common, dist::LoadCookieFile(config.places));
  }
  dist::CookieJar jar(std::move(common));
  for (const auto& [node, cookie] : config.by_node) jar.SetFor(node, cookie);
  return std::make_shared<const dist::CookieJar>(std::move(jar));
}

ConnectPolicy Policy(AutoConnect connect) {
  switch (connect) {
    case AutoConnect::kOnce:
      return ConnectPolicy::kOnce;
    case AutoConnect::kNever:
      return ConnectPolicy::kNever;
    case AutoConnect::kTrue:
      break;
  }
  return ConnectPolicy::kAlways;
}

}  // namespace

absl::StatusOr<NodeOptions> MakeNodeOptions(const NodeConfig& config) {
  NodeOptions options;
  options.name = config.name;
  ASSIGN_OR_RETURN(options.cookies, Cookies(config.cookie));
  options.is_hidden = config.is_hidden;
  options.does_listen = config.listen.is_on;
  options.loops = config.loops;
  options.listen.interface_address = config.listen.interface_address;
  options.listen.port_min = config.listen.port_min;
  options.listen.port_max = config.listen.port_max;
  options.check_ip = config.listen.check_ip;
  options.epmd.port = config.epmd.port;
  options.epmd.is_used = config.epmd.is_used;
  options.epmd.may_start = config.epmd.start;
  options.epmd.addresses = config.epmd.addresses;
  options.epmd.relaxed_command_check = config.epmd.relaxed_command_check;
  options.epmd.fixed_port = config.epmd.fixed_port.value_or(0);
  options.auto_connect = Policy(config.dist_auto_connect);
  options.start_pg = config.start_pg;
  options.connect_all = config.connect_all;
  options.prevent_overlapping_partitions = config.prevent_overlapping_partitions;
  options.dist_allow = config.dist_allow;
  options.plain_peers = config.plain_peers;
  options.net_ticktime = config.time.net_ticktime;
  options.tick_intensity = config.time.net_tickintensity;
  options.limits.handshake_timeout = config.time.net_setuptime;
  return options;
}

}  // namespace noded::node
