// The listening socket of base/tcp_listener.h: nodes are waited for in the same way, whatever the
// carrier.
//
//   ASSIGN_OR_RETURN(auto listener, Listener::Listen(loop, carrier->is_v6(), options));
//   epmd.Register(name, listener->port(), ...);
//   auto stream = co_await listener->Accept(loops.Next());   // raw TCP; then Carrier::Secure
#pragma once

#include "base/tcp_listener.h"

namespace noded::dist {

using Listener = base::TcpListener;
using base::ListenOptions;

}  // namespace noded::dist
