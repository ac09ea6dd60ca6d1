#include "node/acceptor.h"

#include <utility>

#include "base/log.h"
#include "base/status.h"

namespace noded::node {

using base::Task;

namespace {

// Two nodes connect to each other at once, and one link is enough: no harm.
bool IsRace(const absl::Status& why) {
  const std::string reason = base::ReasonOf(why);
  return reason == "nok" || reason == "alive";
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
  const std::string address = base::AddressText(accepted->peer());
  auto [stream, ticket] = pending_.Add(std::move(accepted));
  base::Spawn(loop, "handshake", establisher_.Admit(std::move(stream)),
              [self = shared_from_this(), ticket = ticket,
               address](absl::StatusOr<Establisher::Made> made) {
                const bool is_made = made.ok();
                // Handed over, not shared: a status counts its owners inside Abseil, where
                // ThreadSanitizer does not see it.
                absl::Status failure = is_made ? absl::OkStatus() : std::move(made).status();
                self->home_.Post([self, ticket, address, status = std::move(failure)] {
                  // Those that were cut to make room are counted there: a flood of them must not
                  // become a flood of the log.
                  const bool was_pending = self->pending_.Remove(ticket);
                  if (status.ok() || !was_pending) return;
                  base::LogEvent event(
                      IsRace(status) ? base::LogLevel::kInfo : base::LogLevel::kWarn,
                      "handshake_refused");
                  event.Add("peer", address).Add(status);
                });
                if (is_made) self->made_(*std::move(made));
              });
}

void Acceptor::Close() {
  is_closed_ = true;
  listener_->Close();
  pending_.AbortAll();
}

}  // namespace noded::node
