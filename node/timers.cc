#include "node/timers.h"

#include <algorithm>
#include <utility>

namespace noded::node {

void Timers::Start(const dist::Reference& timer, base::Duration delay, Destination to,
                   dist::Term message) {
  asio::steady_timer& clock = timers_.try_emplace(timer, home_.io()).first->second;
  clock.expires_after(delay);
  clock.async_wait([this, timer, to = std::move(to),
                    message = std::move(message)](const asio::error_code& error) mutable {
    // Cancelled when it had expired already, it is called as if it had not been.
    if (error || timers_.erase(timer) == 0) return;
    signals_.Send(sender_, to, std::move(message));
  });
}

std::optional<base::Duration> Timers::Cancel(const dist::Reference& timer) {
  const auto found = timers_.find(timer);
  if (found == timers_.end()) return std::nullopt;
  const base::Duration left = found->second.expiry() - std::chrono::steady_clock::now();
  timers_.erase(found);
  return std::max(left, base::Duration::zero());
}

}  // namespace noded::node
