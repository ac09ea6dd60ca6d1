#include "node/services/function_calls.h"

#include "fmt/format.h"

#include "base/log.h"
#include "node/services/gen_protocol.h"
#include "node/services/gen_server.h"
#include "node/services/sys_protocol.h"

namespace noded::node {
namespace {

using dist::AtomName;
using dist::Pid;
using dist::Term;

// A function that runs for somebody: it takes no messages and dies of any exit signal.
class RunningCall : public Process {
 public:
  void Deliver(Term) override {}
};

struct Spawned {
  AtomName module, function;
  Term args;
  // Set for erpc's own entry points: what the exit reason of the process must carry.
  std::optional<Term> result_tag;
  bool is_cast = false;
};

// erpc asks for erpc:execute_call(Ref, M, F, A) and erpc:execute_cast(M, F, A); anything else is
// run as it is.
Spawned WhatToRun(const dist::SpawnRequest& request, const Term& args) {
  if (request.module == "erpc" && args.is_proper_list()) {
    const auto a = args.list();
    if (request.function == "execute_call" && a.size() == 4 && a[1].is_atom() && a[2].is_atom()) {
      return {a[1].atom_name(), a[2].atom_name(), a[3], a[0]};
    }
    if (request.function == "execute_cast" && a.size() == 3 && a[0].is_atom() && a[1].is_atom()) {
      return {a[0].atom_name(), a[1].atom_name(), a[2], std::nullopt, true};
    }
  }
  return {request.module, request.function, args};
}

Term TaggedResult(const Term& tag, const CallOutcome& outcome) {
  switch (outcome.kind) {
    case CallOutcome::Kind::kReturned:
      return Term::Tuple({tag, Term::Atom("return"), outcome.value});
    case CallOutcome::Kind::kThrown:
      return Term::Tuple({tag, Term::Atom("throw"), outcome.value});
    case CallOutcome::Kind::kExited:
      return Term::Tuple({tag, Term::Atom("exit"), outcome.value});
    case CallOutcome::Kind::kErrored:
      break;
  }
  return Term::Tuple({tag, Term::Atom("error"), outcome.value, outcome.stack});
}

void LogFailedCast(const AtomName& module, const AtomName& function, const Pid& caller) {
  base::LogWarn("cast_failed")
      .Add("function", fmt::format("{}:{}", module.view(), function.view()))
      .Add("caller", caller.node.view());
}

class Rex : public Process, public std::enable_shared_from_this<Rex> {
 public:
  Rex(FunctionCalls& calls, Signals& signals) : calls_(calls), signals_(signals) {}

  void Started(const Pid& self) override { self_ = self; }

  void Deliver(Term message) override {
    if (AnswerSystemMessage(signals_, {self_, "rex"}, message)) return;
    if (auto call = ParseGenCall(message)) return Call(call->from, call->request);
    if (IsCallOfCNode(message)) return CallOfCNode(message.tuple()[0].pid(), message.tuple()[1]);
    const auto cast = ParseGenCast(message);
    if (!cast || !IsApply(*cast, "cast")) return;
    const auto words = cast->tuple();
    CallContext context{{}, words[4].pid()};
    calls_.Apply(context, words[1].atom_name(), words[2].atom_name(), words[3], [](CallOutcome) {});
  }

 private:
  static bool IsApply(const Term& request, std::string_view tag) {  // {Tag, M, F, A, GroupLeader}
    return request.IsTagged(tag, 5) && request.tuple()[1].is_atom() && request.tuple()[2].is_atom();
  }
  // {Pid, {call, M, F, A, GroupLeader}}: what ei_rpc() of erl_interface sends.
  static bool IsCallOfCNode(const Term& message) {
    return message.IsTuple(2) && message.tuple()[0].is_pid() && IsApply(message.tuple()[1], "call");
  }

  void Call(const GenFrom& from, const Term& request) {
    if (request.IsTagged("sbcast", 3) && request.tuple()[1].is_atom()) {
      const AtomName& name = request.tuple()[1].atom_name();
      const auto pid = signals_.processes().WhereIs(name);
      if (pid) signals_.Send(self_, Destination::OfPid(*pid), request.tuple()[2]);
      return Reply(signals_, self_, from, Term::Atom(pid ? "true" : "false"));
    }
    if (!IsApply(request, "call") && !IsApply(request, "block_call")) {
      return Reply(signals_, self_, from, Term::Atom("ok"));
    }
    Run(from.pid, request, [self = shared_from_this(), from](Term result) {
      Reply(self->signals_, self->self_, from, std::move(result));
    });
  }

  void CallOfCNode(const Pid& from, const Term& request) {
    Run(from, request, [self = shared_from_this(), from](Term result) {
      self->signals_.Send(self->self_, Destination::OfPid(from),
                          Term::Tuple({Term::Atom("rex"), std::move(result)}));
    });
  }

  void Run(const Pid& caller, const Term& request, const std::function<void(Term)>& reply) {
    const auto words = request.tuple();
    CallContext context{caller, words[4].pid()};
    const bool taken = calls_.Apply(context, words[1].atom_name(), words[2].atom_name(), words[3],
                                    [reply](CallOutcome outcome) { reply(RpcResult(outcome)); });
    if (!taken) {
      reply(Term::Tuple(
          {Term::Atom("badrpc"), Term::Tuple({Term::Atom("EXIT"), Term::Atom("system_limit")})}));
    }
  }

  FunctionCalls& calls_;
  Signals& signals_;
  Pid self_;
};

}  // namespace

Term RpcResult(const CallOutcome& outcome) {
  if (outcome.is_return() || outcome.kind == CallOutcome::Kind::kThrown) return outcome.value;
  return Term::Tuple(
      {Term::Atom("badrpc"), Term::Tuple({Term::Atom("EXIT"), ExitReason(outcome)})});
}

bool FunctionCalls::Apply(CallContext context, AtomName module, AtomName function, Term args,
                          std::function<void(CallOutcome)> done) {
  return workers_.Run([this, context = std::move(context), module = std::move(module),
                       function = std::move(function), args = std::move(args),
                       done = std::move(done)]() mutable {
    CallOutcome outcome = functions_.Apply(context, module, function, args);
    home_.Post([done = std::move(done), outcome = std::move(outcome)]() mutable {
      done(std::move(outcome));
    });
  });
}

void FunctionCalls::OnSpawnRequest(const dist::SpawnRequest& request, const Term& args) {
  bool wants_monitor = false, wants_link = false;
  for (const Term& option : request.options.list()) {
    wants_monitor |= option.IsAtom("monitor") || option.IsTagged("monitor", 2);
    wants_link |= option.IsAtom("link");
  }
  const Pid caller = request.from;
  const dist::Reference ref = request.request;
  const Pid pid = signals_.Start(std::make_shared<RunningCall>());
  const auto answer = [&](const Term& result) {
    signals_.outbound().SendTo(
        caller.node,
        dist::SpawnReply{ref,
                         caller,
                         (wants_link ? dist::SpawnReply::kLinked : 0u) |
                             (wants_monitor ? dist::SpawnReply::kMonitored : 0u),
                         result,
                         {}},
        std::nullopt);
  };
  Spawned what = WhatToRun(request, args);
  const AtomName module = what.module, function = what.function;
  const bool taken =
      Apply(CallContext{caller, request.group_leader}, module, function, what.args,
            [this, pid, caller, what = what](CallOutcome outcome) {
              if (what.is_cast && !outcome.is_return()) {
                LogFailedCast(what.module, what.function, caller);
              }
              signals_.Exit(pid, what.result_tag ? TaggedResult(*what.result_tag, outcome)
                                                 : ExitReason(outcome));
            });
  if (!taken) {
    wants_link = wants_monitor = false;
    answer(Term::Atom("system_limit"));
    signals_.Exit(pid, Term::Atom("normal"));
    return;
  }
  answer(Term::FromPid(pid));
  if (wants_link) signals_.LinkFromPeer(caller, pid);
  if (wants_monitor) signals_.MonitorFromPeer(caller, Term::FromPid(pid), ref);
}

std::shared_ptr<Process> FunctionCalls::MakeRex() { return std::make_shared<Rex>(*this, signals_); }

}  // namespace noded::node
