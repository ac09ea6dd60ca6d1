// Drives a Handshake over a stream: the one place that knows both.
//
//   Handshake handshake(...);
//   auto done = co_await ShakeHands(*stream, handshake, decisions, deadline);
//   if (!done.ok()) ...                          // refused, or refused us: the reason is told
//
// `decisions` answers what only the owner of the connections can: see below. Loop-confined to the
// stream's loop; stream, handshake and decisions outlive the task. Does not close the stream.
// Errors: those of dist/handshake.h, Unavailable, DeadlineExceeded.
#pragma once

#include "absl/status/statusor.h"

#include "base/clock.h"
#include "base/stream.h"
#include "base/task.h"
#include "dist/handshake.h"

namespace noded::dist {

// Called on the loop of the stream. They may wait for another loop.
class ConnectionDecisions {
 public:
  virtual ~ConnectionDecisions() = default;
  // Acceptor: may this peer connect, now that it gave its name?
  virtual base::Task<Handshake::Verdict> Judge(Handshake::PeerNamed peer) = 0;
  // Initiator: the peer believes that a connection exists. True: it does not (any more), go on.
  virtual base::Task<bool> IsOldLinkGone() = 0;
  // Both: the next message binds us to this link. False: another one goes on. Who says true to an
  // acceptor takes the link; it follows.
  virtual base::Task<bool> Commit(Handshake::Role role, AtomName peer) = 0;
};

base::Task<absl::StatusOr<Handshake::Done>> ShakeHands(base::Stream& stream, Handshake& handshake,
                                                       ConnectionDecisions& decisions,
                                                       base::TimePoint deadline);

}  // namespace noded::dist
