// nodectl call NODE MODULE FUNCTION [ARGUMENT ...] and nodectl cast: each argument is a term.
#include "fmt/format.h"

#include "base/status.h"
#include "cli/verb.h"
#include "dist/term_text.h"

namespace noded::cli {
namespace {

using dist::Term;

struct Target {
  std::string module, function;
  std::vector<Term> args;
};

absl::StatusOr<Target> ReadTarget(const VerbArguments& arguments) {
  const std::vector<std::string>& words = arguments.words;
  Target target;
  // Names may be written as in Erlang: 'Elixir.Enum'.
  for (auto [word, into] : {std::pair(&words[0], &target.module), {&words[1], &target.function}}) {
    absl::StatusOr<Term> name = dist::ParseTerm(*word);
    *into = name.ok() && name->is_atom() ? std::string(name->atom()) : *word;
  }
  for (size_t i = 2; i < words.size(); ++i) {
    absl::StatusOr<Term> term = dist::ParseTerm(words[i]);
    if (!term.ok()) {
      return base::Error(
          absl::StatusCode::kInvalidArgument,
          fmt::format("argument {}, {}: {}", i - 1, words[i], base::CauseOf(term.status())),
          "write each argument as one Erlang term, quoted for your shell: "
          "\"'b@host'\" '[1,2]' '<<\"text\">>'");
    }
    target.args.push_back(*std::move(term));
  }
  return target;
}

}  // namespace

int Call(VerbContext& context) {
  absl::StatusOr<Target> target = ReadTarget(context.arguments());
  if (!target.ok()) return context.Fail(target.status());
  return context.Report(context.Call(target->module, target->function, std::move(target->args)));
}

int Cast(VerbContext& context) {
  absl::StatusOr<Target> target = ReadTarget(context.arguments());
  if (!target.ok()) return context.Fail(target.status());
  absl::StatusOr<node::Node*> self = context.Join();
  if (!self.ok()) return context.Fail(self.status());
  node::CallRequest request;
  request.node = context.arguments().node;
  request.module = target->module;
  request.function = target->function;
  request.args = Term::List(std::move(target->args));
  request.timeout = context.timeout();
  const absl::Status sent = (*self)->Cast(std::move(request));
  if (!sent.ok()) return context.Fail(sent);
  // What a peer has not read when the link ends may be lost (seen with OTP 25 over TLS 1.2). The
  // answer to a ping behind the cast says that it was read; none is no error: the cast may stop the
  // node.
  (*self)->Ping(context.arguments().node, context.timeout()).IgnoreError();
  return kAnswered;
}

}  // namespace noded::cli
