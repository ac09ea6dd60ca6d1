// The table of other nodes: who is connected, who is being connected to, and what waits for that.
//
//   Peers peers(self, options, hooks, clock);
//   peers.SendTo("shop@host", control, payload);          // connects when need be
//   peers.Connect("shop@host", [](absl::Status s) { ... });
//   peers.Judge(peer_named, [](Handshake::Verdict v) { ... });      // the acceptor asks
//   peers.LinkUp(link, direction);                        // a handshake is done
//
// A table and its rules, no socket: `hooks.connect` starts an attempt, which ends in LinkUp or
// ConnectFailed. When two nodes connect to each other at once, the attempt of the node with the
// greater name goes on (dist_util's rule); the other side's is answered `nok`, and waits here for
// the peer's to arrive. That answer is held back until the peer has heard of the attempt that goes
// on: OTP tells its user that there is no connection when `nok` comes first. Names in handshakes
// prove nothing, so they end nothing here; an attempt that begins while the peer's is half way
// meets it where cookies are proved: the node with the greater name takes the peer's unless its own
// proof is out, and the other one takes what is proved to it. Sending again and again to a node
// that cannot be reached connects with growing pauses (node/reconnect_pauses.h). Confined to the
// node's home loop.
// Source: OTP lib/kernel/src/net_kernel.erl, dist_util.erl.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "absl/status/status.h"

#include "base/clock.h"
#include "base/limits.h"
#include "dist/handshake.h"
#include "dist/link.h"
#include "node/reconnect_pauses.h"
#include "node/signals.h"

namespace noded::node {

enum class ConnectPolicy { kAlways, kOnce, kNever };

class Peers : public Outbound {
 public:
  enum class Direction { kOutgoing, kIncoming };

  // One connected node.
  struct Peer {
    dist::AtomName name;
    Direction direction = Direction::kOutgoing;
    std::shared_ptr<dist::NodeLink> link;
    std::chrono::system_clock::time_point since;

    bool is_hidden() const;
  };

  struct Hooks {
    // Starts one attempt.
    std::function<void(const dist::AtomName& node)> connect;
    std::function<void(const Peer& peer)> up;
    // A connection ended.
    std::function<void(const dist::AtomName& node, const absl::Status& why)> down;
    // An attempt failed, or something was sent to a node that is not to be connected to. Called in
    // the middle of other work: only post.
    std::function<void(const dist::AtomName& node, const absl::Status& why)> unreachable;
  };

  struct Options {
    ConnectPolicy auto_connect = ConnectPolicy::kAlways;
    base::Limits limits;
  };

  // The clock outlives it.
  Peers(dist::AtomName self, Options options, Hooks hooks, const base::Clock& clock)
      : self_(std::move(self)),
        options_(options),
        hooks_(std::move(hooks)),
        clock_(clock),
        pauses_(options_.limits) {}

  // Queues while an attempt is under way; without a connection and with auto_connect off, or too
  // soon after failures, reports the node down.
  void SendTo(const dist::AtomName& node, dist::Control control,
              std::optional<dist::Term> payload) override;

  // `done` is called once: OK when connected (perhaps at once), else why not. Never held back.
  void Connect(const dist::AtomName& node, std::function<void(absl::Status)> done);
  // The same as sending does it: not where SendTo would not begin an attempt.
  void Reach(const dist::AtomName& node, std::function<void(absl::Status)> done);
  // Ends the connection after what is queued. False when there is none.
  bool Disconnect(const dist::AtomName& node);

  using Judged = std::function<void(dist::Handshake::Verdict)>;
  // `done` is called once, at once or when our own attempt to that node has got on or failed.
  void Judge(const dist::Handshake::PeerNamed& peer, Judged done);
  // Asked by an attempt of ours whose peer believes to be connected.
  bool IsOldLinkGone(const dist::AtomName& node) const;
  // Asked when a handshake comes to the message that binds us: our proof (outgoing), or our answer
  // to the peer's (incoming). False: the other attempt between the two nodes goes on.
  bool Commit(const dist::AtomName& node, Direction direction);
  // A link whose handshake is done; it replaces an older one of the same node.
  void LinkUp(std::shared_ptr<dist::NodeLink> link, Direction direction);
  void LinkDown(const std::shared_ptr<dist::NodeLink>& link, const absl::Status& why);
  // An attempt of ours ended without a link. `is_simultaneous`: the peer's own attempt goes on.
  // Logs a failure: no link is there, and the peer's attempt is not waited for.
  void ConnectFailed(const dist::AtomName& node, const absl::Status& why, bool is_simultaneous);
  // Gives up waiting for peers that promised to connect (after `nok`) and did not.
  void ExpireWaiting();

  // True when `link` is the current one of its node: events of others are stale.
  bool IsCurrent(const std::shared_ptr<dist::NodeLink>& link) const;
  const Peer* Find(const dist::AtomName& node) const;
  std::vector<Peer> Connected() const;
  // No more attempts; every link is closed.
  void CloseAll();

 private:
  struct Attempt {
    std::vector<std::pair<dist::Control, std::optional<dist::Term>>> queue;
    std::vector<std::function<void(absl::Status)>> waiters;
    bool is_automatic = false;  // begun by SendTo
    bool is_ours = true;        // false: the peer's attempt is awaited
    bool is_committed = false;  // our proof is with the peer
    bool peer_tries = false;    // or somebody who says to be the peer
    std::vector<Judged> held;   // to be told `nok`
    base::TimePoint give_up{};
  };

  // Why nothing that is sent may begin an attempt now.
  absl::Status MayBegin(const dist::AtomName& node) const;
  void Fail(const dist::AtomName& node, const absl::Status& why);
  void AwaitPeer(Attempt& attempt) const;
  static void Answer(Attempt& attempt, dist::Handshake::Verdict verdict);

  const dist::AtomName self_;
  const Options options_;
  Hooks hooks_;
  const base::Clock& clock_;
  ReconnectPauses pauses_;
  std::map<dist::AtomName, Peer> connected_;
  std::map<dist::AtomName, Attempt> attempts_;
  std::set<dist::AtomName> was_connected_;  // for ConnectPolicy::kOnce
  bool is_closed_ = false;
};

}  // namespace noded::node
