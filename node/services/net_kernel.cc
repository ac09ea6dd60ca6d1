#include "node/services/net_kernel.h"

#include "dist/convert.h"
#include "node/services/gen_protocol.h"
#include "node/services/sys_protocol.h"

namespace noded::node {
namespace {

using dist::Term;

class NetKernel : public Process {
 public:
  NetKernel(Signals& signals, Admission& admission) : signals_(signals), admission_(admission) {}

  void Started(const dist::Pid& self) override { self_ = self; }

  void Deliver(Term message) override {
    if (AnswerSystemMessage(signals_, {self_, "net_kernel"}, message)) return;
    const auto call = ParseGenCall(message);
    if (!call) return;
    Reply(signals_, self_, call->from, Answer(call->request));
  }

  // What the node stands on is not ended by others.
  bool TrapExit(const dist::Pid&, const Term&) override { return true; }

 private:
  Term Answer(const Term& request) {
    if (request.IsTagged("is_auth", 2)) return Term::Atom("yes");
    if (request.IsAtom("allowed")) {
      return Term::Tuple({Term::Atom("ok"), dist::ToTerm(admission_.Allowed())});
    }
    if (request.IsTagged("allow", 2)) {
      const auto nodes = dist::FromTerm<std::vector<dist::AtomName>>(request.tuple()[1]);
      if (!nodes.ok()) return Term::Atom("error");
      admission_.Allow(*nodes);
      return Term::Atom("ok");
    }
    return Term::Tuple({Term::Atom("error"), Term::Atom("not_supported")});
  }

  Signals& signals_;
  Admission& admission_;
  dist::Pid self_;
};

}  // namespace

std::shared_ptr<Process> MakeNetKernel(Signals& signals, Admission& admission) {
  return std::make_shared<NetKernel>(signals, admission);
}

}  // namespace noded::node
