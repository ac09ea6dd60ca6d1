// Which carrier an attempt to connect goes over, and which one after a failure.
//
//   ConnectPlan plan(carriers, /*may_be_plain=*/true);
//   Carrier* carrier = plan.Begin();
//   while (carrier != nullptr) {
//     ... connect and shake hands; target.answer_within when plan.may_turn_to_plain() ...
//     carrier = plan.After(failure);                   // null: that was the last
//   }
//
// The preferred carrier goes first. From TLS to plain it turns only where the peer may be plain and
// has spoken no TLS at all (not_tls): a certificate that is refused, or anything else that goes
// wrong in TLS, is the end. From plain to TLS it turns when the peer answers with TLS or hangs up;
// so it also comes back to TLS for a peer that was too slow to answer.
// Who can cut our connections on their way can bring us from TLS to plain, for such peers. Nothing
// here can tell that apart from a peer without TLS.
// No I/O; a value.
#pragma once

#include "absl/status/status.h"

#include "dist/carrier/carrier_set.h"

namespace noded::dist {

class ConnectPlan {
 public:
  ConnectPlan(const CarrierSet& carriers, bool may_be_plain);

  // Null: there is only a plain carrier, and the peer must not be plain.
  Carrier* Begin();
  Carrier* After(const absl::Status& failure);
  // Whether After() may give a plain carrier: the peer is not to be waited for as long as else.
  bool may_turn_to_plain() const;

 private:
  Carrier* const plain_;   // null: not for this peer
  Carrier* const secure_;  // null: none
  const bool prefers_secure_;
  Carrier* current_ = nullptr;
  bool was_plain_tried_ = false;
};

}  // namespace noded::dist
