// What processes do to each other, wherever the other one is: messages, links, monitors, exit
// signals, spawn requests. What concerns a process of this node is done here; the rest becomes a
// control message for its node.
//
//   Signals signals(identity, outbound);
//   dist::Pid pid = signals.Start(process);
//   signals.Send(pid, Destination::Name("rex", "shop@host"), message);
//   dist::Reference ref = signals.Monitor(pid, Destination::Pid(other));
//   signals.Exit(pid, Term::Atom("normal"));
//
// node/router.h brings what comes from peers. Signals to a node that is not connected make
// `outbound` connect; when that fails, or the connection breaks, NodeDown tells links and monitors
// with noconnection. Confined to the node's home loop.
// Source: OTP "Distribution Protocol"; Reference Manual, "Processes".
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <unordered_map>
#include <variant>
#include <vector>

#include "base/limits.h"
#include "dist/control.h"
#include "node/identity.h"
#include "node/processes.h"
#include "node/relations.h"

namespace noded::node {

// Takes control messages to other nodes (node/peers.h).
class Outbound {
 public:
  virtual ~Outbound() = default;
  virtual void SendTo(const dist::AtomName& node, dist::Control control,
                      std::optional<dist::Term> payload) = 0;
};

// Whom a signal is for.
struct Destination {
  // As Erlang's send takes them: a pid, a name of `node`, an alias.
  static Destination OfPid(dist::Pid pid) { return {pid.node, dist::Term::FromPid(pid)}; }
  static Destination OfName(dist::AtomName name, dist::AtomName node) {
    return {std::move(node), dist::Term::Atom(std::move(name))};
  }
  static Destination OfAlias(dist::Reference alias) {
    return {alias.node, dist::Term::FromReference(alias)};
  }

  dist::AtomName node;
  dist::Term who;  // pid, atom or reference
};

struct SpawnOptions {
  bool monitor = false;
  bool link = false;
  // Where output of the new process goes; empty: `from`.
  dist::Pid group_leader;
};

class Signals {
 public:
  Signals(Identity& identity, Outbound& outbound, const base::Limits& limits = {})
      : identity_(identity), outbound_(outbound), max_relations_(limits.max_relations) {}
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  // Gives `process` a pid, and with it a life.
  dist::Pid Start(std::shared_ptr<Process> process);
  // Ends a process: frees its names, tells links and monitors. Nothing when there is none.
  void Exit(const dist::Pid& pid, const dist::Term& reason);

  void Send(const dist::Pid& from, const Destination& to, dist::Term message);
  void Link(const dist::Pid& from, const dist::Pid& to);
  void Unlink(const dist::Pid& from, const dist::Pid& to);
  // exit/2.
  void SendExit(const dist::Pid& from, const dist::Pid& to, const dist::Term& reason);
  // Tells `watcher` once, by MonitorDown, when the target ends or cannot be reached.
  dist::Reference Monitor(const dist::Pid& watcher, const Destination& target);
  void Demonitor(const dist::Pid& watcher, const dist::Reference& ref);
  // Asks `node` for a process that runs module:function(args). The reference is that of the
  // request and, with options.monitor, of the monitor. `from` is told by SpawnReply and
  // MonitorDown.
  dist::Reference SpawnRequest(const dist::Pid& from, const dist::AtomName& node,
                               const dist::AtomName& module, const dist::AtomName& function,
                               dist::Term args, SpawnOptions options);

  // An alias of a process: a reference that messages may be sent to until it is given back.
  dist::Reference MakeAlias(const dist::Pid& pid);
  void DropAlias(const dist::Reference& alias) { aliases_.erase(alias); }

  // From here on: what the router brings from a peer. Beyond limits.max_relations its links and
  // monitors end at once, with reason system_limit.
  void DeliverFromPeer(const Destination& to, dist::Term message);
  void LinkFromPeer(const dist::Pid& from, const dist::Pid& to);
  // True when there was a link.
  bool UnlinkFromPeer(const dist::Pid& from, const dist::Pid& to);
  // `is_link`: the signal of a broken link, which counts only while there is one.
  void ExitFromPeer(const dist::Pid& from, const dist::Pid& to, const dist::Term& reason,
                    bool is_link);
  void MonitorFromPeer(const dist::Pid& from, const dist::Term& target, const dist::Reference& ref);
  void DemonitorFromPeer(const dist::Pid& from, const dist::Reference& ref);
  void MonitorExitFromPeer(const dist::Pid& to, const dist::Reference& ref,
                           const dist::Term& reason);
  void SpawnReplyFromPeer(const dist::Pid& to, const dist::Reference& request, uint32_t flags,
                          const dist::Term& result);
  // The connection to `node` is gone, or could not be made.
  void NodeDown(const dist::AtomName& node, const dist::Term& reason);

  ProcessTable& processes() { return processes_; }
  const Relations& relations() const { return relations_; }
  Relations& relations() { return relations_; }
  Identity& identity() { return identity_; }
  Outbound& outbound() { return outbound_; }

 private:
  struct PendingSpawn {
    dist::Pid from;
    dist::AtomName node;
    SpawnOptions options;
  };

  bool HasRoom() const { return relations_.size() < max_relations_; }
  bool IsLocal(const dist::AtomName& node) const { return node == identity_.name(); }
  void ExitSignal(const dist::Pid& from, const dist::Pid& to, const dist::Term& reason,
                  bool is_link);
  void TellEnded(const Relations::Ended& ended, const dist::Term& reason);
  void TellDown(const node::Monitor& monitor, const dist::Term& reason);

  Identity& identity_;
  Outbound& outbound_;
  const size_t max_relations_;
  ProcessTable processes_;
  Relations relations_;
  std::unordered_map<dist::Reference, dist::Pid, dist::IdentifierHash> aliases_;
  std::unordered_map<dist::Reference, PendingSpawn, dist::IdentifierHash> spawns_;
  uint64_t next_unlink_id_ = 1;
};

}  // namespace noded::node
