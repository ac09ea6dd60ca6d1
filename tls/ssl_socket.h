// A TLS connection as Erlang's `ssl` gives it: send and receive, active or passive, what was
// agreed, and its end. Made by Ssl::Connect and Ssl::Handshake (tls/ssl.h).
//
//   RETURN_IF_ERROR(socket->Send(std::move(buffer)));                 // from a thread: waits
//   ASSIGN_OR_RETURN(base::Slice ten, socket->Recv(10, std::chrono::seconds(5)));
//   absl::StatusOr<base::Slice> some = co_await socket->AsyncRecv(0); // on socket->loop()
//   socket->SetOpts({.active = Active::Once()});                      // to the owner from now on
//   RETURN_IF_ERROR(socket->Close());
//
// Two ways to use it. Calls that wait are for threads that are no loop; on the socket's own loop
// they fail (FailedPrecondition). Those named Async are tasks for the socket's loop alone. All else
// is for that loop and for any thread that is no loop: from another loop post it, since two loops
// that wait for each other stop for good. Calls may overlap; sends are not mixed with each other,
// receives are served in turn. A call under way outlives the socket: destroying it closes the
// connection in the background, and calls end with closed. It must go before its Ssl and its loop.
//
// Errors: Unavailable (closed: over, by either side, or cut without close_notify; errno's atoms),
// DeadlineExceeded (timeout), InvalidArgument (einval), those of tls/engine.h with the alert's
// name. Source: OTP ssl(3).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "base/buffer.h"
#include "base/stream.h"
#include "base/task.h"
#include "tls/connection_info.h"
#include "tls/engine.h"
#include "tls/ssl_types.h"

namespace noded::tls {

class SslConnection;

// connection_information/1.
struct ConnectionInformation {
  ConnectionInfo agreed;  // protocol, suite, names, session, peer
  // In force: with the cipher suites, the groups and the `verify` that a default came to. Without
  // secrets.
  Options options;
  SocketOptions socket;
};

class SslSocket {
 public:
  ~SslSocket();
  SslSocket(const SslSocket&) = delete;
  SslSocket& operator=(const SslSocket&) = delete;

  // Tells it apart among those of its owner.
  SslSocketId id() const { return id_; }
  base::Loop& loop() const { return loop_; }

  // Ends when all is with the kernel. In a packet mode the header is put before it.
  absl::Status Send(base::Buffer data);
  absl::Status Send(std::string_view data);
  base::Task<absl::Status> AsyncSend(base::Buffer data);

  // Passive sockets (einval when active). kRaw: exactly `length` bytes, or with 0 at least one, as
  // they come. Packet modes: one packet; `length` must be 0. When the time is over, or the peer's
  // end comes first, nothing is lost: what came stays for the next call.
  absl::StatusOr<base::Slice> Recv(size_t length, Timeout timeout = kInfinity);
  base::Task<absl::StatusOr<base::Slice>> AsyncRecv(size_t length, Timeout timeout = kInfinity);

  // Says close_notify, for alert_timeout at most, and ends both directions. What the peer still
  // sends is dropped until it ends too, in the background and no longer than that. Idempotent.
  absl::Status Close();
  base::Task<absl::Status> AsyncClose();
  // Back to plain text: says close_notify, waits for the peer's, and gives the socket below.
  // Whatever fails, the connection is closed then. The peer must want it too.
  absl::StatusOr<Downgraded> Downgrade(Timeout timeout = kInfinity);
  base::Task<absl::StatusOr<Downgraded>> AsyncDowngrade(Timeout timeout = kInfinity);
  // kWrite: close_notify, and the peer's data may be read on. kRead: what comes is dropped. Unlike
  // RFC 5246, and like other libraries, a TLS 1.2 peer's close_notify leaves our side open too.
  absl::Status Shutdown(ShutdownHow how);
  base::Task<absl::Status> AsyncShutdown(ShutdownHow how);

  // The new owner gets every message that the old one has not taken; once this returns, the old one
  // gets none. Null: nobody.
  absl::Status ControllingProcess(std::shared_ptr<SslOwner> owner);
  absl::Status SetOpts(const SocketOptions& options);
  // All of them.
  absl::StatusOr<SocketOptions> GetOpts() const;

  // Also when it is closed.
  const base::PeerIdentity& SockName() const;
  const base::PeerIdentity& PeerName() const;
  // DER in `der`, and the parsed view. NotFound (no_peercert) when the peer sent none.
  absl::StatusOr<CertificateInfo> PeerCert() const;
  // NotFound (protocol_not_negotiated).
  absl::StatusOr<std::string> NegotiatedProtocol() const;
  absl::StatusOr<ConnectionInformation> GetConnectionInformation() const;
  // The items of that name, as text, in the order asked for: protocol, selected_cipher_suite,
  // sni_hostname, session_id, session_resumption, negotiated_protocol, group, client_random,
  // server_random, peer, active, packet, packet_size, ciphers, groups, versions, verify, depth,
  // fail_if_no_peer_cert, crl_check, alpn, reuse_sessions, honor_cipher_order, secure_renegotiate,
  // client_renegotiation, key_update_at, renegotiate_at, max_fragment_length, hibernate_after,
  // log_alert. einval names one that there is not.
  absl::StatusOr<std::vector<std::pair<std::string, std::string>>> GetConnectionInformation(
      const std::vector<std::string>& items) const;

  // The item session_data, at a client: the session that this connection left last, for the option
  // reuse_session of a later one. With it all that was sent can be read: keep it as you keep a key.
  // NotFound (no_session) when there is none: in TLS 1.3 it comes after the handshake, with what
  // is received.
  absl::StatusOr<base::Slice> SessionData() const;

  // TLS 1.2: new keys by a new handshake. FailedPrecondition (renegotiation_rejected) when the peer
  // does not want it: the connection lives.
  absl::Status Renegotiate(Timeout timeout = kInfinity);
  base::Task<absl::Status> AsyncRenegotiate(Timeout timeout = kInfinity);
  // TLS 1.3, update_keys/2: a new key for what we send, and with `ask_peer` for what the peer
  // sends.
  absl::Status UpdateKeys(bool ask_peer);
  base::Task<absl::Status> AsyncUpdateKeys(bool ask_peer);

  // TLS 1.2's function, see Engine::Prf; TLS 1.3 has ExportKeyMaterial alone.
  absl::StatusOr<std::vector<uint8_t>> Prf(const PrfInput& secret, std::string_view label,
                                           const std::vector<PrfInput>& seed, size_t size) const;
  // export_key_materials/4, both versions.
  absl::StatusOr<std::vector<uint8_t>> ExportKeyMaterial(std::string_view label,
                                                         std::optional<base::ByteView> context,
                                                         size_t size) const;

 private:
  friend class Ssl;
  explicit SslSocket(std::shared_ptr<SslConnection> connection);

  const SslSocketId id_;
  base::Loop& loop_;
  std::shared_ptr<SslConnection> connection_;
};

}  // namespace noded::tls
