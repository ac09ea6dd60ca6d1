// How fast handshakes of one address may follow each other: as they come, until too many of them
// have failed; then a turn at a time, so that a flood of failing ones, each of which costs us the
// arithmetic of TLS, leaves the machine to others. A good peer behind the same address waits for
// its turn like the rest.
//
//   if (pace.IsSlowed(address, now)) {
//     std::optional<base::Duration> wait = pace.TakeTurn(address, now);   // when it has spoken
//     ... none: refuse it; else wait that long, then shake hands ...
//   }
//   pace.Failed(address, now);                                // when the handshake did
//
// Silent clients cost nothing and take no turn. Of an IPv6 address the first 64 bits count: who has
// one has all of them. Failures are forgiven with time. Thread-safe; nothing fails.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/limits.h"

namespace noded::node {

class HandshakePace {
 public:
  struct Options {
    // So many failures in a row are nobody's affair (a cluster started with the wrong cookie).
    double free_failures = 64;
    double forgiven_per_second = 16;
    // Of an address that has had more.
    double turns_per_second = 25;
    // Whose turn is farther away than this is refused.
    base::Duration max_wait = std::chrono::seconds(2);
    // With failures that are not forgiven yet.
    size_t max_addresses = base::Limits().max_failing_addresses;
  };

  HandshakePace() : HandshakePace(Options()) {}
  explicit HandshakePace(const Options& options) : options_(options) {}

  void Failed(const std::string& address, base::TimePoint now);
  bool IsSlowed(const std::string& address, base::TimePoint now) const;
  // How long until the turn that it gets, zero or more; none when that is too long.
  std::optional<base::Duration> TakeTurn(const std::string& address, base::TimePoint now);

  // Turns that were not given.
  uint64_t refused() const;

 private:
  struct Address {
    double failures = 0;  // at `since`
    base::TimePoint since;
    base::TimePoint next_turn;
  };

  double FailuresOf(const Address& address, base::TimePoint now) const;
  void ForgetTheForgiven(base::TimePoint now);

  const Options options_;
  mutable std::mutex mutex_;
  std::map<std::string, Address> addresses_;
  uint64_t refused_ = 0;
};

}  // namespace noded::node
