#include "node/services/gen_server.h"

#include <atomic>
#include <deque>
#include <exception>
#include <mutex>
#include <string_view>
#include <utility>

#include "base/status.h"
#include "node/services/sys_protocol.h"
#include "node/signal_terms.h"

namespace noded::node {
namespace {

using dist::Term;

CallOutcome Raised(const std::exception& error) {
  return CallOutcome::Error(
      Term::Tuple({Term::Atom("cxx_exception"), Term::Binary(std::string_view(error.what()))}));
}

absl::Status RunInit(const std::function<absl::Status(const Service&)>& init, const Service& self) {
  try {
    return init(self);
  } catch (const std::exception& error) {
    return base::Error(absl::StatusCode::kInternal,
                       std::string("init of a service: ") + error.what(), "", "cxx_exception");
  }
}

}  // namespace

// Messages come on the home loop and are handled in the lane, whatever worker that runs on. What
// has no other mark belongs to the lane.
class Service::Body : public Process, public std::enable_shared_from_this<Service::Body> {
 public:
  Body(const ServicePlace& place, dist::AtomName name, GenServer server)
      : home_(place.home),
        signals_(place.signals),
        workers_(place.workers),
        lane_(place.workers.MakeLane()),
        max_held_(place.max_waiting_messages),
        name_(std::move(name)),
        server_(std::move(server)) {}

  // `init` is done: what came meanwhile is handled now. Any thread.
  void Begin() {
    Enqueue([](Body& body) {
      body.Run();
      body.FinishIfAsked();
    });
  }

  // Any thread.
  void Reply(const GenFrom& from, Term reply) {
    home_.Post([self = shared_from_this(), from, reply = std::move(reply)]() mutable {
      node::Reply(self->signals_, self->self_, from, std::move(reply));
    });
  }

  // Any thread; the first reason counts.
  void Stop(Term reason) {
    {
      std::lock_guard lock(mutex_);
      if (!stop_) stop_ = std::move(reason);
    }
    Enqueue([](Body& body) { body.FinishIfAsked(); });
  }

  // On the home loop.
  void Started(const dist::Pid& self) override { self_ = self; }
  void Deliver(Term message) override {
    Enqueue([message = std::move(message)](Body& body) { body.Take(message); });
  }
  bool TrapExit(const dist::Pid& from, const Term& reason) override {
    if (!server_.traps_exits) return false;
    Deliver(ExitMessage(from, reason));
    return true;
  }
  void MonitorDown(const dist::Reference& monitor, const Term& object,
                   const Term& reason) override {
    Deliver(DownMessage(monitor, object, reason));
  }
  void SpawnReply(const dist::Reference& request, const Term& result) override {
    Deliver(SpawnReplyMessage(request, result));
  }
  void Ended() override { is_over_ = true; }

 private:
  enum class Phase { kStarting, kRunning, kSuspended };
  using Answer = std::pair<GenFrom, Term>;

  template <class Work>
  void Enqueue(Work work) {
    auto run = [self = shared_from_this(), work = std::move(work)] {
      if (!self->is_over_) work(*self);
    };
    if (workers_.RunIn(lane_, std::move(run))) return;
    home_.Dispatch([self = shared_from_this()] {
      self->signals_.Exit(self->self_, Term::Atom("system_limit"));
    });
  }

  void Take(const Term& message) {
    FinishIfAsked();
    if (is_over_) return;
    if (phase_ == Phase::kStarting) return Hold(message);
    if (const auto system = ParseSystemMessage(message)) return HandleSystem(*system);
    if (phase_ == Phase::kSuspended) return Hold(message);
    Handle(message);
  }

  void Hold(const Term& message) {
    if (held_.size() >= max_held_) return Finish(Term::Atom("system_limit"));
    held_.push_back(message);
  }

  // What was held may hold it again: then the rest is held in the same order.
  void Run() {
    phase_ = Phase::kRunning;
    for (const Term& message : std::exchange(held_, {})) Take(message);
  }

  void Handle(const Term& message) {
    if (const auto call = ParseGenCall(message)) return HandleCall(*call);
    const auto request = ParseGenCast(message);
    const auto& handler = request ? server_.cast : server_.info;
    try {
      if (handler) handler(request ? *request : message);
    } catch (const std::exception& error) {
      Finish(ExitReason(Raised(error)));
    }
  }

  void HandleCall(const GenCall& call) {
    std::optional<CallOutcome> outcome;
    try {
      outcome = server_.call
                    ? server_.call(ServiceCall{{call.from.pid, {}}, call.from}, call.request)
                    : CallOutcome::Exit(Term::Tuple({Term::Atom("bad_call"), call.request}));
    } catch (const std::exception& error) {
      outcome = Raised(error);
    }
    if (outcome && !outcome->is_return()) return Finish(ExitReason(*outcome));
    std::optional<Answer> answer;
    if (outcome) answer.emplace(call.from, std::move(outcome->value));
    if (auto reason = TakeStop()) return Finish(*std::move(reason), std::move(answer));
    if (answer) Reply(answer->first, std::move(answer->second));
  }

  void HandleSystem(const SystemMessage& system) {
    const Term& request = system.request;
    const Term ok = Term::Atom("ok");
    if (request.IsAtom("suspend")) {
      phase_ = Phase::kSuspended;
      return Reply(system.from, ok);
    }
    if (request.IsAtom("resume")) {
      Reply(system.from, ok);
      return Run();
    }
    if (request.IsTagged("terminate", 2)) {
      Reply(system.from, ok);
      return Finish(request.tuple()[1]);
    }
    const SystemStatus status{self_, name_, State(), phase_ == Phase::kSuspended};
    Reply(system.from, SystemAnswer(status, request));
  }

  // As sys says that a callback failed, when it does.
  Term State() const {
    if (!server_.state) return Term::Atom("undefined");
    try {
      return server_.state();
    } catch (const std::exception& error) {
      const Term callback = Term::Tuple({Term::Atom("gen_server"), Term::Atom("system_get_state")});
      return Term::Tuple({Term::Atom("error"),
                          Term::Tuple({Term::Atom("callback_failed"), callback,
                                       Term::Tuple({Term::Atom("error"), Raised(error).value})})});
    }
  }

  std::optional<Term> TakeStop() {
    std::lock_guard lock(mutex_);
    return std::exchange(stop_, std::nullopt);
  }

  void FinishIfAsked() {
    if (phase_ == Phase::kStarting || is_over_) return;
    if (auto reason = TakeStop()) Finish(*std::move(reason));
  }

  // As a gen_server: `terminate` runs, then the caller is answered, then the process is gone.
  void Finish(Term reason, std::optional<Answer> answer = std::nullopt) {
    is_over_ = true;
    try {
      if (server_.terminate) server_.terminate(reason);
    } catch (const std::exception& error) {
      reason = ExitReason(Raised(error));
    }
    if (answer) Reply(answer->first, std::move(answer->second));
    home_.Post([self = shared_from_this(), reason = std::move(reason)] {
      self->signals_.Exit(self->self_, reason);
    });
  }

  base::Loop& home_;
  Signals& signals_;
  Workers& workers_;
  const Workers::Lane lane_;
  const size_t max_held_;
  const dist::AtomName name_;
  const GenServer server_;
  dist::Pid self_;  // set before the first message
  std::atomic<bool> is_over_{false};
  Phase phase_ = Phase::kStarting;
  std::deque<Term> held_;  // while it is starting or suspended
  std::mutex mutex_;
  std::optional<Term> stop_;  // guarded by mutex_
};

void Service::Reply(const GenFrom& from, Term reply) const {
  if (auto body = body_.lock()) body->Reply(from, std::move(reply));
}

void Service::Stop(Term reason) const {
  if (auto body = body_.lock()) body->Stop(std::move(reason));
}

absl::StatusOr<dist::Pid> StartGenServer(const ServicePlace& place, const dist::AtomName& name,
                                         GenServer server) {
  const auto init = std::exchange(server.init, nullptr);
  auto body = std::make_shared<Service::Body>(place, name, std::move(server));
  const auto end = [&](const dist::Pid& pid, const absl::Status& why) {
    place.signals.Exit(pid, Term::Atom(base::ReasonOf(why)));
    return why;
  };
  const auto start = [&]() -> absl::StatusOr<dist::Pid> {
    const dist::Pid pid = place.signals.Start(body);
    if (name.empty()) return pid;
    const absl::Status registered = place.signals.processes().Register(name, pid);
    if (!registered.ok()) return end(pid, registered);
    return pid;
  };
  auto started = place.home.Run(start);
  if (started.ok() && init) {
    const absl::Status ready = RunInit(init, Service(*started, body));
    if (!ready.ok()) return place.home.Run([&] { return end(*started, ready); });
  }
  if (started.ok()) body->Begin();
  return started;
}

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

}  // namespace noded::node
