// Calls that this node makes to others.
//
//   Calls calls(home, signals, peers);
//   calls.Call({"shop@host", "cart", "size", args, group_leader, timeout},
//              [](absl::StatusOr<CallOutcome> outcome) { ... });
//   calls.GenCall(Destination::OfName("cart", "shop@host"), request, timeout, done);
//
// Each call is a process of this node until it is answered, so answers that come late find nobody.
// `done` is called once, on the home loop. A call connects first when need be.
// What the called side raised is an outcome, not an error. Errors: Unavailable (noconnection: not
// connected, could not connect, or connection lost meanwhile; the call may have been made),
// DeadlineExceeded (timeout). Confined to the home loop.
// Source: OTP lib/kernel/src/erpc.erl, lib/stdlib/src/gen.erl.
#pragma once

#include <functional>
#include <string>

#include "absl/status/statusor.h"

#include "base/loop.h"
#include "node/function.h"
#include "node/peers.h"
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

class Calls {
 public:
  using Done = std::function<void(absl::StatusOr<CallOutcome>)>;

  Calls(base::Loop& home, Signals& signals, Peers& peers)
      : home_(home), signals_(signals), peers_(peers) {}
  Calls(const Calls&) = delete;
  Calls& operator=(const Calls&) = delete;

  // As erpc:call, or rpc:call towards a peer that knows no spawn requests.
  void Call(CallRequest request, Done done);
  // As erpc:cast: `done` tells that the request is on its way to a connected peer.
  void Cast(CallRequest request, std::function<void(absl::Status)> done);
  // As gen_server:call: a return is the reply, an exit the reason why there is none.
  void GenCall(Destination to, dist::Term request, base::Duration timeout, Done done);
  // As net_adm:ping: an outcome of `pong`, or why not.
  void Ping(dist::AtomName node, base::Duration timeout, Done done);

 private:
  base::Loop& home_;
  Signals& signals_;
  Peers& peers_;
};

}  // namespace noded::node
