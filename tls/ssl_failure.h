// The failures that calls on TLS sockets have in common, with Erlang's reasons. For tls/ssl_*.cc
// alone.
#pragma once

#include <string_view>

#include "absl/status/status.h"

#include "base/peer_identity.h"

namespace noded::tls {

// closed: the connection is over, by either side.
absl::Status ClosedFailure(const base::PeerIdentity& peer);
// timeout: `call` did not end in time.
absl::Status LateFailure(const base::PeerIdentity& peer, std::string_view call);
// einval: `call` cannot be made like that.
absl::Status InvalidCall(std::string_view call, std::string_view why, std::string_view mend);

}  // namespace noded::tls
