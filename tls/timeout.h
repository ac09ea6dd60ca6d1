// How long a call may take, as Erlang's functions take it.
//
//   socket->Recv(0, std::chrono::seconds(5));  socket->Recv(0, kInfinity);
#pragma once

#include <chrono>

#include "base/clock.h"

namespace noded::tls {

using Timeout = std::chrono::milliseconds;
inline constexpr Timeout kInfinity = Timeout::max();

// When it is over; a time that never comes for kInfinity, and for what no clock can hold.
inline base::TimePoint DeadlineOf(Timeout timeout) {
  const base::TimePoint now = std::chrono::steady_clock::now();
  const auto most = std::chrono::duration_cast<Timeout>(base::TimePoint::max() - now);
  return timeout >= most ? base::TimePoint::max() : now + timeout;
}

}  // namespace noded::tls
