#include <optional>
#include <utility>

#include "fmt/format.h"

#include "base/status.h"
#include "dist/carrier/tls_option_apply.h"
#include "dist/carrier/tls_option_values.h"
#include "tls/function_registry.h"

namespace noded::dist {

using Call = TlsOptionCall;

absl::Status ApplyReuseSessions(const Call& call, const Term& value) {
  if (value.IsAtom("save") && call.role == tls::Role::kClient) {
    call.options.sessions.reuse_sessions = true;
    return absl::OkStatus();
  }
  return TakeBool(call, value, call.options.sessions.reuse_sessions);
}

// A server names a function; a client gives a session as another connection kept it.
absl::Status ApplyReuseSession(const Call& call, const Term& value) {
  if (value.IsAtom("undefined")) return absl::OkStatus();
  if (call.role == tls::Role::kClient) {
    if (!value.is_binary() || value.binary().empty()) {
      return call.WrongValue(value, "a session as a binary");
    }
    call.options.sessions.reuse_session = value.binary();
    return absl::OkStatus();
  }
  FunctionName name;
  RETURN_IF_ERROR(TakeFunction(call, value, {.arity = 4, .has_state = false}, name));
  auto fun = tls::FunctionRegistry::Shared().FindReuseSession(name.text);
  if (!fun.ok()) return base::Annotate(fun.status(), call.Where());
  call.options.sessions.reuse_fun = *std::move(fun);
  return absl::OkStatus();
}

// OTP's switch for TLS 1.3 alone; here reuse_sessions is for both versions, and this is another
// name of it.
absl::Status ApplySessionTickets(const Call& call, const Term& value) {
  const bool is_server = call.role == tls::Role::kServer;
  const bool is_on = is_server ? value.IsAtom("stateful") || value.IsAtom("stateless") ||
                                     value.IsAtom("stateful_with_cert") ||
                                     value.IsAtom("stateless_with_cert")
                               : value.IsAtom("auto");
  if (!is_on && !value.IsAtom("disabled")) {
    return call.WrongValue(value, is_server ? "disabled, stateful or stateless"
                                            : "disabled or auto; manual is for programs that keep "
                                              "tickets themselves");
  }
  call.options.sessions.reuse_sessions = is_on;
  return absl::OkStatus();
}

}  // namespace noded::dist
