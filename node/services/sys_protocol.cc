#include "node/services/sys_protocol.h"

#include <string>
#include <string_view>

#include "dist/term_text.h"

namespace noded::node {
namespace {

using dist::Term;

Term Pair(Term first, Term second) { return Term::Tuple({std::move(first), std::move(second)}); }

Term Ok(Term value) { return Pair(Term::Atom("ok"), std::move(value)); }

// {data, [{"State", State}]}: what tools show as a table.
Term Data(std::initializer_list<std::pair<std::string_view, Term>> rows) {
  std::vector<Term> entries;
  for (const auto& [title, value] : rows) entries.push_back(Pair(Term::String(title), value));
  return Pair(Term::Atom("data"), Term::List(std::move(entries)));
}

Term StatusTerm(const SystemStatus& status) {
  const Term self = Term::FromPid(status.self);
  const Term how = Term::Atom(status.is_suspended ? "suspended" : "running");
  const std::string name =
      status.name.empty() ? dist::PrintTerm(self) : std::string(status.name.view());
  Term misc = Term::List({
      Pair(Term::Atom("header"), Term::String("Status for generic server " + name)),
      Data({{"Status", how}, {"Parent", self}, {"Logged events", Term::Nil()}}),
      Data({{"State", status.state}}),
  });
  // A process dictionary, how it is, its parent (as one that was started without a link: itself),
  // debug options.
  Term items = Term::List({Term::Nil(), how, self, Term::Nil(), std::move(misc)});
  return Term::Tuple({Term::Atom("status"), self,
                      Pair(Term::Atom("module"), Term::Atom("gen_server")), std::move(items)});
}

// To switch something off that is never on is no error. `unknown_debug` is sys's own word for what
// it cannot do.
Term DebugAnswer(const Term& what) {
  if (what.IsAtom("no_debug") || what.IsTagged("remove", 2)) return Term::Atom("ok");
  if (what.IsTuple(2) && what.tuple()[1].IsAtom("false")) return Term::Atom("ok");
  if (what.IsTagged("log", 2) && what.tuple()[1].IsAtom("get")) return Ok(Term::Nil());
  if (what.IsTagged("statistics", 2) && what.tuple()[1].IsAtom("get")) {
    return Ok(Term::Atom("no_statistics"));
  }
  return Term::Atom("unknown_debug");
}

}  // namespace

std::optional<SystemMessage> ParseSystemMessage(const Term& message) {
  if (!message.IsTagged("system", 3)) return std::nullopt;
  auto from = ParseGenFrom(message.tuple()[1]);
  if (!from) return std::nullopt;
  return SystemMessage{*std::move(from), message.tuple()[2]};
}

Term SystemAnswer(const SystemStatus& status, const Term& request) {
  if (request.IsAtom("get_status")) return StatusTerm(status);
  if (request.IsAtom("get_state")) return status.state;
  if (request.IsTagged("debug", 2)) return DebugAnswer(request.tuple()[1]);
  return Pair(Term::Atom("error"), Pair(Term::Atom("unknown_system_msg"), request));
}

bool AnswerSystemMessage(Signals& signals, const SystemStatus& status, const Term& message) {
  const auto system = ParseSystemMessage(message);
  if (!system) return false;
  Reply(signals, status.self, system->from, SystemAnswer(status, system->request));
  return true;
}

}  // namespace noded::node
