// -kernel KEY VALUE and -ssl KEY VALUE: values are Erlang terms. Which counts of a key given again
// is OTP's own mixture: application_controller puts the pairs of later flags before those of
// earlier ones; of the resulting list, a key that has a default in the .app file takes the first,
// any other key the last.
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include "fmt/format.h"

#include "base/nearest_name.h"
#include "base/status.h"
#include "dist/term_text.h"
#include "node/config_reader.h"

namespace noded::node {
namespace {

using dist::Term;

struct Parameter {
  const RawFlag* flag;
  Word key;
  std::string text;  // of the value, as written

  absl::Status Refuse(std::string_view what, std::string_view mend) const {
    return base::Error(
        absl::StatusCode::kInvalidArgument,
        fmt::format("-{} {} ({}): {}", flag->name, key.text, key.origin.ToString(), what), mend,
        "badarg");
  }
  absl::Status WrongValue(std::string_view expected) const {
    return Refuse(fmt::format("found {}", text.size() > 80 ? text.substr(0, 77) + "..." : text),
                  fmt::format("expected is {}", expected));
  }
  absl::StatusOr<Term> Value() const {
    auto term = dist::ParseTerm(text);
    if (term.ok()) return term;
    return base::Annotate(term.status(),
                          fmt::format("-{} {} ({}): the value '{}' is no Erlang term", flag->name,
                                      key.text, key.origin.ToString(), text));
  }
};

// Keys with a default in kernel.app.
constexpr std::array<std::string_view, 5> kWithDefault = {"connect_all", "logger_level",
                                                          "net_tickintensity", "net_ticktime",
                                                          "prevent_overlapping_partitions"};

// Those that count, one a key.
absl::StatusOr<std::vector<Parameter>> Collect(ConfigReader& reader, std::string_view name) {
  std::vector<Parameter> all;
  std::vector<const RawFlag*> given = reader.flags().All(name);
  std::reverse(given.begin(), given.end());
  for (const RawFlag* flag : given) {
    for (size_t i = 0; i < flag->values.size(); i += 2) {
      const Word& key = flag->values[i];
      if (i + 1 == flag->values.size()) {
        return RefuseFlag(*flag, fmt::format("parameter {} has no value", key.text),
                          "give keys and values in pairs");
      }
      Parameter parameter{flag, key, flag->values[i + 1].text};
      auto before = std::find_if(all.begin(), all.end(), [&](const Parameter& other) {
        return other.key.text == key.text;
      });
      if (before == all.end()) {
        all.push_back(std::move(parameter));
        continue;
      }
      const bool is_kept =
          std::find(kWithDefault.begin(), kWithDefault.end(), key.text) != kWithDefault.end();
      if (before->text != parameter.text) {
        const Parameter& winner = is_kept ? *before : parameter;
        reader.Note(fmt::format("-{} {} is given more than once: {} ({}) counts, as in erl", name,
                                key.text, winner.text, winner.key.origin.ToString()),
                    "give it once");
      }
      if (!is_kept) *before = std::move(parameter);
    }
  }
  return all;
}

absl::StatusOr<uint16_t> TakePort(const Parameter& parameter) {
  ASSIGN_OR_RETURN(Term value, parameter.Value());
  const std::optional<int64_t> port = value.AsInt();
  if (!port || *port < 1 || *port > 65535) return parameter.WrongValue("a port, 1 to 65535");
  return static_cast<uint16_t>(*port);
}

absl::StatusOr<bool> TakeBool(const Parameter& parameter) {
  ASSIGN_OR_RETURN(Term value, parameter.Value());
  const std::optional<bool> is_on = value.AsBool();
  if (!is_on) return parameter.WrongValue("true or false");
  return *is_on;
}

absl::Status ReadListenMin(const Parameter& parameter, NodeConfig& config) {
  ASSIGN_OR_RETURN(config.listen.port_min, TakePort(parameter));
  return absl::OkStatus();
}
absl::Status ReadListenMax(const Parameter& parameter, NodeConfig& config) {
  ASSIGN_OR_RETURN(config.listen.port_max, TakePort(parameter));
  return absl::OkStatus();
}

// Since OTP 27.2 the name of what -erl_epmd_port says; 0 is none.
absl::Status ReadFixedPort(const Parameter& parameter, NodeConfig& config) {
  ASSIGN_OR_RETURN(Term value, parameter.Value());
  if (value.AsInt() == 0) return absl::OkStatus();
  ASSIGN_OR_RETURN(config.epmd.fixed_port, TakePort(parameter));
  config.epmd.is_used = false;
  return absl::OkStatus();
}

// {127,0,0,1}, {0,0,0,0,0,0,0,1}, "127.0.0.1", or the bare address.
absl::Status ReadInterface(const Parameter& parameter, NodeConfig& config) {
  constexpr std::string_view kExpected = "an address such as {127,0,0,1} or \"127.0.0.1\"";
  std::string& address = config.listen.interface_address;
  if (IsIpAddress(parameter.text)) {
    address = parameter.text;
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(Term value, parameter.Value());
  const bool is_v4 = value.IsTuple(4), is_v6 = value.IsTuple(8);
  std::string text;
  for (const Term& part : value.tuple()) {
    const std::optional<int64_t> number = part.AsInt();
    if (!number || *number < 0 || *number > (is_v4 ? 255 : 65535)) {
      return parameter.WrongValue(kExpected);
    }
    if (!text.empty()) text += is_v4 ? "." : ":";
    text += is_v4 ? fmt::format("{}", *number) : fmt::format("{:x}", *number);
  }
  if (!is_v4 && !is_v6) {
    if (value.is_tuple()) return parameter.WrongValue(kExpected);
    text = value.is_atom() ? std::string(value.atom()) : value.AsText().value_or("");
  }
  if (!IsIpAddress(text)) return parameter.WrongValue(kExpected);
  address = text;
  return absl::OkStatus();
}

absl::Status ReadTicktime(const Parameter& parameter, NodeConfig& config) {
  ASSIGN_OR_RETURN(Term value, parameter.Value());
  const std::optional<int64_t> seconds = value.AsInt();
  // Below 1 OTP takes 1; a day of silence is beyond any use.
  if (!seconds || *seconds > 1'000'000) return parameter.WrongValue("a number of seconds");
  config.time.net_ticktime = std::chrono::seconds(std::max<int64_t>(*seconds, 1));
  return absl::OkStatus();
}

absl::Status ReadTickintensity(const Parameter& parameter, NodeConfig& config) {
  ASSIGN_OR_RETURN(Term value, parameter.Value());
  const std::optional<int64_t> ticks = value.AsInt();
  if (!ticks) return parameter.WrongValue("a number of ticks, 4 to 1000");
  config.time.net_tickintensity = static_cast<int>(std::clamp<int64_t>(*ticks, 4, 1000));
  return absl::OkStatus();
}

absl::Status ReadSetuptime(const Parameter& parameter, NodeConfig& config) {
  ASSIGN_OR_RETURN(Term value, parameter.Value());
  const double seconds =
      value.is_float() ? value.float_value() : static_cast<double>(value.AsInt().value_or(0));
  if (!(seconds > 0)) return parameter.WrongValue("a number of seconds, more than 0");
  // As OTP: two minutes at most.
  const double milliseconds = std::max(1.0, std::round(std::min(seconds, 120.0) * 1000));
  config.time.net_setuptime = std::chrono::milliseconds(static_cast<int64_t>(milliseconds));
  return absl::OkStatus();
}

absl::Status ReadAutoConnect(const Parameter& parameter, NodeConfig& config) {
  ASSIGN_OR_RETURN(Term value, parameter.Value());
  if (value.IsAtom("never")) {
    config.dist_auto_connect = AutoConnect::kNever;
  } else if (value.IsAtom("once")) {
    config.dist_auto_connect = AutoConnect::kOnce;
  } else if (value.IsAtom("true")) {
    config.dist_auto_connect = AutoConnect::kTrue;
  } else {
    return parameter.WrongValue("true, once or never");
  }
  return absl::OkStatus();
}

absl::Status ReadConnectAll(const Parameter& parameter, NodeConfig& config) {
  ASSIGN_OR_RETURN(const bool is_on, TakeBool(parameter));
  // The older flag -connect_all false counts besides.
  config.connect_all = config.connect_all && is_on;
  return absl::OkStatus();
}

absl::Status ReadPreventOverlap(const Parameter& parameter, NodeConfig& config) {
  ASSIGN_OR_RETURN(config.prevent_overlapping_partitions, TakeBool(parameter));
  return absl::OkStatus();
}

absl::Status ReadStartPg(const Parameter& parameter, NodeConfig& config) {
  ASSIGN_OR_RETURN(config.start_pg, TakeBool(parameter));
  return absl::OkStatus();
}

absl::Status ReadCheckIp(const Parameter& parameter, NodeConfig& config) {
  ASSIGN_OR_RETURN(config.listen.check_ip, TakeBool(parameter));
  return absl::OkStatus();
}

absl::Status ReadLoggerLevel(const Parameter& parameter, NodeConfig& config) {
  ASSIGN_OR_RETURN(Term value, parameter.Value());
  // OTP's levels above error are error here, all is debug, notice is info.
  constexpr std::array<std::pair<std::string_view, base::LogLevel>, 10> kLevels = {{
      {"none", base::LogLevel::kOff},
      {"emergency", base::LogLevel::kError},
      {"alert", base::LogLevel::kError},
      {"critical", base::LogLevel::kError},
      {"error", base::LogLevel::kError},
      {"warning", base::LogLevel::kWarn},
      {"notice", base::LogLevel::kInfo},
      {"info", base::LogLevel::kInfo},
      {"debug", base::LogLevel::kDebug},
      {"all", base::LogLevel::kDebug},
  }};
  for (const auto& [name, level] : kLevels) {
    if (!value.IsAtom(name)) continue;
    if (config.OriginOf("noded_log").kind == Origin::Kind::kDefault) config.log_level = level;
    return absl::OkStatus();
  }
  return parameter.WrongValue("a level of OTP's logger, such as debug, info, warning or error");
}

struct Known {
  std::string_view key;
  absl::Status (*read)(const Parameter&, NodeConfig&);
};
constexpr Known kKernel[] = {
    {"check_ip", ReadCheckIp},
    {"connect_all", ReadConnectAll},
    {"dist_auto_connect", ReadAutoConnect},
    {"erl_epmd_node_listen_port", ReadFixedPort},
    {"inet_dist_listen_max", ReadListenMax},
    {"inet_dist_listen_min", ReadListenMin},
    {"inet_dist_use_interface", ReadInterface},
    {"logger_level", ReadLoggerLevel},
    {"net_setuptime", ReadSetuptime},
    {"net_tickintensity", ReadTickintensity},
    {"net_ticktime", ReadTicktime},
    {"prevent_overlapping_partitions", ReadPreventOverlap},
    {"start_pg", ReadStartPg},
};

// Of the code server, the shell, OTP's log, other ways to start: nothing here.
constexpr std::string_view kBeamKernel[] = {"backwards_compatible",
                                            "data_dir",
                                            "dist_nodelay",
                                            "distributed",
                                            "error_logger",
                                            "error_logger_format_depth",
                                            "global_groups",
                                            "heart",
                                            "inet_default_connect_options",
                                            "inet_default_listen_options",
                                            "inet_backend",
                                            "inetrc",
                                            "logger",
                                            "logger_metadata",
                                            "logger_sasl_compatible",
                                            "net_kernel",
                                            "os_cmd_shell",
                                            "permissions",
                                            "raw_files",
                                            "shell_docs_ansi",
                                            "shell_docs_columns",
                                            "shell_expand_location",
                                            "shell_history",
                                            "shell_history_drop",
                                            "shell_history_file_bytes",
                                            "shell_history_path",
                                            "shell_keymap",
                                            "shell_strings",
                                            "shutdown_func",
                                            "shutdown_timeout",
                                            "source_search_rules",
                                            "standard_io_encoding",
                                            "start_boot_server",
                                            "start_ddll",
                                            "start_disk_log",
                                            "start_distribution",
                                            "start_er",
                                            "start_inet",
                                            "start_pg2",
                                            "start_timer",
                                            "sync_nodes_mandatory",
                                            "sync_nodes_optional",
                                            "sync_nodes_timeout",
                                            "verbose_name"};

// They would change what goes over the wire or who may connect: never passed over.
constexpr std::string_view kLaterKernel[] = {
    "inet_dist_connect_options", "inet_dist_listen_options", "net_ticker_spawn_options"};

template <class Names>
bool Has(const Names& names, std::string_view name) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

absl::Status ReadKernelParameter(const Parameter& parameter, ConfigReader& reader) {
  const std::string& key = parameter.key.text;
  for (const Known& known : kKernel) {
    if (known.key != key) continue;
    RETURN_IF_ERROR(known.read(parameter, reader.config()));
    reader.SetOrigin(key, parameter.key.origin);
    return absl::OkStatus();
  }
  if (Has(kBeamKernel, key)) {
    reader.config().ignored.push_back({fmt::format("-kernel {}", key), parameter.key.origin});
    return absl::OkStatus();
  }
  if (Has(kLaterKernel, key)) {
    return parameter.Refuse("is not supported yet", "remove it until a later version has it");
  }
  std::vector<std::string_view> names(std::begin(kBeamKernel), std::end(kBeamKernel));
  for (const Known& known : kKernel) names.push_back(known.key);
  return parameter.Refuse(fmt::format("unknown parameter{}", base::DidYouMean(key, names)),
                          "docs/flags.md lists the parameters");
}

absl::Status CheckPorts(const NodeConfig& config) {
  const ListenConfig& listen = config.listen;
  if (listen.port_min <= listen.port_max) return absl::OkStatus();
  return base::Error(
      absl::StatusCode::kInvalidArgument,
      fmt::format("-kernel inet_dist_listen_min {} ({}) is above inet_dist_listen_max {} ({})",
                  listen.port_min, config.OriginOf("inet_dist_listen_min").ToString(),
                  listen.port_max, config.OriginOf("inet_dist_listen_max").ToString()),
      "give a range of ports", "badarg");
}

}  // namespace

absl::Status ReadKernelParameters(ConfigReader& reader) {
  NodeConfig& config = reader.config();
  ASSIGN_OR_RETURN(std::vector<Parameter> parameters, Collect(reader, "kernel"));
  for (const Parameter& parameter : parameters) {
    RETURN_IF_ERROR(ReadKernelParameter(parameter, reader));
  }
  ListenConfig& listen = config.listen;
  // As OTP: max is min where it is not given, and counts only with it.
  if (listen.port_max == 0) listen.port_max = listen.port_min;
  if (listen.port_min == 0 && listen.port_max != 0) {
    reader.Note(
        "-kernel inet_dist_listen_max is given without inet_dist_listen_min: any port is "
        "taken, as in erl",
        "add inet_dist_listen_min");
    listen.port_max = 0;
  }
  RETURN_IF_ERROR(CheckPorts(config));
  const std::string& address = listen.interface_address;
  const bool is_v6 = config.carrier.starts_with("inet6");
  if (!address.empty() && (address.find(':') != std::string::npos) != is_v6) {
    return base::Error(
        absl::StatusCode::kInvalidArgument,
        fmt::format("-kernel inet_dist_use_interface ({}): {} is no address of carrier {}",
                    config.OriginOf("inet_dist_use_interface").ToString(), address, config.carrier),
        is_v6 ? "give an IPv6 address, or another -proto_dist"
              : "give an IPv4 address, or -proto_dist inet6_tcp or inet6_tls",
        "badarg");
  }
  return absl::OkStatus();
}

absl::Status ReadSslParameters(ConfigReader& reader) {
  ASSIGN_OR_RETURN(std::vector<Parameter> parameters, Collect(reader, "ssl"));
  for (const Parameter& parameter : parameters) {
    ASSIGN_OR_RETURN(Term value, parameter.Value());
    RETURN_IF_ERROR(dist::ApplySslParameter(parameter.key.text, value,
                                            parameter.key.origin.ToString(), reader.config().tls));
    reader.SetOrigin(fmt::format("ssl {}", parameter.key.text), parameter.key.origin);
  }
  return absl::OkStatus();
}

}  // namespace noded::node
