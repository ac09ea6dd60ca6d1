#include "node/calls.h"

#include "asio/steady_timer.hpp"
#include "fmt/format.h"

#include "base/status.h"
#include "dist/flags.h"
#include "node/services/gen_protocol.h"

namespace noded::node {
namespace {

using dist::AtomName;
using dist::Pid;
using dist::Reference;
using dist::Term;

absl::Status LostConnection(const AtomName& node) {
  return base::Error(absl::StatusCode::kUnavailable,
                     fmt::format("the connection to {} was lost before it answered", node.view()),
                     "see this node's log for the reason; the call may have been made",
                     "noconnection");
}

// A call that waits for its answer: a deadline, and one report to whoever waits.
class PendingCall : public Process, public std::enable_shared_from_this<PendingCall> {
 public:
  PendingCall(base::Loop& home, Signals& signals, AtomName node, Calls::Done done)
      : signals_(signals), node_(std::move(node)), done_(std::move(done)), timer_(home.io()) {}

  void Started(const Pid& self) override { self_ = self; }

  // Sends the request. `timeout` counts from here.
  void Begin(base::Duration timeout) {
    timer_.expires_after(timeout);
    timer_.async_wait([self = shared_from_this(), timeout](const asio::error_code& error) {
      if (error) return;
      const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(timeout).count();
      self->Finish(base::Error(absl::StatusCode::kDeadlineExceeded,
                               fmt::format("{} has not answered in {} ms", self->node_.view(), ms),
                               "give it more time, or look what it is doing", "timeout"));
    });
    Request();
  }

  void Ended() override {  // killed by somebody
    if (done_) Finish(LostConnection(node_));
  }

 protected:
  virtual void Request() = 0;

  void Finish(absl::StatusOr<CallOutcome> outcome) {
    if (!done_) return;
    Calls::Done done = std::exchange(done_, nullptr);
    timer_.cancel();
    signals_.Exit(self_, Term::Atom("normal"));
    done(std::move(outcome));
  }

  Signals& signals_;
  const AtomName node_;
  Pid self_;

 private:
  Calls::Done done_;
  asio::steady_timer timer_;
};

// erpc: the process that runs the function exits with {Tag, return | throw | exit | error, ...}.
class ErpcCall : public PendingCall {
 public:
  ErpcCall(base::Loop& home, Signals& signals, CallRequest request, Calls::Done done)
      : PendingCall(home, signals, request.node, std::move(done)), request_(std::move(request)) {}

  void Deliver(Term) override {}

  void SpawnReply(const Reference&, const Term& result) override {
    if (result.is_pid()) return;
    if (result.IsAtom("noconnection")) return Finish(LostConnection(node_));
    Finish(CallOutcome::Error(Term::Tuple({Term::Atom("erpc"), result})));
  }

  void MonitorDown(const Reference&, const Term&, const Term& reason) override {
    if (reason.IsAtom("noconnection")) return Finish(LostConnection(node_));
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
    tag_ = Term::FromReference(signals_.identity().NextReference());
    Term args = Term::List(
        {tag_, Term::Atom(request_.module), Term::Atom(request_.function), request_.args});
    signals_.SpawnRequest(self_, request_.node, "erpc", "execute_call", std::move(args),
                          {.monitor = true, .group_leader = request_.group_leader});
  }

 private:
  const CallRequest request_;
  Term tag_;
};

// gen_server:call: a monitor, a request, and {Ref, Reply}.
class GenServerCall : public PendingCall {
 public:
  GenServerCall(base::Loop& home, Signals& signals, Destination to, Term request, Calls::Done done)
      : PendingCall(home, signals, to.node, std::move(done)),
        to_(std::move(to)),
        request_(std::move(request)) {}

  void Deliver(Term message) override {
    if (!message.IsTuple(2) || !message.tuple()[0].is_reference()) return;
    if (message.tuple()[0].reference() == ref_) Finish(CallOutcome::Return(message.tuple()[1]));
  }

  void MonitorDown(const Reference&, const Term&, const Term& reason) override {
    if (reason.IsAtom("noconnection")) return Finish(LostConnection(node_));
    Finish(CallOutcome::Exit(reason));
  }

 protected:
  void Request() override {
    ref_ = signals_.Monitor(self_, to_);
    signals_.Send(self_, to_, MakeGenCall(self_, Term::FromReference(ref_), request_));
  }

 private:
  const Destination to_;
  const Term request_;
  Reference ref_;
};

// rex answers with the value, or {badrpc, Reason}.
CallOutcome FromRex(CallOutcome outcome) {
  if (!outcome.is_return() || !outcome.value.IsTagged("badrpc", 2)) return outcome;
  const Term& reason = outcome.value.tuple()[1];
  if (!reason.IsTagged("EXIT", 2)) return CallOutcome::Exit(reason);
  const Term& cause = reason.tuple()[1];
  if (cause.IsTuple(2) && cause.tuple()[1].is_list()) {
    return CallOutcome::Error(cause.tuple()[0], cause.tuple()[1]);
  }
  return CallOutcome::Exit(cause);
}

template <class Call>
void BeginWhenConnected(Signals& signals, Peers& peers, const AtomName& node,
                        std::shared_ptr<Call> call, base::Duration timeout, Calls::Done failed) {
  peers.Connect(node, [&signals, call = std::move(call), timeout,
                       failed = std::move(failed)](absl::Status connected) {
    if (!connected.ok()) return failed(connected);
    signals.Start(call);
    call->Begin(timeout);
  });
}

}  // namespace

void Calls::Call(CallRequest request, Done done) {
  const AtomName node = request.node;
  peers_.Connect(node, [this, request = std::move(request),
                        done = std::move(done)](absl::Status connected) mutable {
    if (!connected.ok()) return done(connected);
    const Peers::Peer* peer = peers_.Find(request.node);
    const bool can_spawn = peer == nullptr || (peer->link->peer().flags & dist::dflag::kSpawn) != 0;
    if (can_spawn) {
      auto call = std::make_shared<ErpcCall>(home_, signals_, request, std::move(done));
      signals_.Start(call);
      return call->Begin(request.timeout);
    }
    Term ask =
        Term::Tuple({Term::Atom("call"), Term::Atom(request.module), Term::Atom(request.function),
                     request.args, Term::FromPid(request.group_leader)});
    GenCall(Destination::OfName("rex", request.node), std::move(ask), request.timeout,
            [done = std::move(done)](absl::StatusOr<CallOutcome> outcome) {
              if (!outcome.ok()) return done(std::move(outcome));
              done(FromRex(*std::move(outcome)));
            });
  });
}

void Calls::Cast(CallRequest request, std::function<void(absl::Status)> done) {
  const AtomName node = request.node;
  peers_.Connect(node, [this, request = std::move(request),
                        done = std::move(done)](absl::Status connected) {
    if (!connected.ok()) return done(connected);
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

void Calls::GenCall(Destination to, Term request, base::Duration timeout, Done done) {
  const AtomName node = to.node;
  auto failed = done;
  auto call = std::make_shared<GenServerCall>(home_, signals_, std::move(to), std::move(request),
                                              std::move(done));
  BeginWhenConnected(signals_, peers_, node, std::move(call), timeout, std::move(failed));
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
