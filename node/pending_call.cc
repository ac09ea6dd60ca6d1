#include "node/pending_call.h"

#include <utility>

#include "fmt/format.h"

#include "base/status.h"

namespace noded::node {

void PendingCall::Begin(Peers& peers, base::Duration timeout) {
  signals_.Start(shared_from_this());
  peers.Connect(node_, [self = shared_from_this(), timeout](absl::Status connected) {
    if (!self->done_) return;
    if (!connected.ok()) return self->Finish(connected);
    self->timer_.expires_after(timeout);
    self->timer_.async_wait([self, timeout](const asio::error_code& error) {
      if (error) return;
      const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(timeout).count();
      self->Finish(base::Error(absl::StatusCode::kDeadlineExceeded,
                               fmt::format("{} has not answered in {} ms", self->node_.view(), ms),
                               "give it more time, or look what it is doing", "timeout"));
    });
    self->Request();
  });
}

void PendingCall::Cancel() {
  Finish(base::Error(absl::StatusCode::kCancelled,
                     fmt::format("the call to {} was cancelled", node_.view()),
                     "the call may have been made", "cancelled"));
}

void PendingCall::Ended() { FinishLost(); }

void PendingCall::Finish(absl::StatusOr<CallOutcome> outcome) {
  if (!done_) return;
  const Done done = std::exchange(done_, nullptr);
  timer_.cancel();
  signals_.Exit(self_, dist::Term::Atom("normal"));
  done(std::move(outcome));
}

void PendingCall::FinishLost() {
  Finish(base::Error(absl::StatusCode::kUnavailable,
                     fmt::format("the connection to {} was lost before it answered", node_.view()),
                     "see this node's log for the reason; the call may have been made",
                     "noconnection"));
}

}  // namespace noded::node
