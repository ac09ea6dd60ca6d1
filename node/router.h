// Takes what a peer sent to whom it is for: a process, a link or monitor, the function calls.
//
//   Router router(signals, calls);
//   router.Route("shop@host", std::get<Channel::Message>(event));
//
// A table of control messages and what each does, without state. A message that claims to come
// from a process of a third node is dropped: it could only confuse that node's links and monitors.
// Confined to the node's home loop. Source: OTP "Distribution Protocol".
#pragma once

#include "dist/channel.h"
#include "node/services/function_calls.h"
#include "node/signals.h"

namespace noded::node {

class Router {
 public:
  Router(Signals& signals, FunctionCalls& calls) : signals_(signals), calls_(calls) {}

  void Route(const dist::AtomName& peer, dist::Channel::Message message);

 private:
  Signals& signals_;
  FunctionCalls& calls_;
};

}  // namespace noded::node
