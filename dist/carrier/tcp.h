// The plain carriers: inet_tcp and inet6_tcp. No encryption and no proof of identity but the
// cookie's: for networks that are closed to others.
//
//   carriers.Add(MakeTcpCarrier(/*is_v6=*/false));
//
// Errors as dist/carrier/carrier.h says.
#pragma once

#include <memory>

#include "dist/carrier/carrier.h"

namespace noded::dist {

std::unique_ptr<Carrier> MakeTcpCarrier(bool is_v6);

}  // namespace noded::dist
