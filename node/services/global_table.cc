#include "node/services/global_table.h"

#include <algorithm>
#include <utility>

namespace noded::node {

using dist::Pid;
using dist::Reference;
using dist::Term;

std::optional<GlobalLockId> GlobalLockId::FromTerm(const Term& term) {
  if (!term.IsTuple(2)) return std::nullopt;
  return GlobalLockId{term.tuple()[0], term.tuple()[1]};
}

// Processes of this node are known; of others the monitor tells.
bool GlobalTable::HasEnded(const Pid& pid) const {
  return pid.node == owner_.node && signals_.processes().Find(pid) == nullptr;
}

// Names.

void GlobalTable::Insert(const Term& name, GlobalName entry) {
  Remove(name);
  if (HasEnded(entry.pid)) return;
  const Reference monitor = signals_.Monitor(owner_, Destination::OfPid(entry.pid));
  names_by_monitor_[monitor] = name;
  names_[name] = Entry{std::move(entry), monitor};
}

void GlobalTable::Remove(const Term& name) {
  const auto found = names_.find(name);
  if (found == names_.end()) return;
  const Reference monitor = found->second.monitor;
  names_.erase(found);
  names_by_monitor_.erase(monitor);
  signals_.Demonitor(owner_, monitor);
}

const GlobalName* GlobalTable::Find(const Term& name) const {
  const auto found = names_.find(name);
  return found == names_.end() ? nullptr : &found->second.name;
}

std::optional<Term> GlobalTable::NameOf(const Pid& pid) const {
  for (const auto& [name, entry] : names_) {
    if (entry.name.pid == pid) return name;
  }
  return std::nullopt;
}

std::vector<Term> GlobalTable::Names() const {
  std::vector<Term> names;
  for (const auto& [name, entry] : names_) names.push_back(name);
  return names;
}

Term GlobalTable::NamesTerm() const {
  std::vector<Term> names;
  for (const auto& [name, entry] : names_) {
    names.push_back(Term::Tuple({name, Term::FromPid(entry.name.pid), entry.name.method}));
  }
  return Term::List(std::move(names));
}

Term GlobalTable::ExternalNamesTerm() const {
  std::vector<Term> names;
  for (const auto& [name, entry] : names_) {
    if (entry.name.external.empty()) continue;
    names.push_back(
        Term::Tuple({name, Term::FromPid(entry.name.pid), Term::Atom(entry.name.external)}));
  }
  return Term::List(std::move(names));
}

// Locks.

bool GlobalTable::CanLock(const GlobalLockId& id) const {
  const auto found = locks_.find(id.resource);
  return found == locks_.end() || found->second.requester == id.requester;
}

bool GlobalTable::Lock(const GlobalLockId& id, const Pid& holder) {
  if (!CanLock(id)) return false;
  if (HasEnded(holder)) return true;  // nobody hears the answer
  Held& held = locks_[id.resource];
  held.requester = id.requester;
  for (const Holder& other : held.holders) {
    if (other.pid == holder) return true;
  }
  const Reference monitor = signals_.Monitor(owner_, Destination::OfPid(holder));
  held.holders.push_back({holder, monitor});
  locks_by_monitor_[monitor] = id.resource;
  return true;
}

void GlobalTable::Unlock(const GlobalLockId& id, const Pid& pid) {
  const auto lock = locks_.find(id.resource);
  if (lock == locks_.end() || !(lock->second.requester == id.requester)) return;
  std::vector<Holder>& holders = lock->second.holders;
  const auto holder = std::find_if(holders.begin(), holders.end(),
                                   [&pid](const Holder& one) { return one.pid == pid; });
  if (holder == holders.end()) return;
  signals_.Demonitor(owner_, holder->monitor);
  Unhold(lock, holder, /*has_ended=*/false);
}

void GlobalTable::Unhold(ByTerm<Held>::iterator lock, std::vector<Holder>::iterator holder,
                         bool has_ended) {
  locks_by_monitor_.erase(holder->monitor);
  std::vector<Holder>& holders = lock->second.holders;
  holders.erase(holder);
  if (!holders.empty()) return;
  if (lock->first.IsAtom(GlobalLockId::kNames)) has_name_lock_ended_ = has_ended;
  locks_.erase(lock);
}

const GlobalTable::Held* GlobalTable::NameLock() const {
  const auto found = locks_.find(Term::Atom(GlobalLockId::kNames));
  return found == locks_.end() ? nullptr : &found->second;
}

bool GlobalTable::IsNameLockOf(const Pid& pid) const {
  const Held* lock = NameLock();
  if (lock == nullptr) return !has_name_lock_ended_;
  return std::any_of(lock->holders.begin(), lock->holders.end(),
                     [&pid](const Holder& holder) { return holder.pid == pid; });
}

bool GlobalTable::IsNameLockFor(const Term& requester) const {
  const Held* lock = NameLock();
  return lock == nullptr ? !has_name_lock_ended_ : lock->requester == requester;
}

void GlobalTable::OnDown(const Reference& monitor) {
  if (const auto named = names_by_monitor_.find(monitor); named != names_by_monitor_.end()) {
    const Term name = named->second;
    return Remove(name);
  }
  const auto locked = locks_by_monitor_.find(monitor);
  if (locked == locks_by_monitor_.end()) return;
  const auto lock = locks_.find(locked->second);
  std::vector<Holder>& holders = lock->second.holders;
  const auto holder = std::find_if(holders.begin(), holders.end(), [&monitor](const Holder& one) {
    return one.monitor == monitor;
  });
  Unhold(lock, holder, /*has_ended=*/true);
}

}  // namespace noded::node
