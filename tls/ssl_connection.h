// What stands behind an SslSocket: one TLS connection after its handshake, who waits for its bytes,
// and how it ends. For tls/ssl_*.cc alone; tls/ssl_socket.h is the face and says what calls mean.
//
//   auto connection = SslConnection::Start(std::move(driver), runtime, setup);
//   co_await SslConnection::Recv(connection, 10, deadline);
//
// Loop-confined, the destructor included. Its coroutines hold it, so calls under way outlive the
// socket. One of them reads (ReadLoop), for whoever wants bytes: a pending Recv, an owner with
// room, or an answer of the peer that is waited for. When nobody does it reads nothing, and the
// peer waits.
//   ssl_connection.cc          life: reading, sending, goodbye
//   ssl_connection_deliver.cc  who gets what came: Recv, owners, active modes
//   ssl_connection_session.cc  the TLS connection itself: keys, renegotiation, downgrade
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "asio/steady_timer.hpp"

#include "base/deadline.h"
#include "base/task.h"
#include "tls/engine_driver.h"
#include "tls/packet_mode.h"
#include "tls/socket_options.h"
#include "tls/ssl_owner.h"
#include "tls/ssl_runtime.h"
#include "tls/ssl_types.h"

namespace noded::tls {

class SslConnection : public std::enable_shared_from_this<SslConnection> {
 public:
  using Ptr = std::shared_ptr<SslConnection>;

  // `driver` has shaken hands; everything begins on its loop, where this must be called.
  static absl::StatusOr<Ptr> Start(std::shared_ptr<EngineDriver> driver,
                                   std::shared_ptr<SslRuntime> runtime, SocketSetup setup);
  ~SslConnection();

  static base::Task<absl::Status> Send(Ptr self, base::Buffer data);
  static base::Task<absl::StatusOr<base::Slice>> Recv(Ptr self, size_t length,
                                                      base::TimePoint deadline);
  static base::Task<absl::Status> Shutdown(Ptr self, ShutdownHow how);
  static base::Task<absl::Status> Close(Ptr self);
  static base::Task<absl::StatusOr<Downgraded>> Downgrade(Ptr self, base::TimePoint deadline);
  static base::Task<absl::Status> Renegotiate(Ptr self, base::TimePoint deadline);
  static base::Task<absl::Status> UpdateKeys(Ptr self, bool ask_peer);

  absl::Status SetOpts(const SocketOptions& options);
  SocketOptions GetOpts() const;
  void SetOwner(std::shared_ptr<SslOwner> owner);

  // Cuts it; calls under way end with closed.
  void Abort();

  SslSocketId id() const { return id_; }
  base::Loop& loop() const { return loop_; }
  const Context& context() const { return *context_; }
  const ConnectionInfo& info() const { return info_; }
  // Null once the connection went back to plain text.
  EngineDriver* driver() { return driver_.get(); }
  const base::PeerIdentity& peer() const { return peer_; }
  const base::PeerIdentity& local() const { return local_; }
  // What calls get now that it is over: why it failed, else closed.
  absl::Status WhyOver() const;
  bool is_open() const { return in_ != In::kFailed && goodbye_ == Goodbye::kNone; }
  bool is_closed() const { return goodbye_ != Goodbye::kNone; }

 private:
  enum class In { kOpen, kShut, kPeerClosed, kFailed };
  enum class Out { kOpen, kShut };
  // kDrain: we said goodbye and only wait for the peer to end too. kDowngrade: the same, and what
  // it says until then is kept. kDone: nothing is read or written any more.
  enum class Goodbye { kNone, kDrain, kDowngrade, kDone };

  struct PendingRecv {
    PendingRecv(base::Loop& loop, size_t length, base::TimePoint deadline)
        : length(length), done(loop.io(), deadline) {}
    const size_t length;
    std::optional<absl::StatusOr<base::Slice>> result;
    asio::steady_timer done;
  };

  SslConnection(std::shared_ptr<EngineDriver> driver, std::shared_ptr<SslRuntime> runtime,
                SocketSetup setup);

  static base::Task<absl::Status> ReadLoop(Ptr self);
  // Until something changes that somebody may wait for; false when `deadline` came first.
  base::Task<bool> Changed(base::TimePoint deadline = base::TimePoint::max());
  void NotifyChanged();
  bool WantsInput() const;
  void Handle(Event event);
  void HandleFailure(const absl::Status& status);
  // The one send at a time that the driver allows; `deadline` cuts the connection.
  base::Task<absl::Status> TakeTurn();
  void EndTurn();
  void EndRenegotiation(const Event& event);
  // For a reader that nobody wants bytes of: until that changes. Idle meanwhile, the engine drops
  // its buffers.
  base::Task<absl::Status> AwaitDemand();

  // Gives what is there to whoever wants it, until it is all gone or nobody does.
  void Deliver();
  bool DeliverToRecv();
  bool DeliverToOwner();
  bool DeliverPacket(base::Slice bytes);
  // False when the owner has no room; it says so when it has.
  bool Offer(SslMessage& message);
  void CountDown();
  bool is_over() const { return in_ != In::kOpen; }
  bool is_sending() const { return turns_taken_ != turns_over_; }
  absl::Status SetActive(const Active& active);

  base::Loop& loop_;
  const SslSocketId id_;
  std::shared_ptr<EngineDriver> driver_;
  const std::shared_ptr<SslRuntime> runtime_;
  const std::shared_ptr<const Context> context_;
  const base::PeerIdentity peer_;
  const base::PeerIdentity local_;
  ConnectionInfo info_;

  In in_ = In::kOpen;
  Out out_ = Out::kOpen;
  Goodbye goodbye_ = Goodbye::kNone;
  absl::Status failure_;                       // of kFailed
  bool is_reading_ = true;                     // ReadLoop runs
  uint64_t turns_taken_ = 0, turns_over_ = 0;  // of sending, first come first served
  asio::steady_timer changed_;                 // never expires; cancelled when something changed
  std::unique_ptr<base::Deadline> linger_;

  PacketReader packets_;
  size_t buffer_bytes_;
  Active active_;
  std::shared_ptr<SslOwner> owner_;
  uint64_t owner_number_ = 0;  // has_room of an earlier owner says nothing
  std::function<void()> has_room_;
  bool is_owner_full_ = false;
  bool is_passive_due_ = false;  // SslPassive is still to be told
  bool is_delivering_ = false;
  size_t dropped_ = 0;  // bytes read after our goodbye
  std::deque<PendingRecv*> recvs_;

  // Renegotiations that were asked for, and how the last one ended.
  int pending_renegotiations_ = 0;
  uint64_t renegotiations_ended_ = 0;
  absl::Status renegotiation_;
};

}  // namespace noded::tls
