// Time as an argument: protocol objects are handed time points, only drivers read a clock.
//
//   base::TimePoint now = clock.Now();
//   base::FakeClock fake;  fake.Advance(std::chrono::seconds(15));
#pragma once

#include <chrono>

namespace noded::base {

using TimePoint = std::chrono::steady_clock::time_point;
using Duration = std::chrono::steady_clock::duration;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimePoint Now() const = 0;
};

class SteadyClock : public Clock {
 public:
  TimePoint Now() const override { return std::chrono::steady_clock::now(); }
};

class FakeClock : public Clock {
 public:
  TimePoint Now() const override { return now_; }
  void Advance(Duration by) { now_ += by; }

 private:
  TimePoint now_{std::chrono::hours(1)};
};

}  // namespace noded::base
