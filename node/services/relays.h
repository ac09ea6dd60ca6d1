// Functions by which a visitor makes this node turn to others: net_adm:ping/1, rpc:call/4,5,
// rpc:multicall/3,4,5, erpc:call/4,5, erpc:multicall/4,5, gen_server:call/2,3, gen_server:cast/2,
// net_kernel:connect_node/1, erlang:disconnect_node/1, with the results that a BEAM gives.
//
//   AddRelays(node);       // then: nodectl call a@host net_adm ping "'b@host'"
//
// They wait on the node's worker threads. The node outlives its functions. Source: OTP net_adm(3),
// rpc(3), erpc(3), gen_server(3), net_kernel(3).
#pragma once

#include "node/node.h"

namespace noded::node {

void AddRelays(Node& node);

}  // namespace noded::node
