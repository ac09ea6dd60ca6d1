// A member of an Erlang cluster, in this process.
//
//   ASSIGN_OR_RETURN(auto node, Node::Start(std::move(options), *table.Find("inet_tls")));
//
//   node->Export("cart", "total", 1, Total);        // others: rpc:call(Us, cart, total, [X])
//   node->Serve("cart", {.call = HandleCall});      // others: gen_server:call({cart, Us}, X)
//
//   auto outcome = node->Call({"shop@host", "shop", "stock", args});               // erpc:call
//   auto handle = node->CallAsync({"shop@host", "shop", "stock", args}, done);
//   for (auto& [name, outcome] : node->Multicall(names, {.module = "shop", ...})) ...
//   node->GenCast(Destination::OfName("cart", "shop@host"), message);              // ... and GenCall
//
//   ASSIGN_OR_RETURN(auto mailbox, node->OpenMailbox("till"));
//   node->Send(mailbox->pid(), Destination::OfName("shop", "shop@host"), message);
//   node->SendAfter(std::chrono::seconds(5), Destination::OfPid(mailbox->pid()), message);
//
//   node->Stop();
//
// Every method may be called from any thread but a loop's (that is: not from a `done` function;
// exported functions may). Methods that wait take a timeout and connect when need be. What the
// called side raised is a CallOutcome; errors are of this side: Unavailable (noconnection, with the
// step that failed and the mend), DeadlineExceeded, Cancelled, AlreadyExists (name taken).
// The carriers outlive the node; mailboxes must be gone before it.
// Source: OTP "Distributed Erlang", net_kernel(3), erpc(3), gen_server(3).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "dist/carrier/carrier_set.h"
#include "node/calls.h"
#include "node/function.h"
#include "node/global_names.h"
#include "node/mailbox.h"
#include "node/node_events.h"
#include "node/options.h"
#include "node/peer_info.h"
#include "node/process_groups.h"
#include "node/services/gen_server.h"
#include "node/typed.h"

namespace noded::node {

// A call that is under way. Thread-safe; the node outlives its use.
class CallHandle {
 public:
  CallHandle() = default;
  explicit CallHandle(std::function<void()> cancel) : cancel_(std::move(cancel)) {}

  // Ends it, without waiting: `done` gets Cancelled, unless the call has ended before. What it asked
  // for may have been done, and goes on where it was begun.
  void Cancel() const {
    if (cancel_) cancel_();
  }

 private:
  std::function<void()> cancel_;
};

class Node {
 public:
  // Listens, registers with epmd and answers from then on. Errors name the step and the mend:
  // InvalidArgument, AlreadyExists (port or node name taken), Unavailable (no epmd). Carriers, the
  // preferred one first: as dist/carrier/carrier_set.h has them.
  static absl::StatusOr<std::unique_ptr<Node>> Start(NodeOptions options,
                                                     std::vector<dist::Carrier*> carriers);
  static absl::StatusOr<std::unique_ptr<Node>> Start(NodeOptions options, dist::Carrier* carrier) {
    return Start(std::move(options), std::vector{carrier});
  }
  // Stop().
  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  // Unregisters, says goodbye to every peer (what is queued goes out first) and ends. Idempotent.
  void Stop();

  const dist::AtomName& name() const;
  uint32_t creation() const;
  // Where it listens; 0 when it does not.
  uint16_t port() const;
  const dist::CarrierSet& carriers() const;

  absl::Status Connect(const dist::AtomName& peer);
  // False when there was no connection.
  bool Disconnect(const dist::AtomName& peer);
  std::vector<PeerInfo> Peers() const;
  // Called on the home loop for each connection made and lost.
  void WatchNodes(std::function<void(const NodeEvent& event)> watcher,
                  NodeType type = NodeType::kAll);
  // net_kernel:monitor_nodes: a mailbox or service of this node hears {nodeup, Node} and
  // {nodedown, Node}, with `options` also {nodeup, Node, Info}, until Demonitor or its end.
  void MonitorNodes(const dist::Pid& pid, NodeMonitorOptions options = {});
  void DemonitorNodes(const dist::Pid& pid, NodeMonitorOptions options = {});
  // erlang:monitor_node: it hears {nodedown, Node} once, at once when the node cannot be reached.
  void MonitorNode(const dist::Pid& pid, const dist::AtomName& node);
  void DemonitorNode(const dist::Pid& pid, const dist::AtomName& node);

  // net_kernel:allow: from the first on, only these nodes and hosts may be connected, in either
  // direction (node/admission.h). Connections that there are stay.
  void Allow(const std::vector<dist::AtomName>& nodes);
  std::vector<dist::AtomName> Allowed() const;

  // net_adm:ping. OK is pong; PermissionDenied is pang from a connected node.
  absl::Status Ping(const dist::AtomName& peer, base::Duration timeout);
  absl::StatusOr<CallOutcome> Call(CallRequest request);
  // erpc:multicall: the same call on each of `nodes` (request.node does not matter), at once; in
  // their order.
  std::vector<NodeOutcome> Multicall(const std::vector<dist::AtomName>& nodes, CallRequest request);
  absl::Status Cast(CallRequest request);
  absl::StatusOr<CallOutcome> GenCall(const Destination& to, dist::Term request,
                                      base::Duration timeout);
  // gen_server:multi_call: to the process with this name on each of `nodes`.
  std::vector<NodeOutcome> GenMulticall(const std::vector<dist::AtomName>& nodes,
                                        const dist::AtomName& name, const dist::Term& request,
                                        base::Duration timeout);
  // gen_server:cast: nobody hears whether it arrived.
  void GenCast(const Destination& to, dist::Term request);
  // Without waiting: `done` runs on the home loop, once.
  CallHandle CallAsync(CallRequest request, Calls::Done done);
  CallHandle GenCallAsync(Destination to, dist::Term request, base::Duration timeout,
                          Calls::Done done);

  void Send(const dist::Pid& from, const Destination& to, dist::Term message);
  // erlang:send_after: `message` goes to a mailbox or service later. The reference is for
  // CancelTimer.
  dist::Reference SendAfter(base::Duration delay, const Destination& to, dist::Term message);
  // erlang:start_timer: what comes is {timeout, Reference, Message}.
  dist::Reference StartTimer(base::Duration delay, const Destination& to, dist::Term message);
  // The time that was left; none when the message was sent before.
  std::optional<base::Duration> CancelTimer(const dist::Reference& timer);

  void Export(const dist::AtomName& module, const dist::AtomName& function, int arity,
              Function body);
  // As in node/typed.h.
  void Export(const dist::AtomName& module, const dist::AtomName& function, TypedFunction typed);
  std::vector<std::string> ExportedFunctions() const;
  // One of them here and now, on this thread.
  CallOutcome Apply(const CallContext& context, const dist::AtomName& module,
                    const dist::AtomName& function, const dist::Term& args) const;
  // Registered under `name` when it is not empty. Errors: those of GenServer::init, too.
  absl::StatusOr<dist::Pid> Serve(const dist::AtomName& name, GenServer server);
  // Registered under `name` when it is not empty.
  absl::StatusOr<std::unique_ptr<Mailbox>> OpenMailbox(const dist::AtomName& name = {});

  // A process has as many names as it is given. AlreadyExists (the name is taken), NotFound (no
  // such process of this node); false when there was no such name.
  absl::Status RegisterName(const dist::AtomName& name, const dist::Pid& pid);
  bool UnregisterName(const dist::AtomName& name);
  std::optional<dist::Pid> WhereIs(const dist::AtomName& name) const;
  std::vector<dist::AtomName> RegisteredNames() const;

  // OTP's global: names and locks of the cluster.
  GlobalNames Global();

  // OTP's pg; starts the scope when it is not open yet. AlreadyExists when another process has its
  // name.
  absl::StatusOr<ProcessGroups> OpenScope(const dist::AtomName& scope = "pg");
  // None when it is not open.
  std::optional<ProcessGroups> FindScope(const dist::AtomName& scope = "pg") const;

  // From a mailbox' or service's pid. What comes of it is a message there.
  dist::Reference Monitor(const dist::Pid& from, const Destination& target);
  void Demonitor(const dist::Pid& from, const dist::Reference& monitor);
  void Link(const dist::Pid& from, const dist::Pid& to);
  void Unlink(const dist::Pid& from, const dist::Pid& to);
  void SendExit(const dist::Pid& from, const dist::Pid& to, const dist::Term& reason);

  // The process to which functions called on other nodes should write. What they write goes to
  // `write` (UTF-8, called on the home loop); default: standard output.
  dist::Pid group_leader() const;
  void SetOutput(std::function<void(std::string_view text)> write);

 private:
  class Core;
  explicit Node(std::unique_ptr<Core> core);

  std::unique_ptr<Core> core_;
};

}  // namespace noded::node
