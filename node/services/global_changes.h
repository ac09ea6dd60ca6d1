// What nodes tell each other about global names: changes, and who of two processes keeps a name.
//
//   std::vector<GlobalChange> changes = ReadChanges(operations, external);  // of {resolved, ...}
//   const dist::Term kept = ResolveConflict(signals, self, method, name, one, other);
//
// Functions without state; ResolveConflict sends signals and belongs to the home loop.
// Source: OTP lib/kernel/src/global.erl; global(3), "Resolve functions".
#pragma once

#include <optional>
#include <vector>

#include "node/services/global_table.h"

namespace noded::node {

struct GlobalChange {
  dist::Term name;
  std::optional<GlobalName> insert;  // none: the name goes
};

// Of [{insert, {Name, Pid, Method}} | {delete, Name}]; what is none of these is left out. `external`
// is [{Name, Pid, Node}].
std::vector<GlobalChange> ReadChanges(const dist::Term& operations, const dist::Term& external);
dist::Term ChangesTerm(const std::vector<GlobalChange>& changes);

// The methods of OTP's module `global`, as funs that a BEAM can call.
dist::Term KillOneMethod();   // fun global:random_exit_name/3, the usual one
dist::Term TellOneMethod();   // fun global:random_notify_name/3
dist::Term TellBothMethod();  // fun global:notify_all_name/3

// The pid that keeps the name, or the atom `none`. Methods written in Erlang cannot be called here:
// for all but the three above the process on the greater node is ended, as KillOneMethod() does.
dist::Term ResolveConflict(Signals& signals, const dist::Pid& self, const dist::Term& method,
                           const dist::Term& name, const dist::Pid& one, const dist::Pid& other);

}  // namespace noded::node
