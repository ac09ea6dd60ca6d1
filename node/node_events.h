// Tells of nodes that come and go: to C++ functions, and to processes of this node as OTP does.
//
//   NodeEvents events(signals, reach);
//   events.Watch([](const NodeEvent& event) { ... }, NodeType::kVisible);
//   events.Subscribe(pid, {.info = NodeMonitorOptions::Info::kMap, .nodedown_reason = true});
//   events.MonitorNode(pid, "shop@host");                 // {nodedown, 'shop@host'}, once
//   events.Up(info);  events.Down("shop@host", why, false);         // the owner of the links says
//
// A process hears {nodeup, Node} before the first message from that node, and {nodedown, Node}
// after the last; with options {nodeup, Node, Info}. What it asked for ends with it. Confined to
// the home loop; watchers are called there and must not wait.
// Source: OTP net_kernel(3), monitor_nodes/1,2; erlang(3), monitor_node/2.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"

#include "dist/term.h"
#include "node/peer_info.h"
#include "node/signals.h"

namespace noded::node {

enum class NodeType { kVisible, kHidden, kAll };

struct NodeEvent {
  bool is_up = false;
  // Of a node that is gone: as it was when it came.
  PeerInfo peer;
  // Of a node that is gone: why, and OTP's word for it (NodedownReason).
  absl::Status why;
  std::string nodedown_reason;
};

// The options of net_kernel:monitor_nodes/2; these are the same as without any.
struct NodeMonitorOptions {
  // What follows the node in a message: nothing, a list of pairs, or a map.
  enum class Info { kNone, kList, kMap };

  Info info = Info::kNone;
  NodeType type = NodeType::kVisible;
  // Parts of Info: {node_type, visible | hidden}, {nodedown_reason, Reason}, {connection_id, Id}.
  bool node_type = false;
  bool nodedown_reason = false;
  bool connection_id = false;
  friend bool operator==(const NodeMonitorOptions&, const NodeMonitorOptions&) = default;
};

// How OTP calls the end of a connection: disconnect (this side), net_kernel_terminated (this node
// stops), connection_closed, net_tick_timeout; shutdown for what it has no word for.
std::string NodedownReason(const absl::Status& why, bool is_stopping);

class NodeEvents {
 public:
  using Watcher = std::function<void(const NodeEvent& event)>;
  using Done = std::function<void(absl::Status reached)>;
  // Connects if sending would, and says how that went (Peers::Reach).
  using Reach = std::function<void(const dist::AtomName& node, Done done)>;

  NodeEvents(Signals& signals, Reach reach) : signals_(signals), reach_(std::move(reach)) {}
  NodeEvents(const NodeEvents&) = delete;
  NodeEvents& operator=(const NodeEvents&) = delete;

  void Watch(Watcher watcher, NodeType type);
  // As often as it is called, as often a message is sent.
  void Subscribe(const dist::Pid& pid, const NodeMonitorOptions& options);
  // Ends all with these options. False when there was none.
  bool Unsubscribe(const dist::Pid& pid, const NodeMonitorOptions& options);
  // Connects when need be. Each call brings one message, when the node goes or cannot be reached.
  void MonitorNode(const dist::Pid& pid, const dist::AtomName& node);
  // Takes one call back. False when there was none.
  bool DemonitorNode(const dist::Pid& pid, const dist::AtomName& node);

  void Up(const PeerInfo& peer);
  void Down(const dist::AtomName& node, const absl::Status& why, bool is_stopping);

  // What is kept for processes.
  size_t size() const { return subscriptions_.size() + monitors_.size(); }

 private:
  struct Subscription {
    dist::Pid pid;
    NodeMonitorOptions options;
  };
  struct Connected {
    PeerInfo peer;
    int64_t connection_id = 0;
  };

  void Tell(const NodeEvent& event, int64_t connection_id);
  void TellGone(const dist::AtomName& node);
  // Those of processes that are no more, now and then.
  void Sweep();

  Signals& signals_;
  const Reach reach_;
  std::vector<std::pair<NodeType, Watcher>> watchers_;
  std::vector<Subscription> subscriptions_;
  std::multimap<dist::AtomName, dist::Pid> monitors_;
  std::map<dist::AtomName, Connected> connected_;
  int64_t next_connection_id_ = 1;
  size_t sweep_at_ = 64;
};

}  // namespace noded::node
