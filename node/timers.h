// Messages that come later, as erlang:send_after and erlang:start_timer send them.
//
//   Timers timers(home, signals);
//   timers.Start(reference, std::chrono::seconds(5), Destination::OfPid(pid), message);
//   if (auto left = timers.Cancel(reference)) ...           // it had not gone off
//
// A reference of this node names a timer; its maker chooses it, so that the message may hold it.
// Confined to the home loop. What has not gone off goes with this object.
// Source: OTP erlang(3), send_after/4, cancel_timer/2.
#pragma once

#include <optional>
#include <unordered_map>

#include "asio/steady_timer.hpp"

#include "base/clock.h"
#include "base/loop.h"
#include "node/signals.h"

namespace noded::node {

class Timers {
 public:
  Timers(base::Loop& home, Signals& signals)
      : home_(home), signals_(signals), sender_(signals.identity().NextPid()) {}
  Timers(const Timers&) = delete;
  Timers& operator=(const Timers&) = delete;

  // Nobody is told when the process, or who has the name by then, is not there.
  void Start(const dist::Reference& timer, base::Duration delay, Destination to,
             dist::Term message);
  // The time that was left; none when the message was sent, or there is no such timer.
  std::optional<base::Duration> Cancel(const dist::Reference& timer);
  size_t size() const { return timers_.size(); }

 private:
  base::Loop& home_;
  Signals& signals_;
  const dist::Pid sender_;  // of no process
  std::unordered_map<dist::Reference, asio::steady_timer, dist::IdentifierHash> timers_;
};

}  // namespace noded::node
