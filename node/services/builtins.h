// Functions that every node has, for a visitor: erlang:node/0, erlang:nodes/0, noded:info/0,
// noded:echo/1, and what a BEAM is asked from a shell: erlang:nodes/1,
// erlang:is_alive/0, erlang:system_time/0, os:getpid/0, net_kernel:allow/1 and allowed/0. Those that turn to other nodes are in
// relays.h.
//
//   AddBuiltins(node);
//
// The node outlives its functions.
#pragma once

#include "node/node.h"

namespace noded::node {

void AddBuiltins(Node& node);

// What noded:info/0 gives: a map of node, version, carrier (the preferred one), carriers, secure (all of
// them are), port, creation, os_pid, peers and functions.
dist::Term InfoTerm(const Node& node);

}  // namespace noded::node
