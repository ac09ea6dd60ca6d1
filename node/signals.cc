#include "node/signals.h"

#include <utility>

namespace noded::node {

using dist::AtomName;
using dist::Pid;
using dist::Reference;
using dist::Term;

Pid Signals::Start(std::shared_ptr<Process> process) {
  const Pid pid = identity_.NextPid();
  processes_.Add(pid, process);
  process->Started(pid);
  return pid;
}

void Signals::Exit(const Pid& gone, const Term& reason) {
  const Pid pid = gone;  // may live in the process that goes
  std::shared_ptr<Process> process = processes_.Remove(pid);
  if (process == nullptr) return;
  for (const Reference& alias : process->aliases) aliases_.erase(alias);
  const Relations::Ended ended = relations_.ProcessEnded(pid);
  TellEnded(ended, reason);
  process->Ended();
}

// To those who were linked to a process of this node, or watched it.
void Signals::TellEnded(const Relations::Ended& ended, const Term& reason) {
  for (const Relations::BrokenLink& link : ended.links) {
    if (IsLocal(link.other.node)) {
      ExitSignal(link.local, link.other, reason, true);
    } else {
      outbound_.SendTo(link.other.node, dist::Exit{link.local, link.other, reason, false, {}}, {});
    }
  }
  for (const node::Monitor& monitor : ended.monitors) TellDown(monitor, reason);
  for (const node::Monitor& monitor : ended.abandoned) {
    if (IsLocal(monitor.node)) continue;
    outbound_.SendTo(monitor.node, dist::DemonitorP{monitor.watcher, monitor.target, monitor.ref},
                     {});
  }
}

void Signals::TellDown(const node::Monitor& monitor, const Term& reason) {
  if (!IsLocal(monitor.watcher.node)) {
    outbound_.SendTo(monitor.watcher.node,
                     dist::MonitorPExit{monitor.target, monitor.watcher, monitor.ref, reason}, {});
    return;
  }
  auto watcher = processes_.Find(monitor.watcher);
  if (watcher == nullptr) return;
  const Term object = monitor.target.is_atom()
                          ? Term::Tuple({monitor.target, Term::Atom(monitor.node)})
                          : monitor.target;
  watcher->MonitorDown(monitor.ref, object, reason);
}

void Signals::Send(const Pid& from, const Destination& to, Term message) {
  if (IsLocal(to.node)) return DeliverFromPeer(to, std::move(message));
  if (to.who.is_pid()) {
    outbound_.SendTo(to.node, dist::SendSender{from, to.who.pid(), {}}, std::move(message));
  } else if (to.who.is_atom()) {
    outbound_.SendTo(to.node, dist::RegSend{from, to.who.atom_name(), {}}, std::move(message));
  } else if (to.who.is_reference()) {
    outbound_.SendTo(to.node, dist::AliasSend{from, to.who.reference(), {}}, std::move(message));
  }
}

void Signals::DeliverFromPeer(const Destination& to, Term message) {
  std::optional<Pid> pid;
  if (to.who.is_pid()) {
    pid = to.who.pid();
  } else if (to.who.is_atom()) {
    pid = processes_.WhereIs(to.who.atom_name());
  } else if (to.who.is_reference()) {
    auto alias = aliases_.find(to.who.reference());
    if (alias != aliases_.end()) pid = alias->second;
  }
  if (!pid) return;
  if (auto process = processes_.Find(*pid)) process->Deliver(std::move(message));
}

void Signals::Link(const Pid& from, const Pid& to) {
  if (from == to || !relations_.AddLink(from, to)) return;
  if (!IsLocal(to.node)) {
    outbound_.SendTo(to.node, dist::Link{from, to}, {});
    return;
  }
  if (processes_.Find(to) != nullptr) {
    relations_.AddLink(to, from);
  } else {
    ExitSignal(to, from, Term::Atom("noproc"), true);
  }
}

void Signals::LinkFromPeer(const Pid& from, const Pid& to) {
  const bool is_alive = processes_.Find(to) != nullptr;
  if (is_alive && HasRoom()) {
    relations_.AddLink(to, from);
    return;
  }
  const Term reason = Term::Atom(is_alive ? "system_limit" : "noproc");
  outbound_.SendTo(from.node, dist::Exit{to, from, reason, false, {}}, {});
}

void Signals::Unlink(const Pid& from, const Pid& to) {
  if (!relations_.RemoveLink(from, to)) return;
  if (IsLocal(to.node)) {
    relations_.RemoveLink(to, from);
  } else {
    outbound_.SendTo(to.node, dist::UnlinkId{next_unlink_id_++, from, to}, {});
  }
}

bool Signals::UnlinkFromPeer(const Pid& from, const Pid& to) {
  return relations_.RemoveLink(to, from);
}

void Signals::SendExit(const Pid& from, const Pid& to, const Term& reason) {
  if (IsLocal(to.node)) {
    ExitSignal(from, to, reason, false);
  } else {
    outbound_.SendTo(to.node, dist::Exit2{from, to, reason, false, {}}, {});
  }
}

void Signals::ExitFromPeer(const Pid& from, const Pid& to, const Term& reason, bool is_link) {
  ExitSignal(from, to, reason, is_link);
}

void Signals::ExitSignal(const Pid& from, const Pid& to, const Term& reason, bool is_link) {
  auto process = processes_.Find(to);
  if (process == nullptr) return;
  // A link that is gone already (unlinked meanwhile) breaks nothing.
  if (is_link && !relations_.RemoveLink(to, from)) return;
  if (!is_link && reason.IsAtom("kill")) return Exit(to, Term::Atom("killed"));
  if (process->TrapExit(from, reason)) return;
  if (reason.IsAtom("normal")) return;
  Exit(to, reason);
}

Reference Signals::Monitor(const Pid& watcher, const Destination& target) {
  const Reference ref = identity_.NextReference();
  node::Monitor monitor{ref, watcher, target.who, target.node, {}};
  if (!IsLocal(target.node)) {
    relations_.AddMonitor(monitor);
    outbound_.SendTo(target.node, dist::MonitorP{watcher, target.who, ref}, {});
    return ref;
  }
  const auto pid = target.who.is_atom() ? processes_.WhereIs(target.who.atom_name())
                                        : std::optional<Pid>(target.who.pid());
  if (pid && processes_.Find(*pid) != nullptr) {
    monitor.target_pid = *pid;
    relations_.AddMonitor(std::move(monitor));
  } else {
    TellDown(monitor, Term::Atom("noproc"));
  }
  return ref;
}

void Signals::MonitorFromPeer(const Pid& from, const Term& target, const Reference& ref) {
  const auto pid =
      target.is_atom() ? processes_.WhereIs(target.atom_name()) : std::optional<Pid>(target.pid());
  node::Monitor monitor{ref, from, target, identity_.name(), pid.value_or(Pid{})};
  const bool is_alive = pid && processes_.Find(*pid) != nullptr;
  if (is_alive && HasRoom()) {
    relations_.AddMonitor(std::move(monitor));
  } else {
    TellDown(monitor, Term::Atom(is_alive ? "system_limit" : "noproc"));
  }
}

void Signals::Demonitor(const Pid& watcher, const Reference& ref) {
  auto monitor = relations_.RemoveMonitor(ref);
  if (!monitor || IsLocal(monitor->node)) return;
  outbound_.SendTo(monitor->node, dist::DemonitorP{watcher, monitor->target, ref}, {});
}

void Signals::DemonitorFromPeer(const Pid& from, const Reference& ref) {
  if (ref.node == from.node) relations_.RemoveMonitor(ref);
}

void Signals::MonitorExitFromPeer(const Pid& to, const Reference& ref, const Term& reason) {
  auto monitor = relations_.RemoveMonitor(ref);
  if (monitor && monitor->watcher == to) TellDown(*monitor, reason);
}

Reference Signals::SpawnRequest(const Pid& from, const AtomName& node, const AtomName& module,
                                const AtomName& function, Term args, SpawnOptions options) {
  const Reference ref = identity_.NextReference();
  std::vector<Term> words;
  if (options.monitor) words.push_back(Term::Atom("monitor"));
  if (options.link) words.push_back(Term::Atom("link"));
  const auto arity = static_cast<int64_t>(args.list().size());
  const Pid& leader = options.group_leader.node.empty() ? from : options.group_leader;
  dist::SpawnRequest request{
      ref, from, leader, module, function, arity, Term::List(std::move(words)), {}};
  // Kept as a monitor without a target until the reply names one, so that a lost connection is
  // told.
  if (processes_.Find(from) != nullptr) {
    spawns_.emplace(ref, PendingSpawn{from, node, options});
  }
  outbound_.SendTo(node, std::move(request), std::move(args));
  return ref;
}

void Signals::SpawnReplyFromPeer(const Pid& to, const Reference& request, uint32_t flags,
                                 const Term& result) {
  auto spawn = spawns_.extract(request);
  if (spawn.empty() || !(spawn.mapped().from == to)) return;
  auto process = processes_.Find(to);
  if (result.is_pid()) {
    const Pid& spawned = result.pid();
    if (process == nullptr) {
      // Whoever asked is gone: what was to be linked to it ends with it, and is not watched.
      if ((flags & dist::SpawnReply::kLinked) != 0) {
        outbound_.SendTo(spawned.node, dist::Exit{to, spawned, Term::Atom("noproc"), false, {}},
                         {});
      }
      if ((flags & dist::SpawnReply::kMonitored) != 0) {
        outbound_.SendTo(spawned.node, dist::DemonitorP{to, result, request}, {});
      }
      return;
    }
    if ((flags & dist::SpawnReply::kMonitored) != 0) {
      relations_.AddMonitor({request, to, result, spawn.mapped().node, {}});
    }
    if ((flags & dist::SpawnReply::kLinked) != 0) relations_.AddLink(to, spawned);
  }
  if (process != nullptr) process->SpawnReply(request, result);
}

Reference Signals::MakeAlias(const Pid& pid) {
  const Reference alias = identity_.NextReference();
  if (auto process = processes_.Find(pid)) {
    process->aliases.push_back(alias);
    aliases_.emplace(alias, pid);
  }
  return alias;
}

void Signals::NodeDown(const AtomName& node, const Term& reason) {
  const Relations::Ended ended = relations_.NodeDown(node);
  std::vector<std::pair<Reference, Pid>> spawns;
  for (const auto& [ref, spawn] : spawns_) {
    if (spawn.node == node) spawns.emplace_back(ref, spawn.from);
  }
  for (const auto& [ref, from] : spawns) spawns_.erase(ref);
  for (const Relations::BrokenLink& link : ended.links) {
    if (auto process = processes_.Find(link.local)) {
      if (!process->TrapExit(link.other, reason)) Exit(link.local, reason);
    }
  }
  for (const node::Monitor& monitor : ended.monitors) TellDown(monitor, reason);
  for (const auto& [ref, from] : spawns) {
    if (auto process = processes_.Find(from)) process->SpawnReply(ref, reason);
  }
}

}  // namespace noded::node
