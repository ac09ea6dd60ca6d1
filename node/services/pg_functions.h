// pg's functions, for those who call them on this node by rpc and erpc: get_members/1,2,
// get_local_members/1,2, which_groups/0,1, which_local_groups/0,1, join/2,3 and leave/2,3, with the
// results that a BEAM gives. A scope that is not open has no groups, and cannot be joined (noproc).
//
//   AddPgFunctions(node);     // then: nodectl call a@host pg get_members carts
//
// The node outlives its functions. Source: OTP pg(3).
#pragma once

#include "node/node.h"

namespace noded::node {

void AddPgFunctions(Node& node);

}  // namespace noded::node
