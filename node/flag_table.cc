// Every flag of erl and init, and ours.
#include <array>
#include <string>

#include "fmt/format.h"

#include "node/flags.h"

namespace noded::node {
namespace {

constexpr FlagInfo Used(std::string_view name, int min, int max, std::string_view values,
                        std::string_view meaning) {
  return {name, FlagUse::kUsed, min, max, values, meaning};
}
constexpr FlagInfo Beam(std::string_view name) { return {name, FlagUse::kBeam, 0, -1}; }
constexpr FlagInfo Refused(std::string_view name, std::string_view why) {
  return {name, FlagUse::kRefused, 0, -1, "", why};
}

constexpr FlagInfo kFlags[] = {
    Used("name", 1, 1, "NAME[@HOST]", "the node's name, with a fully qualified host or an address"),
    Used("sname", 1, 1, "NAME[@HOST]", "the node's name, with a host without dots"),
    Used("setcookie", 1, 2, "[NODE] COOKIE", "the cookie, or the cookie towards one node"),
    Used("proto_dist", 1, 2, "CARRIER [CARRIER]",
         "inet_tcp (default), inet6_tcp, inet_tls or inet6_tls; or inet_tls inet_tcp"),
    Used("ssl_dist_opt", 2, -1, "OPTION VALUE ...", "TLS: server_certfile, client_cacertfile, ..."),
    Used("ssl_dist_optfile", 1, 1, "FILE", "TLS: the same as Erlang terms in a file"),
    Used("dist_allow", 2, -1, "CERTIFICATE NODES ...",
         "which certificates may be which nodes: 'uri:spiffe://shop/*' 'shop*@*'"),
    Used("dist_plain_peers", 1, -1, "NODES ...",
         "with two carriers, who may be connected without TLS: 'old*@*'"),
    Used("ssl", 2, -1, "KEY VALUE ...", "parameters of OTP's application ssl"),
    Used("kernel", 2, -1, "KEY VALUE ...", "parameters of OTP's application kernel"),
    Used("hidden", 0, 1, "[true|false]", "connections of this node are hidden"),
    Used("connect_all", 1, 1, "true|false", "connect to all nodes of the cluster"),
    Used("dist_listen", 1, 1, "true|false", "take connections; false makes the node hidden"),
    Used("start_epmd", 1, 1, "true|false", "be the host's epmd when none runs"),
    Used("no_epmd", 0, 0, "", "never ask an epmd; needs -erl_epmd_port or -dist_listen false"),
    Used("epmd_port", 1, 1, "PORT", "epmd's port; before ERL_EPMD_PORT, else 4369"),
    Used("erl_epmd_port", 1, 1, "PORT", "listen on and connect to this port, without any epmd"),
    Used("env", 2, 2, "VARIABLE VALUE", "sets an environment variable"),
    Used("args_file", 1, 1, "FILE", "reads flags from a file; # begins a comment"),
    Used("extra", 0, -1, "WORD ...", "all that follows is no flag"),
    Used("noded_log", 1, 1, "LEVEL", "debug, info (default), warn, error or off"),
    Used("version", 0, 0, "", "prints the version"),
    Used("help", 0, 0, "", "prints this"),

    Refused("cookie", "erl ignores it, so the cookie would be another one; write -setcookie"),
    Refused("nocookie", "noded never runs without a cookie; write -setcookie, or neither"),
    Refused("epmd_module",
            "noded has one way to find nodes; remove it, or use -erl_epmd_port PORT"),

    // init and erlexec.
    Beam("S"),
    Beam("allow_feature"),
    Beam("async_shell_start"),
    Beam("bindir"),
    Beam("boot"),
    Beam("boot_var"),
    Beam("cache_boot_paths"),
    Beam("code_path_cache"),
    Beam("code_path_choice"),
    Beam("compile"),
    Beam("config"),
    Beam("configfd"),
    Beam("detached"),
    Beam("disable-feature"),
    Beam("embedded"),
    Beam("emu_args"),
    Beam("emu_args_exit"),
    Beam("emu_flavor"),
    Beam("emu_name_exit"),
    Beam("emu_qouted_cmd_exit"),
    Beam("emu_type"),
    Beam("enable-feature"),
    Beam("epmd"),
    Beam("eval"),
    Beam("heart"),
    Beam("home"),
    Beam("hosts"),
    Beam("id"),
    Beam("init_debug"),
    Beam("instr"),
    Beam("keep_window"),
    Beam("loader"),
    Beam("make"),
    Beam("man"),
    Beam("master"),
    Beam("mode"),
    Beam("newshell"),
    Beam("noinput"),
    Beam("nohup"),
    Beam("noshell"),
    Beam("nostick"),
    Beam("oldshell"),
    Beam("pa"),
    Beam("path"),
    Beam("profile_boot"),
    Beam("progname"),
    Beam("pz"),
    Beam("remsh"),
    Beam("root"),
    Beam("rsh"),
    Beam("run"),
    Beam("s"),
    Beam("shutdown_time"),
    Beam("slave"),
    Beam("smp"),
    Beam("smpauto"),
    Beam("smpdisable"),
    Beam("smpenable"),
    Beam("user"),
    // Parameters of OTP's other applications, and of Elixir.
    Beam("asn1"),
    Beam("common_test"),
    Beam("compiler"),
    Beam("crypto"),
    Beam("debugger"),
    Beam("dialyzer"),
    Beam("diameter"),
    Beam("eldap"),
    Beam("elixir"),
    Beam("elixir_root"),
    Beam("et"),
    Beam("eunit"),
    Beam("ftp"),
    Beam("inets"),
    Beam("iex"),
    Beam("logger"),
    Beam("megaco"),
    Beam("mnesia"),
    Beam("observer"),
    Beam("odbc"),
    Beam("os_mon"),
    Beam("parsetools"),
    Beam("public_key"),
    Beam("reltool"),
    Beam("runtime_tools"),
    Beam("sasl"),
    Beam("snmp"),
    Beam("ssh"),
    Beam("stdlib"),
    Beam("syntax_tools"),
    Beam("tftp"),
    Beam("tools"),
    Beam("wx"),
    Beam("xmerl"),
};

}  // namespace

std::span<const FlagInfo> AllFlags() { return kFlags; }

const FlagInfo* FindFlag(std::string_view name) {
  for (const FlagInfo& flag : kFlags) {
    if (flag.name == name) return &flag;
  }
  return nullptr;
}

std::string FlagHelp() {
  std::string text;
  for (const FlagInfo& flag : kFlags) {
    if (flag.use != FlagUse::kUsed) continue;
    const std::string left = fmt::format("-{} {}", flag.name, flag.values);
    text += fmt::format("  {:<32}{}\n", left, flag.meaning);
  }
  return text;
}

}  // namespace noded::node
