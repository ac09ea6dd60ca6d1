#include "tls/socket_options.h"

#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>

#include "fmt/format.h"

#include "base/status.h"

namespace noded::tls {
namespace {

bool IsV6(int descriptor) {
  int domain = 0;
  socklen_t size = sizeof(domain);
  return getsockopt(descriptor, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 && domain == AF_INET6;
}

// Where the kernel keeps an option. The type of service has one place a family.
struct Place {
  const char* name;
  int level;
  int option;
};

constexpr Place kNodelay = {"nodelay", IPPROTO_TCP, TCP_NODELAY};
constexpr Place kKeepalive = {"keepalive", SOL_SOCKET, SO_KEEPALIVE};
constexpr Place kRecbuf = {"recbuf", SOL_SOCKET, SO_RCVBUF};
constexpr Place kSndbuf = {"sndbuf", SOL_SOCKET, SO_SNDBUF};
constexpr Place kPriority = {"priority", SOL_SOCKET, SO_PRIORITY};

Place TosPlace(int descriptor) {
  if (IsV6(descriptor)) return {"tos", IPPROTO_IPV6, IPV6_TCLASS};
  return {"tos", IPPROTO_IP, IP_TOS};
}

template <class T>
absl::Status Set(int descriptor, const Place& place, const std::optional<T>& value) {
  if (!value) return absl::OkStatus();
  const int number = static_cast<int>(*value);
  if (descriptor >= 0 && number >= 0 &&
      setsockopt(descriptor, place.level, place.option, &number, sizeof(number)) == 0) {
    return absl::OkStatus();
  }
  const int error = descriptor < 0 || number < 0 ? EINVAL : errno;
  return base::Error(absl::StatusCode::kInvalidArgument,
                     fmt::format("option {}: {}: {}", place.name, number, base::ErrnoText(error)),
                     descriptor < 0 ? "this stream has no socket; leave the option out" : "",
                     base::ErrnoAtom(error));
}

template <class T>
void Get(int descriptor, const Place& place, std::optional<T>& value) {
  int number = 0;
  socklen_t size = sizeof(number);
  if (getsockopt(descriptor, place.level, place.option, &number, &size) != 0) return;
  value = static_cast<T>(number);
}

}  // namespace

SocketOptions Over(const SocketOptions& first, const SocketOptions& later) {
  SocketOptions all = first;
  const auto take = [](auto& into, const auto& from) {
    if (from) into = from;
  };
  take(all.active, later.active);
  take(all.packet, later.packet);
  take(all.packet_size, later.packet_size);
  take(all.buffer, later.buffer);
  take(all.nodelay, later.nodelay);
  take(all.keepalive, later.keepalive);
  take(all.recbuf, later.recbuf);
  take(all.sndbuf, later.sndbuf);
  take(all.priority, later.priority);
  take(all.tos, later.tos);
  return all;
}

absl::Status SetTcpOptions(const SocketOptions& options, int descriptor) {
  RETURN_IF_ERROR(Set(descriptor, kNodelay, options.nodelay));
  RETURN_IF_ERROR(Set(descriptor, kKeepalive, options.keepalive));
  RETURN_IF_ERROR(Set(descriptor, kRecbuf, options.recbuf));
  RETURN_IF_ERROR(Set(descriptor, kSndbuf, options.sndbuf));
  // The kernel derives a priority from the type of service: one that is given comes after.
  RETURN_IF_ERROR(Set(descriptor, TosPlace(descriptor), options.tos));
  return Set(descriptor, kPriority, options.priority);
}

void GetTcpOptions(int descriptor, SocketOptions& options) {
  if (descriptor < 0) return;
  Get(descriptor, kNodelay, options.nodelay);
  Get(descriptor, kKeepalive, options.keepalive);
  Get(descriptor, kRecbuf, options.recbuf);
  Get(descriptor, kSndbuf, options.sndbuf);
  Get(descriptor, kPriority, options.priority);
  Get(descriptor, TosPlace(descriptor), options.tos);
}

}  // namespace noded::tls
