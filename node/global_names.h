// Names and locks of the whole cluster, OTP's global.
//
//   GlobalNames global = node->Global();
//   RETURN_IF_ERROR(global.Register(Term::Atom("till"), mailbox->pid()));
//   if (auto till = global.WhereIs(Term::Atom("till"))) node->Send(from, Destination::OfPid(*till), m);
//   ASSIGN_OR_RETURN(auto lock, global.Lock(Term::Atom("ledger"), std::chrono::seconds(5)));
//
// An Erlang process finds a C++ service by global:whereis_name(till), and the reverse. Names are
// those of all nodes that this one forms a full mesh with: visible nodes, as long as -connect_all is
// true; a hidden node has names of its own. A name goes with its process. When two parts of a
// cluster that have given the same name to different processes meet, `Conflict` says which one keeps
// it. A handle: copies mean the same node, which outlives them. Any thread but a loop's; changes
// wait until all nodes know of them. Source: OTP global(3).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "base/clock.h"
#include "base/loop.h"
#include "dist/identifiers.h"
#include "dist/term.h"

namespace noded::node {

class GlobalLockHolder;
class GlobalServer;
class Signals;

// Held as long as this lives, or the node.
class GlobalLock {
 public:
  GlobalLock(base::Loop& home, std::shared_ptr<GlobalLockHolder> holder);
  // Gives it back; others may have it a little later.
  ~GlobalLock();
  GlobalLock(const GlobalLock&) = delete;
  GlobalLock& operator=(const GlobalLock&) = delete;

 private:
  base::Loop& home_;
  std::shared_ptr<GlobalLockHolder> holder_;
};

class GlobalNames {
 public:
  // Of two processes with one name, the one on the lesser node keeps it.
  enum class Conflict {
    kKillOther,  // random_exit_name: the other one is ended (kill)
    kTellOther,  // random_notify_name: it gets {global_name_conflict, Name}
    kTellBoth,   // notify_all_name: none keeps it; both get {global_name_conflict, Name, OtherPid}
  };

  // Made by Node::Global.
  GlobalNames(base::Loop& home, Signals& signals, std::shared_ptr<GlobalServer> server,
              std::function<std::vector<dist::AtomName>()> connected);

  // AlreadyExists: the name is taken, or the process has another one.
  absl::Status Register(const dist::Term& name, const dist::Pid& pid,
                        Conflict conflict = Conflict::kKillOther);
  // Takes the name from whoever has it.
  absl::Status ReRegister(const dist::Term& name, const dist::Pid& pid,
                          Conflict conflict = Conflict::kKillOther);
  absl::Status Unregister(const dist::Term& name);
  std::optional<dist::Pid> WhereIs(const dist::Term& name) const;
  std::vector<dist::Term> Names() const;

  // Until this node has the same names as every visible node that is connected now.
  absl::Status Sync();

  // A lock of any resource, on all connected nodes; {resource, requester} for Erlang. Holders that
  // name the same requester share it. DeadlineExceeded.
  absl::StatusOr<std::unique_ptr<GlobalLock>> Lock(
      const dist::Term& resource, base::Duration timeout,
      const std::optional<dist::Term>& requester = std::nullopt);

  // For the nodes that ask: which of two processes keeps a name, as global:resolve_it/4 says it.
  dist::Term Resolve(const dist::Term& method, const dist::Term& name, const dist::Pid& one,
                     const dist::Pid& other);

 private:
  absl::Status Change(const dist::Term& name, std::optional<dist::Pid> pid, Conflict conflict,
                      bool may_replace);

  base::Loop* home_;
  Signals* signals_;
  std::shared_ptr<GlobalServer> server_;
  std::function<std::vector<dist::AtomName>()> connected_;  // visible nodes; on the home loop
};

}  // namespace noded::node
