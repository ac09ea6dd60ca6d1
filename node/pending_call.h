// One call to another process that waits for its answer: a process of this node with a deadline,
// and one report to whoever waits.
//
//   class Question : public PendingCall { void Request() override { ...; } ... };
//   std::make_shared<Question>(...)->Begin(peers, timeout);
//   call->Cancel();                                     // reports Cancelled, when nothing was yet
//
// The process lives from Begin to the report, so answers that come late find nobody, and the other
// side's node is told of the end of its monitors, as when an erpc call is abandoned. node/calls.h
// has the kinds of calls. Confined to the home loop.
#pragma once

#include <functional>
#include <memory>

#include "absl/status/statusor.h"
#include "asio/steady_timer.hpp"

#include "base/clock.h"
#include "base/loop.h"
#include "node/function.h"
#include "node/peers.h"
#include "node/signals.h"

namespace noded::node {

class PendingCall : public Process, public std::enable_shared_from_this<PendingCall> {
 public:
  using Done = std::function<void(absl::StatusOr<CallOutcome>)>;

  PendingCall(base::Loop& home, Signals& signals, dist::AtomName node, Done done)
      : signals_(signals), node_(std::move(node)), done_(std::move(done)), timer_(home.io()) {}

  // Connects to the node, which has its own limit, and sends the request; `timeout` counts from
  // there.
  void Begin(Peers& peers, base::Duration timeout);
  void Cancel();

  void Started(const dist::Pid& self) override { self_ = self; }
  void Ended() override;  // by Finish, or killed by somebody

 protected:
  virtual void Request() = 0;
  // The report, and the end of the process. Nothing the second time.
  void Finish(absl::StatusOr<CallOutcome> outcome);
  void FinishLost();  // the connection is

  Signals& signals_;
  const dist::AtomName node_;
  dist::Pid self_;

 private:
  Done done_;
  asio::steady_timer timer_;
};

}  // namespace noded::node
