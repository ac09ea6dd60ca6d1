#include "node/config.h"

#include <algorithm>
#include <array>
#include <utility>

#include "fmt/format.h"

#include "base/nearest_name.h"
#include "base/status.h"
#include "dist/utf8.h"
#include "node/config_reader.h"
#include "node/name_pattern.h"

namespace noded::node {
namespace {

constexpr std::array<std::string_view, 4> kCarriers = {"inet_tcp", "inet6_tcp", "inet_tls",
                                                       "inet6_tls"};

Origin EnvironmentOrigin(std::string_view name) {
  return {Origin::Kind::kEnvironment, std::string(name), 0};
}

absl::Status ReadName(ConfigReader& reader, const ConfigInputs& inputs) {
  NodeConfig& config = reader.config();
  const RawFlag* short_flag = reader.First("sname");
  const RawFlag* long_flag = reader.First("name");
  if (short_flag != nullptr && long_flag != nullptr) {
    reader.Note(fmt::format("{} and {} are both given: -sname counts, as in erl",
                            FlagText(*short_flag), FlagText(*long_flag)),
                "remove one");
  }
  const RawFlag* flag = short_flag != nullptr ? short_flag : long_flag;
  if (flag == nullptr) {
    if (inputs.is_client) {
      config.name = ClientNodeName("nodectl", inputs.target, inputs.hosts);
      config.name_kind = KindOfHost(config.name.substr(config.name.find('@') + 1));
      return absl::OkStatus();
    }
    return base::Error(absl::StatusCode::kInvalidArgument, "the node has no name",
                       "add -name NAME@HOST.DOMAIN, -name NAME@ADDRESS or -sname NAME", "badarg");
  }
  config.name_kind = flag == short_flag ? NameKind::kShort : NameKind::kLong;
  auto name = MakeNodeName(flag->values[0].text, config.name_kind, inputs.hosts);
  if (!name.ok()) return base::Annotate(name.status(), flag->origin.ToString());
  config.name = *std::move(name);
  reader.SetOrigin("name", flag->origin);
  return absl::OkStatus();
}

// Of an atom; and what would be lost in a file or a shell is no cookie.
absl::Status CheckCookie(const RawFlag& flag, std::string_view cookie) {
  const auto length = dist::Utf8Length(cookie);
  if (!cookie.empty() && length && *length <= dist::AtomName::kMaxCharacters) {
    return absl::OkStatus();
  }
  return RefuseFlag(flag,
                    cookie.empty() ? "the cookie is empty"
                                   : "the cookie is longer than 255 characters, or not UTF-8",
                    "give 1 to 255 characters");
}

absl::Status ReadCookies(ConfigReader& reader) {
  CookieConfig& cookie = reader.config().cookie;
  cookie.places.home = reader.Variable("HOME");
  cookie.places.config_home = reader.Variable("XDG_CONFIG_HOME");
  for (const RawFlag* flag : reader.flags().All("setcookie")) {
    const std::string& text = flag->values.back().text;
    RETURN_IF_ERROR(CheckCookie(*flag, text));
    dist::Cookie given{base::Secret(text), FlagText(*flag)};
    std::string setting = "cookie";
    const dist::Cookie* before = cookie.common ? &*cookie.common : nullptr;
    if (flag->values.size() == 2) {
      const std::string& node = flag->values[0].text;
      // Not shown: it may be the cookie, with the values in the wrong order.
      if (!SplitNodeName(node).ok()) {
        return RefuseFlag(*flag, "the first of its two values is not the name of a node",
                          "write -setcookie NAME@HOST COOKIE");
      }
      setting = fmt::format("cookie {}", node);
      auto found = cookie.by_node.find(node);
      before = found == cookie.by_node.end() ? nullptr : &found->second;
      if (before == nullptr) cookie.by_node.emplace(node, given);
    } else if (before == nullptr) {
      cookie.common = given;
    }
    if (before == nullptr) {
      reader.SetOrigin(setting, flag->origin);
    } else if (!(before->text == given.text)) {
      return RefuseFlag(*flag,
                        fmt::format("differs from {}; erl would take neither", before->origin),
                        "give one cookie");
    }
  }
  return absl::OkStatus();
}

absl::Status ReadCarrier(ConfigReader& reader) {
  ASSIGN_OR_RETURN(const RawFlag* flag, reader.Single("proto_dist"));
  if (flag == nullptr) return absl::OkStatus();
  for (const Word& word : flag->values) {
    const std::string& name = word.text;
    if (std::find(kCarriers.begin(), kCarriers.end(), name) == kCarriers.end()) {
      return RefuseFlag(
          *flag, fmt::format("unknown carrier '{}'{}", name, base::DidYouMean(name, kCarriers)),
          fmt::format("give one of {}", fmt::join(kCarriers, ", ")));
    }
  }
  NodeConfig& config = reader.config();
  config.carrier = flag->values[0].text;
  reader.SetOrigin("proto_dist", flag->origin);
  if (flag->values.size() == 1) return absl::OkStatus();
  config.second_carrier = flag->values[1].text;
  const std::string_view first = config.carrier, second = config.second_carrier;
  const auto family = [](std::string_view name) { return name.substr(0, name.find('_')); };
  if (family(first) != family(second)) {
    return RefuseFlag(
        *flag, fmt::format("{} and {} are of two address families", first, second),
        "give two of one family, as epmd knows one port of a node: inet_tls inet_tcp, "
        "or inet6_tls inet6_tcp");
  }
  if (first == second) {
    return RefuseFlag(*flag, fmt::format("{} is given twice", first),
                      "give one carrier, or one with TLS and one without");
  }
  return absl::OkStatus();
}

// ERL_EPMD_ADDRESS: addresses set apart by commas or blanks.
absl::Status ReadEpmdAddresses(ConfigReader& reader) {
  constexpr std::string_view kSeparators = ", ";
  std::string_view text = reader.Variable("ERL_EPMD_ADDRESS");
  while (true) {
    const size_t begin = text.find_first_not_of(kSeparators);
    if (begin == std::string_view::npos) return absl::OkStatus();
    text.remove_prefix(begin);
    const std::string_view address = text.substr(0, text.find_first_of(kSeparators));
    text.remove_prefix(address.size());
    if (!IsIpAddress(address)) {
      return base::Error(absl::StatusCode::kInvalidArgument,
                         fmt::format("ERL_EPMD_ADDRESS: '{}' is not an IP address", address),
                         "give addresses set apart by commas", "badarg");
    }
    reader.config().epmd.addresses.emplace_back(address);
    reader.SetOrigin("epmd_address", EnvironmentOrigin("ERL_EPMD_ADDRESS"));
  }
}

// -erl_epmd_port, which is also a parameter of -kernel, and that has been read.
absl::Status ReadFixedPort(ConfigReader& reader) {
  EpmdConfig& epmd = reader.config().epmd;
  ASSIGN_OR_RETURN(const RawFlag* flag, reader.Single("erl_epmd_port"));
  if (flag == nullptr || flag->values[0].text == "0") return absl::OkStatus();
  ASSIGN_OR_RETURN(const uint16_t port, reader.Port(*flag));
  if (epmd.fixed_port && *epmd.fixed_port != port) {
    const Origin& other = reader.config().OriginOf("erl_epmd_node_listen_port");
    return RefuseFlag(*flag,
                      fmt::format("differs from -kernel erl_epmd_node_listen_port {} ({})",
                                  *epmd.fixed_port, other.ToString()),
                      "give one of them");
  }
  epmd.fixed_port = port;
  epmd.is_used = false;
  reader.SetOrigin("erl_epmd_port", flag->origin);
  return absl::OkStatus();
}

absl::Status ReadEpmd(ConfigReader& reader) {
  EpmdConfig& epmd = reader.config().epmd;
  if (const RawFlag* flag = reader.First("epmd_port")) {
    ASSIGN_OR_RETURN(epmd.port, reader.Port(*flag));
    reader.SetOrigin("epmd_port", flag->origin);
  } else if (std::string_view text = reader.Variable("ERL_EPMD_PORT"); !text.empty()) {
    ASSIGN_OR_RETURN(epmd.port, ParsePort(text, "ERL_EPMD_PORT"));
    reader.SetOrigin("epmd_port", EnvironmentOrigin("ERL_EPMD_PORT"));
  }
  RETURN_IF_ERROR(ReadEpmdAddresses(reader));
  // Whatever its value, as epmd has it.
  if (reader.HasVariable("ERL_EPMD_RELAXED_COMMAND_CHECK")) {
    epmd.relaxed_command_check = true;
    reader.SetOrigin("epmd_relaxed_command_check",
                     EnvironmentOrigin("ERL_EPMD_RELAXED_COMMAND_CHECK"));
  }
  // The last one counts: erl reads it before init does.
  if (const RawFlag* flag = reader.flags().Last("start_epmd")) {
    ASSIGN_OR_RETURN(epmd.start, reader.Bool(*flag));
    reader.SetOrigin("start_epmd", flag->origin);
  }
  RETURN_IF_ERROR(ReadFixedPort(reader));
  if (const RawFlag* flag = reader.flags().First("no_epmd")) {
    if (!epmd.fixed_port && reader.config().listen.is_on) {
      return RefuseFlag(*flag, "without epmd nobody finds this node",
                        "add -erl_epmd_port PORT or -dist_listen false, or remove it");
    }
    epmd.is_used = false;
    reader.SetOrigin("no_epmd", flag->origin);
  }
  return absl::OkStatus();
}

absl::Status ReadVisibility(ConfigReader& reader, const ConfigInputs& inputs) {
  NodeConfig& config = reader.config();
  config.is_hidden = inputs.is_client;
  config.loops = inputs.is_client ? 1 : 0;
  config.listen.is_on = !inputs.is_client;
  if (const RawFlag* flag = reader.First("hidden")) {
    config.is_hidden = true;
    if (!flag->values.empty()) {
      ASSIGN_OR_RETURN(config.is_hidden, reader.Bool(*flag));
    }
    reader.SetOrigin("hidden", flag->origin);
  }
  if (const RawFlag* flag = reader.First("dist_listen")) {
    ASSIGN_OR_RETURN(config.listen.is_on, reader.Bool(*flag));
    reader.SetOrigin("dist_listen", flag->origin);
    if (!config.listen.is_on) config.is_hidden = true;
  }
  ASSIGN_OR_RETURN(const RawFlag* connect_all, reader.Single("connect_all"));
  if (connect_all != nullptr) {
    ASSIGN_OR_RETURN(config.connect_all, reader.Bool(*connect_all));
    reader.SetOrigin("connect_all", connect_all->origin);
  }
  return absl::OkStatus();
}

absl::Status ReadLogLevel(ConfigReader& reader) {
  const RawFlag* flag = reader.First("noded_log");
  if (flag == nullptr) return absl::OkStatus();
  const std::string& level = flag->values[0].text;
  if (!base::ParseLogLevel(level, reader.config().log_level)) {
    constexpr std::array<std::string_view, 5> kLevels = {"debug", "info", "warn", "error", "off"};
    return RefuseFlag(*flag, fmt::format("found '{}'{}", level, base::DidYouMean(level, kLevels)),
                      fmt::format("give one of {}", fmt::join(kLevels, ", ")));
  }
  reader.SetOrigin("noded_log", flag->origin);
  return absl::OkStatus();
}

absl::Status ReadTlsPairs(ConfigReader& reader) {
  dist::TlsOptions& tls = reader.config().tls;
  for (const RawFlag* flag : reader.flags().All("ssl_dist_opt")) {
    for (size_t i = 0; i < flag->values.size(); i += 2) {
      const Word& name = flag->values[i];
      if (i + 1 == flag->values.size()) {
        return RefuseFlag(*flag, fmt::format("option {} has no value", name.text),
                          "give options and values in pairs");
      }
      RETURN_IF_ERROR(
          dist::ApplyTlsPair(name.text, flag->values[i + 1].text, name.origin.ToString(), tls));
      reader.SetOrigin(name.text, name.origin);
    }
  }
  return absl::OkStatus();
}

absl::Status ReadTls(ConfigReader& reader, const ConfigInputs& inputs) {
  NodeConfig& config = reader.config();
  RETURN_IF_ERROR(ReadSslParameters(reader));
  RETURN_IF_ERROR(ReadTlsPairs(reader));
  ASSIGN_OR_RETURN(const RawFlag* file, reader.Single("ssl_dist_optfile"));
  if (file != nullptr) {
    const std::string& path = file->values[0].text;
    if (!inputs.read_file) return RefuseFlag(*file, "files cannot be read here", "");
    auto text = inputs.read_file(path);
    if (!text.ok()) return base::Annotate(text.status(), FlagText(*file));
    RETURN_IF_ERROR(dist::ApplyTlsFile(*text, path, config.tls));
    reader.SetOrigin("ssl_dist_optfile", file->origin);
  }
  RETURN_IF_ERROR(dist::FinishTlsOptions(config.tls));
  if (config.has_tls_carrier()) {
    RETURN_IF_ERROR(dist::ValidateTlsOptions(config.tls, config.listen.is_on));
  } else if (config.tls.is_given) {
    reader.Note(fmt::format("TLS options are given, and the carrier {} has no TLS", config.carrier),
                "add -proto_dist inet_tls, or remove -ssl_dist_opt and -ssl_dist_optfile");
  }
  if (!config.tls.ignored.empty()) {
    reader.Note(
        fmt::format("TLS options without effect here: {}", fmt::join(config.tls.ignored, ", ")),
        "");
  }
  return absl::OkStatus();
}

absl::Status ReadAllow(ConfigReader& reader) {
  NodeConfig& config = reader.config();
  for (const RawFlag* flag : reader.flags().All("dist_allow")) {
    if (!config.has_tls_carrier()) {
      return RefuseFlag(*flag,
                        fmt::format("the carrier {} has no certificates to judge", config.carrier),
                        "add -proto_dist inet_tls, or remove it");
    }
    if (flag->values.size() % 2 != 0) {
      return RefuseFlag(*flag, fmt::format("'{}' comes without nodes", flag->values.back().text),
                        "give pairs of certificates and nodes, as in 'dns:*.example.net' 'shop@*'");
    }
    for (size_t i = 0; i < flag->values.size(); i += 2) {
      auto rule = ParseCertificateRule(flag->values[i].text, flag->values[i + 1].text);
      if (!rule.ok()) return base::Annotate(rule.status(), FlagText(*flag));
      config.dist_allow.push_back(*std::move(rule));
    }
    reader.SetOrigin("dist_allow", flag->origin);
  }
  return absl::OkStatus();
}

absl::Status ReadPlainPeers(ConfigReader& reader) {
  NodeConfig& config = reader.config();
  const std::vector<const RawFlag*> flags = reader.flags().All("dist_plain_peers");
  const bool is_mixed = !config.second_carrier.empty();
  for (const RawFlag* flag : flags) {
    if (!is_mixed) {
      return RefuseFlag(*flag, fmt::format("there is but one carrier, {}", config.carrier),
                        "it is for -proto_dist inet_tls inet_tcp; remove it");
    }
    for (const Word& word : flag->values) {
      if (absl::Status valid = CheckNodePattern(word.text); !valid.ok()) {
        return base::Annotate(valid, FlagText(*flag));
      }
      config.plain_peers.push_back(word.text);
    }
    reader.SetOrigin("dist_plain_peers", flag->origin);
  }
  if (!is_mixed) return absl::OkStatus();
  if (!config.dist_allow.empty()) {
    reader.Note(
        "-dist_allow lets in nobody without a certificate: no link will be plain, although "
        "there is a carrier without TLS",
        "remove -dist_allow, or the plain carrier from -proto_dist");
  } else if (config.plain_peers.empty()) {
    reader.Note("every node may be connected without TLS, although there is a carrier with TLS",
                "name those that still have no TLS in -dist_plain_peers, as in 'old*@*'");
  }
  return absl::OkStatus();
}

}  // namespace

std::vector<std::string> NodeConfig::Carriers() const {
  std::vector<std::string> names{carrier};
  if (!second_carrier.empty()) names.push_back(second_carrier);
  return names;
}

const Origin& NodeConfig::OriginOf(std::string_view setting) const {
  static const auto* const kDefault = new Origin();
  auto found = origins.find(setting);
  return found == origins.end() ? *kDefault : found->second;
}

absl::StatusOr<NodeConfig> BuildConfig(const RawFlags& flags, const ConfigInputs& inputs) {
  NodeConfig config;
  config.ignored = flags.ignored;
  ConfigReader reader(flags, config);
  RETURN_IF_ERROR(ReadLogLevel(reader));
  RETURN_IF_ERROR(ReadName(reader, inputs));
  RETURN_IF_ERROR(ReadCookies(reader));
  RETURN_IF_ERROR(ReadCarrier(reader));
  RETURN_IF_ERROR(ReadVisibility(reader, inputs));
  RETURN_IF_ERROR(ReadKernelParameters(reader));
  RETURN_IF_ERROR(ReadEpmd(reader));
  RETURN_IF_ERROR(ReadTls(reader, inputs));
  RETURN_IF_ERROR(ReadAllow(reader));
  RETURN_IF_ERROR(ReadPlainPeers(reader));
  return config;
}

}  // namespace noded::node
