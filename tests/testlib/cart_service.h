// A service that does what services can do, for Erlang nodes to try. Its state is a list of items.
//
//   node.Serve("cart", CartService(node));
//
//   gen_server:call  items | size | {add, Item}, answered with the items, their number, ok
//                    {wait, Milliseconds}             ok, and nothing else is done meanwhile
//                    {later, Milliseconds, Reply}     Reply, and everything else is done meanwhile
//                    {fail, Reason}                   crashes with it
//                    {stop, Reason, Reply}            answers Reply, then ends with Reason
//                    {watch | link, Pid}              ok
//   gen_server:cast  {add, Item}
//   messages         {add, Item}; {'DOWN', ...} and {'EXIT', ...} become items
#pragma once

#include "node/node.h"

namespace noded::testlib {

// It traps exits. The node outlives it.
node::GenServer CartService(node::Node& node);

}  // namespace noded::testlib
