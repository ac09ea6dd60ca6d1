// The locker: for each meeting with another node it takes the lock of the names in the part of the
// cluster that this node is in, and agrees with the peer's locker that both have theirs. Then the
// server exchanges names with the peer, and lets the locker go on.
//
//   auto locker = std::make_shared<GlobalLocker>(home, signals, table, known, on_locked);
//   base::Spawn(home, "global locker", locker->Run(), ...);
//   locker->Meet({.node = "shop@host", .pid = his, .version = 8, .my_tag = 1, .his_tag = tag});
//   // on_locked("shop@host", 1, id): exchange names, and then
//   locker->Cancel("shop@host", 1, tell_the_others);
//
// Both sides lock for the same requester, the pids of the two lockers in order, so a node that both
// parts know is no obstacle; the node with the greatest name of a part is locked first. Confined to
// the home loop; `known` outlives the task, which ends with the loop. Source: OTP
// lib/kernel/src/global.erl, the locker.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "node/services/global_client.h"

namespace noded::node {

class GlobalLocker : public GlobalClient, public std::enable_shared_from_this<GlobalLocker> {
 public:
  // Nodes that have the same names as this one, with the version of global's protocol there.
  using Known = std::map<dist::AtomName, int64_t>;
  using OnLocked =
      std::function<void(const dist::AtomName& node, int64_t my_tag, const GlobalLockId& id)>;

  // Another node's locker that wants to meet us.
  struct Peer {
    dist::AtomName node;
    dist::Pid pid;
    int64_t version = 0;
    int64_t my_tag = 0;
    dist::Term his_tag;
  };

  // From this version on lockers say by a tag which meeting they mean.
  static constexpr int64_t kTagsVersion = 8;

  GlobalLocker(base::Loop& home, Signals& signals, const GlobalTable& table, const Known& known,
               OnLocked on_locked)
      : GlobalClient(home, signals, table),
        known_(known),
        on_locked_(std::move(on_locked)),
        arrived_(home.io(), base::TimePoint::max()) {}

  base::Task<absl::Status> Run();

  void Meet(Peer peer) { Arrived(std::move(peer)); }
  // The meeting with this tag is over, by success or not: the lock is given back, after `last` has
  // sent what must arrive while it is held.
  void Cancel(const dist::AtomName& node, int64_t my_tag, std::function<void()> last = {}) {
    Arrived(Cancelled{node, my_tag, std::move(last)});
  }
  // The peer's locker says whether it has its lock. No tag: of an older version.
  void PeerLocked(const dist::Pid& pid, bool is_locked, std::optional<int64_t> my_tag) {
    Arrived(LockSet{pid, is_locked, my_tag});
  }

 private:
  struct Cancelled {
    dist::AtomName node;
    int64_t my_tag = 0;
    std::function<void()> last;
  };
  struct LockSet {
    dist::Pid pid;
    bool is_locked = false;
    std::optional<int64_t> my_tag;
  };
  using Message = std::variant<Peer, Cancelled, LockSet>;
  using Matches = std::function<bool(const Message&)>;

  void Arrived(Message message);
  // The oldest message that `matches`, the others stay; none when the time is over.
  base::Task<std::optional<Message>> Receive(Matches matches, base::TimePoint until);
  base::TimePoint NextAttempt() const;
  base::Task<bool> Handle(Message message);
  base::Task<bool> Accept(LockSet asked);
  base::Task<bool> Propose(Peer peer);
  // Until the server has done with this meeting, or it is cancelled.
  base::Task<bool> Hold(Peer peer, GlobalLockId id, Nodes locked);
  // The lock in our part, and at `besides`.
  base::Task<bool> LockPart(GlobalLockId id, Nodes besides);
  std::optional<Peer> Choose() const;
  std::optional<Peer> Find(const LockSet& asked) const;
  void Forget(const dist::AtomName& node, int64_t my_tag);
  void Tell(const Peer& peer, bool is_locked);
  GlobalLockId LockWith(const Peer& peer) const;
  Nodes KnownNodes() const;
  dist::Term KnownTerm() const;

  const Known& known_;
  const OnLocked on_locked_;
  std::deque<Message> messages_;
  asio::steady_timer arrived_;
  std::vector<Peer> peers_;
  bool has_just_met_ = false;
};

}  // namespace noded::node
