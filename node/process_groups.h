// Process groups of the cluster, OTP's pg: which processes, on whatever node, are in a group.
//
//   ASSIGN_OR_RETURN(ProcessGroups groups, node->OpenScope());        // pg's own, "pg"
//   RETURN_IF_ERROR(groups.Join(Term::Atom("carts"), mailbox->pid()));
//   for (const dist::Pid& cart : groups.Members(Term::Atom("carts"))) node->Send(...);
//
// An Erlang process finds a C++ service by pg:get_members(carts), and the reverse. A hidden node
// shares its groups with nobody. A handle: copies mean the same scope, and the node outlives them.
// Any thread but a loop's. Source: OTP pg(3).
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "absl/status/status.h"

#include "base/loop.h"
#include "dist/identifiers.h"
#include "dist/term.h"

namespace noded::node {

class PgScope;

class ProcessGroups {
 public:
  using Pids = std::vector<dist::Pid>;

  // Made by Node::OpenScope.
  ProcessGroups(base::Loop& home, std::shared_ptr<PgScope> scope);

  // Of processes of this node, several times if wanted. InvalidArgument (nolocal), NotFound
  // (noproc; not_joined).
  absl::Status Join(const dist::Term& group, const dist::Pid& pid);
  absl::Status Join(const dist::Term& group, const Pids& pids);
  absl::Status Leave(const dist::Term& group, const dist::Pid& pid);
  absl::Status Leave(const dist::Term& group, const Pids& pids);

  Pids Members(const dist::Term& group) const;
  Pids LocalMembers(const dist::Term& group) const;
  std::vector<dist::Term> Groups() const;
  std::vector<dist::Term> LocalGroups() const;

  // Of every change from now on, on the home loop; it must not wait.
  void Watch(std::function<void(bool is_join, const dist::Term& group, const Pids& pids)> watcher);

 private:
  base::Loop* home_;
  std::shared_ptr<PgScope> scope_;
};

}  // namespace noded::node
