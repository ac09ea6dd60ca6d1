#include "tls/ssl_failure.h"

#include "fmt/format.h"

#include "base/status.h"

namespace noded::tls {

absl::Status ClosedFailure(const base::PeerIdentity& peer) {
  return base::Error(absl::StatusCode::kUnavailable,
                     fmt::format("TLS connection with {} is closed", base::AddressText(peer)), "",
                     "closed");
}

absl::Status LateFailure(const base::PeerIdentity& peer, std::string_view call) {
  return base::Error(absl::StatusCode::kDeadlineExceeded,
                     fmt::format("{} with {}: not done in time", call, base::AddressText(peer)), "",
                     "timeout");
}

absl::Status InvalidCall(std::string_view call, std::string_view why, std::string_view mend) {
  return base::Error(absl::StatusCode::kInvalidArgument, fmt::format("{}: {}", call, why), mend,
                     "einval");
}

}  // namespace noded::tls
