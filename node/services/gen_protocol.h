// The messages of gen_server:call and gen_server:cast.
//
//   if (auto call = ParseGenCall(message)) Reply(signals, self, call->from, Term::Atom("yes"));
//   signals.Send(self, to, MakeGenCall(self, ref, request));     // answer: {Ref, Reply}
//
// Source: OTP lib/stdlib/src/gen.erl.
#pragma once

#include <optional>

#include "dist/term.h"
#include "node/signals.h"

namespace noded::node {

// Who waits for an answer: Erlang's From.
struct GenFrom {
  dist::Pid pid;
  dist::Term tag;  // a reference, [alias | Reference], or [[alias | Reference] | Term]
};

struct GenCall {
  GenFrom from;
  dist::Term request;
};

// Of {Pid, Tag}; none for anything else.
std::optional<GenFrom> ParseGenFrom(const dist::Term& from);
// Of {'$gen_call', From, Request}.
std::optional<GenCall> ParseGenCall(const dist::Term& message);
// The request of {'$gen_cast', Request}.
std::optional<dist::Term> ParseGenCast(const dist::Term& message);

dist::Term MakeGenCall(const dist::Pid& from, const dist::Term& tag, dist::Term request);
dist::Term MakeGenCast(dist::Term request);

// Sends {Tag, Reply} to the caller, through its alias when it gave one.
void Reply(Signals& signals, const dist::Pid& self, const GenFrom& from, dist::Term reply);

}  // namespace noded::node
