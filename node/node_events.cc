#include "node/node_events.h"

#include <algorithm>

#include "base/status.h"

namespace noded::node {

using dist::AtomName;
using dist::Pid;
using dist::Term;

namespace {

bool Fits(NodeType wanted, const PeerInfo& peer) {
  return wanted == NodeType::kAll || (wanted == NodeType::kHidden) == peer.is_hidden;
}

Term MessageFor(const NodeMonitorOptions& options, const NodeEvent& event, int64_t connection_id) {
  const Term what = Term::Atom(event.is_up ? "nodeup" : "nodedown");
  const Term node = Term::Atom(event.peer.name);
  if (options.info == NodeMonitorOptions::Info::kNone) return Term::Tuple({what, node});
  // In OTP's order.
  std::vector<dist::MapEntry> info;
  if (options.connection_id) {
    info.push_back({Term::Atom("connection_id"), Term::Int(connection_id)});
  }
  if (options.nodedown_reason && !event.is_up) {
    info.push_back({Term::Atom("nodedown_reason"), Term::Atom(event.nodedown_reason)});
  }
  if (options.node_type) {
    info.push_back(
        {Term::Atom("node_type"), Term::Atom(event.peer.is_hidden ? "hidden" : "visible")});
  }
  if (options.info == NodeMonitorOptions::Info::kMap) {
    return Term::Tuple({what, node, Term::Map(std::move(info))});
  }
  std::vector<Term> pairs;
  for (const auto& [key, value] : info) pairs.push_back(Term::Tuple({key, value}));
  return Term::Tuple({what, node, Term::List(std::move(pairs))});
}

}  // namespace

std::string NodedownReason(const absl::Status& why, bool is_stopping) {
  if (why.ok()) return is_stopping ? "net_kernel_terminated" : "disconnect";
  if (base::ReasonOf(why) == "net_tick_timeout") return "net_tick_timeout";
  return absl::IsUnavailable(why) ? "connection_closed" : "shutdown";
}

void NodeEvents::Watch(Watcher watcher, NodeType type) {
  watchers_.emplace_back(type, std::move(watcher));
}

void NodeEvents::Subscribe(const Pid& pid, const NodeMonitorOptions& options) {
  Sweep();
  subscriptions_.push_back({pid, options});
}

bool NodeEvents::Unsubscribe(const Pid& pid, const NodeMonitorOptions& options) {
  return std::erase_if(subscriptions_, [&](const Subscription& subscription) {
           return subscription.pid == pid && subscription.options == options;
         }) > 0;
}

void NodeEvents::MonitorNode(const Pid& pid, const AtomName& node) {
  if (node == signals_.identity().name()) return;
  Sweep();
  monitors_.emplace(node, pid);
  if (connected_.contains(node)) return;
  reach_(node, [this, node](absl::Status reached) {
    if (!reached.ok()) TellGone(node);
  });
}

bool NodeEvents::DemonitorNode(const Pid& pid, const AtomName& node) {
  const auto [begin, end] = monitors_.equal_range(node);
  const auto found = std::find_if(begin, end, [&](const auto& one) { return one.second == pid; });
  if (found == end) return false;
  monitors_.erase(found);
  return true;
}

void NodeEvents::Up(const PeerInfo& peer) {
  const int64_t id = next_connection_id_++;
  connected_[peer.name] = {peer, id};
  Tell({.is_up = true, .peer = peer}, id);
}

void NodeEvents::Down(const AtomName& node, const absl::Status& why, bool is_stopping) {
  auto gone = connected_.extract(node);
  if (gone.empty()) return;
  NodeEvent event{.peer = std::move(gone.mapped().peer), .why = why};
  event.nodedown_reason = NodedownReason(why, is_stopping);
  Tell(event, gone.mapped().connection_id);
  TellGone(node);
}

// Who is told may ask for more: the tables are looked at as they were.
void NodeEvents::Tell(const NodeEvent& event, int64_t connection_id) {
  const auto watchers = watchers_;
  for (const auto& [type, watcher] : watchers) {
    if (Fits(type, event.peer)) watcher(event);
  }
  const std::vector<Subscription> subscriptions = subscriptions_;
  for (const Subscription& subscription : subscriptions) {
    if (!Fits(subscription.options.type, event.peer)) continue;
    if (auto process = signals_.processes().Find(subscription.pid)) {
      process->Deliver(MessageFor(subscription.options, event, connection_id));
    }
  }
}

void NodeEvents::TellGone(const AtomName& node) {
  const auto [begin, end] = monitors_.equal_range(node);
  const std::vector<std::pair<AtomName, Pid>> told(begin, end);
  monitors_.erase(begin, end);
  for (const auto& [name, pid] : told) {
    auto process = signals_.processes().Find(pid);
    if (process == nullptr) continue;
    process->Deliver(Term::Tuple({Term::Atom("nodedown"), Term::Atom(node)}));
  }
}

void NodeEvents::Sweep() {
  if (size() < sweep_at_) return;
  const auto is_gone = [this](const Pid& pid) { return signals_.processes().Find(pid) == nullptr; };
  std::erase_if(subscriptions_, [&](const Subscription& one) { return is_gone(one.pid); });
  std::erase_if(monitors_, [&](const auto& one) { return is_gone(one.second); });
  sweep_at_ = std::max<size_t>(64, 2 * size());
}

}  // namespace noded::node
