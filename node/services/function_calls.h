// Runs exported functions for callers on other nodes: spawn_request (erpc:call, erpc:cast, and so
// rpc:call of OTP 23 and later, spawn/4) and the rex server (rpc:call of older nodes).
//
//   FunctionCalls calls(home, signals, workers, functions);
//   calls.OnSpawnRequest(request, args);                    // from node/router.h
//   signals.Start(calls.MakeRex());                         // register it as rex
//
// Each call is a process for as long as it runs: its caller may monitor it, link to it and kill it;
// a function whose process was killed runs on, its result is dropped. Confined to the home loop;
// outlives the workers' last task.
// Source: OTP lib/kernel/src/erpc.erl, rpc.erl; "Distribution Protocol", SPAWN_REQUEST.
#pragma once

#include <memory>

#include "base/loop.h"
#include "dist/control.h"
#include "node/function.h"
#include "node/signals.h"
#include "node/workers.h"

namespace noded::node {

class FunctionCalls {
 public:
  FunctionCalls(base::Loop& home, Signals& signals, Workers& workers, FunctionTable& functions)
      : home_(home), signals_(signals), workers_(workers), functions_(functions) {}
  FunctionCalls(const FunctionCalls&) = delete;
  FunctionCalls& operator=(const FunctionCalls&) = delete;

  void OnSpawnRequest(const dist::SpawnRequest& request, const dist::Term& args);

  // The process that older nodes know as rex.
  std::shared_ptr<Process> MakeRex();

  // Runs a function on a worker; `done` is called on the home loop. False: too many are waiting.
  bool Apply(CallContext context, dist::AtomName module, dist::AtomName function, dist::Term args,
             std::function<void(CallOutcome)> done);

 private:
  base::Loop& home_;
  Signals& signals_;
  Workers& workers_;
  FunctionTable& functions_;
};

// What rpc:call gives for an outcome: the value, also of a throw, or {badrpc, {'EXIT', Reason}}.
dist::Term RpcResult(const CallOutcome& outcome);

}  // namespace noded::node
