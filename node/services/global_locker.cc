#include "node/services/global_locker.h"

#include <algorithm>
#include <utility>

#include "asio/redirect_error.hpp"
#include "asio/use_awaitable.hpp"

#include "base/random.h"
#include "dist/convert.h"
#include "node/services/gen_protocol.h"

namespace noded::node {

using base::Task;
using dist::AtomName;
using dist::Pid;
using dist::Term;
using std::chrono::milliseconds;

namespace {

std::string_view HostOf(std::string_view node) {
  const size_t at = node.find('@');
  return at == std::string_view::npos ? std::string_view() : node.substr(at);
}

}  // namespace

void GlobalLocker::Arrived(Message message) {
  messages_.push_back(std::move(message));
  arrived_.cancel();
}

Task<std::optional<GlobalLocker::Message>> GlobalLocker::Receive(Matches matches,
                                                                 base::TimePoint until) {
  while (true) {
    const auto found = std::find_if(messages_.begin(), messages_.end(), matches);
    if (found != messages_.end()) {
      Message message = std::move(*found);
      messages_.erase(found);
      co_return message;
    }
    if (until != base::TimePoint::max() && home_.Now() >= until) co_return std::nullopt;
    arrived_.expires_at(until);
    asio::error_code ignored;
    co_await arrived_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
}

Task<absl::Status> GlobalLocker::Run() {
  const auto self = shared_from_this();
  const Matches any = [](const Message&) { return true; };
  while (true) {
    auto receiving = Receive(any, NextAttempt());
    std::optional<Message> message = co_await std::move(receiving);
    if (message) {
      auto handling = Handle(*std::move(message));
      co_await std::move(handling);
      continue;
    }
    has_just_met_ = false;
    if (table_.IsLocked(Term::Atom(GlobalLockId::kNames))) continue;
    std::erase_if(peers_, [this](const Peer& peer) { return known_.contains(peer.node); });
    const std::optional<Peer> peer = Choose();
    if (!peer) continue;
    auto proposing = Propose(*peer);
    co_await std::move(proposing);
  }
}

// Not at once, or no other node of this part would have a chance; not even a lone node asks sooner
// than the peer has heard of it.
base::TimePoint GlobalLocker::NextAttempt() const {
  if (peers_.empty()) return base::TimePoint::max();
  if (has_just_met_) return home_.Now();
  const auto others = static_cast<int64_t>(known_.size());
  const int64_t wait = others == 0 ? 200 : std::min<int64_t>(1000 + 100 * others, 3000);
  return home_.Now() + milliseconds(wait);
}

// Those on our own host come first.
std::optional<GlobalLocker::Peer> GlobalLocker::Choose() const {
  std::vector<const Peer*> near, all;
  for (const Peer& peer : peers_) {
    all.push_back(&peer);
    if (HostOf(peer.node.view()) == HostOf(this_node().view())) near.push_back(&peer);
  }
  const std::vector<const Peer*>& from = near.empty() ? all : near;
  if (from.empty()) return std::nullopt;
  return *from[base::Random32() % from.size()];
}

Task<bool> GlobalLocker::Handle(Message message) {
  if (Peer* peer = std::get_if<Peer>(&message)) {
    peers_.push_back(std::move(*peer));
  } else if (auto* cancelled = std::get_if<Cancelled>(&message)) {
    if (cancelled->last) cancelled->last();
    Forget(cancelled->node, cancelled->my_tag);
  } else if (auto* asked = std::get_if<LockSet>(&message); asked != nullptr && asked->is_locked) {
    auto accepting = Accept(std::move(*asked));
    co_await std::move(accepting);
  }
  co_return true;
}

// The peer has its lock and asks for ours.
Task<bool> GlobalLocker::Accept(LockSet asked) {
  const std::optional<Peer> peer = Find(asked);
  if (!peer) {
    signals_.Send(self(), Destination::OfPid(asked.pid),
                  Term::Tuple({Term::Atom("lock_set"), Term::FromPid(self()), Term::Bool(false),
                               KnownTerm()}));
    co_return false;
  }
  const GlobalLockId id = LockWith(*peer);
  auto locking = LockPart(id, {});
  const bool is_locked = co_await std::move(locking);
  Tell(*peer, is_locked);
  has_just_met_ = false;
  if (!is_locked) co_return false;
  Nodes locked = KnownNodes();
  locked.push_back(this_node());
  on_locked_(peer->node, peer->my_tag, id);
  auto holding = Hold(*peer, id, std::move(locked));
  const bool has_met = co_await std::move(holding);
  co_return has_met;
}

// We ask the peer. To lock the peer's node, too, keeps two parts from waiting for each other.
Task<bool> GlobalLocker::Propose(Peer peer) {
  const GlobalLockId id = LockWith(peer);
  auto locking = LockPart(id, {peer.node});
  const bool is_locked = co_await std::move(locking);
  if (!is_locked) co_return false;
  Nodes locked = KnownNodes();
  locked.push_back(this_node());
  locked.push_back(peer.node);
  Tell(peer, true);
  const Matches concerns_it = [&peer](const Message& message) {
    if (const auto* set = std::get_if<LockSet>(&message)) return set->pid.node == peer.node;
    const auto* cancelled = std::get_if<Cancelled>(&message);
    return cancelled != nullptr && cancelled->node == peer.node && cancelled->my_tag == peer.my_tag;
  };
  while (true) {
    auto receiving = Receive(concerns_it, base::TimePoint::max());
    std::optional<Message> message = co_await std::move(receiving);
    if (auto* cancelled = std::get_if<Cancelled>(&*message)) {
      if (cancelled->last) cancelled->last();
      auto giving = GiveLock(id, std::move(locked));
      co_await std::move(giving);
      Forget(peer.node, peer.my_tag);
      co_return false;
    }
    const LockSet& set = std::get<LockSet>(*message);
    if (set.my_tag && *set.my_tag != peer.my_tag) continue;  // of an earlier meeting
    if (set.is_locked) break;
    auto giving = GiveLock(id, std::move(locked));
    co_await std::move(giving);
    co_return false;
  }
  on_locked_(peer.node, peer.my_tag, id);
  auto holding = Hold(peer, id, std::move(locked));
  const bool has_met = co_await std::move(holding);
  co_return has_met;
}

Task<bool> GlobalLocker::Hold(Peer peer, GlobalLockId id, Nodes locked) {
  const Matches ends_it = [&peer](const Message& message) {
    const auto* cancelled = std::get_if<Cancelled>(&message);
    return cancelled != nullptr && cancelled->node == peer.node && cancelled->my_tag == peer.my_tag;
  };
  auto receiving = Receive(ends_it, base::TimePoint::max());
  std::optional<Message> message = co_await std::move(receiving);
  const auto& cancelled = std::get<Cancelled>(*message);
  if (cancelled.last) cancelled.last();
  auto giving = GiveLock(std::move(id), std::move(locked));
  co_await std::move(giving);
  Forget(peer.node, peer.my_tag);
  has_just_met_ = true;
  co_return true;
}

Task<bool> GlobalLocker::LockPart(GlobalLockId id, Nodes besides) {
  Nodes part = KnownNodes();
  part.push_back(this_node());
  const Nodes first = {First(part)};
  // To lock this node itself could stop one that has locked the first already.
  if (first[0] != this_node() && !table_.CanLock(id)) co_return false;
  auto locking_first = TakeLock(id, first);
  const bool has_first = co_await std::move(locking_first);
  if (!has_first) co_return false;
  besides.push_back(this_node());
  const Nodes second = Without(std::move(besides), first);
  auto locking_second = TakeLock(id, second);
  const bool has_second = co_await std::move(locking_second);
  if (!has_second) {
    auto giving = GiveLock(id, first);
    co_await std::move(giving);
    co_return false;
  }
  auto locking_rest = TakeLock(id, Without(KnownNodes(), first));
  const bool has_rest = co_await std::move(locking_rest);
  if (has_rest) co_return true;
  Nodes so_far = second;
  so_far.push_back(first[0]);
  auto giving = GiveLock(id, std::move(so_far));
  co_await std::move(giving);
  co_return false;
}

std::optional<GlobalLocker::Peer> GlobalLocker::Find(const LockSet& asked) const {
  for (const Peer& peer : peers_) {
    if (peer.node != asked.pid.node) continue;
    if (!asked.my_tag || *asked.my_tag == peer.my_tag) return peer;
  }
  return std::nullopt;
}

void GlobalLocker::Forget(const AtomName& node, int64_t my_tag) {
  std::erase_if(peers_,
                [&](const Peer& peer) { return peer.node == node && peer.my_tag == my_tag; });
}

void GlobalLocker::Tell(const Peer& peer, bool is_locked) {
  std::vector<Term> words = {Term::Atom("lock_set"), Term::FromPid(self()), Term::Bool(is_locked),
                             KnownTerm()};
  if (peer.version >= kTagsVersion) words.push_back(peer.his_tag);
  signals_.Send(self(), Destination::OfName(kServer, peer.node),
                MakeGenCast(Term::Tuple(std::move(words))));
}

GlobalLockId GlobalLocker::LockWith(const Peer& peer) const {
  Term ours = Term::FromPid(self()), his = Term::FromPid(peer.pid);
  const bool is_ours_first = Compare(ours, his) < 0;
  return {Term::Atom(GlobalLockId::kNames), is_ours_first
                                                ? Term::List({std::move(ours), std::move(his)})
                                                : Term::List({std::move(his), std::move(ours)})};
}

GlobalClient::Nodes GlobalLocker::KnownNodes() const {
  Nodes nodes;
  for (const auto& [node, version] : known_) nodes.push_back(node);
  return nodes;
}

Term GlobalLocker::KnownTerm() const { return dist::ToTerm(KnownNodes()); }

}  // namespace noded::node
