// A service written in C++ that Erlang processes talk to with gen_server:call, gen_server:cast and
// plain messages.
//
//   node->Serve("cart", {.call = [](const CallContext& context, const Term& request) {
//     if (request.IsAtom("size")) return CallOutcome::Return(Term::Int(3));
//     return CallOutcome::Exit(Term::Atom("function_clause"));       // ends the service
//   }});
//
// The three functions of one service run one at a time, in the order of the messages, on the node's
// worker threads. An outcome of `call` other than a return ends the service, as a crash would end a
// gen_server: its caller gets the reason, its name is free.
// Source: OTP lib/stdlib/src/gen_server.erl.
#pragma once

#include <functional>
#include <memory>

#include "base/loop.h"
#include "node/function.h"
#include "node/signals.h"
#include "node/workers.h"

namespace noded::node {

struct GenServer {
  std::function<CallOutcome(const CallContext&, const dist::Term& request)> call;
  // Missing: casts are dropped.
  std::function<void(const dist::Term& request)> cast;
  // Any other message. Missing: dropped.
  std::function<void(const dist::Term& message)> info;
};

// The process of a service; `home` is the loop of `signals`.
std::shared_ptr<Process> MakeGenServerProcess(base::Loop& home, Signals& signals, Workers& workers,
                                              GenServer server);

// The reason that a process ends with when its function had this outcome.
dist::Term ExitReason(const CallOutcome& outcome);

}  // namespace noded::node
