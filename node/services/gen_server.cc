#include "node/services/gen_server.h"

#include <exception>

#include "node/services/gen_protocol.h"

namespace noded::node {
namespace {

using dist::Term;

class GenServerProcess : public Process, public std::enable_shared_from_this<GenServerProcess> {
 public:
  GenServerProcess(base::Loop& home, Signals& signals, Workers& workers, GenServer server)
      : home_(home),
        signals_(signals),
        workers_(workers),
        lane_(workers.MakeLane()),
        server_(std::move(server)) {}

  void Started(const dist::Pid& self) override { self_ = self; }

  void Deliver(Term message) override {
    auto work = [self = shared_from_this(), message = std::move(message)] {
      self->Handle(message);
    };
    if (!workers_.RunIn(lane_, std::move(work))) signals_.Exit(self_, Term::Atom("system_limit"));
  }

 private:
  void Handle(const Term& message) {  // on a worker
    if (auto call = ParseGenCall(message)) return HandleCall(*std::move(call));
    const auto request = ParseGenCast(message);
    const auto& handler = request ? server_.cast : server_.info;
    if (!handler) return;
    try {
      handler(request ? *request : message);
    } catch (const std::exception& error) {
      End(Term::Tuple({Term::Atom("cxx_exception"), Term::Binary(std::string_view(error.what()))}));
    }
  }

  void HandleCall(GenCall call) {
    CallOutcome outcome;
    try {
      outcome = server_.call
                    ? server_.call(CallContext{call.from.pid, {}}, call.request)
                    : CallOutcome::Exit(Term::Tuple({Term::Atom("bad_call"), call.request}));
    } catch (const std::exception& error) {
      outcome = CallOutcome::Error(
          Term::Tuple({Term::Atom("cxx_exception"), Term::Binary(std::string_view(error.what()))}));
    }
    if (!outcome.is_return()) return End(ExitReason(outcome));
    home_.Post([self = shared_from_this(), from = std::move(call.from),
                value = std::move(outcome.value)]() mutable {
      Reply(self->signals_, self->self_, from, std::move(value));
    });
  }

  void End(Term reason) {
    home_.Post([self = shared_from_this(), reason = std::move(reason)] {
      self->signals_.Exit(self->self_, reason);
    });
  }

  base::Loop& home_;
  Signals& signals_;
  Workers& workers_;
  const Workers::Lane lane_;
  const GenServer server_;
  dist::Pid self_;
};

}  // namespace

Term ExitReason(const CallOutcome& outcome) {
  switch (outcome.kind) {
    case CallOutcome::Kind::kReturned:
      return Term::Atom("normal");
    case CallOutcome::Kind::kExited:
      return outcome.value;
    case CallOutcome::Kind::kThrown:
      return Term::Tuple({Term::Tuple({Term::Atom("nocatch"), outcome.value}), Term::Nil()});
    case CallOutcome::Kind::kErrored:
      break;
  }
  return Term::Tuple({outcome.value, outcome.stack});
}

std::shared_ptr<Process> MakeGenServerProcess(base::Loop& home, Signals& signals, Workers& workers,
                                              GenServer server) {
  return std::make_shared<GenServerProcess>(home, signals, workers, std::move(server));
}

}  // namespace noded::node
