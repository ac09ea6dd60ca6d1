// The coroutine type of drivers: what waits on a loop is a Task, everything else is a plain
// function.
//
//   Task<absl::Status> Greet(Stream& stream) {
//     absl::Status written = co_await stream.Write(std::move(hello));   // name the result before
//     use co_return written;
//   }
//   Spawn(loop, "greeter", Greet(stream), [](absl::Status status) { ... });
//
// Parameters by value or by a reference that outlives the task; no lambda coroutines with captures
// (g++ 12). An exception that escapes a task is a bug of ours: Spawn logs it and reports Internal.
#pragma once

#include <exception>
#include <future>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "asio/awaitable.hpp"
#include "asio/co_spawn.hpp"

#include "base/loop.h"
#include "base/status.h"

namespace noded::base {

template <class T>
using Task = asio::awaitable<T>;

// An escaped exception as a status, with the task's name.
absl::Status EscapedException(const std::string& task, std::exception_ptr error);

// Runs `task` on `loop`; `done` is called there with its result. T is absl::Status or StatusOr<X>.
template <class T, class Done>
void Spawn(Loop& loop, std::string name, Task<T> task, Done done) {
  asio::co_spawn(
      loop.io(), std::move(task),
      [name = std::move(name), done = std::move(done)](std::exception_ptr error, T result) mutable {
        if (error) {
          done(T(EscapedException(name, error)));
        } else {
          done(std::move(result));
        }
      });
}

// Runs `task` on `loop` and waits for its end: how a thread of its own uses what is a task. Calls
// from the loop itself would wait for ever, so they fail (FailedPrecondition). When the loop ends
// first: Unavailable (closed).
template <class T>
T Await(Loop& loop, Task<T> task) {
  if (loop.is_current()) {
    return T(Error(absl::StatusCode::kFailedPrecondition,
                   "a call that waits was made on the loop that it would wait for",
                   "co_await the asynchronous one there", "einval"));
  }
  auto promise = std::make_shared<std::promise<T>>();
  std::future<T> result = promise->get_future();
  Spawn(loop, "await", std::move(task),
        [promise = std::move(promise)](T value) { promise->set_value(std::move(value)); });
  try {
    return result.get();
  } catch (const std::future_error&) {
    return T(Error(absl::StatusCode::kUnavailable, "the loop has ended", "", "closed"));
  }
}

}  // namespace noded::base
