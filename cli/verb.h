// A verb of nodectl: what it is called, what it takes, and what it does.
//
//   std::vector<Verb> verbs = AllVerbs();                 // nodectl_main.cc makes CLI11 of them
//   int code = verb.run(context);
//
// A verb joins the cluster by context.Join() only when it has to.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "cli/start.h"
#include "node/config.h"
#include "node/node.h"

namespace noded::cli {

// What the command line said besides flags.
struct VerbArguments {
  std::string node;
  std::vector<std::string> words;  // the rest, in order
  bool is_json = false;
  double timeout_seconds = 5;
  double wait_seconds = 0;  // ping
  std::string host;         // names
  std::string folder;       // certs
  std::vector<std::string> nodes;
  std::string file;
};

class VerbContext {
 public:
  VerbContext(const node::RawFlags& flags, VerbArguments arguments)
      : flags_(flags), arguments_(std::move(arguments)) {}
  VerbContext(const VerbContext&) = delete;
  VerbContext& operator=(const VerbContext&) = delete;

  const VerbArguments& arguments() const { return arguments_; }
  std::chrono::milliseconds timeout() const;

  // The configuration of a client that wants to reach the node of the arguments.
  absl::StatusOr<node::NodeConfig> Config() const;
  // A hidden node of our own, started at the first call. Its output is ours.
  absl::StatusOr<node::Node*> Join();
  // Calls a function of the node of the arguments.
  absl::StatusOr<node::CallOutcome> Call(std::string_view module, std::string_view function,
                                         std::vector<dist::Term> args);

  // Prints an answer (a term, or JSON) or what was raised (to stderr); gives the exit code.
  int Report(const absl::StatusOr<node::CallOutcome>& outcome) const;
  void Print(const dist::Term& term) const;
  int Fail(const absl::Status& status) const { return cli::Fail("nodectl", status); }

 private:
  const node::RawFlags& flags_;
  const VerbArguments arguments_;
  RunningNode running_;
};

// "** exception error: undef ..." as an Erlang shell says it.
std::string RaisedText(const node::CallOutcome& outcome);

// The verbs, each in a file of its own under cli/verbs/.
int Ping(VerbContext& context);
int Call(VerbContext& context);
int Cast(VerbContext& context);
int Eval(VerbContext& context);
int Names(VerbContext& context);
int Nodes(VerbContext& context);
int Info(VerbContext& context);

}  // namespace noded::cli
