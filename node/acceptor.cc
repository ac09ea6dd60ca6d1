#include "node/acceptor.h"

#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "asio/redirect_error.hpp"
#include "asio/steady_timer.hpp"
#include "asio/use_awaitable.hpp"
#include "fmt/format.h"

#include "base/deadline.h"
#include "base/log.h"
#include "base/prefixed_stream.h"
#include "base/status.h"

namespace noded::node {

using base::Task;

namespace {

// Two nodes connect to each other at once, and one link is enough: no harm.
bool IsRace(const absl::Status& why) {
  const std::string reason = base::ReasonOf(why);
  return reason == "nok" || reason == "alive";
}

// Before one without a turn is refused: who would come back at once comes less often.
constexpr std::chrono::seconds kPenalty{2};

// Until it is the turn of this one among those of its address that have said something.
Task<absl::StatusOr<std::unique_ptr<base::Stream>>> WaitForTurn(
    std::unique_ptr<base::Stream> stream, HandshakePace& pace, base::Duration timeout) {
  base::Loop& loop = stream->loop();
  const std::string where = base::AddressText(stream->peer());
  absl::StatusOr<base::Slice> first = base::Slice();
  {
    base::Deadline guard(loop, loop.Now() + timeout, [s = stream.get()] { s->Abort(); });
    first = co_await stream->Read();
    if (guard.is_over()) {
      co_return base::Error(absl::StatusCode::kDeadlineExceeded,
                            fmt::format("{}: it said nothing in time", where),
                            "-kernel net_setuptime says how long peers have", "timeout");
    }
  }
  if (!first.ok()) co_return first.status();
  if (first->empty()) {
    co_return base::Error(absl::StatusCode::kUnavailable,
                          fmt::format("{}: it left without a word", where), "", "closed");
  }
  const std::optional<base::Duration> wait = pace.TakeTurn(stream->peer().address, loop.Now());
  asio::steady_timer timer(loop.io(), wait.value_or(kPenalty));
  asio::error_code ignored;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  if (!wait) {
    stream->Abort();
    co_return base::Error(absl::StatusCode::kResourceExhausted,
                          fmt::format("{}: too many handshakes from that address fail", where),
                          "find who connects from there, and why it is refused",
                          "too_many_failures");
  }
  co_return base::MakePrefixedStream(*std::move(first), std::move(stream));
}

}  // namespace

Task<absl::Status> Acceptor::Run() {
  auto self = shared_from_this();
  while (true) {
    absl::StatusOr<std::unique_ptr<base::Stream>> accepted =
        co_await listener_->Accept(loops_.Next());
    if (!accepted.ok()) co_return is_closed_ ? absl::OkStatus() : accepted.status();
    Admit(*std::move(accepted));
  }
}

void Acceptor::Admit(std::unique_ptr<base::Stream> accepted) {
  base::Loop& loop = accepted->loop();
  const base::PeerIdentity peer = accepted->peer();
  auto [stream, ticket] = pending_.Add(std::move(accepted));
  base::Spawn(
      loop, "handshake", Shake(std::move(stream)),
      [self = shared_from_this(), ticket = ticket, peer](absl::StatusOr<Establisher::Made> made) {
        const bool is_made = made.ok();
        // Handed over, not shared: a status counts its owners inside Abseil, where
        // ThreadSanitizer does not see it.
        absl::Status failure = is_made ? absl::OkStatus() : std::move(made).status();
        self->home_.Post([self, ticket, peer, status = std::move(failure)] {
          // Those that were cut to make room are counted there: a flood of them must not
          // become a flood of the log.
          const bool was_pending = self->pending_.Remove(ticket);
          if (!status.ok() && was_pending) self->OnRefused(peer, status);
        });
        if (is_made) self->made_(*std::move(made));
      });
}

Task<absl::StatusOr<Establisher::Made>> Acceptor::Shake(std::unique_ptr<base::Stream> stream) {
  auto self = shared_from_this();
  if (pace_.IsSlowed(stream->peer().address, stream->loop().Now())) {
    absl::StatusOr<std::unique_ptr<base::Stream>> waited =
        co_await WaitForTurn(std::move(stream), pace_, handshake_timeout_);
    if (!waited.ok()) co_return std::move(waited).status();
    stream = *std::move(waited);
  }
  absl::StatusOr<Establisher::Made> made = co_await establisher_.Admit(std::move(stream));
  co_return made;
}

void Acceptor::OnRefused(const base::PeerIdentity& peer, const absl::Status& why) {
  if (IsRace(why)) {
    base::LogInfo("handshake_refused").Add("peer", base::AddressText(peer)).Add(why);
    return;
  }
  const base::TimePoint now = home_.Now();
  pace_.Failed(peer.address, now);
  const std::optional<uint64_t> unlogged = refusal_log_.Next(peer.address, now);
  if (!unlogged) return;
  base::LogEvent event(base::LogLevel::kWarn, "handshake_refused");
  event.Add("peer", base::AddressText(peer)).Add(why);
  if (*unlogged > 0) event.Add("unlogged", *unlogged);
}

void Acceptor::Close() {
  is_closed_ = true;
  listener_->Close();
  pending_.AbortAll();
}

}  // namespace noded::node
