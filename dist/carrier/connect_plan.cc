#include "dist/carrier/connect_plan.h"

#include <string>

#include "base/status.h"

namespace noded::dist {

ConnectPlan::ConnectPlan(const CarrierSet& carriers, bool may_be_plain)
    : plain_(may_be_plain ? carriers.Find(/*is_secure=*/false) : nullptr),
      secure_(carriers.Find(/*is_secure=*/true)),
      prefers_secure_(carriers.preferred().is_secure()) {}

Carrier* ConnectPlan::Begin() {
  const bool is_secure_first = secure_ != nullptr && (prefers_secure_ || plain_ == nullptr);
  current_ = is_secure_first ? secure_ : plain_;
  was_plain_tried_ = current_ == plain_;
  return current_;
}

bool ConnectPlan::may_turn_to_plain() const {
  return current_ == secure_ && plain_ != nullptr && !was_plain_tried_;
}

Carrier* ConnectPlan::After(const absl::Status& failure) {
  const std::string reason = base::ReasonOf(failure);
  if (may_turn_to_plain()) {
    if (reason != "not_tls") return nullptr;
    was_plain_tried_ = true;
    return current_ = plain_;
  }
  const bool may_speak_tls = reason == "tls_on_plain_port" || reason == "closed";
  if (current_ == secure_ || secure_ == nullptr || !may_speak_tls) return nullptr;
  return current_ = secure_;
}

}  // namespace noded::dist
