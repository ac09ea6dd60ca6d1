// A scope of process groups, as OTP's pg has them: the process that tells the scopes of the same
// name on other nodes who of ours is in which group, and hears it from them.
//
//   auto scope = std::make_shared<PgScope>(signals, "pg", is_connected);
//   const dist::Pid pid = signals.Start(scope);         // register it as pg
//   scope->NodeUp("shop@host");                         // for each visible node, now and later
//   RETURN_IF_ERROR(scope->Join(Term::Atom("carts"), cart));
//   for (const dist::Pid& member : scope->Members(Term::Atom("carts"))) ...
//
// A process may join a group several times and must leave it as often; it leaves by itself when it
// ends. What another node said goes with its scope, or with the connection to it. Groups are
// compared by =:=. Confined to the home loop. Source: OTP lib/kernel/src/pg.erl, pg(3).
#pragma once

#include <functional>
#include <unordered_map>
#include <vector>

#include "absl/status/status.h"

#include "dist/term_hash.h"
#include "node/signals.h"

namespace noded::node {

class PgScope : public Process {
 public:
  using Pids = std::vector<dist::Pid>;
  using Watcher = std::function<void(bool is_join, const dist::Term& group, const Pids& pids)>;

  // `is_connected`: nobody is connected to for the sake of a group.
  PgScope(Signals& signals, dist::AtomName name,
          std::function<bool(const dist::AtomName& node)> is_connected)
      : signals_(signals), name_(std::move(name)), is_connected_(std::move(is_connected)) {}

  // A visible node is connected: asks whether it has this scope.
  void NodeUp(const dist::AtomName& node);

  // Of processes of this node. InvalidArgument (nolocal) for others, NotFound (noproc) for those
  // that have ended.
  absl::Status Join(const dist::Term& group, const Pids& pids);
  // NotFound (not_joined) when none of them was in it.
  absl::Status Leave(const dist::Term& group, const Pids& pids);

  // In no particular order; as often as each has joined.
  Pids Members(const dist::Term& group) const;
  Pids LocalMembers(const dist::Term& group) const;
  std::vector<dist::Term> Groups(bool are_local) const;
  // Called for every change from now on, in the middle of other work: only post.
  void Watch(Watcher watcher) { watchers_.push_back(std::move(watcher)); }

  void Started(const dist::Pid& self) override { self_ = self; }
  void Deliver(dist::Term message) override;
  void MonitorDown(const dist::Reference& monitor, const dist::Term& object,
                   const dist::Term& reason) override;
  // What the node stands on is not ended by others.
  bool TrapExit(const dist::Pid&, const dist::Term&) override { return true; }

 private:
  template <class V>
  using ByGroup = std::unordered_map<dist::Term, V, dist::TermHash>;
  template <class V>
  using ByPid = std::unordered_map<dist::Pid, V, dist::IdentifierHash>;
  struct Member {  // a process of this node
    dist::Reference monitor;
    std::vector<dist::Term> groups;  // as often as it has joined each
  };
  struct Scope {  // of another node
    dist::Reference monitor;
    ByGroup<Pids> groups;
  };
  struct Group {
    Pids all;
    Pids local;
  };

  void OnDiscover(const dist::Pid& peer);
  void OnSync(const dist::Pid& peer, const dist::Term& groups);
  void OnJoin(const dist::Pid& peer, const dist::Term& group, const Pids& pids);
  void OnLeave(const dist::Pid& peer, const Pids& pids, const dist::Term& groups);
  void Forget(const dist::Pid& peer);
  Scope& Known(const dist::Pid& peer);

  void Add(const dist::Term& group, const Pids& pids, bool are_local);
  void Remove(const dist::Term& group, const Pids& pids, bool are_local);
  void Tell(const dist::Pid& peer, dist::Term message);
  void TellAll(const dist::Term& message);

  Signals& signals_;
  const dist::AtomName name_;
  const std::function<bool(const dist::AtomName&)> is_connected_;
  dist::Pid self_;
  ByGroup<Group> groups_;
  ByPid<Member> members_;
  ByPid<Scope> scopes_;
  std::vector<Watcher> watchers_;
};

}  // namespace noded::node
