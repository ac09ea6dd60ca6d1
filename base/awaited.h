// A value that one task waits for and somebody else brings, both on the same loop.
//
//   auto answer = std::make_shared<Awaited<Verdict>>(loop);
//   peers.Judge(name, [answer](Verdict verdict) { answer->Set(verdict); });
//   const Verdict verdict = co_await answer->Get();
//
// Shared by the two, so that either may end first. The first value counts. Loop-confined.
#pragma once

#include <optional>
#include <utility>

#include "asio/redirect_error.hpp"
#include "asio/steady_timer.hpp"
#include "asio/use_awaitable.hpp"

#include "base/loop.h"
#include "base/task.h"

namespace noded::base {

template <class T>
class Awaited {
 public:
  explicit Awaited(Loop& loop) : brought_(loop.io(), asio::steady_timer::time_point::max()) {}

  void Set(T value) {
    if (!value_) value_ = std::move(value);
    brought_.cancel();
  }

  Task<T> Get() {
    while (!value_) {
      asio::error_code ignored;
      co_await brought_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
    co_return *std::move(value_);
  }

 private:
  asio::steady_timer brought_;  // never expires
  std::optional<T> value_;
};

}  // namespace noded::base
