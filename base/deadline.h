// Cuts something off when its time is over: the one way a waiting task gets a deadline.
//
//   Deadline guard(loop, deadline, [&socket] { asio::error_code e; socket.close(e); });
//   co_await ...;
//   if (guard.is_over()) co_return TimedOut();
//
// Loop-confined. `cut` runs at most once, on the loop, and never after the guard is gone, so it may
// refer to what lives as long as the guard.
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "asio/steady_timer.hpp"

#include "base/clock.h"
#include "base/loop.h"

namespace noded::base {

class Deadline {
 public:
  Deadline(Loop& loop, TimePoint when, std::function<void()> cut)
      : state_(std::make_shared<State>(loop, when, std::move(cut))) {
    // The state is shared: a handler that is queued already may run after the guard is gone.
    state_->timer.async_wait([state = state_](const asio::error_code& error) {
      if (error || !state->is_armed) return;
      state->is_over = true;
      state->cut();
    });
  }
  ~Deadline() {
    state_->is_armed = false;
    state_->timer.cancel();
  }
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;

  bool is_over() const { return state_->is_over; }

 private:
  struct State {
    State(Loop& loop, TimePoint when, std::function<void()> cut)
        : timer(loop.io(), when), cut(std::move(cut)) {}
    asio::steady_timer timer;
    std::function<void()> cut;
    bool is_armed = true;
    bool is_over = false;
  };
  std::shared_ptr<State> state_;
};

}  // namespace noded::base
