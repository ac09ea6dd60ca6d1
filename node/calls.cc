#include "node/calls.h"

#include <utility>

#include "base/status.h"
#include "dist/flags.h"
#include "node/services/gen_protocol.h"

namespace noded::node {
namespace {

using dist::AtomName;
using dist::Pid;
using dist::Reference;
using dist::Term;

// A monitor, a request, and {Ref, Reply}.
struct GenExchange {
  void Begin(Signals& signals, const Pid& self, const Destination& to, Term request) {
    monitor = signals.Monitor(self, to);
    signals.Send(self, to, MakeGenCall(self, Term::FromReference(monitor), std::move(request)));
  }
  std::optional<Term> ReplyIn(const Term& message) const {
    const bool is_reply = message.IsTuple(2) && message.tuple()[0].is_reference() &&
                          message.tuple()[0].reference() == monitor;
    return is_reply ? std::optional(message.tuple()[1]) : std::nullopt;
  }

  Reference monitor;
};

class GenServerCall : public PendingCall {
 public:
  GenServerCall(base::Loop& home, Signals& signals, Destination to, Term request, Done done)
      : PendingCall(home, signals, to.node, std::move(done)),
        to_(std::move(to)),
        request_(std::move(request)) {}

  void Deliver(Term message) override {
    if (auto reply = exchange_.ReplyIn(message)) Finish(CallOutcome::Return(*std::move(reply)));
  }

  void MonitorDown(const Reference&, const Term&, const Term& reason) override {
    if (reason.IsAtom("noconnection")) return FinishLost();
    Finish(CallOutcome::Exit(reason));
  }

 protected:
  void Request() override { exchange_.Begin(signals_, self_, to_, request_); }

 private:
  const Destination to_;
  const Term request_;
  GenExchange exchange_;
};

// rex answers with the value, or {badrpc, Reason}.
CallOutcome FromRex(Term reply) {
  if (!reply.IsTagged("badrpc", 2)) return CallOutcome::Return(std::move(reply));
  const Term& reason = reply.tuple()[1];
  if (!reason.IsTagged("EXIT", 2)) return CallOutcome::Exit(reason);
  const Term& cause = reason.tuple()[1];
  if (cause.IsTuple(2) && cause.tuple()[1].is_list()) {
    return CallOutcome::Error(cause.tuple()[0], cause.tuple()[1]);
  }
  return CallOutcome::Exit(cause);
}

// A function, on whatever node. On another one, erpc: the process that runs it exits with
// {Tag, return | throw | exit | error, ...}.
class FunctionCall : public PendingCall {
 public:
  FunctionCall(base::Loop& home, Signals& signals, Peers& peers, FunctionCalls& functions,
               CallRequest request, Done done)
      : PendingCall(home, signals, request.node, std::move(done)),
        peers_(peers),
        functions_(functions),
        request_(std::move(request)) {}

  void Deliver(Term message) override {
    if (auto reply = rex_.ReplyIn(message)) Finish(FromRex(*std::move(reply)));
  }

  void SpawnReply(const Reference&, const Term& result) override {
    if (result.is_pid()) return;
    if (result.IsAtom("noconnection")) return FinishLost();
    Finish(CallOutcome::Error(Term::Tuple({Term::Atom("erpc"), result})));
  }

  void MonitorDown(const Reference& monitor, const Term&, const Term& reason) override {
    if (reason.IsAtom("noconnection")) return FinishLost();
    if (monitor == rex_.monitor) return Finish(CallOutcome::Exit(reason));
    const auto words = reason.tuple();
    if (words.size() < 3 || !(words[0] == tag_)) {
      return Finish(CallOutcome::Exit(Term::Tuple({Term::Atom("signal"), reason})));
    }
    if (words[1].IsAtom("return")) return Finish(CallOutcome::Return(words[2]));
    if (words[1].IsAtom("throw")) return Finish(CallOutcome::Throw(words[2]));
    if (words[1].IsAtom("error")) {
      return Finish(CallOutcome::Error(words[2], words.size() > 3 ? words[3] : Term::Nil()));
    }
    Finish(CallOutcome::Exit(words[2]));
  }

 protected:
  void Request() override {
    if (node_ == signals_.identity().name()) return Apply();
    const Peers::Peer* peer = peers_.Find(node_);
    const bool can_spawn = peer == nullptr || (peer->link->peer().flags & dist::dflag::kSpawn) != 0;
    if (can_spawn) {
      Spawn();
    } else {
      AskRex();
    }
  }

 private:
  void Apply() {
    auto self = std::static_pointer_cast<FunctionCall>(shared_from_this());
    const bool is_taken = functions_.Apply(
        CallContext{self_, request_.group_leader}, request_.module, request_.function,
        request_.args, [self](CallOutcome outcome) { self->Finish(std::move(outcome)); });
    if (!is_taken) Finish(CallOutcome::Error(Term::Atom("system_limit")));
  }

  void Spawn() {
    tag_ = Term::FromReference(signals_.identity().NextReference());
    Term args = Term::List(
        {tag_, Term::Atom(request_.module), Term::Atom(request_.function), request_.args});
    signals_.SpawnRequest(self_, node_, "erpc", "execute_call", std::move(args),
                          {.monitor = true, .group_leader = request_.group_leader});
  }

  void AskRex() {
    Term ask =
        Term::Tuple({Term::Atom("call"), Term::Atom(request_.module), Term::Atom(request_.function),
                     request_.args, Term::FromPid(request_.group_leader)});
    rex_.Begin(signals_, self_, Destination::OfName("rex", node_), std::move(ask));
  }

  Peers& peers_;
  FunctionCalls& functions_;
  const CallRequest request_;
  Term tag_;
  GenExchange rex_;  // with a peer that knows no spawn requests
};

// Collects what one call a node gives.
class Gathering : public std::enable_shared_from_this<Gathering> {
 public:
  Gathering(const std::vector<AtomName>& nodes, Calls::AllDone done)
      : missing_(nodes.size()), done_(std::move(done)) {
    for (const AtomName& node : nodes) outcomes_.push_back({node, CallOutcome()});
  }

  Calls::Done Place(size_t index) {
    return [self = shared_from_this(), index](absl::StatusOr<CallOutcome> outcome) {
      self->outcomes_[index].outcome = std::move(outcome);
      if (--self->missing_ == 0) self->done_(std::move(self->outcomes_));
    };
  }

 private:
  size_t missing_;
  std::vector<NodeOutcome> outcomes_;
  const Calls::AllDone done_;
};

}  // namespace

Calls::Pending Calls::Call(CallRequest request, Done done) {
  const base::Duration timeout = request.timeout;
  auto call = std::make_shared<FunctionCall>(home_, signals_, peers_, functions_,
                                             std::move(request), std::move(done));
  call->Begin(peers_, timeout);
  return call;
}

void Calls::Multicall(const std::vector<AtomName>& nodes, const CallRequest& request,
                      AllDone done) {
  if (nodes.empty()) return done({});
  auto gathering = std::make_shared<Gathering>(nodes, std::move(done));
  for (size_t i = 0; i < nodes.size(); ++i) {
    CallRequest one = request;
    one.node = nodes[i];
    Call(std::move(one), gathering->Place(i));
  }
}

void Calls::Cast(CallRequest request, std::function<void(absl::Status)> done) {
  const AtomName node = request.node;
  peers_.Connect(node, [this, request = std::move(request),
                        done = std::move(done)](absl::Status connected) {
    if (!connected.ok()) return done(connected);
    if (request.node == signals_.identity().name()) {
      const bool is_taken = functions_.Apply(CallContext{{}, request.group_leader}, request.module,
                                             request.function, request.args, [](CallOutcome) {});
      return done(is_taken ? absl::OkStatus()
                           : base::Error(absl::StatusCode::kResourceExhausted,
                                         "cast: too many functions are waiting on this node",
                                         "give it more worker threads", "system_limit"));
    }
    const Pid nobody = signals_.identity().NextPid();
    const Peers::Peer* peer = peers_.Find(request.node);
    const Term module = Term::Atom(request.module), function = Term::Atom(request.function);
    if (peer != nullptr && (peer->link->peer().flags & dist::dflag::kSpawn) == 0) {
      Term ask = Term::Tuple({Term::Atom("cast"), module, function, request.args,
                              Term::FromPid(request.group_leader)});
      signals_.Send(nobody, Destination::OfName("rex", request.node), MakeGenCast(std::move(ask)));
    } else {
      signals_.SpawnRequest(nobody, request.node, "erpc", "execute_cast",
                            Term::List({module, function, request.args}),
                            {.group_leader = request.group_leader});
    }
    done(absl::OkStatus());
  });
}

Calls::Pending Calls::GenCall(Destination to, Term request, base::Duration timeout, Done done) {
  auto call = std::make_shared<GenServerCall>(home_, signals_, std::move(to), std::move(request),
                                              std::move(done));
  call->Begin(peers_, timeout);
  return call;
}

void Calls::GenMulticall(const std::vector<AtomName>& nodes, const AtomName& name,
                         const Term& request, base::Duration timeout, AllDone done) {
  if (nodes.empty()) return done({});
  auto gathering = std::make_shared<Gathering>(nodes, std::move(done));
  for (size_t i = 0; i < nodes.size(); ++i) {
    GenCall(Destination::OfName(name, nodes[i]), request, timeout, gathering->Place(i));
  }
}

void Calls::GenCast(const Destination& to, Term request) {
  signals_.Send(signals_.identity().NextPid(), to, MakeGenCast(std::move(request)));
}

void Calls::Ping(AtomName node, base::Duration timeout, Done done) {
  Term request = Term::Tuple({Term::Atom("is_auth"), Term::Atom(signals_.identity().name())});
  GenCall(Destination::OfName("net_kernel", node), std::move(request), timeout,
          [done = std::move(done)](absl::StatusOr<CallOutcome> outcome) {
            if (outcome.ok() && outcome->is_return()) {
              const bool is_pong = outcome->value.IsAtom("yes");
              outcome->value = Term::Atom(is_pong ? "pong" : "pang");
            }
            done(std::move(outcome));
          });
}

}  // namespace noded::node
