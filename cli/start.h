// What noded and nodectl do first: flags and environment of this process to a configuration, log,
// and a running node.
//
//   ASSIGN_OR_RETURN(RawFlags flags, ReadFlags(argc, argv, Grammar::kErl));
//   ASSIGN_OR_RETURN(NodeConfig config, ReadConfig(flags, /*client_target=*/std::nullopt));
//   ASSIGN_OR_RETURN(RunningNode running, StartNode(config));
//
// Errors are for the person at the terminal: each names the flag or file and the mend.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "node/assemble.h"
#include "node/config.h"
#include "node/node.h"

namespace noded::cli {

// Exit codes, the same for both programs.
enum ExitCode : int {
  kAnswered = 0,
  kRaised = 1,  // nodectl: the remote side raised; noded: it could not start
  kUsage = 2,
  kNotConnected = 3,
  kTimedOut = 4,
};

// Writes "program: message" to stderr and gives the exit code for the status.
int Fail(const std::string& program, const absl::Status& status);

absl::StatusOr<node::RawFlags> ReadFlags(int argc, char** argv, node::Grammar grammar);

// With a target it is a client's: hidden, does not listen, and has a name of its own.
absl::StatusOr<node::NodeConfig> ReadConfig(const node::RawFlags& flags,
                                            std::optional<std::string> client_target);

struct RunningNode {
  std::unique_ptr<node::Assembly> assembly;
  std::unique_ptr<node::Node> node;  // goes first
};

// Logs what the operator should know of the configuration, and starts.
absl::StatusOr<RunningNode> StartNode(const node::NodeConfig& config);

}  // namespace noded::cli
