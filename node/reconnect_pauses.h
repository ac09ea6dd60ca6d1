// Holds attempts to connect back that come of sending, when they fail again and again: a program
// that keeps sending to a node that is down must not become a storm of look-ups and connections.
//
//   ReconnectPauses pauses(limits);
//   if (!pauses.MayTry("shop@host", now)) ...       // noconnection at once, without an attempt
//   pauses.Failed("shop@host", now);                // its next pause begins
//   pauses.Forget("shop@host");                     // it is connected
//
// The first limits.free_connect_failures hold nothing back: a node that has just started is found
// at once. From there on each pause is twice as long as the one before, from
// limits.min_reconnect_pause to limits.max_reconnect_pause, less a random part of up to a quarter,
// so that not all nodes of a cluster come back in the same moment. Who is left alone for
// max_reconnect_pause after its pause begins anew. At most limits.max_reconnect_pauses nodes are
// kept; further ones are not held back. Knows no clock; confined to the node's home loop.
#pragma once

#include <cstdint>
#include <functional>
#include <map>

#include "base/clock.h"
#include "base/limits.h"
#include "base/random.h"
#include "dist/atom_name.h"

namespace noded::node {

class ReconnectPauses {
 public:
  explicit ReconnectPauses(const base::Limits& limits,
                           std::function<uint32_t()> random = base::Random32)
      : limits_(limits), random_(std::move(random)) {}

  bool MayTry(const dist::AtomName& node, base::TimePoint now) const;
  void Failed(const dist::AtomName& node, base::TimePoint now);
  void Forget(const dist::AtomName& node) { pauses_.erase(node); }

  size_t size() const { return pauses_.size(); }

 private:
  struct Pause {
    int failures = 0;
    base::TimePoint until{};
  };

  bool IsOld(const Pause& pause, base::TimePoint now) const;
  base::Duration LengthAfter(int failures) const;

  const base::Limits limits_;
  const std::function<uint32_t()> random_;
  std::map<dist::AtomName, Pause> pauses_;
};

}  // namespace noded::node
