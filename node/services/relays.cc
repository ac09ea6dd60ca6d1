#include "node/services/relays.h"

#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/status.h"
#include "dist/convert.h"
#include "node/services/function_calls.h"

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

// A visitor's own function keeps a worker thread of this node while it waits; what it asks of this
// node runs on that thread too, or a few of them would wait for each other. As with erpc, there is
// no deadline for that.
absl::StatusOr<CallOutcome> CallFrom(Node& node, const CallContext& context, CallRequest request) {
  if (!(request.node == node.name())) return node.Call(std::move(request));
  return node.Apply(context, request.module, request.function, request.args);
}

using Outcomes = std::vector<absl::StatusOr<CallOutcome>>;

Outcomes MulticallFrom(Node& node, const CallContext& context,
                       const std::vector<dist::AtomName>& nodes, const CallRequest& request) {
  std::vector<std::future<absl::StatusOr<CallOutcome>>> answers(nodes.size());
  for (size_t i = 0; i < nodes.size(); ++i) {
    if (nodes[i] == node.name()) continue;
    auto answer = std::make_shared<std::promise<absl::StatusOr<CallOutcome>>>();
    answers[i] = answer->get_future();
    CallRequest one = request;
    one.node = nodes[i];
    node.CallAsync(std::move(one), [answer](absl::StatusOr<CallOutcome> outcome) {
      answer->set_value(std::move(outcome));
    });
  }
  Outcomes outcomes;
  for (auto& answer : answers) {
    outcomes.push_back(answer.valid()
                           ? answer.get()
                           : node.Apply(context, request.module, request.function, request.args));
  }
  return outcomes;
}

CallOutcome RpcCall(Node& node, const CallContext& context, Args args) {
  Request request = ReadCall(context, args);
  if (!request.is_valid) return CallOutcome::Return(BadRpc(Term::Atom("badarg")));
  const auto outcome = CallFrom(node, context, std::move(request.call));
  if (!outcome.ok()) return CallOutcome::Return(BadRpc(ReasonAtom(outcome.status())));
  return CallOutcome::Return(RpcResult(*outcome));
}

// ok, or the class of what was raised.
std::string_view ClassOf(const CallOutcome& outcome) {
  switch (outcome.kind) {
    case CallOutcome::Kind::kReturned:
      return "ok";
    case CallOutcome::Kind::kThrown:
      return "throw";
    case CallOutcome::Kind::kExited:
      return "exit";
    case CallOutcome::Kind::kErrored:
      break;
  }
  return "error";
}

// What erpc:call raises for an outcome, or returns.
CallOutcome ErpcOutcome(const absl::StatusOr<CallOutcome>& outcome) {
  const auto failed = [](std::string_view reason) {
    return CallOutcome::Error(Term::Tuple({Term::Atom("erpc"), Term::Atom(reason)}));
  };
  if (!outcome.ok()) {
    return failed(absl::IsDeadlineExceeded(outcome.status()) ? "timeout" : "noconnection");
  }
  const Term exception = Term::Atom("exception");
  switch (outcome->kind) {
    case CallOutcome::Kind::kExited:
      if (outcome->value.IsTagged("signal", 2)) return *outcome;
      return CallOutcome::Exit(Term::Tuple({exception, outcome->value}));
    case CallOutcome::Kind::kErrored:
      // erpc itself failed there: no function was run.
      if (outcome->value.IsTagged("erpc", 2) && outcome->stack.is_nil()) return *outcome;
      return CallOutcome::Error(Term::Tuple({exception, outcome->value, outcome->stack}));
    default:
      return *outcome;
  }
}

CallOutcome ErpcBadArg() {
  return CallOutcome::Error(Term::Tuple({Term::Atom("erpc"), Term::Atom("badarg")}));
}

CallOutcome ErpcCall(Node& node, const CallContext& context, Args args) {
  Request request = ReadCall(context, args);
  if (!request.is_valid) return ErpcBadArg();
  return ErpcOutcome(CallFrom(node, context, std::move(request.call)));
}

// The nodes, and the call that is the same for all of them, of [Nodes, M, F, Args | Timeout].
struct Requests {
  std::vector<dist::AtomName> nodes;
  CallRequest call;
};

std::optional<Requests> ReadMulticall(const CallContext& context, Args args) {
  auto nodes = dist::FromTerm<std::vector<dist::AtomName>>(args[0]);
  if (!nodes.ok()) return std::nullopt;
  std::vector<Term> one(args.begin(), args.end());
  one[0] = Term::Atom("undefined");
  Request request = ReadCall(context, one);
  if (!request.is_valid) return std::nullopt;
  return Requests{*std::move(nodes), std::move(request.call)};
}

CallOutcome ErpcMulticall(Node& node, const CallContext& context, Args args) {
  const auto requests = ReadMulticall(context, args);
  if (!requests) return ErpcBadArg();
  std::vector<Term> results;
  for (const auto& one : MulticallFrom(node, context, requests->nodes, requests->call)) {
    const CallOutcome outcome = ErpcOutcome(one);
    results.push_back(Term::Tuple({Term::Atom(ClassOf(outcome)), outcome.value}));
  }
  return CallOutcome::Return(Term::List(std::move(results)));
}

// {Results, BadNodes}; a node is bad when it is not there, or late.
CallOutcome RpcMulticall(Node& node, const CallContext& context, Args args) {
  const auto requests = ReadMulticall(context, args);
  if (!requests) return BadArg();
  std::vector<Term> results, bad_nodes;
  const Outcomes outcomes = MulticallFrom(node, context, requests->nodes, requests->call);
  for (size_t i = 0; i < outcomes.size(); ++i) {
    if (outcomes[i].ok()) {
      results.push_back(RpcResult(*outcomes[i]));
    } else {
      bad_nodes.push_back(Term::Atom(requests->nodes[i]));
    }
  }
  return CallOutcome::Return(
      Term::Tuple({Term::List(std::move(results)), Term::List(std::move(bad_nodes))}));
}

// rpc:multicall(M, F, A), (M, F, A, Timeout): on this node and those that it is connected to.
CallOutcome RpcMulticallEverywhere(Node& node, const CallContext& context, Args args) {
  std::vector<Term> nodes{Term::Atom(node.name())};
  for (const PeerInfo& peer : node.Peers()) {
    if (!peer.is_hidden) nodes.push_back(Term::Atom(peer.name));
  }
  std::vector<Term> all{Term::List(std::move(nodes))};
  all.insert(all.end(), args.begin(), args.end());
  return RpcMulticall(node, context, all);
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
  for (int arity : {4, 5}) {
    node.Export("erpc", "multicall", arity, [self](const CallContext& context, Args args) {
      return ErpcMulticall(*self, context, args);
    });
  }
  for (int arity : {3, 4, 5}) {
    node.Export("rpc", "multicall", arity, [self](const CallContext& context, Args args) {
      return args[0].is_list() ? RpcMulticall(*self, context, args)
                               : RpcMulticallEverywhere(*self, context, args);
    });
  }
  for (int arity : {2, 3}) {
    node.Export("gen_server", "call", arity,
                [self](const CallContext&, Args args) { return GenServerCall(*self, args); });
  }
  node.Export("gen_server", "cast", 2, [self](const CallContext&, Args args) {
    if (const auto to = ReadServer(*self, args[0])) self->GenCast(*to, args[1]);
    return CallOutcome::Return(Term::Atom("ok"));
  });
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
