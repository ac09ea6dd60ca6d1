// The messages that an Erlang process gets for signals that it asked to hear of, for processes that
// take them as messages.
//
//   Deliver(ExitMessage(from, reason));                // from Process::TrapExit
//   Deliver(DownMessage(monitor, object, reason));     // from Process::MonitorDown
//
// Source: OTP erlang(3), process_flag/2, monitor/2, spawn_request/5.
#pragma once

#include "dist/identifiers.h"
#include "dist/term.h"

namespace noded::node {

// {'EXIT', From, Reason}
dist::Term ExitMessage(const dist::Pid& from, const dist::Term& reason);
// {'DOWN', Monitor, process, Object, Reason}
dist::Term DownMessage(const dist::Reference& monitor, const dist::Term& object,
                       const dist::Term& reason);
// {spawn_reply, Request, ok | error, PidOrReason}
dist::Term SpawnReplyMessage(const dist::Reference& request, const dist::Term& result);

}  // namespace noded::node
