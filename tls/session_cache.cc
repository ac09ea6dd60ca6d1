#include "tls/session_cache.h"

#include <exception>

#include "fmt/format.h"

#include "base/status.h"

namespace noded::tls {

absl::StatusOr<std::shared_ptr<SessionCache>> MakeSessionCache(const SessionCacheFactory& factory,
                                                               Role role) {
  absl::StatusOr<std::shared_ptr<SessionCache>> made =
      base::Error(absl::StatusCode::kInvalidArgument, "session_cb: there is no function",
                  "give one that makes a session cache", "options");
  if (factory == nullptr) return made;
  try {
    made = factory(role);
  } catch (const std::exception& error) {
    made = base::Error(absl::StatusCode::kInternal, fmt::format("session_cb: {}", error.what()),
                       "correct the function: it must not throw", "options");
  }
  if (made.ok() && *made == nullptr) {
    made = base::Error(absl::StatusCode::kInvalidArgument,
                       fmt::format("session_cb: gave no cache for the {}", RoleName(role)),
                       "give one that makes a session cache", "options");
  }
  return made;
}

}  // namespace noded::tls
