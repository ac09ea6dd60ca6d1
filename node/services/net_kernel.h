// The net_kernel of this node, as far as others talk to it: net_adm:ping asks {is_auth, Node}, and
// net_kernel:allow/1 and allowed/0 are calls to it.
//
//   signals.Start(MakeNetKernel(signals, admission));      // register it as net_kernel
//
// Requests that it does not know are answered {error, not_supported}, so that nobody waits for
// them. Confined to the home loop. Source: OTP lib/kernel/src/net_kernel.erl, net_adm.erl.
#pragma once

#include <memory>

#include "node/admission.h"
#include "node/signals.h"

namespace noded::node {

std::shared_ptr<Process> MakeNetKernel(Signals& signals, Admission& admission);

}  // namespace noded::node
