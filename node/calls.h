// Calls that this node makes, to others and to itself.
//
//   Calls calls(home, signals, peers, functions);
//   calls.Call({"shop@host", "cart", "size", args, group_leader, timeout},
//              [](absl::StatusOr<CallOutcome> outcome) { ... });
//   auto pending = calls.GenCall(Destination::OfName("cart", "shop@host"), request, timeout, done);
//   if (auto call = pending.lock()) call->Cancel();
//
// Each call is a process of this node until it is answered (node/pending_call.h). `done` is called
// once, on the home loop, perhaps at once. A call connects first when need be, which has a limit of
// its own (limits.handshake_timeout); its timeout counts from there.
// What the called side raised is an outcome, not an error. Errors: Unavailable (noconnection: not
// connected, could not connect, or connection lost meanwhile; the call may have been made),
// DeadlineExceeded (timeout), Cancelled. Confined to the home loop.
// Source: OTP lib/kernel/src/erpc.erl, lib/stdlib/src/gen.erl, gen_server.erl.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"

#include "base/loop.h"
#include "node/function.h"
#include "node/peers.h"
#include "node/pending_call.h"
#include "node/services/function_calls.h"
#include "node/signals.h"

namespace noded::node {

struct CallRequest {
  dist::AtomName node;
  dist::AtomName module;
  dist::AtomName function;
  dist::Term args;         // a list
  dist::Pid group_leader;  // where the output of the function goes; empty: this node's own
  base::Duration timeout = std::chrono::seconds(5);
};

// How the same call ended on one of several nodes.
struct NodeOutcome {
  dist::AtomName node;
  absl::StatusOr<CallOutcome> outcome;
};

class Calls {
 public:
  using Done = PendingCall::Done;
  // Expired when it was answered.
  using Pending = std::weak_ptr<PendingCall>;
  // In the order of the nodes, when the last of them has ended.
  using AllDone = std::function<void(std::vector<NodeOutcome>)>;

  Calls(base::Loop& home, Signals& signals, Peers& peers, FunctionCalls& functions)
      : home_(home), signals_(signals), peers_(peers), functions_(functions) {}
  Calls(const Calls&) = delete;
  Calls& operator=(const Calls&) = delete;

  // As erpc:call, or rpc:call towards a peer that knows no spawn requests.
  Pending Call(CallRequest request, Done done);
  // As erpc:multicall: the same call on each of `nodes` at once, which may name a node twice.
  void Multicall(const std::vector<dist::AtomName>& nodes, const CallRequest& request,
                 AllDone done);
  // As erpc:cast: `done` tells that the request is on its way to a connected peer.
  void Cast(CallRequest request, std::function<void(absl::Status)> done);

  // As gen_server:call: a return is the reply, an exit the reason why there is none.
  Pending GenCall(Destination to, dist::Term request, base::Duration timeout, Done done);
  // As gen_server:multi_call: to the process with this name on each of `nodes`.
  void GenMulticall(const std::vector<dist::AtomName>& nodes, const dist::AtomName& name,
                    const dist::Term& request, base::Duration timeout, AllDone done);
  // As gen_server:cast: nobody hears whether it arrived.
  void GenCast(const Destination& to, dist::Term request);
  // As net_adm:ping: an outcome of `pong`, or why not.
  void Ping(dist::AtomName node, base::Duration timeout, Done done);

 private:
  base::Loop& home_;
  Signals& signals_;
  Peers& peers_;
  FunctionCalls& functions_;
};

}  // namespace noded::node
