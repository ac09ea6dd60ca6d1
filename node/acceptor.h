// Waits for other nodes to connect and brings those that prove who they are.
//
//   auto acceptor = std::make_shared<Acceptor>(home, loops, std::move(listener), establisher, ...);
//   base::Spawn(home, "acceptor", acceptor->Run(), ...);    // ends after Close()
//
// Handshakes run side by side, each on a loop of its own choosing, bounded by
// node/pending_handshakes.h; from an address of which too many failed they come in turn
// (node/handshake_pace.h). Who is refused is logged once, here, with the reason, as long as there
// are not too many (node/refusal_log.h).
// Confined to the home loop; `made` is called on the loop of the new stream.
#pragma once

#include <functional>
#include <memory>

#include "base/loop.h"
#include "base/task.h"
#include "dist/carrier/listener.h"
#include "node/establish.h"
#include "node/handshake_pace.h"
#include "node/pending_handshakes.h"
#include "node/refusal_log.h"

namespace noded::node {

class Acceptor : public std::enable_shared_from_this<Acceptor> {
 public:
  using Made = std::function<void(Establisher::Made)>;

  Acceptor(base::Loop& home, base::LoopGroup& loops, std::unique_ptr<dist::Listener> listener,
           Establisher& establisher, const base::Limits& limits, Made made)
      : home_(home),
        loops_(loops),
        listener_(std::move(listener)),
        establisher_(establisher),
        handshake_timeout_(limits.handshake_timeout),
        pending_(limits),
        pace_({.max_addresses = limits.max_failing_addresses}),
        made_(std::move(made)) {}
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

  base::Task<absl::Status> Run();
  // No more connections; those in their handshake are cut.
  void Close();

  const dist::Listener& listener() const { return *listener_; }
  const PendingHandshakes& pending() const { return pending_; }

 private:
  void Admit(std::unique_ptr<base::Stream> accepted);
  base::Task<absl::StatusOr<Establisher::Made>> Shake(std::unique_ptr<base::Stream> stream);
  void OnRefused(const base::PeerIdentity& peer, const absl::Status& why);

  base::Loop& home_;
  base::LoopGroup& loops_;
  std::unique_ptr<dist::Listener> listener_;
  Establisher& establisher_;
  const base::Duration handshake_timeout_;
  PendingHandshakes pending_;
  HandshakePace pace_;
  RefusalLog refusal_log_;
  Made made_;
  bool is_closed_ = false;
};

}  // namespace noded::node
