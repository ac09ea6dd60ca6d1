// Values that the calls of tls/ssl.h take and give.
#pragma once

#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/stream.h"
#include "tls/socket_options.h"
#include "tls/ssl_owner.h"
#include "tls/timeout.h"

namespace noded::tls {

// How a socket begins.
struct SocketSetup {
  // active, unset: true when there is an owner, else false.
  SocketOptions options;
  // The controlling process; null: nobody, so that only Recv gets what comes.
  std::shared_ptr<SslOwner> owner;
  // For connecting and the handshake together.
  Timeout timeout = kInfinity;
  // Of an upgrade: bytes of the peer's first TLS records that were read from the plain socket.
  base::Slice already_read;
};

enum class ShutdownHow { kRead, kWrite, kReadWrite };

// What a downgrade leaves: the plain socket, whose first Read gives what the peer said after its
// close_notify.
struct Downgraded {
  std::unique_ptr<base::Stream> socket;
  // Plaintext from within TLS that nobody had received.
  base::Slice unread;
};

}  // namespace noded::tls
