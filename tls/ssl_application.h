// The `ssl` application: its parameters, and what makes listeners and sockets. tls/ssl.h shows it
// in use.
//
//   ASSIGN_OR_RETURN(auto ssl, Ssl::Start({.alert_timeout = std::chrono::seconds(2)}));
//   Options options = ssl->Defaults(Role::kClient);
//   ASSIGN_OR_RETURN(auto socket, ssl->Connect("b.example", 443, options, {.timeout = ...}));
//
// Thread-safe. Functions that take Options read files; those without Async wait: neither is for a
// loop. Sockets live on loops of this object, or for Async functions on the loop that is given.
// Everything made by it must be destroyed before it. Errors: those of Context::Create, of
// base/tcp_connect.h and base/tcp_listener.h, of EngineDriver::Shake; Unavailable (closed) when
// stopped. What works but is not as it should be (Context::Warnings) is logged, once each. Source:
// OTP ssl(3), ssl_app(6).
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "base/loop.h"
#include "base/stream.h"
#include "base/task.h"
#include "tls/context.h"
#include "tls/session_cache.h"
#include "tls/ssl_listener.h"
#include "tls/ssl_socket.h"
#include "tls/ssl_types.h"

namespace noded::tls {

class SslRuntime;

// The application's parameters, with OTP's defaults.
struct SslParameters {
  Versions protocol_version;
  std::chrono::seconds session_lifetime{24 * 60 * 60};
  // Makes the cache of each role, once, when ssl starts; its arguments are what the function holds.
  // Null: in memory.
  SessionCacheFactory session_cb;
  size_t session_cache_client_max = 1000;
  size_t session_cache_server_max = 1000;
  // How old what is known of a file of certificates may be, for all of the process; none: two
  // minutes.
  std::optional<std::chrono::milliseconds> ssl_pem_cache_clean;
  // What Defaults() puts into traffic.alert_timeout.
  std::chrono::milliseconds alert_timeout{5000};
  // Loops for the sockets of threads.
  size_t loops = 1;
};

class Ssl {
 public:
  static absl::StatusOr<std::unique_ptr<Ssl>> Start(SslParameters parameters = {});
  ~Ssl();
  Ssl(const Ssl&) = delete;
  Ssl& operator=(const Ssl&) = delete;

  // Cuts every connection, handshake and listener; calls under way and later ones end with closed.
  // A Connect() whose TCP connection is not yet made ends so when it is, or by its timeout. Loops
  // that were given must still run. Not from a loop. Idempotent.
  void Stop();
  // Connections and listeners that are not over.
  size_t open_sockets() const;

  // Options as the parameters have them, to be filled in.
  Options Defaults(Role role) const;
  // Reads the files. Sessions without a cache of their own go to the application's. A client for
  // which nothing was said verifies, and so needs trust anchors (or pre-shared keys).
  absl::StatusOr<std::shared_ptr<const Context>> MakeContext(Options options, Role role) const;

  // Port 0: the kernel chooses. Follows the options' files: what is replaced holds for connections
  // that come later. `loop`: where the listener and what it accepts live; null: ours.
  absl::StatusOr<std::unique_ptr<SslListener>> Listen(uint16_t port, Options options,
                                                      SslListenOptions listen = {},
                                                      base::Loop* loop = nullptr);

  // The server's handshake on what a listener accepted (ssl_accept/2). setup.options come on top of
  // those of the listener. Destroys `accepted` in any case.
  absl::StatusOr<std::unique_ptr<SslSocket>> Handshake(std::unique_ptr<SslTransportSocket> accepted,
                                                       SocketSetup setup = {});
  // The same with options instead of the listener's (ssl_accept/3).
  absl::StatusOr<std::unique_ptr<SslSocket>> Handshake(std::unique_ptr<SslTransportSocket> accepted,
                                                       Options options, SocketSetup setup = {});
  // Upgrade of a plain connected socket, as server and as client. `host`: as in Connect.
  absl::StatusOr<std::unique_ptr<SslSocket>> Handshake(std::unique_ptr<base::Stream> plain,
                                                       Options options, SocketSetup setup = {});
  absl::StatusOr<std::unique_ptr<SslSocket>> Connect(std::unique_ptr<base::Stream> plain,
                                                     std::string host, Options options,
                                                     SocketSetup setup = {});
  // `host` is a name or a literal address; it goes into SNI and the check of names.
  absl::StatusOr<std::unique_ptr<SslSocket>> Connect(std::string host, uint16_t port,
                                                     Options options, SocketSetup setup = {});

  // On a loop. Contexts are made beforehand, since that reads files; call each on the loop where
  // the socket is to live, which is that of `accepted` and `plain`.
  base::Task<absl::StatusOr<std::unique_ptr<SslSocket>>> AsyncHandshake(
      std::unique_ptr<SslTransportSocket> accepted, SocketSetup setup);
  base::Task<absl::StatusOr<std::unique_ptr<SslSocket>>> AsyncUpgrade(
      std::unique_ptr<base::Stream> plain, std::string host, std::shared_ptr<const Context> context,
      SocketSetup setup);
  base::Task<absl::StatusOr<std::unique_ptr<SslSocket>>> AsyncConnect(
      base::Loop& loop, std::string host, uint16_t port, std::shared_ptr<const Context> context,
      SocketSetup setup);

  // A loop of ours, for plain sockets that are to be upgraded (base::AdoptTcpSocket).
  base::Loop& NextLoop() { return loops_.Next(); }

 private:
  Options Completed(Options options, Role role) const;

  Ssl(SslParameters parameters, std::shared_ptr<SessionCache> client,
      std::shared_ptr<SessionCache> server);

  const SslParameters parameters_;
  const std::shared_ptr<SessionCache> client_sessions_;
  const std::shared_ptr<SessionCache> server_sessions_;
  const std::shared_ptr<SslRuntime> runtime_;
  base::LoopGroup loops_;
};

}  // namespace noded::tls
