#include "dist/handshake_driver.h"

#include <utility>
#include <variant>

#include "dist/carrier/deadline.h"

namespace noded::dist {

using base::Task;

namespace {

// A connection that ends in the middle of a handshake is most often a refusal: the state of the
// handshake tells which.
absl::Status Explain(const absl::Status& failure, const Handshake& handshake) {
  return absl::IsUnavailable(failure) ? handshake.PeerClosed() : failure;
}

}  // namespace

Task<absl::StatusOr<Handshake::Done>> ShakeHands(base::Stream& stream, Handshake& handshake,
                                                 ConnectionDecisions& decisions,
                                                 base::TimePoint deadline) {
  base::Loop& loop = stream.loop();
  Deadline guard(loop, deadline, [&stream] { stream.Abort(); });
  while (true) {
    absl::StatusOr<std::optional<Handshake::Event>> event = handshake.Next(loop.Now());
    base::Buffer output = handshake.TakeOutput();
    if (!output.empty()) {
      absl::Status written = co_await stream.Write(std::move(output));
      if (event.ok() && !written.ok() && !guard.is_over()) {
        // A peer that refused us in TLS 1.3 has said why in an alert that is still to be read.
        absl::StatusOr<base::Slice> alert = co_await stream.Read();
        co_return Explain(alert.ok() ? written : alert.status(), handshake);
      }
    }
    if (!event.ok()) co_return event.status();
    if (!event->has_value()) {
      absl::StatusOr<base::Slice> bytes = co_await stream.Read();
      if (guard.is_over()) continue;  // Next says so
      if (!bytes.ok()) co_return Explain(bytes.status(), handshake);
      if (bytes->empty()) co_return handshake.PeerClosed();
      handshake.Feed(*bytes);
      continue;
    }
    if (auto* done = std::get_if<Handshake::Done>(&**event)) co_return std::move(*done);
    if (auto* named = std::get_if<Handshake::PeerNamed>(&**event)) {
      Handshake::PeerNamed peer = *named;
      Handshake::Verdict verdict = co_await decisions.Judge(std::move(peer));
      handshake.Answer(verdict);
    } else if (std::holds_alternative<Handshake::AliveAsked>(**event)) {
      const bool is_gone = co_await decisions.IsOldLinkGone();
      handshake.AnswerAlive(is_gone);
    } else if (auto* committing = std::get_if<Handshake::Committing>(&**event)) {
      AtomName peer = committing->peer;
      const bool go_on = co_await decisions.Commit(handshake.role(), std::move(peer));
      handshake.Commit(go_on);
    }
  }
}

}  // namespace noded::dist
