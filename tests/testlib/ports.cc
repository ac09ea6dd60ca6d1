#include "tests/testlib/ports.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <random>

#include <gtest/gtest.h>

namespace noded::testlib {

namespace {

// Below the range that the kernel takes for outgoing connections, which come and go.
constexpr uint16_t kFirst = 12'000, kLast = 32'000;

bool IsFree(uint16_t port) {
  const int socket_number = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  const bool is_free =
      bind(socket_number, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  close(socket_number);
  return is_free;
}

}  // namespace

uint16_t FreePort() {
  static std::mt19937 random{std::random_device{}()};
  std::uniform_int_distribution<int> any(kFirst, kLast);
  for (int attempt = 0; attempt < 1000; ++attempt) {
    const auto port = static_cast<uint16_t>(any(random));
    if (IsFree(port)) return port;
  }
  ADD_FAILURE() << "this machine has no free port";
  return 0;
}

bool HasIpv6Loopback() {
  const int socket_number = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket_number < 0) return false;
  sockaddr_in6 address = {};
  address.sin6_family = AF_INET6;
  address.sin6_addr = in6addr_loopback;
  const bool can = bind(socket_number, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  close(socket_number);
  return can;
}

}  // namespace noded::testlib
