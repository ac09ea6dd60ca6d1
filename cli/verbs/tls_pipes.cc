#include "cli/verbs/tls_pipes.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <utility>

#include "asio/co_spawn.hpp"
#include "asio/use_awaitable.hpp"
#include "fmt/format.h"

#include "base/status.h"

namespace noded::cli {
namespace {

using base::Slice;
using base::Task;

constexpr size_t kBlock = 64 * 1024;

absl::Status PipeError(const char* action, int error) {
  return base::Error(absl::StatusCode::kUnavailable,
                     fmt::format("cannot {}: {}", action, base::ErrnoText(error)), "",
                     base::ErrnoAtom(error));
}

// Waits until the descriptor is ready; Unavailable (closed) when cancelled. poll() calls files and
// devices that it cannot watch ready.
absl::Status AwaitReady(int descriptor, short events, int cancelled, const char* action) {
  pollfd wanted[2] = {{descriptor, events, 0}, {cancelled, POLLIN, 0}};
  while (poll(wanted, 2, -1) < 0) {
    if (errno != EINTR) return PipeError(action, errno);
  }
  if (wanted[1].revents == 0) return absl::OkStatus();
  return base::Error(absl::StatusCode::kUnavailable, fmt::format("cannot {}: cancelled", action),
                     "", "closed");
}

Task<absl::StatusOr<Slice>> ReadBlocking(int descriptor, int cancelled) {
  constexpr const char* kAction = "read the standard input";
  auto block = std::make_shared_for_overwrite<uint8_t[]>(kBlock);
  while (true) {
    if (absl::Status ready = AwaitReady(descriptor, POLLIN, cancelled, kAction); !ready.ok()) {
      co_return ready;
    }
    const ssize_t got = read(descriptor, block.get(), kBlock);
    if (got >= 0) {
      const uint8_t* data = block.get();
      co_return Slice(std::move(block), data, static_cast<size_t>(got));
    }
    if (errno != EINTR && errno != EAGAIN) co_return PipeError(kAction, errno);
  }
}

Task<absl::Status> WriteBlocking(int descriptor, int cancelled, Slice bytes) {
  constexpr const char* kAction = "write to the standard output";
  while (!bytes.empty()) {
    if (absl::Status ready = AwaitReady(descriptor, POLLOUT, cancelled, kAction); !ready.ok()) {
      co_return ready;
    }
    // A pipe that is ready takes so much without blocking, so that Cancel() is seen.
    const ssize_t put = write(descriptor, bytes.data(), std::min<size_t>(bytes.size(), PIPE_BUF));
    if (put >= 0) {
      bytes = bytes.Sub(static_cast<size_t>(put));
    } else if (errno != EINTR && errno != EAGAIN) {
      co_return PipeError(kAction, errno);
    }
  }
  co_return absl::OkStatus();
}

void Raise(int event) {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(event, &one, sizeof(one));
}

}  // namespace

InputPipe::InputPipe(int descriptor)
    : descriptor_(descriptor), cancelled_(eventfd(0, EFD_CLOEXEC)) {}

InputPipe::~InputPipe() {
  Cancel();
  thread_.join();
  close(cancelled_);
}

Task<absl::StatusOr<Slice>> InputPipe::Read() {
  absl::StatusOr<Slice> bytes =
      co_await asio::co_spawn(thread_, ReadBlocking(descriptor_, cancelled_), asio::use_awaitable);
  co_return bytes;
}

void InputPipe::Cancel() { Raise(cancelled_); }

OutputPipe::OutputPipe(int descriptor)
    : descriptor_(descriptor), cancelled_(eventfd(0, EFD_CLOEXEC)) {}

OutputPipe::~OutputPipe() {
  Cancel();
  thread_.join();
  close(cancelled_);
}

Task<absl::Status> OutputPipe::Write(Slice bytes) {
  absl::Status written = co_await asio::co_spawn(
      thread_, WriteBlocking(descriptor_, cancelled_, std::move(bytes)), asio::use_awaitable);
  co_return written;
}

void OutputPipe::Cancel() { Raise(cancelled_); }

}  // namespace noded::cli
