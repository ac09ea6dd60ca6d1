#include "cli/start.h"

#include <unistd.h>

#include <iostream>

#include "base/log.h"
#include "base/status.h"
#include "node/host_names.h"

namespace noded::cli {

int Fail(const std::string& program, const absl::Status& status) {
  std::cerr << program << ": " << std::string(status.message().data(), status.message().size())
            << std::endl;
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
      return kUsage;
    case absl::StatusCode::kDeadlineExceeded:
      return kTimedOut;
    default:
      return kNotConnected;
  }
}

absl::StatusOr<node::RawFlags> ReadFlags(int argc, char** argv, node::Grammar grammar) {
  node::FlagSources sources;
  sources.arguments.assign(argv + 1, argv + argc);
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view entry = *variable;
    const size_t equals = entry.find('=');
    if (equals == std::string_view::npos) continue;
    sources.environment.emplace(entry.substr(0, equals), entry.substr(equals + 1));
  }
  sources.read_file = node::ReadFlagFile;
  return node::ParseFlags(sources, grammar);
}

absl::StatusOr<node::NodeConfig> ReadConfig(const node::RawFlags& flags,
                                            std::optional<std::string> client_target) {
  node::ConfigInputs inputs;
  inputs.hosts = node::LocalHostNames();
  inputs.read_file = node::ReadFlagFile;
  inputs.is_client = client_target.has_value();
  inputs.target = client_target.value_or("");
  ASSIGN_OR_RETURN(node::NodeConfig config, node::BuildConfig(flags, inputs));
  // It would answer itself, whether that node runs or not.
  if (inputs.is_client && config.name == inputs.target) {
    return base::Error(
        absl::StatusCode::kInvalidArgument,
        inputs.target + ": -name or -sname gives nodectl the name of the node that it shall ask",
        "leave the flag out: nodectl then takes a name that is free", "duplicate_name");
  }
  // A client tells its errors itself; its log is for those who ask for it.
  if (inputs.is_client && !config.origins.contains("log_level")) {
    config.log_level = base::LogLevel::kOff;
  }
  return config;
}

absl::StatusOr<RunningNode> StartNode(const node::NodeConfig& config) {
  base::StartLog(config.log_level);
  for (const node::Notice& notice : config.notices) {
    base::LogWarn("configuration").Add("cause", notice.what).Add("mend", notice.mend);
  }
  for (const node::Ignored& ignored : config.ignored) {
    base::LogInfo("flag_ignored")
        .Add("flag", ignored.flag)
        .Add("origin", ignored.origin.ToString())
        .Add("cause", "it has a meaning for an Erlang virtual machine only");
  }
  for (const std::string& option : config.tls.ignored) {
    base::LogInfo("option_ignored").Add("option", option).Add("cause", "it has no effect here");
  }
  RunningNode running;
  ASSIGN_OR_RETURN(running.assembly, node::Assemble(config));
  for (const dist::Carrier* carrier : running.assembly->chosen) {
    for (const dist::Warning& warning : carrier->Warnings()) {
      base::LogWarn("configuration").Add("cause", warning.what).Add("mend", warning.mend);
    }
  }
  ASSIGN_OR_RETURN(running.node,
                   node::Node::Start(running.assembly->options, running.assembly->chosen));
  return running;
}

}  // namespace noded::cli
