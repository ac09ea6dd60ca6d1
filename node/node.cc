#include "node/node.h"

#include <future>

#include "fmt/format.h"

#include "base/status.h"
#include "node/node_core.h"
#include "node/services/builtins.h"
#include "node/services/global_functions.h"
#include "node/services/pg_functions.h"
#include "node/services/pg_scope.h"
#include "node/services/relays.h"

namespace noded::node {

using dist::AtomName;
using dist::Pid;
using dist::Reference;
using dist::Term;

namespace {

// Output of the function goes to this node's own group leader unless somebody else is named.
CallRequest WithLeader(CallRequest request, const Pid& leader) {
  if (request.group_leader.node.empty()) request.group_leader = leader;
  return request;
}

CallHandle BeginCall(base::Loop& home, std::function<Calls::Pending()> begin) {
  auto pending = std::make_shared<Calls::Pending>();
  home.Post([pending, begin = std::move(begin)] { *pending = begin(); });
  return CallHandle([&home, pending] {
    home.Post([pending] {
      if (const auto call = pending->lock()) call->Cancel();
    });
  });
}

}  // namespace

absl::StatusOr<std::unique_ptr<Node>> Node::Start(NodeOptions options,
                                                  std::vector<dist::Carrier*> carriers) {
  ASSIGN_OR_RETURN(dist::CarrierSet set, dist::CarrierSet::Create(std::move(carriers)));
  auto core = std::make_unique<Core>(std::move(options), std::move(set));
  std::unique_ptr<Node> node(new Node(std::move(core)));
  // Callers come as soon as it listens: its functions are there before.
  AddBuiltins(*node);
  AddRelays(*node);
  AddPgFunctions(*node);
  AddGlobalFunctions(*node);
  RETURN_IF_ERROR(node->core_->Start());
  return node;
}

Node::Node(std::unique_ptr<Core> core) : core_(std::move(core)) {}

Node::~Node() { Stop(); }

void Node::Stop() { core_->Stop(); }

const AtomName& Node::name() const { return core_->options.name; }
uint32_t Node::creation() const { return core_->parts->identity.creation(); }
uint16_t Node::port() const { return core_->port; }
const dist::CarrierSet& Node::carriers() const { return core_->carriers; }

absl::Status Node::Connect(const AtomName& peer) {
  std::promise<absl::Status> promise;
  core_->AtHome([&] {
    core_->parts->peers.Connect(peer, [&promise](absl::Status done) { promise.set_value(done); });
    return true;
  });
  return promise.get_future().get();
}

bool Node::Disconnect(const AtomName& peer) {
  return core_->AtHome([&] { return core_->parts->peers.Disconnect(peer); });
}

std::vector<PeerInfo> Node::Peers() const {
  return core_->AtHome([&] {
    std::vector<PeerInfo> infos;
    for (const node::Peers::Peer& peer : core_->parts->peers.Connected()) {
      infos.push_back(Describe(peer, core_->carriers));
    }
    return infos;
  });
}

void Node::WatchNodes(std::function<void(const NodeEvent& event)> watcher, NodeType type) {
  core_->home.Post([core = core_.get(), watcher = std::move(watcher), type]() mutable {
    core->parts->events.Watch(std::move(watcher), type);
  });
}

void Node::MonitorNodes(const Pid& pid, NodeMonitorOptions options) {
  core_->home.Post(
      [core = core_.get(), pid, options] { core->parts->events.Subscribe(pid, options); });
}

void Node::DemonitorNodes(const Pid& pid, NodeMonitorOptions options) {
  core_->home.Post(
      [core = core_.get(), pid, options] { core->parts->events.Unsubscribe(pid, options); });
}

void Node::MonitorNode(const Pid& pid, const AtomName& node) {
  core_->home.Post([core = core_.get(), pid, node] { core->parts->events.MonitorNode(pid, node); });
}

void Node::DemonitorNode(const Pid& pid, const AtomName& node) {
  core_->home.Post(
      [core = core_.get(), pid, node] { core->parts->events.DemonitorNode(pid, node); });
}

absl::Status Node::Ping(const AtomName& peer, base::Duration timeout) {
  if (peer == name()) return absl::OkStatus();
  std::promise<absl::StatusOr<CallOutcome>> promise;
  core_->AtHome([&] {
    core_->parts->calls.Ping(peer, timeout, [&promise](absl::StatusOr<CallOutcome> outcome) {
      promise.set_value(std::move(outcome));
    });
    return true;
  });
  ASSIGN_OR_RETURN(const CallOutcome outcome, promise.get_future().get());
  if (outcome.is_return() && outcome.value.IsAtom("pong")) return absl::OkStatus();
  return base::Error(absl::StatusCode::kPermissionDenied,
                     fmt::format("{} is connected but does not answer as a node", peer.view()), "",
                     "pang");
}

CallHandle Node::CallAsync(CallRequest request, Calls::Done done) {
  auto begin = [core = core_.get(), request = WithLeader(std::move(request), group_leader()),
                done = std::move(done)]() mutable {
    return core->parts->calls.Call(std::move(request), std::move(done));
  };
  return BeginCall(core_->home, std::move(begin));
}

CallHandle Node::GenCallAsync(Destination to, Term request, base::Duration timeout,
                              Calls::Done done) {
  auto begin = [core = core_.get(), to = std::move(to), request = std::move(request), timeout,
                done = std::move(done)]() mutable {
    return core->parts->calls.GenCall(std::move(to), std::move(request), timeout, std::move(done));
  };
  return BeginCall(core_->home, std::move(begin));
}

absl::StatusOr<CallOutcome> Node::Call(CallRequest request) {
  std::promise<absl::StatusOr<CallOutcome>> promise;
  CallAsync(std::move(request), [&promise](absl::StatusOr<CallOutcome> outcome) {
    promise.set_value(std::move(outcome));
  });
  return promise.get_future().get();
}

absl::StatusOr<CallOutcome> Node::GenCall(const Destination& to, Term request,
                                          base::Duration timeout) {
  std::promise<absl::StatusOr<CallOutcome>> promise;
  GenCallAsync(to, std::move(request), timeout, [&promise](absl::StatusOr<CallOutcome> outcome) {
    promise.set_value(std::move(outcome));
  });
  return promise.get_future().get();
}

std::vector<NodeOutcome> Node::Multicall(const std::vector<AtomName>& nodes, CallRequest request) {
  std::promise<std::vector<NodeOutcome>> promise;
  core_->home.Post([&] {
    request = WithLeader(std::move(request), group_leader());
    core_->parts->calls.Multicall(nodes, request, [&promise](std::vector<NodeOutcome> outcomes) {
      promise.set_value(std::move(outcomes));
    });
  });
  return promise.get_future().get();
}

std::vector<NodeOutcome> Node::GenMulticall(const std::vector<AtomName>& nodes,
                                            const AtomName& name, const Term& request,
                                            base::Duration timeout) {
  std::promise<std::vector<NodeOutcome>> promise;
  core_->home.Post([&] {
    core_->parts->calls.GenMulticall(
        nodes, name, request, timeout,
        [&promise](std::vector<NodeOutcome> outcomes) { promise.set_value(std::move(outcomes)); });
  });
  return promise.get_future().get();
}

absl::Status Node::Cast(CallRequest request) {
  std::promise<absl::Status> promise;
  core_->AtHome([&] {
    core_->parts->calls.Cast(WithLeader(std::move(request), group_leader()),
                             [&promise](absl::Status status) { promise.set_value(status); });
    return true;
  });
  return promise.get_future().get();
}

void Node::GenCast(const Destination& to, Term request) {
  core_->home.Post([core = core_.get(), to, request = std::move(request)]() mutable {
    core->parts->calls.GenCast(to, std::move(request));
  });
}

Reference Node::SendAfter(base::Duration delay, const Destination& to, Term message) {
  const Reference timer = core_->parts->identity.NextReference();
  core_->home.Post([core = core_.get(), timer, delay, to, message = std::move(message)]() mutable {
    core->parts->timers.Start(timer, delay, to, std::move(message));
  });
  return timer;
}

Reference Node::StartTimer(base::Duration delay, const Destination& to, Term message) {
  const Reference timer = core_->parts->identity.NextReference();
  Term timeout =
      Term::Tuple({Term::Atom("timeout"), Term::FromReference(timer), std::move(message)});
  core_->home.Post([core = core_.get(), timer, delay, to, timeout = std::move(timeout)]() mutable {
    core->parts->timers.Start(timer, delay, to, std::move(timeout));
  });
  return timer;
}

std::optional<base::Duration> Node::CancelTimer(const Reference& timer) {
  return core_->AtHome([&] { return core_->parts->timers.Cancel(timer); });
}

void Node::Send(const Pid& from, const Destination& to, Term message) {
  core_->home.Post([core = core_.get(), from, to, message = std::move(message)]() mutable {
    core->parts->signals.Send(from, to, std::move(message));
  });
}

void Node::Export(const AtomName& module, const AtomName& function, int arity, Function body) {
  core_->functions.Add(module, function, arity, std::move(body));
}

void Node::Export(const AtomName& module, const AtomName& function, TypedFunction typed) {
  Export(module, function, typed.arity, std::move(typed.body));
}

std::vector<std::string> Node::ExportedFunctions() const { return core_->functions.Names(); }

CallOutcome Node::Apply(const CallContext& context, const AtomName& module,
                        const AtomName& function, const Term& args) const {
  return core_->functions.Apply(context, module, function, args);
}

void Node::Allow(const std::vector<AtomName>& nodes) { core_->parts->admission.Allow(nodes); }

std::vector<AtomName> Node::Allowed() const { return core_->parts->admission.Allowed(); }

absl::Status Node::RegisterName(const AtomName& name, const Pid& pid) {
  return core_->AtHome([&] { return core_->parts->signals.processes().Register(name, pid); });
}

bool Node::UnregisterName(const AtomName& name) {
  return core_->AtHome([&] { return core_->parts->signals.processes().Unregister(name); });
}

std::optional<Pid> Node::WhereIs(const AtomName& name) const {
  return core_->AtHome([&] { return core_->parts->signals.processes().WhereIs(name); });
}

std::vector<AtomName> Node::RegisteredNames() const {
  return core_->AtHome([&] { return core_->parts->signals.processes().Names(); });
}

GlobalNames Node::Global() {
  return GlobalNames(core_->home, core_->parts->signals, core_->global,
                     [core = core_.get()] { return core->VisiblePeers(); });
}

absl::StatusOr<ProcessGroups> Node::OpenScope(const AtomName& scope) {
  ASSIGN_OR_RETURN(std::shared_ptr<PgScope> opened,
                   core_->AtHome([&] { return core_->OpenScope(scope); }));
  return ProcessGroups(core_->home, std::move(opened));
}

std::optional<ProcessGroups> Node::FindScope(const AtomName& scope) const {
  return core_->AtHome([&]() -> std::optional<ProcessGroups> {
    const auto found = core_->scopes.find(scope);
    if (found == core_->scopes.end()) return std::nullopt;
    return ProcessGroups(core_->home, found->second);
  });
}

absl::StatusOr<Pid> Node::Serve(const AtomName& name, GenServer server) {
  const ServicePlace place{core_->home, core_->parts->signals, *core_->workers,
                           core_->options.limits.max_mailbox_messages};
  return StartGenServer(place, name, std::move(server));
}

absl::StatusOr<std::unique_ptr<Mailbox>> Node::OpenMailbox(const AtomName& name) {
  auto queue = std::make_shared<Mailbox::Queue>(core_->options.limits);
  auto opened = core_->AtHome([&]() -> absl::StatusOr<Pid> {
    Signals& signals = core_->parts->signals;
    const Pid pid = signals.Start(queue);
    if (name.empty()) return pid;
    absl::Status registered = signals.processes().Register(name, pid);
    if (registered.ok()) return pid;
    signals.Exit(pid, Term::Atom("normal"));
    return registered;
  });
  ASSIGN_OR_RETURN(const Pid pid, std::move(opened));
  return std::make_unique<Mailbox>(pid, std::move(queue), [core = core_.get(), pid] {
    core->AtHome([&] {
      core->parts->signals.Exit(pid, Term::Atom("normal"));
      return true;
    });
  });
}

Reference Node::Monitor(const Pid& from, const Destination& target) {
  return core_->AtHome([&] { return core_->parts->signals.Monitor(from, target); });
}

void Node::Demonitor(const Pid& from, const Reference& monitor) {
  core_->home.Post(
      [core = core_.get(), from, monitor] { core->parts->signals.Demonitor(from, monitor); });
}

void Node::Link(const Pid& from, const Pid& to) {
  core_->home.Post([core = core_.get(), from, to] { core->parts->signals.Link(from, to); });
}

void Node::Unlink(const Pid& from, const Pid& to) {
  core_->home.Post([core = core_.get(), from, to] { core->parts->signals.Unlink(from, to); });
}

void Node::SendExit(const Pid& from, const Pid& to, const Term& reason) {
  core_->home.Post(
      [core = core_.get(), from, to, reason] { core->parts->signals.SendExit(from, to, reason); });
}

Pid Node::group_leader() const { return core_->parts->group_leader_pid; }

void Node::SetOutput(std::function<void(std::string_view text)> write) {
  core_->AtHome([&] {
    core_->parts->group_leader->SetOutput(std::move(write));
    return true;
  });
}

}  // namespace noded::node
