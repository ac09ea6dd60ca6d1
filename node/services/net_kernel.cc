#include "node/services/net_kernel.h"

#include "node/services/gen_protocol.h"

namespace noded::node {
namespace {

using dist::Term;

class NetKernel : public Process {
 public:
  explicit NetKernel(Signals& signals) : signals_(signals) {}

  void Started(const dist::Pid& self) override { self_ = self; }

  void Deliver(Term message) override {
    const auto call = ParseGenCall(message);
    if (!call) return;
    Reply(signals_, self_, call->from,
          call->request.IsTagged("is_auth", 2)
              ? Term::Atom("yes")
              : Term::Tuple({Term::Atom("error"), Term::Atom("not_supported")}));
  }

  // What the node stands on is not ended by others.
  bool TrapExit(const dist::Pid&, const Term&) override { return true; }

 private:
  Signals& signals_;
  dist::Pid self_;
};

}  // namespace

std::shared_ptr<Process> MakeNetKernel(Signals& signals) {
  return std::make_shared<NetKernel>(signals);
}

}  // namespace noded::node
