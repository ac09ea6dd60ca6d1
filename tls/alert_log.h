// The option log_alert: one line for an alert that ended a connection, sent or received. For tls/
// alone.
#pragma once

#include "absl/status/status.h"

#include "base/peer_identity.h"
#include "tls/context.h"

namespace noded::tls {

// Nothing when the option is off, or when `status` is about something else than an alert.
void LogAlert(const Context& context, const base::PeerIdentity& peer, const absl::Status& status);

}  // namespace noded::tls
