// What a node is to do: the flags and the environment as one frozen, typed value.
//
//   ASSIGN_OR_RETURN(RawFlags flags, ParseFlags(sources));                       // flags.h
//   ConfigInputs inputs{.hosts = LocalHostNames(), .read_file = ReadFlagFile};
//   ASSIGN_OR_RETURN(NodeConfig config, BuildConfig(flags, inputs));
//   for (const Notice& notice : config.notices) LogWarn("config")...;     // once, at the start
//   config.OriginOf("net_ticktime").ToString();                           // "ERL_FLAGS"
//
// Every default is an initialiser here. Values are checked, files of certificates and cookies not
// yet read. Plain values: thread-safe while nobody changes them.
// Errors of BuildConfig: InvalidArgument, which names the flag, where it was given, what was found,
// what is expected and what to do. Source: OTP, erl(1), kernel(6), "Distributed Erlang",
// "Using TLS for Erlang Distribution".
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

#include "base/log.h"
#include "dist/carrier/tls_options.h"
#include "dist/cookie.h"
#include "dist/cookie_file.h"
#include "node/certificate_rule.h"
#include "node/flags.h"
#include "node/names.h"

namespace noded::node {

struct CookieConfig {
  // -setcookie COOKIE. None: LoadCookieFile(places), unless a cookie is given for every node.
  std::optional<dist::Cookie> common;
  // -setcookie NODE COOKIE.
  std::map<std::string, dist::Cookie> by_node;
  dist::CookiePlaces places;
};

struct EpmdConfig {
  // Ask an epmd at all: off with erl_epmd_port and -no_epmd.
  bool is_used = true;
  // Be the host's epmd when none runs.
  bool start = true;
  uint16_t port = 4369;
  // What our own epmd listens on, numeric (ERL_EPMD_ADDRESS); loopback always. Empty: everywhere.
  std::vector<std::string> addresses;
  // Our own epmd lets local clients kill it and stop nodes (ERL_EPMD_RELAXED_COMMAND_CHECK).
  bool relaxed_command_check = false;
  // -erl_epmd_port, or -kernel erl_epmd_node_listen_port: every node of the cluster listens on it.
  std::optional<uint16_t> fixed_port;
};

struct ListenConfig {
  bool is_on = true;
  // inet_dist_use_interface; numeric. Empty: every interface.
  std::string interface_address;
  // inet_dist_listen_min and _max, both included. 0 and 0: the system chooses.
  uint16_t port_min = 0;
  uint16_t port_max = 0;
  // Only peers of the network that they reach us on.
  bool check_ip = false;
};

struct TimeConfig {
  // A peer that says nothing for this long is gone...
  std::chrono::seconds net_ticktime{60};
  // ...and gets a tick that many times in it.
  int net_tickintensity = 4;
  // For a connection to be set up.
  std::chrono::milliseconds net_setuptime{7000};
};

enum class AutoConnect { kTrue, kOnce, kNever };

// Something accepted that the operator should know about.
struct Notice {
  std::string what;
  std::string mend;
};

struct NodeConfig {
  // "name@host". Empty only when ConfigInputs allows a node without a name.
  std::string name;
  NameKind name_kind = NameKind::kShort;
  // -hidden, or -dist_listen false.
  bool is_hidden = false;
  // Event loops; 0: one a core. One for a client, which has a link or two.
  size_t loops = 0;
  // A name of the CarrierTable: inet_tcp, inet6_tcp, inet_tls, inet6_tls.
  std::string carrier = "inet_tcp";
  // Of -proto_dist inet_tls inet_tcp the second: for peers that do not speak the first. Or empty.
  std::string second_carrier;
  CookieConfig cookie;
  EpmdConfig epmd;
  ListenConfig listen;
  TimeConfig time;
  AutoConnect dist_auto_connect = AutoConnect::kTrue;
  bool start_pg = false;
  bool connect_all = true;
  bool prevent_overlapping_partitions = true;
  dist::TlsOptions tls;
  // -dist_allow: which certificates may be which nodes. Empty: all.
  std::vector<CertificateRule> dist_allow;
  // -dist_plain_peers: patterns of the nodes that may be connected over a plain carrier although
  // there is one with TLS. Empty: all.
  std::vector<std::string> plain_peers;
  base::LogLevel log_level = base::LogLevel::kInfo;

  std::vector<Notice> notices;
  std::vector<Ignored> ignored;
  // Of every setting that is not its default, by its name: "name", "net_ticktime", "cookie".
  std::map<std::string, Origin, std::less<>> origins;

  const Origin& OriginOf(std::string_view setting) const;
  // The preferred one first.
  std::vector<std::string> Carriers() const;
  bool has_tls_carrier() const {
    return carrier.ends_with("_tls") || second_carrier.ends_with("_tls");
  }
};

struct ConfigInputs {
  HostNames hosts;
  // Reads the option file; see ReadFlagFile().
  FileReader read_file;
  // What runs: "noded" must be given a name. "nodectl" makes one up that fits `target`, is hidden
  // and does not listen unless flags say otherwise.
  bool is_client = false;
  std::string target;
};

absl::StatusOr<NodeConfig> BuildConfig(const RawFlags& flags, const ConfigInputs& inputs);

}  // namespace noded::node
