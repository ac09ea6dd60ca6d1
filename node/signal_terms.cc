#include "node/signal_terms.h"

namespace noded::node {

using dist::Term;

Term ExitMessage(const dist::Pid& from, const Term& reason) {
  return Term::Tuple({Term::Atom("EXIT"), Term::FromPid(from), reason});
}

Term DownMessage(const dist::Reference& monitor, const Term& object, const Term& reason) {
  return Term::Tuple(
      {Term::Atom("DOWN"), Term::FromReference(monitor), Term::Atom("process"), object, reason});
}

Term SpawnReplyMessage(const dist::Reference& request, const Term& result) {
  return Term::Tuple({Term::Atom("spawn_reply"), Term::FromReference(request),
                      Term::Atom(result.is_pid() ? "ok" : "error"), result});
}

}  // namespace noded::node
