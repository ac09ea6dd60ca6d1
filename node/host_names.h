// What this machine calls itself, for node names without a host.
//
//   config_inputs.hosts = LocalHostNames();
//
// The functions ask the system when called: the full name may take as long as a name server does.
// Thread-safe. Source: OTP, inet_config (host name, then domain of the resolver's configuration).
#pragma once

#include "node/names.h"

namespace noded::node {

HostNames LocalHostNames();

}  // namespace noded::node
