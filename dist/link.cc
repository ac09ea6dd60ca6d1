#include "dist/link.h"

#include <utility>

#include "asio/redirect_error.hpp"
#include "asio/use_awaitable.hpp"
#include "fmt/format.h"

#include "base/status.h"

namespace noded::dist {
namespace {

// How long a closed link waits for the peer to see the goodbye.
constexpr auto kLinger = std::chrono::seconds(2);

}  // namespace

using base::Slice;
using base::Task;

NodeLink::NodeLink(std::unique_ptr<base::Stream> stream, Handshake::Done peer, Options options)
    : stream_(std::move(stream)),
      peer_(std::move(peer)),
      identity_(stream_->peer()),
      options_(options),
      loop_(stream_->loop()),
      channel_({.flags = peer_.flags,
                .tick_interval = options_.tick_interval,
                .tick_intensity = options_.tick_intensity,
                .limits = options_.limits,
                .now = loop_.Now()}),
      wake_(loop_.io(), base::TimePoint::max()) {}

void NodeLink::Start(OnEvent on_event, OnDown on_down) {
  on_event_ = std::move(on_event);
  on_down_ = std::move(on_down);
  if (state_ == State::kIdle) state_ = State::kOpen;
  running_ = 2;
  const auto ended = [self = shared_from_this()](absl::Status status) {
    self->Half(std::move(status));
  };
  base::Spawn(loop_, "link reader", ReadAll(), ended);
  base::Spawn(loop_, "link writer", WriteAll(), ended);
}

// Hands on every message that is there.
absl::Status NodeLink::Drain() {
  while (state_ == State::kOpen) {
    absl::StatusOr<std::optional<Channel::Event>> event = channel_.Next(loop_.Now());
    if (!event.ok()) return event.status();
    if (!event->has_value()) break;
    messages_in_.fetch_add(1, std::memory_order_relaxed);
    on_event_(**std::move(event));
  }
  return absl::OkStatus();
}

Task<absl::Status> NodeLink::ReadAll() {
  channel_.Feed(peer_.rest);
  while (true) {
    CO_RETURN_IF_ERROR(Drain());
    if (channel_.queued_bytes() > 0) Wake();
    absl::StatusOr<Slice> bytes = co_await stream_->Read();
    if (!bytes.ok()) co_return bytes.status();
    if (bytes->empty()) {
      co_return base::Error(absl::StatusCode::kUnavailable,
                            fmt::format("{} closed the connection", peer_.peer.view()), "",
                            "connection_closed");
    }
    bytes_in_.fetch_add(bytes->size(), std::memory_order_relaxed);
    // After Close() what still comes is read so that the peer can finish, and dropped.
    if (state_ == State::kOpen) channel_.Feed(*std::move(bytes));
  }
}

Task<absl::Status> NodeLink::WriteAll() {
  while (state_ != State::kDown) {
    // Ticks are made by Next, when their time has come.
    CO_RETURN_IF_ERROR(Drain());
    base::Buffer output = channel_.TakeOutput();
    queued_bytes_ = channel_.queued_bytes();
    if (!output.empty()) {
      const size_t size = output.size();
      absl::Status written = co_await stream_->Write(std::move(output));
      CO_RETURN_IF_ERROR(written);
      bytes_out_.fetch_add(size, std::memory_order_relaxed);
      continue;
    }
    if (state_ == State::kClosing) co_return co_await stream_->Close();
    wake_.expires_at(channel_.Deadline().value_or(base::TimePoint::max()));
    asio::error_code ignored;
    co_await wake_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
  co_return absl::OkStatus();
}

void NodeLink::Wake() { wake_.cancel(); }

void NodeLink::Half(absl::Status ended) {
  --running_;
  if (state_ == State::kClosing && ended.ok() && running_ == 1) {
    // The goodbye is out. What is unread would turn it into a reset: read on until the peer's end.
    wake_.expires_after(kLinger);
    wake_.async_wait([self = shared_from_this()](const asio::error_code& error) {
      if (!error && self->stream_ != nullptr) self->stream_->Abort();
    });
    return;
  }
  if (state_ == State::kOpen) why_ = ended;
  if (state_ != State::kDown) {
    state_ = State::kDown;
    stream_->Abort();
  }
  Wake();
  if (running_ > 0) return;
  // The stream ends on its loop, wherever the last user of the link lets go of it.
  stream_.reset();
  OnDown told = std::exchange(on_down_, nullptr);
  on_event_ = nullptr;
  told(why_);
}

void NodeLink::Send(Control control, std::optional<Term> payload) {
  loop_.Dispatch(
      [self = shared_from_this(), control = std::move(control), payload = std::move(payload)] {
        if (self->state_ != State::kOpen && self->state_ != State::kIdle) return;
        if (self->channel_.queued_bytes() > self->options_.limits.max_link_queue_bytes) {
          return self->Abort(
              base::Error(absl::StatusCode::kResourceExhausted,
                          fmt::format("{} does not read: {} bytes wait for it",
                                      self->peer_.peer.view(), self->channel_.queued_bytes()),
                          "see whether it is overloaded or stopped", "system_limit"));
        }
        if (!self->channel_.Send(control, payload)) return;
        self->messages_out_.fetch_add(1, std::memory_order_relaxed);
        self->queued_bytes_ = self->channel_.queued_bytes();
        self->Wake();
      });
}

void NodeLink::Close() {
  loop_.Dispatch([self = shared_from_this()] {
    if (self->state_ == State::kOpen || self->state_ == State::kIdle) {
      self->state_ = State::kClosing;
      self->Wake();
    }
  });
}

void NodeLink::Abort(absl::Status why) {
  loop_.Dispatch([self = shared_from_this(), why = std::move(why)] {
    if (self->state_ == State::kDown) return;
    if (self->state_ == State::kOpen) self->why_ = why;
    self->state_ = State::kDown;
    self->stream_->Abort();
    self->Wake();
  });
}

NodeLink::Counters NodeLink::counters() const {
  return {.bytes_in = bytes_in_.load(),
          .bytes_out = bytes_out_.load(),
          .messages_in = messages_in_.load(),
          .messages_out = messages_out_.load()};
}

}  // namespace noded::dist
