#include "node/services/global_functions.h"

#include <optional>

#include "node/global_names.h"
#include "node/typed.h"

namespace noded::node {
namespace {

using dist::AtomName;
using dist::Pid;
using dist::Term;

constexpr char kGlobal[] = "global";

AtomName YesOrNo(const absl::Status& status) { return status.ok() ? "yes" : "no"; }

}  // namespace

void AddGlobalFunctions(Node& node) {
  Node* self = &node;
  node.Export(kGlobal, "register_name", Typed([self](Term name, Pid pid) {
                return YesOrNo(self->Global().Register(name, pid));
              }));
  node.Export(kGlobal, "re_register_name", Typed([self](Term name, Pid pid) {
                return YesOrNo(self->Global().ReRegister(name, pid));
              }));
  node.Export(kGlobal, "unregister_name",
              Typed([self](Term name) { return self->Global().Unregister(name); }));
  node.Export(kGlobal, "whereis_name",
              Typed([self](Term name) { return self->Global().WhereIs(name); }));
  node.Export(kGlobal, "registered_names", Typed([self] { return self->Global().Names(); }));
  node.Export(kGlobal, "sync", Typed([self] { return self->Global().Sync(); }));
  node.Export(kGlobal, "send", Typed([self](const CallContext& context, Term name, Term message) {
                const std::optional<Pid> pid = self->Global().WhereIs(name);
                if (!pid) {
                  return CallOutcome::Exit(
                      Term::Tuple({Term::Atom("badarg"), Term::Tuple({name, message})}));
                }
                self->Send(context.caller, Destination::OfPid(*pid), message);
                return CallOutcome::Return(Term::FromPid(*pid));
              }));
  node.Export(kGlobal, "resolve_it", Typed([self](Term method, Term name, Pid one, Pid other) {
                return self->Global().Resolve(method, name, one, other);
              }));
}

}  // namespace noded::node
