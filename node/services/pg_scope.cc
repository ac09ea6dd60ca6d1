#include "node/services/pg_scope.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "fmt/format.h"

#include "base/status.h"
#include "dist/convert.h"
#include "dist/term_text.h"
#include "node/services/gen_protocol.h"
#include "node/services/sys_protocol.h"

namespace noded::node {
namespace {

using dist::Pid;
using dist::Term;
using Pids = PgScope::Pids;

// What a peer writes for one process or several.
std::optional<Pids> ReadPids(const Term& term) {
  if (term.is_pid()) return Pids{term.pid()};
  auto pids = dist::FromTerm<Pids>(term);
  if (!pids.ok()) return std::nullopt;
  return *std::move(pids);
}

// Takes each of `pids` out once; those that were there.
Pids TakeOut(Pids& from, const Pids& pids) {
  Pids taken;
  for (const Pid& pid : pids) {
    const auto found = std::find(from.begin(), from.end(), pid);
    if (found == from.end()) continue;
    taken.push_back(pid);
    from.erase(found);
  }
  return taken;
}

void Append(Pids& to, const Pids& pids) { to.insert(to.end(), pids.begin(), pids.end()); }

}  // namespace

void PgScope::NodeUp(const dist::AtomName& node) {
  signals_.Send(self_, Destination::OfName(name_, node),
                Term::Tuple({Term::Atom("discover"), Term::FromPid(self_)}));
}

absl::Status PgScope::Join(const Term& group, const Pids& pids) {
  for (const Pid& pid : pids) {
    if (pid.node != self_.node) {
      return base::Error(
          absl::StatusCode::kInvalidArgument,
          fmt::format("pg: {} is no process of this node", dist::PrintTerm(Term::FromPid(pid))),
          "let its own node join it", "nolocal");
    }
    if (signals_.processes().Find(pid) == nullptr) {
      return base::Error(
          absl::StatusCode::kNotFound,
          fmt::format("pg: there is no process {}", dist::PrintTerm(Term::FromPid(pid))), "",
          "noproc");
    }
  }
  for (const Pid& pid : pids) {
    const auto [member, is_new] = members_.try_emplace(pid);
    if (is_new) member->second.monitor = signals_.Monitor(self_, Destination::OfPid(pid));
    member->second.groups.push_back(group);
  }
  Add(group, pids, /*are_local=*/true);
  TellAll(Term::Tuple({Term::Atom("join"), Term::FromPid(self_), group, dist::ToTerm(pids)}));
  return absl::OkStatus();
}

absl::Status PgScope::Leave(const Term& group, const Pids& pids) {
  Pids left;
  for (const Pid& pid : pids) {
    const auto member = members_.find(pid);
    if (member == members_.end()) continue;
    std::vector<Term>& groups = member->second.groups;
    const auto joined = std::find(groups.begin(), groups.end(), group);
    if (joined == groups.end()) continue;
    left.push_back(pid);
    groups.erase(joined);
    if (!groups.empty()) continue;
    signals_.Demonitor(self_, member->second.monitor);
    members_.erase(member);
  }
  if (left.empty()) {
    return base::Error(absl::StatusCode::kNotFound,
                       fmt::format("pg: not in the group {}", dist::PrintTerm(group)), "",
                       "not_joined");
  }
  Remove(group, left, /*are_local=*/true);
  TellAll(Term::Tuple(
      {Term::Atom("leave"), Term::FromPid(self_), dist::ToTerm(left), Term::List({group})}));
  return absl::OkStatus();
}

Pids PgScope::Members(const Term& group) const {
  const auto found = groups_.find(group);
  return found == groups_.end() ? Pids() : found->second.all;
}

Pids PgScope::LocalMembers(const Term& group) const {
  const auto found = groups_.find(group);
  return found == groups_.end() ? Pids() : found->second.local;
}

std::vector<Term> PgScope::Groups(bool are_local) const {
  std::vector<Term> names;
  for (const auto& [name, group] : groups_) {
    if (!are_local || !group.local.empty()) names.push_back(name);
  }
  return names;
}

void PgScope::Deliver(Term message) {
  if (AnswerSystemMessage(signals_, {self_, name_}, message)) return;
  if (const auto cast = ParseGenCast(message)) {
    if (cast->IsTagged("sync", 3) && cast->tuple()[1].is_pid()) {
      OnSync(cast->tuple()[1].pid(), cast->tuple()[2]);
    }
    return;
  }
  if (const auto call = ParseGenCall(message)) {
    // Of other nodes' processes; pg's functions are called with rpc and erpc.
    return Reply(signals_, self_, call->from,
                 Term::Tuple({Term::Atom("error"), Term::Atom("not_supported")}));
  }
  if (!message.is_tuple() || message.tuple().size() < 2 || !message.tuple()[1].is_pid()) return;
  const auto parts = message.tuple();
  const Pid& peer = parts[1].pid();
  // A later version of the protocol may have a number behind the pid.
  if (message.IsTagged("discover", 2) || message.IsTagged("discover", 3)) return OnDiscover(peer);
  if (message.IsTagged("join", 4)) {
    if (const auto pids = ReadPids(parts[3])) OnJoin(peer, parts[2], *pids);
  } else if (message.IsTagged("leave", 4)) {
    if (const auto pids = ReadPids(parts[2])) OnLeave(peer, *pids, parts[3]);
  }
}

PgScope::Scope& PgScope::Known(const Pid& peer) {
  const auto [scope, is_new] = scopes_.try_emplace(peer);
  if (is_new) scope->second.monitor = signals_.Monitor(self_, Destination::OfPid(peer));
  return scope->second;
}

void PgScope::OnDiscover(const Pid& peer) {
  if (peer.node == self_.node) return;
  std::vector<Term> groups;
  for (const auto& [name, group] : groups_) {
    if (!group.local.empty()) groups.push_back(Term::Tuple({name, dist::ToTerm(group.local)}));
  }
  Tell(peer, MakeGenCast(Term::Tuple(
                 {Term::Atom("sync"), Term::FromPid(self_), Term::List(std::move(groups))})));
  if (scopes_.contains(peer)) return;
  Known(peer);
  Tell(peer, Term::Tuple({Term::Atom("discover"), Term::FromPid(self_)}));
}

// All that it has to say: what was known of it before and is not among it is no more.
void PgScope::OnSync(const Pid& peer, const Term& groups) {
  if (peer.node == self_.node) return;
  auto named = dist::FromTerm<std::vector<std::pair<Term, Pids>>>(groups);
  if (!named.ok()) return;
  Scope& scope = Known(peer);
  ByGroup<Pids> before = std::exchange(scope.groups, {});
  for (auto& [group, pids] : *named) {
    Pids gone = before.contains(group) ? std::move(before[group]) : Pids();
    before.erase(group);
    Append(scope.groups[group], pids);
    Pids fresh = std::move(pids);
    const Pids kept = TakeOut(fresh, gone);
    TakeOut(gone, kept);
    Add(group, fresh, false);
    Remove(group, gone, false);
  }
  for (const auto& [group, pids] : before) Remove(group, pids, false);
}

void PgScope::OnJoin(const Pid& peer, const Term& group, const Pids& pids) {
  const auto scope = scopes_.find(peer);
  if (scope == scopes_.end()) return;  // it is gone, or never asked
  Append(scope->second.groups[group], pids);
  Add(group, pids, false);
}

void PgScope::OnLeave(const Pid& peer, const Pids& pids, const Term& groups) {
  const auto scope = scopes_.find(peer);
  if (scope == scopes_.end()) return;
  for (const Term& group : groups.list()) {
    const auto known = scope->second.groups.find(group);
    if (known == scope->second.groups.end()) continue;
    const Pids left = TakeOut(known->second, pids);
    if (known->second.empty()) scope->second.groups.erase(known);
    Remove(group, left, false);
  }
}

void PgScope::MonitorDown(const dist::Reference&, const Term& object, const Term&) {
  if (!object.is_pid()) return;
  const Pid pid = object.pid();
  if (pid.node != self_.node) return Forget(pid);
  auto member = members_.extract(pid);
  if (member.empty()) return;
  const std::vector<Term>& groups = member.mapped().groups;
  for (const Term& group : groups) Remove(group, {pid}, true);
  TellAll(Term::Tuple(
      {Term::Atom("leave"), Term::FromPid(self_), Term::FromPid(pid), Term::List(groups)}));
}

void PgScope::Forget(const Pid& peer) {
  auto scope = scopes_.extract(peer);
  if (scope.empty()) return;
  for (const auto& [group, pids] : scope.mapped().groups) Remove(group, pids, false);
}

void PgScope::Add(const Term& group, const Pids& pids, bool are_local) {
  if (pids.empty()) return;
  Group& entry = groups_[group];
  Append(entry.all, pids);
  if (are_local) Append(entry.local, pids);
  for (const Watcher& watcher : watchers_) watcher(true, group, pids);
}

void PgScope::Remove(const Term& group, const Pids& pids, bool are_local) {
  const auto entry = groups_.find(group);
  if (entry == groups_.end()) return;
  const Pids left = TakeOut(entry->second.all, pids);
  if (are_local) TakeOut(entry->second.local, pids);
  if (entry->second.all.empty()) groups_.erase(entry);
  if (left.empty()) return;
  for (const Watcher& watcher : watchers_) watcher(false, group, left);
}

void PgScope::Tell(const Pid& peer, Term message) {
  if (!is_connected_(peer.node)) return;
  signals_.Send(self_, Destination::OfPid(peer), std::move(message));
}

void PgScope::TellAll(const Term& message) {
  for (const auto& [peer, scope] : scopes_) Tell(peer, message);
}

}  // namespace noded::node
