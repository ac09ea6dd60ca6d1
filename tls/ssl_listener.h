// A listening TLS socket, and what it accepts: TCP connections that have yet to shake hands. Made
// by Ssl::Listen (tls/ssl.h).
//
//   ASSIGN_OR_RETURN(auto listener, ssl->Listen(9999, options));
//   ASSIGN_OR_RETURN(auto accepted, listener->TransportAccept(std::chrono::seconds(5)));
//   ASSIGN_OR_RETURN(auto socket, ssl->Handshake(std::move(accepted), {.timeout = ...}));
//
// TransportAccept is for threads that are no loop, as many as you like at once;
// AsyncTransportAccept for the listener's loop; all else for any thread. A connection that comes
// when nobody waits any more is kept for the next call; one whose files of certificates were
// replaced meanwhile gets the new ones (tls/context_source.h). Destroying a listener closes it;
// calls under way end with closed. It must go before its Ssl and its loop. Errors: Unavailable
// (closed), DeadlineExceeded (timeout).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "base/stream.h"
#include "base/task.h"
#include "tls/context.h"
#include "tls/context_source.h"
#include "tls/ssl_types.h"

namespace noded::tls {

// TCP alone until Ssl::Handshake; destroying it ends the connection.
class SslTransportSocket {
 public:
  SslTransportSocket(std::unique_ptr<base::Stream> stream, std::shared_ptr<const Context> context,
                     SocketOptions options);
  ~SslTransportSocket();
  SslTransportSocket(const SslTransportSocket&) = delete;
  SslTransportSocket& operator=(const SslTransportSocket&) = delete;

  base::Loop& loop() const { return loop_; }
  const base::PeerIdentity& PeerName() const { return peer_; }
  const base::PeerIdentity& SockName() const { return local_; }

 private:
  friend class Ssl;

  std::unique_ptr<base::Stream> stream_;
  const std::shared_ptr<const Context> context_;
  const SocketOptions options_;
  base::Loop& loop_;
  const base::PeerIdentity peer_;
  const base::PeerIdentity local_;
};

class SslRuntime;

class SslListener {
 public:
  ~SslListener();
  SslListener(const SslListener&) = delete;
  SslListener& operator=(const SslListener&) = delete;

  base::Loop& loop() const { return loop_; }
  uint16_t port() const;

  absl::StatusOr<std::unique_ptr<SslTransportSocket>> TransportAccept(Timeout timeout = kInfinity);
  base::Task<absl::StatusOr<std::unique_ptr<SslTransportSocket>>> AsyncTransportAccept(
      Timeout timeout = kInfinity);

  const base::PeerIdentity& SockName() const;
  // What sockets get that are accepted from now on.
  absl::Status SetOpts(const SocketOptions& options);
  absl::StatusOr<SocketOptions> GetOpts() const;

  // Stops listening; accepted sockets live on. Idempotent.
  absl::Status Close();

 private:
  friend class Ssl;
  class Queue;
  explicit SslListener(std::shared_ptr<Queue> queue);
  // `next_loop` says where each accepted connection lives.
  static absl::StatusOr<std::unique_ptr<SslListener>> Open(base::Loop& loop,
                                                           std::function<base::Loop&()> next_loop,
                                                           std::shared_ptr<SslRuntime> runtime,
                                                           std::shared_ptr<ContextSource> contexts,
                                                           uint16_t port, SslListenOptions options);

  std::shared_ptr<Queue> queue_;
  base::Loop& loop_;
};

}  // namespace noded::tls
