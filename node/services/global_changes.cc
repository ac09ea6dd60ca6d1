#include "node/services/global_changes.h"

#include <utility>

#include "base/log.h"
#include "dist/term_text.h"

namespace noded::node {

using dist::Pid;
using dist::Term;

namespace {

constexpr char kModule[] = "global";
constexpr char kKillOne[] = "random_exit_name";
constexpr char kTellOne[] = "random_notify_name";
constexpr char kTellBoth[] = "notify_all_name";

Term Method(const char* function) { return Term::FromExport({kModule, function, 3}); }

std::optional<GlobalChange> ReadInsert(const Term& entry, const Term& external) {
  if (!entry.IsTuple(3) || !entry.tuple()[1].is_pid()) return std::nullopt;
  const Term& name = entry.tuple()[0];
  GlobalName insert{entry.tuple()[1].pid(), entry.tuple()[2], {}};
  for (const Term& one : external.list()) {
    if (!one.IsTuple(3) || !one.tuple()[2].is_atom()) continue;
    if (one.tuple()[0] == name && one.tuple()[1] == entry.tuple()[1]) {
      insert.external = one.tuple()[2].atom_name();
    }
  }
  return GlobalChange{name, std::move(insert)};
}

Term Conflict(const Term& name) { return Term::Tuple({Term::Atom("global_name_conflict"), name}); }

Term Conflict(const Term& name, const Pid& other) {
  return Term::Tuple({Term::Atom("global_name_conflict"), name, Term::FromPid(other)});
}

}  // namespace

std::vector<GlobalChange> ReadChanges(const Term& operations, const Term& external) {
  std::vector<GlobalChange> changes;
  for (const Term& operation : operations.list()) {
    if (operation.IsTagged("insert", 2)) {
      if (auto change = ReadInsert(operation.tuple()[1], external)) {
        changes.push_back(*std::move(change));
      }
    } else if (operation.IsTagged("delete", 2)) {
      changes.push_back({operation.tuple()[1], std::nullopt});
    }
  }
  return changes;
}

Term ChangesTerm(const std::vector<GlobalChange>& changes) {
  std::vector<Term> operations;
  for (const GlobalChange& change : changes) {
    operations.push_back(
        change.insert ? Term::Tuple({Term::Atom("insert"),
                                     Term::Tuple({change.name, Term::FromPid(change.insert->pid),
                                                  change.insert->method})})
                      : Term::Tuple({Term::Atom("delete"), change.name}));
  }
  return Term::List(std::move(operations));
}

Term KillOneMethod() { return Method(kKillOne); }
Term TellOneMethod() { return Method(kTellOne); }
Term TellBothMethod() { return Method(kTellBoth); }

Term ResolveConflict(Signals& signals, const Pid& self, const Term& method, const Term& name,
                     const Pid& one, const Pid& other) {
  if (method == TellBothMethod()) {
    signals.Send(self, Destination::OfPid(one), Conflict(name, other));
    signals.Send(self, Destination::OfPid(other), Conflict(name, one));
    return Term::Atom("none");
  }
  const bool is_one_smaller = one.node < other.node;
  const Pid& kept = is_one_smaller ? one : other;
  const Pid& loser = is_one_smaller ? other : one;
  base::LogInfo("global_name_conflict")
      .Add("name", dist::PrintTerm(name))
      .Add("kept", dist::PrintTerm(Term::FromPid(kept)))
      .Add("lost", dist::PrintTerm(Term::FromPid(loser)));
  if (method == TellOneMethod()) {
    signals.Send(self, Destination::OfPid(loser), Conflict(name));
  } else {
    signals.SendExit(self, loser, Term::Atom("kill"));
  }
  return Term::FromPid(kept);
}

}  // namespace noded::node
