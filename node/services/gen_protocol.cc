#include "node/services/gen_protocol.h"

namespace noded::node {

using dist::Term;

std::optional<GenCall> ParseGenCall(const Term& message) {
  if (!message.IsTagged("$gen_call", 3)) return std::nullopt;
  const Term& from = message.tuple()[1];
  if (!from.IsTuple(2) || !from.tuple()[0].is_pid()) return std::nullopt;
  return GenCall{{from.tuple()[0].pid(), from.tuple()[1]}, message.tuple()[2]};
}

std::optional<Term> ParseGenCast(const Term& message) {
  if (!message.IsTagged("$gen_cast", 2)) return std::nullopt;
  return message.tuple()[1];
}

Term MakeGenCall(const dist::Pid& from, const Term& tag, Term request) {
  return Term::Tuple(
      {Term::Atom("$gen_call"), Term::Tuple({Term::FromPid(from), tag}), std::move(request)});
}

Term MakeGenCast(Term request) {
  return Term::Tuple({Term::Atom("$gen_cast"), std::move(request)});
}

void Reply(Signals& signals, const dist::Pid& self, const GenFrom& from, Term reply) {
  Destination to = Destination::OfPid(from.pid);
  const Term& tag = from.tag;
  if (tag.is_list() && tag.list().size() == 1 && tag.list()[0].IsAtom("alias") &&
      tag.tail().is_reference()) {
    to = Destination::OfAlias(tag.tail().reference());
  }
  signals.Send(self, to, Term::Tuple({tag, std::move(reply)}));
}

}  // namespace noded::node
