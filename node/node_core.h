// The parts of a Node and their order: nothing but that. See node/node.h.
#pragma once

#include <atomic>
#include <condition_variable>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

#include "base/clock.h"
#include "base/loop.h"
#include "base/task.h"
#include "node/acceptor.h"
#include "node/admission.h"
#include "node/calls.h"
#include "node/epmd_presence.h"
#include "node/establish.h"
#include "node/function.h"
#include "node/identity.h"
#include "node/node.h"
#include "node/node_events.h"
#include "node/peers.h"
#include "node/router.h"
#include "node/services/function_calls.h"
#include "node/services/group_leader.h"
#include "node/signals.h"
#include "node/timers.h"
#include "node/workers.h"

namespace noded::node {

class GlobalServer;
class PgScope;

class Node::Core {
 public:
  Core(NodeOptions options, dist::CarrierSet carriers);
  ~Core();

  absl::Status Start();
  void Stop();

  // Runs `function` on the home loop and gives its result; what the tables are touched by.
  template <class F>
  auto AtHome(F function) {
    return home.Run(std::move(function));
  }

  // Everything that exists once the node has a creation, in the order of construction.
  struct Parts {
    Parts(Core& core, uint32_t creation);

    Identity identity;
    node::Peers peers;
    Signals signals;
    NodeEvents events;
    FunctionCalls function_calls;
    Router router;
    Calls calls;
    Timers timers;
    Admission admission;
    Establisher establisher;
    std::shared_ptr<GroupLeader> group_leader;
    dist::Pid group_leader_pid;
  };

  NodeOptions options;
  const dist::CarrierSet carriers;
  const base::SteadyClock clock{};
  std::unique_ptr<Workers> workers;  // before the loops: what waits on those may hold lanes
  base::LoopGroup loops;
  base::Loop& home;
  FunctionTable functions;
  std::shared_ptr<EpmdPresence> epmd;
  std::shared_ptr<Acceptor> acceptor;
  std::unique_ptr<Parts> parts;
  uint16_t port = 0;
  std::map<dist::AtomName, std::shared_ptr<PgScope>> scopes;  // home loop
  std::shared_ptr<GlobalServer> global;                       // home loop

  // On the home loop: the scope, which is started when there is none.
  absl::StatusOr<std::shared_ptr<PgScope>> OpenScope(const dist::AtomName& scope);
  // On the home loop: the connected nodes that this one is part of a mesh with; none when it is
  // hidden.
  std::vector<dist::AtomName> VisiblePeers() const;

 private:
  absl::StatusOr<uint32_t> Register(uint16_t listen_port);
  void BeginAttempt(const dist::AtomName& node);
  void OnMade(Establisher::Made made, node::Peers::Direction direction);
  void OnUp(const node::Peers::Peer& peer);
  void OnDown(const dist::AtomName& node, const absl::Status& why);
  void OnUnreachable(const dist::AtomName& node, const absl::Status& why);
  void OnEvent(const std::shared_ptr<dist::NodeLink>& link, dist::Channel::Event event);
  void ScheduleExpiry();
  void StartServices();

  // Tasks and links that are under way; Stop() waits for them.
  struct Running {
    std::mutex mutex;
    std::condition_variable changed;
    int count = 0;
    void Add();
    void Remove();
    bool WaitForNone(std::chrono::milliseconds timeout);
  };
  std::shared_ptr<Running> running_ = std::make_shared<Running>();
  std::unique_ptr<asio::steady_timer> expiry_;
  std::atomic<bool> is_stopped_{false};
};

PeerInfo Describe(const Peers::Peer& peer, const dist::CarrierSet& carriers);

}  // namespace noded::node
