// The system messages of OTP's special processes, {system, From, Request}: what sys:get_status,
// sys:get_state, sys:suspend and, by sys:terminate, gen_server:stop send.
//
//   if (auto system = ParseSystemMessage(message)) ...              // one that can be suspended
//   if (AnswerSystemMessage(signals, {self_, "rex"}, message)) return;   // one that cannot
//
// Every request is answered, so that nobody waits: one that is not known here, or not done for this
// process, with what sys answers to those that it does not know, {error, {unknown_system_msg,
// Request}}. Source: OTP lib/stdlib/src/sys.erl, gen_server.erl.
#pragma once

#include <optional>

#include "dist/term.h"
#include "node/services/gen_protocol.h"
#include "node/signals.h"

namespace noded::node {

struct SystemMessage {
  GenFrom from;
  dist::Term request;
};

// Of {system, {Pid, Tag}, Request}; none for anything else.
std::optional<SystemMessage> ParseSystemMessage(const dist::Term& message);

// How a process stands.
struct SystemStatus {
  dist::Pid self;
  dist::AtomName name;  // empty: it has none
  dist::Term state = dist::Term::Atom("undefined");
  bool is_suspended = false;
};

// The answer to a request that changes nothing: get_status, as for a gen_server; get_state; debug,
// of which nothing is ever on.
dist::Term SystemAnswer(const SystemStatus& status, const dist::Term& request);

// For a process that is not suspended or ended by others: sends it SystemAnswer when `message` is a
// system message. False: it is none.
bool AnswerSystemMessage(Signals& signals, const SystemStatus& status, const dist::Term& message);

}  // namespace noded::node
