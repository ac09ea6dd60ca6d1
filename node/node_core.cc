#include "node/node_core.h"

#include "fmt/format.h"

#include "base/log.h"
#include "base/random.h"
#include "base/status.h"
#include "dist/flags.h"
#include "node/services/builtins.h"
#include "node/services/global_server.h"
#include "node/services/net_kernel.h"
#include "node/services/pg_scope.h"

namespace noded::node {

using dist::AtomName;
using dist::Term;

namespace {

// Links say goodbye, handshakes are cut. Attempts of ours are not waited for: they end with the
// loops.
constexpr std::chrono::seconds kStopPatience{10};
constexpr size_t kMaxWaitingCalls = 100'000;

template <class T>
T WaitFor(base::Loop& loop, const std::string& name, base::Task<T> task) {
  std::promise<T> promise;
  std::future<T> result = promise.get_future();
  base::Spawn(loop, name, std::move(task),
              [&promise](T value) { promise.set_value(std::move(value)); });
  return result.get();
}

}  // namespace

PeerInfo Describe(const Peers::Peer& peer, const dist::CarrierSet& carriers) {
  const dist::Handshake::Done& done = peer.link->peer();
  return {.name = peer.name,
          .is_hidden = peer.is_hidden(),
          .is_incoming = peer.direction == Peers::Direction::kIncoming,
          .creation = done.creation,
          .flags = done.flags,
          .handshake_version = done.version,
          .since = peer.since,
          .carrier = std::string(carriers.Of(peer.link->identity()).name()),
          .identity = peer.link->identity(),
          .counters = peer.link->counters()};
}

void Node::Core::Running::Add() {
  std::lock_guard lock(mutex);
  ++count;
}

void Node::Core::Running::Remove() {
  {
    std::lock_guard lock(mutex);
    --count;
  }
  changed.notify_all();
}

bool Node::Core::Running::WaitForNone(std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex);
  return changed.wait_for(lock, timeout, [this] { return count == 0; });
}

Node::Core::Parts::Parts(Core& core, uint32_t creation)
    : identity(core.options.name, creation),
      peers(core.options.name,
            {.auto_connect = core.options.auto_connect, .limits = core.options.limits},
            {.connect = [&core](const AtomName& node) { core.BeginAttempt(node); },
             .up = [&core](const node::Peers::Peer& peer) { core.OnUp(peer); },
             .down = [&core](const AtomName& node,
                             const absl::Status& why) { core.OnDown(node, why); },
             .unreachable = [&core](const AtomName& node,
                                    const absl::Status& why) { core.OnUnreachable(node, why); }},
            core.clock),
      signals(identity, peers, core.options.limits),
      events(signals, [this](const AtomName& node,
                             NodeEvents::Done done) { peers.Reach(node, std::move(done)); }),
      function_calls(core.home, signals, *core.workers, core.functions),
      router(signals, function_calls),
      calls(core.home, signals, peers, function_calls),
      timers(core.home, signals),
      admission(core.options.dist_allow, core.options.plain_peers),
      establisher(core.home, peers, admission, core.carriers,
                  {.local = {.name = core.options.name,
                             .creation = creation,
                             .flags = dist::LocalFlags(!core.options.is_hidden)},
                   .cookies = core.options.cookies,
                   .epmd_port = core.options.epmd.port,
                   .fixed_port = core.options.epmd.fixed_port,
                   .check_ip = core.options.check_ip,
                   .limits = core.options.limits}),
      group_leader(std::make_shared<GroupLeader>(signals)) {}

Node::Core::Core(NodeOptions given, dist::CarrierSet carriers)
    : options(std::move(given)),
      carriers(std::move(carriers)),
      workers(std::make_unique<Workers>(options.worker_threads, kMaxWaitingCalls)),
      loops(options.loops),
      home(loops.home()) {}

Node::Core::~Core() { Stop(); }

absl::Status Node::Core::Start() {
  std::unique_ptr<dist::Listener> listener;
  if (options.does_listen) {
    dist::ListenOptions where = options.listen;
    if (options.epmd.fixed_port != 0) where.port_min = where.port_max = options.epmd.fixed_port;
    auto listening =
        home.Run([&] { return dist::Listener::Listen(home, carriers.is_v6(), where); });
    if (!listening.ok()) return listening.status();
    listener = *std::move(listening);
    port = listener->port();
  }
  ASSIGN_OR_RETURN(const uint32_t creation, Register(port));
  AtHome([&] {
    parts = std::make_unique<Parts>(*this, creation);
    expiry_ = std::make_unique<asio::steady_timer>(home.io());
    StartServices();
    ScheduleExpiry();
    return true;
  });
  if (epmd != nullptr) {
    running_->Add();
    base::Spawn(home, "epmd presence", epmd->StayRegistered(),
                [running = running_](absl::Status) { running->Remove(); });
  }
  if (listener != nullptr) {
    acceptor =
        std::make_shared<Acceptor>(home, loops, std::move(listener), parts->establisher,
                                   options.limits, [this](Establisher::Made made) {
                                     OnMade(std::move(made), node::Peers::Direction::kIncoming);
                                   });
    running_->Add();
    base::Spawn(home, "acceptor", acceptor->Run(), [running = running_](absl::Status status) {
      if (!status.ok()) base::LogError("acceptor_ended").Add(status);
      running->Remove();
    });
  }
  return absl::OkStatus();
}

// A creation for this life of the node: from epmd, or drawn where there is none.
absl::StatusOr<uint32_t> Node::Core::Register(uint16_t listen_port) {
  uint32_t drawn = base::Random32();
  while (drawn < 4) drawn = base::Random32();  // 0 to 3 are those of old epmds
  if (!options.does_listen || !options.epmd.is_used || options.epmd.fixed_port != 0) return drawn;
  dist::EpmdNode node;
  const std::string full = options.name.ToString();
  node.name = full.substr(0, full.find('@'));
  node.port = listen_port;
  node.type = options.is_hidden ? dist::EpmdNode::kHidden : dist::EpmdNode::kNormal;
  const auto family = carriers.is_v6() ? dist::AddressFamily::kV6 : dist::AddressFamily::kV4;
  epmd = std::make_shared<EpmdPresence>(home, options.epmd, node, family, options.limits);
  auto registered = WaitFor(home, "epmd", epmd->Register(home.Now() + std::chrono::seconds(10)));
  if (!registered.ok()) {
    AtHome([this] {
      epmd->Stop();
      return true;
    });
    return base::Annotate(registered.status(), fmt::format("registering {}", full));
  }
  return *registered;
}

void Node::Core::StartServices() {
  Signals& signals = parts->signals;
  const auto start = [&](const char* name, std::shared_ptr<Process> process) {
    const dist::Pid pid = signals.Start(std::move(process));
    (void)signals.processes().Register(name, pid);  // the names are free: nobody was here before
    return pid;
  };
  start("net_kernel", MakeNetKernel(signals, parts->admission));
  start("rex", parts->function_calls.MakeRex());
  global = std::make_shared<GlobalServer>(
      home, signals, parts->peers, parts->calls,
      GlobalServer::Options{options.connect_all, options.prevent_overlapping_partitions});
  start(GlobalClient::kServer, global);
  parts->group_leader_pid = start("user", parts->group_leader);
  if (options.start_pg) (void)OpenScope("pg");  // its name is free, too
}

absl::StatusOr<std::shared_ptr<PgScope>> Node::Core::OpenScope(const AtomName& name) {
  if (const auto found = scopes.find(name); found != scopes.end()) return found->second;
  const auto is_connected = [this](const AtomName& node) {
    return parts->peers.Find(node) != nullptr;
  };
  auto scope = std::make_shared<PgScope>(parts->signals, name, is_connected);
  const dist::Pid pid = parts->signals.Start(scope);
  if (absl::Status named = parts->signals.processes().Register(name, pid); !named.ok()) {
    parts->signals.Exit(pid, Term::Atom("normal"));
    return named;
  }
  scopes[name] = scope;
  for (const AtomName& peer : VisiblePeers()) scope->NodeUp(peer);
  return scope;
}

std::vector<AtomName> Node::Core::VisiblePeers() const {
  std::vector<AtomName> names;
  if (options.is_hidden) return names;
  for (const node::Peers::Peer& peer : parts->peers.Connected()) {
    if (!peer.is_hidden()) names.push_back(peer.name);
  }
  return names;
}

void Node::Core::BeginAttempt(const AtomName& node) {
  base::Loop& loop = loops.Next();
  // Posted: the tables of the home loop are in the middle of something.
  loop.Post([this, &loop, node] {
    base::Spawn(loop, "connect", parts->establisher.Connect(loop, node),
                [this, node](absl::StatusOr<Establisher::Made> made) {
                  if (made.ok()) {
                    OnMade(*std::move(made), node::Peers::Direction::kOutgoing);
                  } else {
                    home.Post([this, node, why = made.status()] {
                      const bool is_simultaneous = base::ReasonOf(why) == "nok";
                      parts->peers.ConnectFailed(node, why, is_simultaneous);
                    });
                  }
                });
  });
}

// On the loop of the stream. The home loop hears of the link before it hears its messages.
void Node::Core::OnMade(Establisher::Made made, node::Peers::Direction direction) {
  dist::NodeLink::Options link_options;
  link_options.tick_interval = options.net_ticktime / options.tick_intensity;
  link_options.tick_intensity = options.tick_intensity;
  link_options.limits = options.limits;
  auto link =
      std::make_shared<dist::NodeLink>(std::move(made.stream), std::move(made.done), link_options);
  running_->Add();
  home.Post([this, link, direction] { parts->peers.LinkUp(link, direction); });
  link->Start(
      [this, weak = std::weak_ptr(link)](dist::Channel::Event event) {
        home.Post([this, weak, event = std::move(event)]() mutable {
          if (auto link = weak.lock()) OnEvent(link, std::move(event));
        });
      },
      [this, link, running = running_](absl::Status why) {
        home.Post([this, link, why, running] {
          parts->peers.LinkDown(link, why);
          running->Remove();
        });
      });
}

void Node::Core::OnEvent(const std::shared_ptr<dist::NodeLink>& link, dist::Channel::Event event) {
  if (!parts->peers.IsCurrent(link)) return;
  const AtomName& peer = link->peer().peer;
  if (auto* bad = std::get_if<dist::Channel::BadMessage>(&event)) {
    base::LogWarn("message_dropped").Add("peer", peer.view()).Add(bad->status);
    return;
  }
  parts->router.Route(peer, std::get<dist::Channel::Message>(std::move(event)));
}

void Node::Core::OnUp(const node::Peers::Peer& peer) {
  const PeerInfo info = Describe(peer, carriers);
  {
    base::LogEvent line = base::LogInfo("link_up");
    line.Add("node", options.name.view())
        .Add("peer", info.name.view())
        .Add("direction", info.is_incoming ? "in" : "out")
        .Add("address", base::AddressText(info.identity))
        .Add("handshake", info.handshake_version)
        .Add("carrier", info.carrier);
    if (info.identity.tls) {
      line.Add("tls", info.identity.tls->version)
          .Add("cipher", info.identity.tls->cipher_suite)
          .Add("certificate", info.identity.tls->peer_subject);
    }
  }
  parts->events.Up(info);
  if (options.is_hidden || peer.is_hidden()) return;
  global->NodeUp(peer.name);
  for (const auto& [name, scope] : scopes) scope->NodeUp(peer.name);
}

void Node::Core::OnDown(const AtomName& node, const absl::Status& why) {
  // Who says goodbye has done nothing wrong: every call of nodectl ends so.
  const bool is_goodbye = why.ok() || base::ReasonOf(why) == "connection_closed";
  base::LogEvent line = is_goodbye ? base::LogInfo("link_down") : base::LogWarn("link_down");
  line.Add("node", options.name.view()).Add("peer", node.view());
  if (!why.ok()) line.Add(why);
  parts->signals.NodeDown(node, Term::Atom("noconnection"));
  global->NodeDown(node);
  parts->events.Down(node, why, is_stopped_);
}

void Node::Core::OnUnreachable(const AtomName& node, const absl::Status&) {
  home.Post([this, node] {
    if (parts->peers.Find(node) == nullptr) {
      parts->signals.NodeDown(node, Term::Atom("noconnection"));
    }
  });
}

// Peers that promised to connect and did not come.
void Node::Core::ScheduleExpiry() {
  expiry_->expires_after(std::chrono::seconds(1));
  expiry_->async_wait([this](const asio::error_code& error) {
    if (error || is_stopped_) return;
    parts->peers.ExpireWaiting();
    ScheduleExpiry();
  });
}

void Node::Core::Stop() {
  if (is_stopped_.exchange(true)) return;
  AtHome([this] {
    if (expiry_ != nullptr) expiry_->cancel();
    if (acceptor != nullptr) acceptor->Close();
    if (epmd != nullptr) epmd->Stop();
    if (global != nullptr) global->PrepareStop();
    if (parts != nullptr) parts->peers.CloseAll();
    return true;
  });
  if (!running_->WaitForNone(kStopPatience)) {
    base::LogWarn("stop_impatient")
        .Add("node", options.name.view())
        .Add("cause", "some connections did not end in time and are cut");
  }
  workers->Stop();
  loops.Stop();
}

}  // namespace noded::node
