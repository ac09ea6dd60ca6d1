#include "base/memory_stream.h"

#include <algorithm>

#include "asio/redirect_error.hpp"
#include "asio/steady_timer.hpp"
#include "asio/use_awaitable.hpp"

#include "base/status.h"

namespace noded::base {
namespace {

// One direction. The timer only serves as a condition variable on the loop.
struct Pipe {
  explicit Pipe(Loop& loop) : changed(loop.io(), asio::steady_timer::time_point::max()) {}
  Buffer bytes;
  bool is_ended = false;
  bool is_aborted = false;
  asio::steady_timer changed;
};

class MemoryStreamEnd : public MemoryStream {
 public:
  MemoryStreamEnd(Loop& loop, std::shared_ptr<Pipe> in, std::shared_ptr<Pipe> out, uint16_t port)
      : loop_(loop), in_(std::move(in)), out_(std::move(out)) {
    peer_ = {.address = "memory", .port = port, .tls = {}};
    local_ = {.address = "memory", .port = static_cast<uint16_t>(3 - port), .tls = {}};
  }
  ~MemoryStreamEnd() override { Abort(); }

  Task<absl::StatusOr<Slice>> Read() override {
    std::shared_ptr<Pipe> in = in_;
    while (in->bytes.empty() && !in->is_ended && !in->is_aborted) {
      asio::error_code ignored;
      co_await in->changed.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
    if (in->is_aborted || faults_.fail_after_bytes == 0) {
      co_return Error(absl::StatusCode::kUnavailable, "memory stream: cut", "", "econnreset");
    }
    if (in->bytes.empty()) co_return Slice();
    const Slice& front = in->bytes.pieces().front();
    size_t count = std::min({front.size(), faults_.max_read_bytes, faults_.fail_after_bytes});
    Slice piece = front.Sub(0, count);
    in->bytes.Consume(count);
    if (faults_.fail_after_bytes != SIZE_MAX) faults_.fail_after_bytes -= count;
    co_return piece;
  }

  Task<absl::Status> Write(Buffer bytes) override {
    if (out_->is_ended || out_->is_aborted) {
      co_return Error(absl::StatusCode::kUnavailable, "memory stream: closed", "", "epipe");
    }
    out_->bytes.Append(std::move(bytes));
    out_->changed.cancel();
    co_return absl::OkStatus();
  }

  Task<absl::Status> Close() override {
    out_->is_ended = true;
    out_->changed.cancel();
    co_return absl::OkStatus();
  }

  void Abort() override {
    for (Pipe* pipe : {in_.get(), out_.get()}) {
      pipe->is_aborted = true;
      pipe->changed.cancel();
    }
  }

  void Inject(StreamFaults faults) override { faults_ = faults; }
  const PeerIdentity& peer() const override { return peer_; }
  const PeerIdentity& local() const override { return local_; }
  Loop& loop() override { return loop_; }

 private:
  Loop& loop_;
  std::shared_ptr<Pipe> in_;
  std::shared_ptr<Pipe> out_;
  StreamFaults faults_;
  PeerIdentity peer_;
  PeerIdentity local_;
};

}  // namespace

std::pair<std::unique_ptr<MemoryStream>, std::unique_ptr<MemoryStream>> MakeMemoryStreams(
    Loop& loop) {
  auto a = std::make_shared<Pipe>(loop);
  auto b = std::make_shared<Pipe>(loop);
  return {std::make_unique<MemoryStreamEnd>(loop, a, b, 2),
          std::make_unique<MemoryStreamEnd>(loop, b, a, 1)};
}

}  // namespace noded::base
