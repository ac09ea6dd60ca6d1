// Opens a TCP connection by host name: resolves, then tries each address in turn.
//
//   auto stream = co_await ConnectTcp(loop, "shop.example.net", 4369, AddressFamily::kV4,
//   deadline);
//
// Call it on `loop`. A numeric host is not resolved. Each address gets a fair part of the time that
// is left. Errors name host, port and cause: Unavailable (nxdomain, econnrefused, ehostunreach,
// ...; etimedout when the kernel gave up), DeadlineExceeded (timeout).
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"

#include "base/clock.h"
#include "base/loop.h"
#include "base/stream.h"
#include "base/task.h"

namespace noded::dist {

enum class AddressFamily { kAny, kV4, kV6 };

base::Task<absl::StatusOr<std::unique_ptr<base::Stream>>> ConnectTcp(base::Loop& loop,
                                                                     std::string host,
                                                                     uint16_t port,
                                                                     AddressFamily family,
                                                                     base::TimePoint deadline);

}  // namespace noded::dist
