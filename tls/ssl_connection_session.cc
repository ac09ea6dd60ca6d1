// What is asked of the TLS connection itself: new keys, a new handshake, its end within a stream
// that goes on.
#include <utility>

#include "fmt/format.h"

#include "base/prefixed_stream.h"
#include "base/status.h"
#include "tls/ssl_connection.h"
#include "tls/ssl_failure.h"

namespace noded::tls {

using base::Slice;
using base::Task;

Task<absl::StatusOr<Downgraded>> SslConnection::Downgrade(Ptr self, base::TimePoint deadline) {
  if (!self->is_open()) co_return self->WhyOver();
  self->goodbye_ = Goodbye::kDowngrade;
  self->Deliver();
  self->NotifyChanged();
  absl::Status said;
  bool is_late = false;
  {
    base::Deadline guard(self->loop_, deadline, [&self] { self->Abort(); });
    co_await self->TakeTurn();
    if (self->out_ == Out::kShut) {
      said = InvalidCall("close", "this side is shut, so the plain socket could not be written to",
                         "downgrade instead of shutting down");
    } else if (self->goodbye_ == Goodbye::kDowngrade) {
      self->out_ = Out::kShut;
      said = co_await self->driver_->SayGoodbye();
    }
    self->EndTurn();
    while (said.ok() && self->is_reading_) co_await self->Changed();
    // Nothing of ours may be under way on the stream that is given back.
    if (said.ok() && self->in_ == In::kPeerClosed) said = co_await self->driver_->Flush();
    is_late = guard.is_over();
  }
  if (is_late) co_return LateFailure(self->peer_, "close");
  if (said.ok() && self->in_ == In::kFailed) said = self->failure_;
  const bool is_cut = self->in_ != In::kPeerClosed || self->goodbye_ != Goodbye::kDowngrade;
  if (said.ok() && is_cut) said = ClosedFailure(self->peer_);
  if (!said.ok()) {
    self->Abort();
    co_return said;
  }
  Downgraded result;
  result.unread = self->packets_.TakeAll();
  Slice after = self->driver_->engine().TakeRest();
  result.socket = base::MakePrefixedStream(std::move(after), self->driver_->Release());
  self->driver_.reset();
  self->Abort();
  co_return result;
}

Task<absl::Status> SslConnection::Renegotiate(Ptr self, base::TimePoint deadline) {
  if (!self->is_open() || self->out_ == Out::kShut) co_return self->WhyOver();
  CO_RETURN_IF_ERROR(self->driver_->engine().Renegotiate());
  const uint64_t before = self->renegotiations_ended_;
  ++self->pending_renegotiations_;
  self->NotifyChanged();
  self->driver_->StartFlush();
  bool is_in_time = true;
  while (is_in_time && self->renegotiations_ended_ == before && self->is_reading_) {
    is_in_time = co_await self->Changed(deadline);
  }
  --self->pending_renegotiations_;
  if (self->renegotiations_ended_ != before) co_return self->renegotiation_;
  co_return is_in_time ? self->WhyOver() : LateFailure(self->peer_, "renegotiate");
}

void SslConnection::EndRenegotiation(const Event& event) {
  if (const auto* anew = std::get_if<Renegotiated>(&event)) {
    info_ = anew->info;
    renegotiation_ = absl::OkStatus();
  } else if (std::holds_alternative<RenegotiationRejected>(event)) {
    renegotiation_ = base::Error(
        absl::StatusCode::kFailedPrecondition,
        fmt::format("renegotiate with {}: the peer does not want to", base::AddressText(peer_)),
        "go on with the keys there are", "renegotiation_rejected");
  } else {
    return;
  }
  ++renegotiations_ended_;
  NotifyChanged();
}

Task<absl::Status> SslConnection::UpdateKeys(Ptr self, bool ask_peer) {
  if (!self->is_open() || self->out_ == Out::kShut) co_return self->WhyOver();
  CO_RETURN_IF_ERROR(self->driver_->engine().UpdateKeys(ask_peer));
  absl::Status flushed = co_await self->driver_->Flush();
  co_return flushed;
}

}  // namespace noded::tls
