// nodectl nodes NODE: whom a node is connected to, hidden ones included; where the links of a noded
// may be of two carriers, also which is which.
#include <iostream>
#include <map>
#include <string>

#include "cli/verb.h"
#include "dist/term_text.h"

namespace noded::cli {
namespace {

using dist::Term;

// The carrier of each link, by the other node's name; empty for a node that has one carrier, or
// does not tell.
std::map<std::string, std::string> CarriersOf(VerbContext& context) {
  std::map<std::string, std::string> carriers;
  const auto info = context.Call("noded", "info", {});
  if (!info.ok() || !info->is_return() || !info->value.is_map()) return carriers;
  const Term* all = info->value.Find("carriers");
  const Term* peers = info->value.Find("peers");
  if (all == nullptr || peers == nullptr || !all->is_list() || !peers->is_list()) return carriers;
  if (all->list().size() < 2) return carriers;
  for (const Term& peer : peers->list()) {
    const Term* node = peer.is_map() ? peer.Find("node") : nullptr;
    const Term* carrier = peer.is_map() ? peer.Find("carrier") : nullptr;
    if (node == nullptr || carrier == nullptr || !node->is_atom() || !carrier->is_atom()) continue;
    carriers[std::string(node->atom())] = std::string(carrier->atom());
  }
  return carriers;
}

}  // namespace

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
  const std::map<std::string, std::string> carriers = CarriersOf(context);
  for (const Term& name : others) {
    std::cout << name.atom();
    const auto carrier = carriers.find(std::string(name.atom()));
    if (carrier != carriers.end()) std::cout << " " << carrier->second;
    std::cout << "\n";
  }
  return kAnswered;
}

}  // namespace noded::cli
