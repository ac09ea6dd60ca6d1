// Waits for a condition, never for a time.
//
//   EXPECT_TRUE(Eventually([&] { return peers.size() == 2; }));
//
// Asks on the caller's thread, a hundred times a second, until true or the time is up.
#pragma once

#include <chrono>
#include <thread>

namespace noded::testlib {

template <class Condition>
bool Eventually(Condition condition, std::chrono::milliseconds timeout = std::chrono::seconds(60)) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return true;
}

}  // namespace noded::testlib
