#include "tests/bogo/wire.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "fmt/format.h"

#include "base/status.h"

namespace noded::bogo {
namespace {

absl::Status Failed(const char* what) {
  const int error = errno;
  return base::Error(absl::StatusCode::kUnavailable,
                     fmt::format("{}: {}", what, base::ErrnoText(error)), "",
                     base::ErrnoAtom(error));
}

int ConnectTo(int socket, uint16_t port, bool is_ipv6) {
  if (is_ipv6) {
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(port);
    address.sin6_addr = in6addr_loopback;
    return connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  }
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Wire>> Wire::Connect(uint16_t port, bool is_ipv6, uint64_t shim_id) {
  const int socket = ::socket(is_ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return Failed("socket");
  std::unique_ptr<Wire> wire(new Wire(socket));
  if (ConnectTo(socket, port, is_ipv6) != 0) return Failed("connect");
  const int yes = 1;
  if (setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes)) != 0) {
    return Failed("setsockopt");
  }
  std::vector<uint8_t> id(8);
  for (size_t i = 0; i < id.size(); ++i) id[i] = static_cast<uint8_t>(shim_id >> (8 * i));
  base::Buffer bytes;
  bytes.Append(base::ByteView(id));
  RETURN_IF_ERROR(wire->Write(std::move(bytes)));
  return wire;
}

Wire::~Wire() {
  shutdown(socket_, SHUT_WR);
  uint8_t rest[4096];
  while (recv(socket_, rest, sizeof(rest), 0) > 0) {
  }
  close(socket_);
}

absl::StatusOr<std::vector<uint8_t>> Wire::Read(size_t most) {
  std::vector<uint8_t> bytes(most);
  ssize_t count = 0;
  do {
    count = recv(socket_, bytes.data(), bytes.size(), 0);
  } while (count < 0 && errno == EINTR);
  if (count < 0 && errno != ECONNRESET) return Failed("recv");
  bytes.resize(count < 0 ? 0 : static_cast<size_t>(count));
  return bytes;
}

absl::Status Wire::Write(base::Buffer bytes) {
  for (const base::Slice& piece : bytes.pieces()) {
    base::ByteView rest = piece.view();
    while (!rest.empty()) {
      const ssize_t count = send(socket_, rest.data(), rest.size(), MSG_NOSIGNAL);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return Failed("send");
      rest = rest.subspan(static_cast<size_t>(count));
    }
  }
  return absl::OkStatus();
}

}  // namespace noded::bogo
