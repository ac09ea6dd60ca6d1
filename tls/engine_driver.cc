#include "tls/engine_driver.h"

#include <algorithm>
#include <utility>

#include "asio/redirect_error.hpp"
#include "asio/use_awaitable.hpp"
#include "fmt/format.h"

#include "base/deadline.h"
#include "base/status.h"
#include "tls/crl_fetcher.h"
#include "tls/timeout.h"

namespace noded::tls {
namespace {

using base::Buffer;
using base::Slice;
using base::Task;

// What a peer may still send while it is told goodbye.
constexpr size_t kFarewellBytes = 1024 * 1024;
// How long closing waits for a renegotiation, which holds back what was written.
constexpr std::chrono::seconds kReleaseWait{5};
// What an alert gets to arrive when the time for the handshake is over, or nearly.
constexpr std::chrono::milliseconds kLeastFarewell{200};
// Plaintext encrypted before it is written out: bounds the ciphertext held.
constexpr size_t kWriteStep = 256 * 1024;

// Sessions are kept by the port that the server listens on.
EngineOptions WithPort(EngineOptions options, const base::Stream& lower, Role role) {
  if (options.port != 0) return options;
  options.port = role == Role::kClient ? lower.peer().port : lower.local().port;
  return options;
}

}  // namespace

EngineDriver::EngineDriver(std::unique_ptr<base::Stream> lower,
                           std::shared_ptr<const Context> context, EngineOptions options)
    : lower_(std::move(lower)),
      engine_(context, WithPort(std::move(options), *lower_, context->role())),
      alert_timeout_(context->options().traffic.alert_timeout),
      flushed_(lower_->loop().io(), asio::steady_timer::time_point::max()),
      released_(lower_->loop().io(), asio::steady_timer::time_point::max()) {}

std::shared_ptr<EngineDriver> EngineDriver::Make(std::unique_ptr<base::Stream> lower,
                                                 std::shared_ptr<const Context> context,
                                                 EngineOptions options) {
  return std::shared_ptr<EngineDriver>(
      new EngineDriver(std::move(lower), std::move(context), std::move(options)));
}

Task<absl::Status> EngineDriver::Flush() {
  while (is_flushing_) {
    asio::error_code ignored;
    co_await flushed_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
  is_flushing_ = true;
  while (write_failure_.ok() && engine_.has_output()) {
    Buffer output = engine_.TakeOutput();
    absl::Status written = co_await lower_->Write(std::move(output));
    if (!written.ok()) write_failure_ = written;
  }
  is_flushing_ = false;
  flushed_.cancel();
  co_return write_failure_;
}

Task<absl::Status> EngineDriver::FlushAlone(std::shared_ptr<EngineDriver> self) {
  absl::Status flushed = co_await self->Flush();
  co_return flushed;
}

void EngineDriver::StartFlush() {
  if (is_flushing_ || !engine_.has_output()) return;
  base::Spawn(lower_->loop(), "tls_flush", FlushAlone(shared_from_this()), [](absl::Status) {});
}

Task<absl::Status> EngineDriver::ReadMore(absl::Status flushed) {
  std::optional<base::Deadline> idle;
  const auto& hibernate_after = engine_.context()->options().traffic.hibernate_after;
  if (hibernate_after && engine_.is_handshake_done()) {
    idle.emplace(lower_->loop(), DeadlineOf(*hibernate_after), [this] { engine_.Hibernate(); });
  }
  absl::StatusOr<Slice> bytes = co_await lower_->Read();
  if (!bytes.ok()) co_return flushed.ok() ? bytes.status() : flushed;
  if (bytes->empty() && !flushed.ok()) co_return flushed;
  if (bytes->empty()) {
    engine_.FeedEnd();
  } else {
    engine_.Feed(*std::move(bytes));
  }
  co_return absl::OkStatus();
}

Task<void> EngineDriver::FetchCrls(std::vector<std::string> uris, base::TimePoint deadline) {
  std::shared_ptr<CrlCache> cache = engine_.context()->options().revocation.cache;
  co_await CrlFetcher::Shared().Fetch(lower_->loop(), std::move(cache), std::move(uris), deadline);
  engine_.Resume();
}

Task<absl::Status> EngineDriver::Converse(base::TimePoint deadline) {
  while (true) {
    absl::StatusOr<std::optional<Event>> event = engine_.Next();
    if (!event.ok()) co_return event.status();
    absl::Status flushed = co_await Flush();
    // The peer may have said why before it closed: look at that first.
    if (event->has_value() && flushed.ok()) {
      if (auto* done = std::get_if<HandshakeDone>(&**event)) {
        info_ = std::move(done->info);
        co_return absl::OkStatus();
      }
      if (auto* wanted = std::get_if<CrlsWanted>(&**event)) {
        co_await FetchCrls(std::move(wanted->uris), deadline);
      }
    }
    if (event->has_value() && flushed.ok()) continue;
    absl::Status more = co_await ReadMore(flushed);
    if (!more.ok()) co_return more;
  }
}

Task<void> EngineDriver::DropInput() {
  size_t left = kFarewellBytes;
  while (true) {
    absl::StatusOr<Slice> bytes = co_await lower_->Read();
    if (!bytes.ok() || bytes->empty() || bytes->size() > left) break;
    left -= bytes->size();
  }
}

Task<void> EngineDriver::SayFarewell(base::TimePoint deadline) {
  const base::TimePoint latest = std::max(deadline, lower_->loop().Now() + kLeastFarewell);
  base::Deadline guard(lower_->loop(), std::min(DeadlineOf(alert_timeout_), latest),
                       [this] { lower_->Abort(); });
  absl::Status flushed = co_await Flush();
  if (!flushed.ok()) co_return;
  absl::Status closed = co_await lower_->Close();
  if (closed.ok()) co_await DropInput();
}

Task<void> EngineDriver::Drain() {
  base::Deadline guard(lower_->loop(), DeadlineOf(alert_timeout_), [this] { lower_->Abort(); });
  co_await DropInput();
}

Task<absl::Status> EngineDriver::Shake(base::TimePoint deadline) {
  absl::Status status;
  bool is_late = false;
  {
    base::Deadline guard(lower_->loop(), deadline, [this] { lower_->Abort(); });
    status = co_await Converse(deadline);
    is_late = guard.is_over();
  }
  if (status.ok()) co_return status;
  if (is_late) {
    co_return base::Error(
        absl::StatusCode::kDeadlineExceeded, "no answer within the time for the handshake",
        "check that the peer speaks TLS on this port, and net_setuptime", "timeout");
  }
  co_await SayFarewell(deadline);
  co_return status;
}

absl::StatusOr<Event> EngineDriver::Fail(absl::Status status) {
  read_failure_ = status;
  released_.cancel();
  return status;
}

void EngineDriver::Abort() {
  if (read_failure_.ok()) {
    read_failure_ = base::Error(
        absl::StatusCode::kUnavailable,
        fmt::format("connection to {} is closed", base::AddressText(lower_->peer())), "", "closed");
  }
  released_.cancel();
  lower_->Abort();
}

Task<absl::StatusOr<Event>> EngineDriver::Next() {
  while (true) {
    absl::StatusOr<std::optional<Event>> event = engine_.Next();
    released_.cancel();
    if (!event.ok()) {
      absl::Status failure = base::Annotate(event.status(), base::AddressText(lower_->peer()));
      // Also when a writer has just taken the alert along: it must have gone before the caller
      // cuts.
      if (is_flushing_ || engine_.has_output()) co_await SayFarewell();
      co_return Fail(failure);
    }
    // What reading has made the engine say; somebody who is writing or waits to sends it.
    if (waiting_writers_ == 0) StartFlush();
    if (event->has_value()) {
      Event found = std::move(**event);
      if (auto* wanted = std::get_if<CrlsWanted>(&found)) {
        const base::TimePoint deadline = lower_->loop().Now() + base::Limits().handshake_timeout;
        co_await FetchCrls(std::move(wanted->uris), deadline);
        continue;
      }
      if (auto* anew = std::get_if<Renegotiated>(&found)) info_ = anew->info;
      co_return found;
    }
    absl::Status more = co_await ReadMore(write_failure_);
    if (!more.ok()) co_return Fail(more);
  }
}

Task<absl::Status> EngineDriver::AwaitRelease() {
  while (engine_.held_bytes() > 0) {
    if (!read_failure_.ok()) co_return read_failure_;
    if (on_held_ != nullptr) on_held_();
    ++waiting_writers_;
    asio::error_code ignored;
    co_await released_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    --waiting_writers_;
    absl::Status flushed = co_await Flush();
    if (!flushed.ok()) co_return flushed;
  }
  co_return engine_.held_failure();
}

Task<absl::Status> EngineDriver::Write(Buffer bytes) {
  Buffer step;
  while (!bytes.empty()) {
    if (!write_failure_.ok()) co_return write_failure_;
    absl::Status released = co_await AwaitRelease();
    if (!released.ok()) co_return released;
    for (const Slice& piece : bytes.pieces()) {
      step.Append(piece.Sub(0, kWriteStep - step.size()));
      if (step.size() == kWriteStep) break;
    }
    bytes.Consume(step.size());
    absl::Status encrypted = engine_.Write(std::exchange(step, {}));
    if (!encrypted.ok()) co_return encrypted;
    absl::Status flushed = co_await Flush();
    if (!flushed.ok()) co_return flushed;
  }
  co_return absl::OkStatus();
}

Task<absl::Status> EngineDriver::SayGoodbye() {
  // A renegotiation that does not end may keep what was written, never the goodbye.
  {
    base::Deadline guard(lower_->loop(), lower_->loop().Now() + kReleaseWait, [this] {
      if (read_failure_.ok())
        read_failure_ = base::Error(absl::StatusCode::kDeadlineExceeded,
                                    "TLS renegotiation: not done when the connection was closed",
                                    "", "timeout");
      released_.cancel();
    });
    co_await AwaitRelease();
  }
  engine_.Close();
  absl::Status flushed = co_await Flush();
  co_return flushed;
}

Task<absl::Status> EngineDriver::Close() {
  absl::Status flushed = co_await SayGoodbye();
  absl::Status closed = co_await lower_->Close();
  co_return flushed.ok() ? closed : flushed;
}

}  // namespace noded::tls
