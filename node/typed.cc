#include "node/typed.h"

#include "fmt/format.h"

#include "base/status.h"
#include "dist/term_text.h"

namespace noded::node::typed {

using dist::Term;

CallOutcome BadArgument(size_t number, const dist::Mismatch& why) {
  const std::string text = fmt::format("argument {}: {}", number, base::CauseOf(why.ToStatus()));
  return CallOutcome::Error(Term::Tuple({Term::Atom("badarg"), Term::Binary(text)}));
}

CallOutcome Failed(const absl::Status& status) {
  std::string reason = base::ReasonOf(status);
  if (reason.empty()) reason = "error";
  const std::string_view message(status.message().data(), status.message().size());
  return CallOutcome::Error(Term::Tuple({Term::Atom(reason), Term::Binary(message)}));
}

absl::Status Raised(const CallOutcome& outcome) {
  const char* kind = outcome.kind == CallOutcome::Kind::kThrown   ? "throw"
                     : outcome.kind == CallOutcome::Kind::kExited ? "exit"
                                                                  : "error";
  return base::Error(
      absl::StatusCode::kAborted,
      fmt::format("the called function raised {}: {}", kind, dist::PrintTerm(outcome.value)), "",
      kind);
}

}  // namespace noded::node::typed
