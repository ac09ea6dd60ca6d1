// nodectl nodes NODE: whom a node is connected to, hidden ones included.
#include <iostream>

#include "cli/verb.h"
#include "dist/term_text.h"

namespace noded::cli {

using dist::Term;

int Nodes(VerbContext& context) {
  auto outcome = context.Call("erlang", "nodes", {Term::Atom("connected")});
  if (!outcome.ok() || !outcome->is_return() || !outcome->value.is_list()) {
    return context.Report(outcome);
  }
  // Ourselves, who are there only to ask.
  absl::StatusOr<node::Node*> self = context.Join();
  std::vector<Term> others;
  for (const Term& name : outcome->value.list()) {
    if (!self.ok() || !name.IsAtom((*self)->name().view())) others.push_back(name);
  }
  if (context.arguments().is_json) {
    context.Print(Term::List(std::move(others)));
    return kAnswered;
  }
  for (const Term& name : others) std::cout << name.atom() << "\n";
  return kAnswered;
}

}  // namespace noded::cli
