// Opens a TCP connection by host name: resolves, then tries each address in turn.
//
//   auto stream = co_await ConnectTcp(loop, "shop.example.net", 4369, AddressFamily::kV4,
//                                     deadline);
//
// Call it on `loop`. A numeric host is not resolved. Keep-alive is on, Nagle off, unless `prepare`
// says otherwise. Each address gets a fair part of the time that
// is left. Errors name host, port and cause: Unavailable (nxdomain, econnrefused, ehostunreach,
// ...; etimedout when the kernel gave up), DeadlineExceeded (timeout).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"

#include "base/clock.h"
#include "base/loop.h"
#include "base/stream.h"
#include "base/task.h"

namespace noded::base {

enum class AddressFamily { kAny, kV4, kV6 };

// Called with each new socket before it is bound or connected, to set its options; a failure ends
// the attempt.
using PrepareSocket = std::function<absl::Status(int descriptor)>;

Task<absl::StatusOr<std::unique_ptr<Stream>>> ConnectTcp(Loop& loop, std::string host,
                                                         uint16_t port, AddressFamily family,
                                                         TimePoint deadline,
                                                         PrepareSocket prepare = nullptr);

}  // namespace noded::base
