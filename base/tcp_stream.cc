#include "base/tcp_stream.h"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <utility>

#include "asio/buffer.hpp"
#include "asio/redirect_error.hpp"
#include "asio/use_awaitable.hpp"
#include "fmt/format.h"

#include "base/status.h"

namespace noded::base {
namespace {

using asio::ip::tcp;

PeerIdentity IdentityOf(const tcp::endpoint& endpoint) {
  PeerIdentity identity;
  asio::ip::address address = endpoint.address();
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    address = asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
  }
  identity.address = address.to_string();
  identity.port = endpoint.port();
  return identity;
}

class TcpStream : public Stream {
 public:
  TcpStream(Loop& loop, tcp::socket socket) : loop_(loop), socket_(std::move(socket)) {
    asio::error_code ignored;
    peer_ = IdentityOf(socket_.remote_endpoint(ignored));
    local_ = IdentityOf(socket_.local_endpoint(ignored));
    socket_.set_option(tcp::no_delay(true), ignored);
  }

  Task<absl::StatusOr<Slice>> Read() override {
    if (!socket_.is_open()) co_return Gone();
    // A fresh block per read keeps the slices of earlier reads valid; it grows while reads fill it.
    auto block = std::make_shared_for_overwrite<uint8_t[]>(read_size_);
    uint8_t* data = block.get();
    asio::error_code error;
    size_t got = co_await socket_.async_read_some(asio::buffer(data, read_size_),
                                                  asio::redirect_error(asio::use_awaitable, error));
    if (error == asio::error::eof) co_return Slice();
    if (error) co_return NetError(error, Where("read from"));
    if (got == read_size_ && read_size_ < kMaxReadSize) {
      read_size_ *= 2;
    } else if (got < read_size_ / 4 && read_size_ > kMinReadSize) {
      // Small reads must not hold large blocks alive.
      Slice copy = Slice::Copy(ByteView(data, got));
      read_size_ /= 2;
      co_return copy;
    }
    co_return Slice(std::move(block), data, got);
  }

  Task<absl::Status> Write(Buffer bytes) override {
    while (!bytes.empty()) {
      if (!socket_.is_open()) co_return Gone();
      std::vector<asio::const_buffer> pieces;
      for (const Slice& piece : bytes.pieces()) {
        pieces.emplace_back(piece.data(), piece.size());
        if (pieces.size() == kMaxPieces) break;
      }
      asio::error_code error;
      size_t written = co_await socket_.async_write_some(
          pieces, asio::redirect_error(asio::use_awaitable, error));
      if (error) co_return NetError(error, Where("write to"));
      bytes.Consume(written);
    }
    co_return absl::OkStatus();
  }

  Task<absl::Status> Close() override {
    asio::error_code error;
    if (socket_.is_open()) socket_.shutdown(tcp::socket::shutdown_send, error);
    if (error && error != asio::error::not_connected) co_return NetError(error, Where("shutdown"));
    co_return absl::OkStatus();
  }

  void Abort() override {
    asio::error_code ignored;
    socket_.close(ignored);
  }

  const PeerIdentity& peer() const override { return peer_; }
  const PeerIdentity& local() const override { return local_; }
  Loop& loop() override { return loop_; }
  int descriptor() const override {
    return socket_.is_open() ? const_cast<tcp::socket&>(socket_).native_handle() : -1;
  }

 private:
  static constexpr size_t kMinReadSize = 4 * 1024;
  static constexpr size_t kMaxReadSize = 256 * 1024;
  static constexpr size_t kMaxPieces = 64;

  std::string Where(const char* what) const {
    return fmt::format("{} {}", what, AddressText(peer_));
  }
  absl::Status Gone() const {
    return Error(absl::StatusCode::kUnavailable,
                 fmt::format("connection to {} is closed", AddressText(peer_)), "", "closed");
  }

  Loop& loop_;
  tcp::socket socket_;
  PeerIdentity peer_;
  PeerIdentity local_;
  size_t read_size_ = kMinReadSize;
};

}  // namespace

std::unique_ptr<Stream> MakeTcpStream(Loop& loop, tcp::socket socket) {
  return std::make_unique<TcpStream>(loop, std::move(socket));
}

absl::StatusOr<std::unique_ptr<Stream>> AdoptTcpSocket(Loop& loop, int descriptor) {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  int type = 0;
  socklen_t type_size = sizeof(type);
  const bool is_connected =
      getpeername(descriptor, reinterpret_cast<sockaddr*>(&address), &size) == 0 &&
      getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &type_size) == 0 && type == SOCK_STREAM &&
      (address.ss_family == AF_INET || address.ss_family == AF_INET6);
  tcp::socket socket(loop.io());
  asio::error_code error = asio::error::invalid_argument;
  if (is_connected) {
    socket.assign(address.ss_family == AF_INET ? tcp::v4() : tcp::v6(), descriptor, error);
  }
  if (!error) return MakeTcpStream(loop, std::move(socket));
  if (descriptor >= 0) close(descriptor);
  return Error(absl::StatusCode::kInvalidArgument,
               fmt::format("descriptor {} is no connected TCP socket", descriptor),
               "connect it first", "einval");
}

absl::Status NetError(const asio::error_code& error, const std::string& where) {
  if (error == asio::error::operation_aborted || error == asio::error::bad_descriptor) {
    return Error(absl::StatusCode::kUnavailable, fmt::format("{}: closed on this side", where), "",
                 "closed");
  }
  if (error.category() == asio::error::get_netdb_category() ||
      error.category() == asio::error::get_addrinfo_category()) {
    return Error(absl::StatusCode::kUnavailable, fmt::format("{}: {}", where, error.message()),
                 "check the host name, /etc/hosts and the resolver", "nxdomain");
  }
  return Error(absl::StatusCode::kUnavailable,
               fmt::format("{}: {}", where, ErrnoText(error.value())), "",
               ErrnoAtom(error.value()));
}

}  // namespace noded::base
