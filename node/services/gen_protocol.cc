#include "node/services/gen_protocol.h"

namespace noded::node {

using dist::Term;

namespace {

// The reference of [alias | Reference]; null for anything else.
const dist::Reference* AliasOf(const Term& tag) {
  const bool is_alias = tag.is_list() && tag.list().size() == 1 && tag.list()[0].IsAtom("alias") &&
                        tag.tail().is_reference();
  return is_alias ? &tag.tail().reference() : nullptr;
}

}  // namespace

std::optional<GenFrom> ParseGenFrom(const Term& from) {
  if (!from.IsTuple(2) || !from.tuple()[0].is_pid()) return std::nullopt;
  return GenFrom{from.tuple()[0].pid(), from.tuple()[1]};
}

std::optional<GenCall> ParseGenCall(const Term& message) {
  if (!message.IsTagged("$gen_call", 3)) return std::nullopt;
  auto from = ParseGenFrom(message.tuple()[1]);
  if (!from) return std::nullopt;
  return GenCall{*std::move(from), message.tuple()[2]};
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
  const dist::Reference* alias = AliasOf(from.tag);
  if (alias == nullptr && !from.tag.list().empty()) alias = AliasOf(from.tag.list()[0]);
  if (alias != nullptr) to = Destination::OfAlias(*alias);
  signals.Send(self, to, Term::Tuple({from.tag, std::move(reply)}));
}

}  // namespace noded::node
