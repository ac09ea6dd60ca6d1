#include "node/establish.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "asio/co_spawn.hpp"
#include "asio/use_awaitable.hpp"
#include "fmt/format.h"

#include "base/awaited.h"
#include "base/local_network.h"
#include "base/log.h"
#include "base/status.h"
#include "dist/carrier/connect_plan.h"
#include "dist/handshake_driver.h"

namespace noded::node {
namespace {

using base::Task;
using dist::AtomName;
using dist::Handshake;

Task<Handshake::Verdict> JudgeAtHome(base::Loop& home, Peers& peers, Handshake::PeerNamed peer) {
  auto answer = std::make_shared<base::Awaited<Handshake::Verdict>>(home);
  peers.Judge(peer, [answer](Handshake::Verdict verdict) { answer->Set(verdict); });
  auto waiting = answer->Get();
  const Handshake::Verdict verdict = co_await std::move(waiting);
  co_return verdict;
}

Task<bool> AskAtHome(Peers& peers, AtomName node) { co_return peers.IsOldLinkGone(node); }

Task<bool> CommitAtHome(Peers& peers, AtomName node, Peers::Direction direction) {
  co_return peers.Commit(node, direction);
}

// The table of peers lives on the home loop; a handshake on the loop of its stream.
class AskPeers : public dist::ConnectionDecisions {
 public:
  AskPeers(base::Loop& home, Peers& peers, const Admission& admission, const base::Stream& stream,
           AtomName called)
      : home_(home),
        peers_(peers),
        admission_(admission),
        stream_(stream),
        called_(std::move(called)) {}

  // Why the peer was told `not_allowed`.
  const absl::Status& refusal() const { return refusal_; }

  Task<Handshake::Verdict> Judge(Handshake::PeerNamed peer) override {
    refusal_ = admission_.CheckPeer(peer.name, stream_.peer());
    if (!refusal_.ok()) co_return Handshake::Verdict::kNotAllowed;
    auto asked = JudgeAtHome(home_, peers_, std::move(peer));
    const Handshake::Verdict verdict =
        co_await asio::co_spawn(home_.io(), std::move(asked), asio::use_awaitable);
    co_return verdict;
  }

  Task<bool> IsOldLinkGone() override {
    auto asked = AskAtHome(peers_, called_);
    const bool is_gone = co_await asio::co_spawn(home_.io(), std::move(asked), asio::use_awaitable);
    co_return is_gone;
  }

  Task<bool> Commit(Handshake::Role role, AtomName peer) override {
    const auto direction = role == Handshake::Role::kInitiator ? Peers::Direction::kOutgoing
                                                               : Peers::Direction::kIncoming;
    auto asked = CommitAtHome(peers_, std::move(peer), direction);
    const bool go_on = co_await asio::co_spawn(home_.io(), std::move(asked), asio::use_awaitable);
    co_return go_on;
  }

 private:
  base::Loop& home_;
  Peers& peers_;
  const Admission& admission_;
  const base::Stream& stream_;
  const AtomName called_;  // of an attempt of ours
  absl::Status refusal_;
};

absl::Status CheckNetwork(const base::PeerIdentity& local, const base::PeerIdentity& peer) {
  ASSIGN_OR_RETURN(const std::vector<base::Interface> interfaces, base::LocalInterfaces());
  ASSIGN_OR_RETURN(const bool is_near,
                   base::IsOnNetworkOf(interfaces, local.address, peer.address));
  if (is_near) return absl::OkStatus();
  return base::Error(absl::StatusCode::kPermissionDenied,
                     fmt::format("{} is not of the network of {}, which it connects to, and "
                                 "-kernel check_ip true lets in no others",
                                 peer.address, local.address),
                     "connect from that network, or remove check_ip", "disallowed_ip");
}

}  // namespace

Task<absl::StatusOr<dist::EpmdNode>> Establisher::Find(base::Loop& loop, std::string name,
                                                       std::string host, base::TimePoint deadline) {
  dist::EpmdNode node;
  if (options_.fixed_port != 0) {
    node.name = name;
    node.port = options_.fixed_port;
    co_return node;
  }
  dist::EpmdClient::Options where{options_.epmd_port, options_.limits};
  dist::EpmdClient epmd(loop, where);
  const auto family = carriers_.is_v6() ? dist::AddressFamily::kV6 : dist::AddressFamily::kV4;
  absl::StatusOr<dist::EpmdNode> found = co_await epmd.LookUp(name, host, family, deadline);
  co_return found;
}

Task<absl::StatusOr<Establisher::Made>> Establisher::Connect(base::Loop& loop, AtomName node) {
  const std::string full = node.ToString();
  const std::string where = fmt::format("cannot connect to {}", full);
  const size_t at = full.find('@');
  if (at == std::string::npos || at == 0 || at + 1 == full.size()) {
    co_return base::Error(absl::StatusCode::kInvalidArgument,
                          fmt::format("{}: not the name of a node", where), "write it as name@host",
                          "badarg");
  }
  absl::Status admitted = admission_.CheckTarget(node);
  if (!admitted.ok()) co_return base::Annotate(admitted, where);
  const std::string host = full.substr(at + 1);
  const base::TimePoint deadline = loop.Now() + options_.limits.handshake_timeout;
  absl::StatusOr<dist::EpmdNode> found = co_await Find(loop, full.substr(0, at), host, deadline);
  if (!found.ok()) co_return base::Annotate(found.status(), where);
  Called called{node, {host, found->port, host}, found->highest_version, deadline};
  dist::ConnectPlan plan(carriers_, admission_.MayBePlain(node));
  dist::Carrier* carrier = plan.Begin();
  while (carrier != nullptr) {
    called.target.answer_within = {};
    if (plan.may_turn_to_plain()) {
      const base::Duration left = std::max(deadline - loop.Now(), base::Duration(3));
      called.target.answer_within =
          std::min<base::Duration>(options_.limits.tls_answer_timeout, left / 3);
    }
    absl::StatusOr<Made> made = co_await ConnectOver(loop, *carrier, called);
    if (made.ok()) co_return made;
    dist::Carrier* next = plan.After(made.status());
    if (next == nullptr) co_return base::Annotate(made.status(), where);
    base::LogInfo("carrier_changed")
        .Add("peer", full)
        .Add("from", carrier->name())
        .Add("to", next->name())
        .Add(made.status());
    carrier = next;
  }
  co_return base::Error(absl::StatusCode::kPermissionDenied,
                        fmt::format("{}: it may not be connected without TLS", where),
                        "add a carrier with TLS, or name it in -dist_plain_peers", "not_allowed");
}

Handshake::Local Establisher::LocalOf(const dist::Carrier& carrier) const {
  Handshake::Local local = options_.local;
  local.framing = dist::HandshakeFraming{static_cast<uint8_t>(carrier.handshake_length_bytes())};
  return local;
}

Task<absl::StatusOr<Establisher::Made>> Establisher::ConnectOver(base::Loop& loop,
                                                                 dist::Carrier& carrier,
                                                                 Called called) {
  dist::Target target = called.target;
  absl::StatusOr<std::unique_ptr<base::Stream>> stream =
      co_await carrier.Connect(loop, std::move(target), called.deadline);
  if (!stream.ok()) co_return stream.status();
  absl::Status admitted = admission_.CheckPeer(called.node, (*stream)->peer());
  if (!admitted.ok()) {
    (*stream)->Abort();
    co_return admitted;
  }
  Handshake handshake(Handshake::Role::kInitiator, LocalOf(carrier), options_.cookies, called.node,
                      called.deadline, options_.limits, called.version);
  AskPeers decisions(home_, peers_, admission_, **stream, called.node);
  absl::StatusOr<Handshake::Done> done =
      co_await dist::ShakeHands(**stream, handshake, decisions, called.deadline);
  if (!done.ok()) {
    (*stream)->Abort();
    co_return done.status();
  }
  co_return Made{*std::move(stream), *std::move(done)};
}

Task<absl::StatusOr<Establisher::Made>> Establisher::Admit(std::unique_ptr<base::Stream> accepted) {
  const base::TimePoint deadline = accepted->loop().Now() + options_.limits.handshake_timeout;
  if (options_.check_ip) {
    absl::Status near = CheckNetwork(accepted->local(), accepted->peer());
    if (!near.ok()) {
      accepted->Abort();
      co_return near;
    }
  }
  absl::StatusOr<std::unique_ptr<base::Stream>> stream =
      co_await carriers_.Secure(std::move(accepted), deadline);
  if (!stream.ok()) co_return stream.status();
  const dist::Carrier& carrier = carriers_.Of((*stream)->peer());
  Handshake handshake(Handshake::Role::kAcceptor, LocalOf(carrier), options_.cookies, AtomName(),
                      deadline, options_.limits);
  AskPeers decisions(home_, peers_, admission_, **stream, AtomName());
  absl::StatusOr<Handshake::Done> done =
      co_await dist::ShakeHands(**stream, handshake, decisions, deadline);
  if (!done.ok()) {
    (*stream)->Abort();
    co_return decisions.refusal().ok() ? done.status() : decisions.refusal();
  }
  co_return Made{*std::move(stream), *std::move(done)};
}

}  // namespace noded::node
