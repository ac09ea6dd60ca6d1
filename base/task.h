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

}  // namespace noded::base
