// Standard input and output as tasks. Each has a thread of its own: files, pipes and terminals have
// no readiness in common, and a reader of our output that is slow must not stop the loop.
//
//   InputPipe input(STDIN_FILENO);
//   absl::StatusOr<base::Slice> bytes = co_await input.Read();       // empty at the end
//   absl::Status written = co_await output.Write(slice);
//   input.Cancel();                                                  // ends a Read under way
//
// One call at a time each, from one loop. Destroy them when no call is under way. Errors:
// Unavailable (closed after Cancel(), else the errno's atom).
#pragma once

#include "absl/status/statusor.h"
#include "asio/thread_pool.hpp"

#include "base/bytes.h"
#include "base/task.h"

namespace noded::cli {

class InputPipe {
 public:
  // The descriptor stays the caller's.
  explicit InputPipe(int descriptor);
  ~InputPipe();
  InputPipe(const InputPipe&) = delete;
  InputPipe& operator=(const InputPipe&) = delete;

  base::Task<absl::StatusOr<base::Slice>> Read();
  // For good. Any thread.
  void Cancel();

 private:
  const int descriptor_;
  const int cancelled_;  // event
  asio::thread_pool thread_{1};
};

class OutputPipe {
 public:
  explicit OutputPipe(int descriptor);
  ~OutputPipe();
  OutputPipe(const OutputPipe&) = delete;
  OutputPipe& operator=(const OutputPipe&) = delete;

  // Ends when all is written.
  base::Task<absl::Status> Write(base::Slice bytes);
  // For good. Any thread.
  void Cancel();

 private:
  const int descriptor_;
  const int cancelled_;
  asio::thread_pool thread_{1};
};

}  // namespace noded::cli
