// Opening TCP connections (base/tcp_connect.h), for the drivers of this layer.
#pragma once

#include "base/tcp_connect.h"

namespace noded::dist {

using base::AddressFamily;
using base::ConnectTcp;

}  // namespace noded::dist
