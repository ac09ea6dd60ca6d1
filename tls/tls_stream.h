// TLS as a function from a Stream to a Stream.
//
//   auto secure = co_await Handshake(std::move(tcp), context, "b.example", deadline);
//   if (!secure.ok()) ...                    // the peer was told why; the stream is gone
//   (*secure)->peer().tls->cipher_suite;     // facts are there
//
// The role is the context's. Loop-confined, as every Stream; call it on the stream's loop. On
// failure the alert is sent, for a second at most, before the error is returned. Reads give what
// one record holds. Closing sends close_notify; a peer that ends without one is Unavailable (the
// reason is closed), not a clean end. Errors: DeadlineExceeded (timeout) and those of tls/engine.h;
// their text begins with the peer's address.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"

#include "base/clock.h"
#include "base/stream.h"
#include "base/task.h"
#include "tls/context.h"

namespace noded::tls {

// `peer_host`: a client's EngineOptions::peer_host; a server ignores it.
base::Task<absl::StatusOr<std::unique_ptr<base::Stream>>> Handshake(
    std::unique_ptr<base::Stream> lower, std::shared_ptr<const Context> context,
    std::string peer_host, base::TimePoint deadline);

}  // namespace noded::tls
