#include "node/services/pg_functions.h"

#include <optional>
#include <utility>
#include <variant>

#include "base/status.h"
#include "node/process_groups.h"
#include "node/typed.h"

namespace noded::node {
namespace {

using dist::AtomName;
using dist::Pid;
using dist::Term;
using Pids = ProcessGroups::Pids;
using PidOrPids = std::variant<Pid, Pids>;

constexpr char kPg[] = "pg";

Pids List(const PidOrPids& pids) {
  if (const Pid* pid = std::get_if<Pid>(&pids)) return {*pid};
  return std::get<Pids>(pids);
}

// What a gen_server:call to a scope that is not there exits with.
CallOutcome NoScope(const AtomName& scope, const char* request) {
  return CallOutcome::Exit(Term::Tuple(
      {Term::Atom("noproc"), Term::Tuple({Term::Atom("gen_server"), Term::Atom("call"),
                                          Term::List({Term::Atom(scope), Term::Atom(request),
                                                      Term::Atom("infinity")})})}));
}

CallOutcome Answer(const absl::Status& status, const PidOrPids& pids) {
  if (status.ok()) return CallOutcome::Return(Term::Atom("ok"));
  const std::string reason = base::ReasonOf(status);
  if (reason == "not_joined") return CallOutcome::Return(Term::Atom(reason));
  return CallOutcome::Error(Term::Tuple({Term::Atom(reason), dist::ToTerm(pids)}));
}

}  // namespace

void AddPgFunctions(Node& node) {
  const auto find = [self = &node](const AtomName& scope) { return self->FindScope(scope); };
  const auto members = [find](const AtomName& scope, const Term& group) {
    const auto groups = find(scope);
    return groups ? groups->Members(group) : Pids();
  };
  const auto local_members = [find](const AtomName& scope, const Term& group) {
    const auto groups = find(scope);
    return groups ? groups->LocalMembers(group) : Pids();
  };
  const auto groups_of = [find](const AtomName& scope) {
    const auto groups = find(scope);
    return groups ? groups->Groups() : std::vector<Term>();
  };
  const auto local_groups_of = [find](const AtomName& scope) {
    const auto groups = find(scope);
    return groups ? groups->LocalGroups() : std::vector<Term>();
  };
  const auto join = [find](const AtomName& scope, const Term& group, const PidOrPids& pids) {
    auto groups = find(scope);
    return groups ? Answer(groups->Join(group, List(pids)), pids) : NoScope(scope, "join_local");
  };
  const auto leave = [find](const AtomName& scope, const Term& group, const PidOrPids& pids) {
    auto groups = find(scope);
    return groups ? Answer(groups->Leave(group, List(pids)), pids) : NoScope(scope, "leave_local");
  };
  node.Export(kPg, "get_members", Typed(members));
  node.Export(kPg, "get_members", Typed([members](Term group) { return members(kPg, group); }));
  node.Export(kPg, "get_local_members", Typed(local_members));
  node.Export(kPg, "get_local_members",
              Typed([local_members](Term group) { return local_members(kPg, group); }));
  node.Export(kPg, "which_groups", Typed(groups_of));
  node.Export(kPg, "which_groups", Typed([groups_of] { return groups_of(kPg); }));
  node.Export(kPg, "which_local_groups", Typed(local_groups_of));
  node.Export(kPg, "which_local_groups", Typed([local_groups_of] { return local_groups_of(kPg); }));
  node.Export(kPg, "join", Typed(join));
  node.Export(kPg, "join",
              Typed([join](Term group, PidOrPids pids) { return join(kPg, group, pids); }));
  node.Export(kPg, "leave", Typed(leave));
  node.Export(kPg, "leave",
              Typed([leave](Term group, PidOrPids pids) { return leave(kPg, group, pids); }));
}

}  // namespace noded::node
