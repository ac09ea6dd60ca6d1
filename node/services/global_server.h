// The global_name_server of this node: OTP's `global`. It keeps the names and locks of the cluster,
// meets each visible node that comes (names of both parts are exchanged under a lock, and conflicts
// resolved), connects to the nodes that those know, and keeps parts of the cluster from
// overlapping.
//
//   auto server = std::make_shared<GlobalServer>(home, signals, peers, calls, options);
//   signals.Start(server);                         // register it as global_name_server
//   server->NodeUp("shop@host");                   // visible nodes, before their first message
//   server->NodeDown("shop@host");                 // and after their last, and its DOWNs
//   server->registrar().Change({...}, done);
//
// Speaks version 8 of the protocol, and 6 and 7 with nodes that have no more. A meeting, by what
// each side sends: init_connect and init_connect_ack; lock_set, until both have the lock of their
// part; exchange, with its names; resolved, with what it made of the other's names; new_nodes to
// its own part; in_sync to the nodes of the other part. Tags tell a meeting from an earlier one of
// the same two nodes. Confined to the home loop; its tasks end with the loop.
// Source: OTP lib/kernel/src/global.erl; global(3). The face of it is node/global_names.h.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <vector>

#include "node/calls.h"
#include "node/peers.h"
#include "node/services/gen_protocol.h"
#include "node/services/global_changes.h"
#include "node/services/global_locker.h"
#include "node/services/global_losses.h"
#include "node/services/global_registrar.h"
#include "node/services/global_table.h"

namespace noded::node {

class GlobalServer : public Process, public std::enable_shared_from_this<GlobalServer> {
 public:
  struct Options {
    // Be part of the full mesh, and share its names.
    bool connect_all = true;
    // Leave a node that another node of our part has lost.
    bool prevent_overlapping_partitions = true;
  };

  GlobalServer(base::Loop& home, Signals& signals, Peers& peers, Calls& calls, Options options);

  void NodeUp(const dist::AtomName& node);
  // Nothing for one that was not up.
  void NodeDown(const dist::AtomName& node);
  // Connections end from here on because this node does: nobody else is to leave anybody for it.
  void PrepareStop() { options_ = {false, false}; }

  const GlobalTable& table() const { return table_; }
  GlobalRegistrar& registrar() { return *registrar_; }
  // `done` is called once this node has the same names as each of `nodes` that is connected.
  void Sync(std::set<dist::AtomName> nodes, std::function<void()> done);
  // As ResolveConflict.
  dist::Term Resolve(const dist::Term& method, const dist::Term& name, const dist::Pid& one,
                     const dist::Pid& other);

  void Started(const dist::Pid& self) override;
  void Deliver(dist::Term message) override;
  void MonitorDown(const dist::Reference& monitor, const dist::Term&, const dist::Term&) override {
    table_.OnDown(monitor);
  }
  // What the node stands on is not ended by others.
  bool TrapExit(const dist::Pid&, const dist::Term&) override { return true; }

 private:
  static constexpr int64_t kVersion = 8;
  // Of OTP up to 24; older ones are not met.
  static constexpr int64_t kOldestVersion = 6;
  // Nodes tell each other the versions of those that they know, and of parts that overlap.
  static constexpr int64_t kVersionsVersion = 7;
  static constexpr int64_t kLossesVersion = 7;
  // Nodes confirm and cancel meetings.
  static constexpr int64_t kConfirmsVersion = 8;

  using Words = std::span<const dist::Term>;  // of a message
  using Handle = void (GlobalServer::*)(const dist::AtomName& node, Words words);
  using Changes = std::vector<GlobalChange>;
  struct Resolution {  // of his names against ours
    Changes for_us;
    Changes for_him;
  };
  struct Meeting {
    int64_t my_tag = 0;  // 0: we have not heard that it is connected
    dist::Term his_tag;
    int64_t version = 0;
    std::optional<dist::Term> early_request;  // came before NodeUp
    std::optional<GlobalLockId> lock;         // held
    std::optional<dist::Term> his_names;
    std::optional<Changes> changes;  // to our names, for his
    std::optional<dist::Term> his_answer;
  };
  struct Waiter {  // in Sync
    std::set<dist::AtomName> nodes;
    std::function<void()> done;
  };
  struct Handler;

  dist::Term Answer(const GenCall& call);
  void OnInitConnect(const dist::AtomName& node, Words words);
  void OnInitConnectAck(const dist::AtomName& node, Words words);
  void OnCancelConnect(const dist::AtomName& node, Words words);
  void OnLockSet(Words words);
  void OnLocked(const dist::AtomName& node, int64_t my_tag, const GlobalLockId& id);
  void OnExchange(const dist::AtomName& node, Words words);
  void OnResolved(const dist::AtomName& node, Words words);
  void OnNewNodes(const dist::AtomName& node, Words words);
  void OnInSync(const dist::AtomName& node, Words words);
  void OnRemoveConnection(const dist::AtomName& node, Words words);
  void OnLostConnection(const dist::Term& message);

  // The meeting that a message with this tag belongs to. None: it is over, and the lock goes.
  Meeting* Current(const dist::AtomName& node, const dist::Term& my_tag);
  void StartResolving(const dist::AtomName& node);
  base::Task<absl::StatusOr<Resolution>> ResolveNames(dist::Term his_names, dist::AtomName node);
  base::Task<dist::Term> AskOwner(dist::Term method, dist::Term name, dist::Pid his,
                                  dist::Pid ours);
  void FinishMeeting(const dist::AtomName& node);
  // `last`: sent before the lock is given back.
  void EndMeeting(const dist::AtomName& node, bool tell_him, std::function<void()> last = {});
  void Restart(const dist::AtomName& node);
  // The first message of a meeting.
  void Greet(const dist::AtomName& node);
  void Lost(const dist::AtomName& node);
  void Forget(const dist::AtomName& node);
  void Leave(const dist::AtomName& node);

  void Apply(const Changes& changes, const dist::Term& requester);
  std::vector<dist::AtomName> AddKnown(const dist::Term& nodes);
  dist::Term KnownTerm(int64_t for_version) const;
  std::optional<int64_t> VersionOf(const dist::AtomName& node) const;
  void MeetOthers(const std::vector<dist::AtomName>& nodes);
  void Synced(const dist::AtomName& node, bool is_synced);
  void Cast(const dist::AtomName& node, dist::Term message);
  // Only when it is connected.
  void Tell(const dist::AtomName& node, dist::Term message);
  // To all that know of overlapping parts.
  void TellAll(const dist::Term& message, const dist::AtomName& besides);

  base::Loop& home_;
  Signals& signals_;
  Peers& peers_;
  Calls& calls_;
  Options options_;
  dist::Pid self_;
  GlobalTable table_;
  GlobalLocker::Known known_;
  std::map<dist::AtomName, int64_t> pending_;  // meetings that both sides know; his version
  std::map<dist::AtomName, Meeting> meetings_;
  std::set<dist::AtomName> up_;
  std::set<dist::AtomName> leaving_;  // their connection ends, and nobody is to be told
  std::set<dist::AtomName> synced_;
  std::vector<Waiter> waiters_;
  GlobalLosses losses_;
  int64_t next_tag_ = 1;
  std::shared_ptr<GlobalLocker> locker_;
  std::shared_ptr<GlobalRegistrar> registrar_;
};

}  // namespace noded::node
