#include "cli/verb.h"

#include <algorithm>
#include <iostream>

#include "fmt/format.h"

#include "base/status.h"
#include "dist/term_json.h"
#include "dist/term_text.h"

namespace noded::cli {

using dist::Term;
using node::CallOutcome;

std::chrono::milliseconds VerbContext::timeout() const {
  return std::chrono::milliseconds(static_cast<int64_t>(arguments_.timeout_seconds * 1000));
}

absl::StatusOr<node::NodeConfig> VerbContext::Config() const {
  return ReadConfig(flags_, arguments_.node);
}

absl::StatusOr<node::Node*> VerbContext::Join() {
  if (running_.node == nullptr) {
    ASSIGN_OR_RETURN(node::NodeConfig config, Config());
    // Who asks for an answer within two seconds does not want to wait seven for a connection.
    config.time.net_setuptime = std::min(config.time.net_setuptime, timeout());
    ASSIGN_OR_RETURN(running_, StartNode(config));
  }
  return running_.node.get();
}

absl::StatusOr<CallOutcome> VerbContext::Call(std::string_view module, std::string_view function,
                                              std::vector<Term> args) {
  ASSIGN_OR_RETURN(node::Node * node, Join());
  node::CallRequest request;
  request.node = arguments_.node;
  request.module = module;
  request.function = function;
  request.args = Term::List(std::move(args));
  request.timeout = timeout();
  return node->Call(std::move(request));
}

void VerbContext::Print(const Term& term) const {
  std::cout << (arguments_.is_json ? dist::TermToJson(term) : dist::PrintTerm(term)) << std::endl;
}

int VerbContext::Report(const absl::StatusOr<CallOutcome>& outcome) const {
  if (!outcome.ok()) return Fail(outcome.status());
  if (outcome->is_return()) {
    Print(outcome->value);
    return kAnswered;
  }
  std::cerr << "nodectl: " << arguments_.node << ": " << RaisedText(*outcome) << std::endl;
  return kRaised;
}

std::string RaisedText(const CallOutcome& outcome) {
  const std::string value = dist::PrintTerm(outcome.value);
  switch (outcome.kind) {
    case CallOutcome::Kind::kReturned:
      return value;
    case CallOutcome::Kind::kThrown:
      return "** exception throw: " + value;
    case CallOutcome::Kind::kExited:
      return "** exception exit: " + value;
    case CallOutcome::Kind::kErrored:
      break;
  }
  std::string text = "** exception error: " + value;
  for (const Term& frame : outcome.stack.list()) {
    const auto words = frame.tuple();
    if (words.size() < 3) continue;
    const std::string arity =
        words[2].is_list() ? fmt::to_string(words[2].list().size()) : dist::PrintTerm(words[2]);
    text += fmt::format("\n    in {}:{}/{}", dist::PrintTerm(words[0]), dist::PrintTerm(words[1]),
                        arity);
    if (words[2].is_list() && outcome.value.IsAtom("undef")) {
      std::string args;
      for (const Term& arg : words[2].list()) {
        args += (args.empty() ? "" : ", ") + dist::PrintTerm(arg);
      }
      text += fmt::format(", called as {}:{}({})", dist::PrintTerm(words[0]),
                          dist::PrintTerm(words[1]), args);
    }
  }
  return text;
}

}  // namespace noded::cli
