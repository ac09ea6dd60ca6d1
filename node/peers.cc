#include "node/peers.h"

#include "fmt/format.h"

#include "base/log.h"
#include "base/status.h"
#include "dist/flags.h"

namespace noded::node {

using dist::AtomName;
using dist::Handshake;
using Verdict = Handshake::Verdict;

bool Peers::Peer::is_hidden() const { return (link->peer().flags & dist::dflag::kPublished) == 0; }

absl::Status Peers::MayBegin(const AtomName& node) const {
  const auto refuse = [&](std::string_view mend) {
    return base::Error(absl::StatusCode::kUnavailable,
                       fmt::format("{} is not connected", node.view()), mend, "noconnection");
  };
  const bool is_policy =
      options_.auto_connect == ConnectPolicy::kAlways ||
      (options_.auto_connect == ConnectPolicy::kOnce && !was_connected_.contains(node));
  if (is_closed_ || !is_policy) {
    return refuse("connect to it first: dist_auto_connect forbids to do it by itself");
  }
  if (!pauses_.MayTry(node, clock_.Now())) {
    return refuse(
        "attempts have failed again and again, and the next one waits a moment: see "
        "connect_failed in this node's log");
  }
  return absl::OkStatus();
}

void Peers::SendTo(const AtomName& node, dist::Control control, std::optional<dist::Term> payload) {
  if (auto peer = connected_.find(node); peer != connected_.end()) {
    peer->second.link->Send(std::move(control), std::move(payload));
    return;
  }
  auto attempt = attempts_.find(node);
  if (attempt == attempts_.end()) {
    if (absl::Status may = MayBegin(node); !may.ok()) return hooks_.unreachable(node, may);
    attempts_[node].is_automatic = true;
    hooks_.connect(node);
    attempt = attempts_.find(node);
    if (attempt == attempts_.end()) return;
  }
  attempt->second.queue.emplace_back(std::move(control), std::move(payload));
}

void Peers::Reach(const AtomName& node, std::function<void(absl::Status)> done) {
  const bool begins = !connected_.contains(node) && !attempts_.contains(node) && node != self_;
  if (begins) {
    if (absl::Status may = MayBegin(node); !may.ok()) return done(may);
    attempts_[node].is_automatic = true;
  }
  Connect(node, std::move(done));
  if (begins) hooks_.connect(node);
}

void Peers::Connect(const AtomName& node, std::function<void(absl::Status)> done) {
  if (connected_.contains(node)) return done(absl::OkStatus());
  if (node == self_) return done(absl::OkStatus());
  if (is_closed_) {
    return done(base::Error(absl::StatusCode::kUnavailable,
                            fmt::format("cannot connect to {}: this node is stopping", node.view()),
                            "", "noconnection"));
  }
  if (auto attempt = attempts_.find(node); attempt != attempts_.end()) {
    attempt->second.waiters.push_back(std::move(done));
    return;
  }
  attempts_[node].waiters.push_back(std::move(done));
  hooks_.connect(node);
}

bool Peers::Disconnect(const AtomName& node) {
  auto peer = connected_.find(node);
  if (peer == connected_.end()) return false;
  peer->second.link->Close();
  return true;
}

void Peers::Judge(const Handshake::PeerNamed& peer, Judged done) {
  if (is_closed_ || peer.name == self_) return done(Verdict::kNotAllowed);
  if (connected_.contains(peer.name)) return done(Verdict::kAlive);
  const auto found = attempts_.find(peer.name);
  if (found == attempts_.end() || !found->second.is_ours) return done(Verdict::kOk);
  Attempt& attempt = found->second;
  if (self_ < peer.name) {
    attempt.peer_tries = true;
    return done(Verdict::kOkSimultaneous);
  }
  if (attempt.is_committed) return done(Verdict::kNok);
  attempt.held.push_back(std::move(done));
}

void Peers::Answer(Attempt& attempt, Verdict verdict) {
  for (const Judged& done : std::exchange(attempt.held, {})) done(verdict);
}

bool Peers::Commit(const AtomName& node, Direction direction) {
  if (is_closed_) return false;
  const auto attempt = attempts_.find(node);
  const bool is_trying = attempt != attempts_.end() && attempt->second.is_ours;
  if (direction == Direction::kOutgoing) {
    if (!is_trying) return false;
    attempt->second.is_committed = true;
    Answer(attempt->second, Verdict::kNok);
    return true;
  }
  if (!is_trying) return true;
  if (self_ > node && attempt->second.is_committed) return false;
  AwaitPeer(attempt->second);
  Answer(attempt->second, Verdict::kNok);
  return true;
}

void Peers::AwaitPeer(Attempt& attempt) const {
  attempt.is_ours = false;
  attempt.give_up = clock_.Now() + options_.limits.handshake_timeout;
}

bool Peers::IsOldLinkGone(const AtomName& node) const { return !connected_.contains(node); }

void Peers::LinkUp(std::shared_ptr<dist::NodeLink> link, Direction direction) {
  const AtomName name = link->peer().peer;
  if (is_closed_) return link->Close();
  if (auto old = connected_.find(name); old != connected_.end()) {
    std::shared_ptr<dist::NodeLink> replaced = old->second.link;
    LinkDown(replaced, base::Error(absl::StatusCode::kUnavailable,
                                   fmt::format("{} has connected anew", name.view()), "",
                                   "connection_closed"));
    replaced->Abort(absl::OkStatus());
  }
  Peer& peer = connected_[name];
  peer = Peer{name, direction, std::move(link), std::chrono::system_clock::now()};
  was_connected_.insert(name);
  pauses_.Forget(name);
  hooks_.up(peer);
  auto attempt = attempts_.extract(name);
  if (attempt.empty()) return;
  Answer(attempt.mapped(), Verdict::kAlive);
  std::shared_ptr<dist::NodeLink> current = peer.link;
  for (auto& [control, payload] : attempt.mapped().queue) {
    current->Send(std::move(control), std::move(payload));
  }
  for (auto& done : attempt.mapped().waiters) done(absl::OkStatus());
}

void Peers::LinkDown(const std::shared_ptr<dist::NodeLink>& link, const absl::Status& why) {
  if (!IsCurrent(link)) return;
  const AtomName name = link->peer().peer;
  connected_.erase(name);
  hooks_.down(name, why);
}

void Peers::ConnectFailed(const AtomName& node, const absl::Status& why, bool is_simultaneous) {
  const auto found = attempts_.find(node);
  if (found == attempts_.end()) return;  // the peer's own attempt got through first
  Attempt& attempt = found->second;
  if (!attempt.is_ours) return;
  // A node with a greater name ends our handshake so when it is bound to its own.
  const bool is_overtaken = attempt.peer_tries && attempt.is_committed;
  if (is_simultaneous || is_overtaken) {
    AwaitPeer(attempt);
    return Answer(attempt, Verdict::kOk);
  }
  base::LogWarn("connect_failed").Add("peer", node.view()).Add(why);
  Fail(node, why);
}

void Peers::Fail(const AtomName& node, const absl::Status& why) {
  auto attempt = attempts_.extract(node);
  if (attempt.empty()) return;
  Answer(attempt.mapped(), is_closed_ ? Verdict::kNotAllowed : Verdict::kOk);
  if (attempt.mapped().is_automatic) pauses_.Failed(node, clock_.Now());
  hooks_.unreachable(node, why);
  for (auto& done : attempt.mapped().waiters) done(why);
}

void Peers::ExpireWaiting() {
  const base::TimePoint now = clock_.Now();
  std::vector<AtomName> expired;
  for (const auto& [name, attempt] : attempts_) {
    if (!attempt.is_ours && attempt.give_up <= now) expired.push_back(name);
  }
  for (const AtomName& name : expired) {
    Fail(name, base::Error(absl::StatusCode::kDeadlineExceeded,
                           fmt::format("{} was connecting to this node at the same time, but did "
                                       "not get through",
                                       name.view()),
                           "see its log", "timeout"));
  }
}

bool Peers::IsCurrent(const std::shared_ptr<dist::NodeLink>& link) const {
  auto found = connected_.find(link->peer().peer);
  return found != connected_.end() && found->second.link == link;
}

const Peers::Peer* Peers::Find(const AtomName& node) const {
  auto found = connected_.find(node);
  return found == connected_.end() ? nullptr : &found->second;
}

std::vector<Peers::Peer> Peers::Connected() const {
  std::vector<Peer> peers;
  for (const auto& [name, peer] : connected_) peers.push_back(peer);
  return peers;
}

void Peers::CloseAll() {
  is_closed_ = true;
  for (const auto& [name, peer] : connected_) peer.link->Close();
  std::vector<AtomName> waiting;
  for (const auto& [name, attempt] : attempts_) waiting.push_back(name);
  for (const AtomName& name : waiting) {
    Fail(name,
         base::Error(absl::StatusCode::kUnavailable, "this node is stopping", "", "noconnection"));
  }
}

}  // namespace noded::node
