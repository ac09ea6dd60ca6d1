#include "node/router.h"

#include <variant>

#include "base/log.h"

namespace noded::node {
namespace {

using dist::AtomName;
using dist::Term;

// One function a control message.
class Routing {
 public:
  Routing(const AtomName& peer, Signals& signals, FunctionCalls& calls, std::optional<Term> payload)
      : peer_(peer), signals_(signals), calls_(calls), payload_(std::move(payload)) {}

  void operator()(const dist::Link& link) { signals_.LinkFromPeer(link.from, link.to); }
  void operator()(const dist::Unlink& unlink) { signals_.UnlinkFromPeer(unlink.from, unlink.to); }
  void operator()(const dist::UnlinkId& unlink) {
    signals_.UnlinkFromPeer(unlink.from, unlink.to);
    signals_.outbound().SendTo(peer_, dist::UnlinkIdAck{unlink.id, unlink.to, unlink.from}, {});
  }
  // The link is gone on this side since the unlink was sent; nothing waits for the answer.
  void operator()(const dist::UnlinkIdAck&) {}

  void operator()(const dist::Send& send) { Deliver(Destination::OfPid(send.to)); }
  void operator()(const dist::SendSender& send) { Deliver(Destination::OfPid(send.to)); }
  void operator()(const dist::RegSend& send) {
    Deliver(Destination::OfName(send.to, signals_.identity().name()));
  }
  void operator()(const dist::AliasSend& send) { Deliver(Destination::OfAlias(send.alias)); }
  void operator()(const dist::AltactSend& send) { Deliver({signals_.identity().name(), send.to}); }

  void operator()(const dist::Exit& exit) {
    signals_.ExitFromPeer(exit.from, exit.to, exit.reason, true);
  }
  void operator()(const dist::Exit2& exit) {
    signals_.ExitFromPeer(exit.from, exit.to, exit.reason, false);
  }

  void operator()(const dist::MonitorP& monitor) {
    signals_.MonitorFromPeer(monitor.from, monitor.to, monitor.reference);
  }
  void operator()(const dist::DemonitorP& monitor) {
    signals_.DemonitorFromPeer(monitor.from, monitor.reference);
  }
  void operator()(const dist::MonitorPExit& exit) {
    signals_.MonitorExitFromPeer(exit.to, exit.reference, exit.reason);
  }

  void operator()(const dist::SpawnRequest& request) {
    calls_.OnSpawnRequest(request, payload_.value_or(Term::Nil()));
  }
  void operator()(const dist::SpawnReply& reply) {
    signals_.SpawnReplyFromPeer(reply.to, reply.request, reply.flags, reply.result);
  }
  // Processes of this node write nothing by themselves, so whom they write to does not matter.
  void operator()(const dist::GroupLeader&) {}

 private:
  void Deliver(const Destination& to) {
    if (payload_) signals_.DeliverFromPeer(to, *std::move(payload_));
  }

  const AtomName& peer_;
  Signals& signals_;
  FunctionCalls& calls_;
  std::optional<Term> payload_;
};

}  // namespace

void Router::Route(const AtomName& peer, dist::Channel::Message message) {
  const dist::Pid* sender = dist::SenderOf(message.control);
  if (sender != nullptr && !sender->node.empty() && !(sender->node == peer)) {
    base::LogWarn("message_dropped")
        .Add("peer", peer.view())
        .Add("reason", "forged_sender")
        .Add("control", dist::ControlName(message.control))
        .Add("sender", sender->node.view());
    return;
  }
  Routing routing(peer, signals_, calls_, std::move(message.payload));
  std::visit(routing, message.control);
}

}  // namespace noded::node
