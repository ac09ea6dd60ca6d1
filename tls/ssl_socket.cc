#include "tls/ssl_socket.h"

#include "base/status.h"
#include "tls/ssl_connection.h"
#include "tls/ssl_information.h"

namespace noded::tls {

using base::Await;
using base::Slice;
using base::Task;

SslSocket::SslSocket(std::shared_ptr<SslConnection> connection)
    : id_(connection->id()), loop_(connection->loop()), connection_(std::move(connection)) {}

SslSocket::~SslSocket() {
  loop_.Post([connection = std::move(connection_)] {
    base::Spawn(connection->loop(), "ssl_close", SslConnection::Close(connection),
                [](absl::Status) {});
  });
}

absl::Status SslSocket::Send(base::Buffer data) { return Await(loop_, AsyncSend(std::move(data))); }

absl::Status SslSocket::Send(std::string_view data) {
  base::Buffer buffer;
  buffer.Append(data);
  return Send(std::move(buffer));
}

Task<absl::Status> SslSocket::AsyncSend(base::Buffer data) {
  return SslConnection::Send(connection_, std::move(data));
}

absl::StatusOr<Slice> SslSocket::Recv(size_t length, Timeout timeout) {
  return Await(loop_, AsyncRecv(length, timeout));
}

Task<absl::StatusOr<Slice>> SslSocket::AsyncRecv(size_t length, Timeout timeout) {
  return SslConnection::Recv(connection_, length, DeadlineOf(timeout));
}

absl::Status SslSocket::Close() { return Await(loop_, AsyncClose()); }

Task<absl::Status> SslSocket::AsyncClose() { return SslConnection::Close(connection_); }

absl::StatusOr<Downgraded> SslSocket::Downgrade(Timeout timeout) {
  return Await(loop_, AsyncDowngrade(timeout));
}

Task<absl::StatusOr<Downgraded>> SslSocket::AsyncDowngrade(Timeout timeout) {
  return SslConnection::Downgrade(connection_, DeadlineOf(timeout));
}

absl::Status SslSocket::Shutdown(ShutdownHow how) { return Await(loop_, AsyncShutdown(how)); }

Task<absl::Status> SslSocket::AsyncShutdown(ShutdownHow how) {
  return SslConnection::Shutdown(connection_, how);
}

absl::Status SslSocket::ControllingProcess(std::shared_ptr<SslOwner> owner) {
  return loop_.Run([&]() -> absl::Status {
    if (!connection_->is_open()) return connection_->WhyOver();
    connection_->SetOwner(std::move(owner));
    return absl::OkStatus();
  });
}

absl::Status SslSocket::SetOpts(const SocketOptions& options) {
  return loop_.Run([&] { return connection_->SetOpts(options); });
}

absl::StatusOr<SocketOptions> SslSocket::GetOpts() const {
  return loop_.Run([&]() -> absl::StatusOr<SocketOptions> {
    if (connection_->is_closed()) return connection_->WhyOver();
    return connection_->GetOpts();
  });
}

const base::PeerIdentity& SslSocket::SockName() const { return connection_->local(); }

const base::PeerIdentity& SslSocket::PeerName() const { return connection_->peer(); }

absl::StatusOr<CertificateInfo> SslSocket::PeerCert() const {
  return loop_.Run([&]() -> absl::StatusOr<CertificateInfo> {
    if (connection_->info().peer) return *connection_->info().peer;
    return base::Error(absl::StatusCode::kNotFound, "peercert: the peer sent no certificate",
                       "ask for one with verify_peer", "no_peercert");
  });
}

absl::StatusOr<std::string> SslSocket::NegotiatedProtocol() const {
  return loop_.Run([&]() -> absl::StatusOr<std::string> {
    if (!connection_->info().alpn.empty()) return connection_->info().alpn;
    return base::Error(absl::StatusCode::kNotFound, "negotiated_protocol: none was agreed",
                       "set alpn on both sides", "protocol_not_negotiated");
  });
}

absl::StatusOr<ConnectionInformation> SslSocket::GetConnectionInformation() const {
  return loop_.Run([&]() -> absl::StatusOr<ConnectionInformation> {
    if (connection_->is_closed()) return connection_->WhyOver();
    return Information(connection_->info(), connection_->context(), connection_->GetOpts());
  });
}

absl::StatusOr<std::vector<std::pair<std::string, std::string>>>
SslSocket::GetConnectionInformation(const std::vector<std::string>& items) const {
  ASSIGN_OR_RETURN(const ConnectionInformation all, GetConnectionInformation());
  return SelectInformation(all, items);
}

absl::StatusOr<base::Slice> SslSocket::SessionData() const {
  return loop_.Run([&]() -> absl::StatusOr<base::Slice> {
    if (!connection_->is_open()) return connection_->WhyOver();
    base::Slice session = connection_->driver()->engine().SessionData();
    if (!session.empty()) return session;
    return base::Error(absl::StatusCode::kNotFound,
                       "session_data: there is no session to go on with",
                       "ask a client, with reuse_sessions on and no reuse_session of its own, and "
                       "in TLS 1.3 after something was received",
                       "no_session");
  });
}

absl::Status SslSocket::Renegotiate(Timeout timeout) {
  return Await(loop_, AsyncRenegotiate(timeout));
}

Task<absl::Status> SslSocket::AsyncRenegotiate(Timeout timeout) {
  return SslConnection::Renegotiate(connection_, DeadlineOf(timeout));
}

absl::Status SslSocket::UpdateKeys(bool ask_peer) {
  return Await(loop_, AsyncUpdateKeys(ask_peer));
}

Task<absl::Status> SslSocket::AsyncUpdateKeys(bool ask_peer) {
  return SslConnection::UpdateKeys(connection_, ask_peer);
}

absl::StatusOr<std::vector<uint8_t>> SslSocket::Prf(const PrfInput& secret, std::string_view label,
                                                    const std::vector<PrfInput>& seed,
                                                    size_t size) const {
  return loop_.Run([&]() -> absl::StatusOr<std::vector<uint8_t>> {
    if (!connection_->is_open()) return connection_->WhyOver();
    return connection_->driver()->engine().Prf(secret, label, seed, size);
  });
}

absl::StatusOr<std::vector<uint8_t>> SslSocket::ExportKeyMaterial(
    std::string_view label, std::optional<base::ByteView> context, size_t size) const {
  return loop_.Run([&]() -> absl::StatusOr<std::vector<uint8_t>> {
    if (!connection_->is_open()) return connection_->WhyOver();
    return connection_->driver()->engine().Export(label, context, size);
  });
}

}  // namespace noded::tls
