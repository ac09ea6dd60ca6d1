// A service written in C++ that Erlang processes talk to as to a gen_server: call, cast, plain
// messages, sys and gen_server:stop.
//
//   node->Serve("cart", {.call = [cart](const ServiceCall& call, const Term& request)
//                                    -> std::optional<CallOutcome> {
//     if (request.IsAtom("size")) return CallOutcome::Return(Term::Int(cart->size()));
//     if (request.IsAtom("slow")) return cart->Later(call.from);    // none: self.Reply(from, ...)
//     return CallOutcome::Exit(Term::Atom("function_clause"));      // ends the service
//   }});
//
// The functions of one service run one at a time, in the order of the messages, on the node's
// worker threads; `init` on the thread that calls Serve, before any other, while messages wait. An
// outcome of `call` other than a return, or an exception, ends the service as a crash would end a
// gen_server: its callers get the reason, its name is free. While sys:suspend holds it messages
// wait, limits.max_mailbox_messages of them; one more ends it with system_limit.
// Other things that it does with its pid: Node::Monitor and Link, whose messages `info` gets, and
// Node::SendAfter. Source: OTP lib/stdlib/src/gen_server.erl, sys.erl.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "base/loop.h"
#include "node/function.h"
#include "node/services/gen_protocol.h"
#include "node/signals.h"
#include "node/workers.h"

namespace noded::node {

struct ServiceCall : CallContext {
  GenFrom from;  // for an answer that comes later
};

// A service as its own functions, and whoever they give it to, see it. Copyable, thread-safe, and
// without effect once the service has ended. The node outlives it.
class Service {
 public:
  class Body;  // its process
  Service() = default;
  Service(dist::Pid pid, std::weak_ptr<Body> body) : pid_(std::move(pid)), body_(std::move(body)) {}

  const dist::Pid& pid() const { return pid_; }
  // gen_server:reply/2: the answer to a call that returned none. Once a call.
  void Reply(const GenFrom& from, dist::Term reply) const;
  // {stop, Reason, ...}: ends the service after the function that runs now, whose reply is still
  // sent, and before the next message.
  void Stop(dist::Term reason) const;

 private:
  dist::Pid pid_;
  std::weak_ptr<Body> body_;
};

struct GenServer {
  // The service has its pid and its name. An error ends it, and is what Serve gives.
  std::function<absl::Status(const Service& self)> init = {};
  // None: the answer comes later, by Service::Reply. Missing: calls end the service.
  std::function<std::optional<CallOutcome>(const ServiceCall& call, const dist::Term& request)>
      call = {};
  // Missing: casts are dropped.
  std::function<void(const dist::Term& request)> cast = {};
  // Any other message, {'DOWN', ...} and {'EXIT', ...} among them. Missing: dropped.
  std::function<void(const dist::Term& message)> info = {};
  // What sys:get_state and sys:get_status show. Missing: undefined.
  std::function<dist::Term()> state = {};
  // The last: the service ends with this reason by itself, by Stop or by sys. Not called when an
  // exit signal ends it, or its node stops.
  std::function<void(const dist::Term& reason)> terminate = {};
  // Exit signals come to `info` as {'EXIT', From, Reason}; but for `kill` they do not end it.
  bool traps_exits = false;
};

// Where services live: `home` is the loop of `signals`.
struct ServicePlace {
  base::Loop& home;
  Signals& signals;
  Workers& workers;
  size_t max_waiting_messages;
};

// Starts a service, registered as `name` unless that is empty. AlreadyExists (the name is taken),
// or what `init` said. Any thread.
absl::StatusOr<dist::Pid> StartGenServer(const ServicePlace& place, const dist::AtomName& name,
                                         GenServer server);

// The reason that a process ends with when its function had this outcome.
dist::Term ExitReason(const CallOutcome& outcome);

}  // namespace noded::node
