// nodectl eval NODE EXPRESSION: Erlang source, scanned, parsed and evaluated on a BEAM node.
#include <iostream>

#include "fmt/format.h"

#include "base/status.h"
#include "cli/verb.h"
#include "dist/term_text.h"

namespace noded::cli {
namespace {

using dist::Term;
using node::CallOutcome;

// The source with the dot that ends it.
std::string WithDot(std::string source) {
  const size_t end = source.find_last_not_of(" \t\r\n");
  source.resize(end == std::string::npos ? 0 : end + 1);
  if (!source.ends_with('.')) source += '.';
  return source;
}

bool IsUndef(const CallOutcome& outcome) {
  return outcome.kind == CallOutcome::Kind::kErrored && outcome.value.IsAtom("undef");
}

// {error, {Place, Module, What}}: asks Module for words.
int ReportSourceError(VerbContext& context, const Term& info) {
  std::string words = dist::PrintTerm(info);
  if (info.IsTuple(3) && info.tuple()[1].is_atom()) {
    auto text = context.Call(info.tuple()[1].atom(), "format_error", {info.tuple()[2]});
    std::string format = dist::PrintTerm(info.tuple()[2]);
    if (text.ok() && text->is_return()) {
      // An iolist of characters; as a flat list it is text.
      auto flat = context.Call("lists", "flatten", {text->value});
      if (flat.ok() && flat->is_return()) format = flat->value.AsText().value_or(format);
    }
    words = fmt::format("{}: {}", dist::PrintTerm(info.tuple()[0]), format);
  }
  std::cerr << "nodectl: the expression is not Erlang: " << words << std::endl;
  return kUsage;
}

}  // namespace

int Eval(VerbContext& context) {
  const std::string source = WithDot(context.arguments().words[0]);
  auto scanned = context.Call("erl_scan", "string", {Term::String(source)});
  if (!scanned.ok()) return context.Fail(scanned.status());
  if (IsUndef(*scanned)) {
    std::cerr << "nodectl: " << context.arguments().node
              << " runs no Erlang code; use nodectl call, or eval on a BEAM node" << std::endl;
    return kRaised;
  }
  if (!scanned->is_return()) return context.Report(scanned);
  if (!scanned->value.IsTagged("ok", 3)) {
    const auto words = scanned->value.tuple();
    return ReportSourceError(context, words.size() > 1 ? words[1] : scanned->value);
  }
  auto parsed = context.Call("erl_parse", "parse_exprs", {scanned->value.tuple()[1]});
  if (!parsed.ok() || !parsed->is_return()) return context.Report(parsed);
  if (!parsed->value.IsTagged("ok", 2)) {
    const auto words = parsed->value.tuple();
    return ReportSourceError(context, words.size() > 1 ? words[1] : parsed->value);
  }
  auto value = context.Call("erl_eval", "exprs", {parsed->value.tuple()[1], Term::Nil()});
  if (value.ok() && value->is_return() && value->value.IsTagged("value", 3)) {
    context.Print(value->value.tuple()[1]);
    return kAnswered;
  }
  return context.Report(value);
}

}  // namespace noded::cli
