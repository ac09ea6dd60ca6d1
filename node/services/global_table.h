// What one node knows of the cluster's global names and locks: the two tables of OTP's
// global_name_server, and the monitors that keep them true.
//
//   GlobalTable table(signals);
//   table.SetOwner(pid);                                   // who gets the MonitorDown
//   table.Insert(Term::Atom("till"), {.pid = till, .method = method});
//   if (table.CanLock(id)) table.Lock(id, holder);
//   table.OnDown(monitor);                                 // a name or a lock goes
//
// A lock is {resource, requester}: several processes may hold it at once when they name the same
// requester. The lock of the resource `global` protects the names. Confined to the home loop.
// Source: OTP lib/kernel/src/global.erl.
#pragma once

#include <optional>
#include <unordered_map>
#include <vector>

#include "dist/term_hash.h"
#include "node/signals.h"

namespace noded::node {

struct GlobalLockId {
  static constexpr char kNames[] = "global";  // the resource of the lock of the names

  // {Resource, Requester}; none for anything else.
  static std::optional<GlobalLockId> FromTerm(const dist::Term& term);
  dist::Term ToTerm() const { return dist::Term::Tuple({resource, requester}); }

  dist::Term resource;
  dist::Term requester;
};

struct GlobalName {
  dist::Pid pid;
  // Who keeps the name when two parts of a cluster have given it to different processes: a fun.
  dist::Term method;
  // Of a process of a node without global (a C node): the node that answers for it.
  dist::AtomName external;
};

class GlobalTable {
 public:
  explicit GlobalTable(Signals& signals) : signals_(signals) {}

  void SetOwner(const dist::Pid& owner) { owner_ = owner; }

  // Replaces one of the same name. Nothing when the process has ended.
  void Insert(const dist::Term& name, GlobalName entry);
  void Remove(const dist::Term& name);
  const GlobalName* Find(const dist::Term& name) const;
  // The name of a process that has one.
  std::optional<dist::Term> NameOf(const dist::Pid& pid) const;
  std::vector<dist::Term> Names() const;
  // As nodes tell it to each other: [{Name, Pid, Method}], and [{Name, Pid, Node}] of the external
  // ones.
  dist::Term NamesTerm() const;
  dist::Term ExternalNamesTerm() const;

  bool CanLock(const GlobalLockId& id) const;
  // False when somebody else has it.
  bool Lock(const GlobalLockId& id, const dist::Pid& holder);
  void Unlock(const GlobalLockId& id, const dist::Pid& holder);
  bool IsLocked(const dist::Term& resource) const { return locks_.contains(resource); }
  // Whether the lock under which a name was changed is there still: held by `holder`, or for
  // `requester`. Without any lock it is, unless the last one went because its holder ended.
  bool IsNameLockOf(const dist::Pid& holder) const;
  bool IsNameLockFor(const dist::Term& requester) const;

  // A monitor of the owner has told the end of a process.
  void OnDown(const dist::Reference& monitor);

 private:
  struct Entry {
    GlobalName name;
    dist::Reference monitor;
  };
  struct Holder {
    dist::Pid pid;
    dist::Reference monitor;
  };
  struct Held {
    dist::Term requester;
    std::vector<Holder> holders;
  };
  template <class V>
  using ByTerm = std::unordered_map<dist::Term, V, dist::TermHash>;

  bool HasEnded(const dist::Pid& pid) const;
  const Held* NameLock() const;
  void Unhold(ByTerm<Held>::iterator lock, std::vector<Holder>::iterator holder, bool has_ended);

  Signals& signals_;
  dist::Pid owner_;
  ByTerm<Entry> names_;
  ByTerm<Held> locks_;
  std::unordered_map<dist::Reference, dist::Term, dist::IdentifierHash> names_by_monitor_;
  std::unordered_map<dist::Reference, dist::Term, dist::IdentifierHash> locks_by_monitor_;
  bool has_name_lock_ended_ = false;
};

}  // namespace noded::node
