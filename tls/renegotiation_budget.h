// How often a peer may start a TLS 1.2 renegotiation: each costs us as much as a new connection.
//
//   RenegotiationBudget budget(limits);
//   budget.CountReceived(bytes);              // as data goes; CountSent for the other way
//   if (budget.Take(now)) Renegotiate(); else Refuse();
//   if (budget.is_abused()) CloseConnection();
//
// A few at once (limits.max_tls_renegotiations); one more for each tls_renegotiation_pause that
// passes, and for each tls_renegotiation_bytes of data. Loop-confined. Source: OTP `ssl`, which
// takes one in twelve seconds.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "base/clock.h"
#include "base/limits.h"

namespace noded::tls {

class RenegotiationBudget {
 public:
  // `limits` outlives it.
  explicit RenegotiationBudget(const base::Limits& limits)
      : limits_(limits), left_(limits.max_tls_renegotiations) {}

  void CountSent(uint64_t bytes) { bytes_ += bytes; }
  // A peer that talks is no mere nuisance.
  void CountReceived(uint64_t bytes) {
    bytes_ += bytes;
    refused_ = 0;
  }

  bool Take(base::TimePoint now) {
    const uint64_t pauses = last_ ? (now - *last_) / limits_.tls_renegotiation_pause : 0;
    const uint64_t earned = pauses + bytes_ / limits_.tls_renegotiation_bytes;
    if (earned > 0) bytes_ %= limits_.tls_renegotiation_bytes;
    if (!last_ || pauses > 0) last_ = now;
    left_ = std::min<uint64_t>(left_ + earned, limits_.max_tls_renegotiations);
    if (left_ == 0) {
      ++refused_;
      return false;
    }
    --left_;
    return true;
  }

  // For one that is refused for another reason.
  void CountRefused() { ++refused_; }
  bool is_abused() const { return refused_ > limits_.max_tls_refused_renegotiations; }

 private:
  const base::Limits& limits_;
  uint64_t left_;
  uint64_t bytes_ = 0;
  size_t refused_ = 0;
  std::optional<base::TimePoint> last_;
};

}  // namespace noded::tls
