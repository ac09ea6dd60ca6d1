// global's functions, for those who call them on this node by rpc and erpc: register_name/2,
// re_register_name/2, unregister_name/1, whereis_name/1, registered_names/0, send/2, sync/0, and
// resolve_it/4, which other nodes' global calls, with the results that a BEAM gives. Locks belong
// to the process that sets them, and so are set on the node that wants them.
//
//   AddGlobalFunctions(node);     // then: nodectl call a@host global whereis_name till
//
// The node outlives its functions. Source: OTP global(3).
#pragma once

#include "node/node.h"

namespace noded::node {

void AddGlobalFunctions(Node& node);

}  // namespace noded::node
