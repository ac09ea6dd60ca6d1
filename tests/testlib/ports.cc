#include "tests/testlib/ports.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace noded::testlib {

uint16_t FreePort() {
  const int socket_number = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  const bool found = bind(socket_number, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                     getsockname(socket_number, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  close(socket_number);
  if (!found) ADD_FAILURE() << "the loopback address has no free port";
  return ntohs(address.sin_port);
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
