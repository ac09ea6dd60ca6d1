#include "node/services/relays.h"

#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "base/status.h"

namespace noded::node {
namespace {

using dist::Term;
using Args = std::span<const Term>;

// Erlang's `infinity`: longer than any node runs.
constexpr std::chrono::hours kForever{24 * 365};
constexpr std::chrono::milliseconds kDefaultCallTimeout{5000};
constexpr std::chrono::seconds kPingTimeout{7};

std::optional<base::Duration> ReadTimeout(const Term& term) {
  if (term.IsAtom("infinity")) return kForever;
  const auto ms = term.AsInt();
  if (!ms || *ms < 0 || *ms > 0xffffffff) return std::nullopt;
  return std::chrono::milliseconds(*ms);
}

CallOutcome BadArg() { return CallOutcome::Error(Term::Atom("badarg")); }

// {Module, Function, Args, Location} as the caller of rpc and erpc sees it.
struct Request {
  CallRequest call;
  bool is_valid = false;
};

Request ReadCall(const CallContext& context, Args args) {
  Request request;
  if (!args[0].is_atom() || !args[1].is_atom() || !args[2].is_atom() || !args[3].is_proper_list()) {
    return request;
  }
  std::optional<base::Duration> timeout = kForever;
  if (args.size() > 4) timeout = ReadTimeout(args[4]);
  if (!timeout) return request;
  request.call = {args[0].atom_name(),  args[1].atom_name(),
                  args[2].atom_name(),  args[3],
                  context.group_leader, *timeout};
  request.is_valid = true;
  return request;
}

Term BadRpc(Term reason) { return Term::Tuple({Term::Atom("badrpc"), std::move(reason)}); }

Term ReasonAtom(const absl::Status& status) {
  return Term::Atom(absl::IsDeadlineExceeded(status) ? "timeout" : "nodedown");
}

CallOutcome RpcCall(Node& node, const CallContext& context, Args args) {
  Request request = ReadCall(context, args);
  if (!request.is_valid) return CallOutcome::Return(BadRpc(Term::Atom("badarg")));
  auto outcome = node.Call(std::move(request.call));
  if (!outcome.ok()) return CallOutcome::Return(BadRpc(ReasonAtom(outcome.status())));
  if (outcome->is_return() || outcome->kind == CallOutcome::Kind::kThrown) {
    return CallOutcome::Return(outcome->value);
  }
  return CallOutcome::Return(BadRpc(Term::Tuple({Term::Atom("EXIT"), ExitReason(*outcome)})));
}

CallOutcome ErpcCall(Node& node, const CallContext& context, Args args) {
  const auto failed = [](Term reason) {
    return CallOutcome::Error(Term::Tuple({Term::Atom("erpc"), std::move(reason)}));
  };
  Request request = ReadCall(context, args);
  if (!request.is_valid) return failed(Term::Atom("badarg"));
  auto outcome = node.Call(std::move(request.call));
  if (!outcome.ok()) {
    const bool is_late = absl::IsDeadlineExceeded(outcome.status());
    return failed(Term::Atom(is_late ? "timeout" : "noconnection"));
  }
  const Term exception = Term::Atom("exception");
  switch (outcome->kind) {
    case CallOutcome::Kind::kExited:
      if (outcome->value.IsTagged("signal", 2)) return *outcome;
      return CallOutcome::Exit(Term::Tuple({exception, outcome->value}));
    case CallOutcome::Kind::kErrored:
      return CallOutcome::Error(Term::Tuple({exception, outcome->value, outcome->stack}));
    default:
      return *outcome;
  }
}

// A pid, a name of this node, or {Name, Node}.
std::optional<Destination> ReadServer(const Node& node, const Term& server) {
  if (server.is_pid()) return Destination::OfPid(server.pid());
  if (server.is_atom()) return Destination::OfName(server.atom_name(), node.name());
  if (!server.IsTuple(2) || !server.tuple()[0].is_atom() || !server.tuple()[1].is_atom()) {
    return std::nullopt;
  }
  return Destination::OfName(server.tuple()[0].atom_name(), server.tuple()[1].atom_name());
}

CallOutcome GenServerCall(Node& node, Args args) {
  const auto to = ReadServer(node, args[0]);
  const auto timeout =
      args.size() > 2 ? ReadTimeout(args[2]) : std::optional<base::Duration>(kDefaultCallTimeout);
  if (!to || !timeout) return BadArg();
  auto outcome = node.GenCall(*to, args[1], *timeout);
  if (outcome.ok() && outcome->is_return()) return *outcome;
  Term reason;
  if (outcome.ok()) {
    reason = outcome->value;
  } else if (absl::IsDeadlineExceeded(outcome.status())) {
    reason = Term::Atom("timeout");
  } else {
    reason = Term::Tuple({Term::Atom("nodedown"), Term::Atom(to->node)});
  }
  const std::vector<Term> call(args.begin(), args.end());
  return CallOutcome::Exit(Term::Tuple(
      {reason, Term::Tuple({Term::Atom("gen_server"), Term::Atom("call"), Term::List(call)})}));
}

}  // namespace

void AddRelays(Node& node) {
  Node* self = &node;
  node.Export("net_adm", "ping", 1, [self](const CallContext&, Args args) {
    if (!args[0].is_atom()) return BadArg();
    const bool is_there = self->Ping(args[0].atom_name(), kPingTimeout).ok();
    return CallOutcome::Return(Term::Atom(is_there ? "pong" : "pang"));
  });
  for (int arity : {4, 5}) {
    node.Export("rpc", "call", arity, [self](const CallContext& context, Args args) {
      return RpcCall(*self, context, args);
    });
    node.Export("erpc", "call", arity, [self](const CallContext& context, Args args) {
      return ErpcCall(*self, context, args);
    });
  }
  for (int arity : {2, 3}) {
    node.Export("gen_server", "call", arity,
                [self](const CallContext&, Args args) { return GenServerCall(*self, args); });
  }
  node.Export("net_kernel", "connect_node", 1, [self](const CallContext&, Args args) {
    if (!args[0].is_atom()) return BadArg();
    return CallOutcome::Return(Term::Bool(self->Connect(args[0].atom_name()).ok()));
  });
  node.Export("erlang", "disconnect_node", 1, [self](const CallContext&, Args args) {
    if (!args[0].is_atom()) return BadArg();
    return CallOutcome::Return(Term::Bool(self->Disconnect(args[0].atom_name())));
  });
}

}  // namespace noded::node
