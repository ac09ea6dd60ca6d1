#include "node/services/global_lock_holder.h"

#include <algorithm>

#include "fmt/format.h"

#include "base/status.h"
#include "dist/term_text.h"

namespace noded::node {

using base::Task;
using dist::Term;

Task<absl::Status> GlobalLockHolder::Take(base::TimePoint deadline) {
  const auto alive = shared_from_this();
  for (int count = 1;; ++count) {
    auto attempt = TakeLock(id(), nodes_);
    const bool is_taken = co_await std::move(attempt);
    if (is_taken) co_return absl::OkStatus();
    const base::TimePoint now = home_.Now();
    if (now >= deadline) break;
    auto pausing = Sleep(std::min(Pause(count), deadline - now));
    co_await std::move(pausing);
  }
  signals_.Exit(self(), Term::Atom("normal"));
  co_return base::Error(
      absl::StatusCode::kDeadlineExceeded,
      fmt::format("the global lock of {} is held by somebody else", dist::PrintTerm(resource_)),
      "give it more time, or see who holds it", "timeout");
}

Task<absl::Status> GlobalLockHolder::Give() {
  const auto alive = shared_from_this();
  auto giving = GiveLock(id(), nodes_);
  co_await std::move(giving);
  signals_.Exit(self(), Term::Atom("normal"));
  co_return absl::OkStatus();
}

}  // namespace noded::node
