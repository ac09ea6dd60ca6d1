#include "tests/testlib/private_network.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "fmt/format.h"

namespace noded::testlib {
namespace {

absl::Status Failed(std::string_view step) {
  return absl::UnavailableError(
      fmt::format("a private network: {}: {}", step, strerror(errno)).c_str());
}

sockaddr Address(const std::string& text) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  inet_pton(AF_INET, text.c_str(), &address.sin_addr);
  sockaddr raw;
  memcpy(&raw, &address, sizeof(raw));
  return raw;
}

ifreq Request(const std::string& name) {
  ifreq request{};
  strncpy(request.ifr_name, name.c_str(), sizeof(request.ifr_name) - 1);
  return request;
}

absl::Status SetUp(int control, const std::vector<LoopbackAddress>& addresses) {
  ifreq up = Request("lo");
  up.ifr_flags = IFF_UP | IFF_LOOPBACK | IFF_RUNNING;
  if (ioctl(control, SIOCSIFFLAGS, &up) != 0) return Failed("lo up");
  for (size_t i = 0; i < addresses.size(); ++i) {
    ifreq request = Request(fmt::format("lo:{}", i + 1));
    request.ifr_addr = Address(addresses[i].address);
    if (ioctl(control, SIOCSIFADDR, &request) != 0) return Failed(addresses[i].address);
    request.ifr_netmask = Address(addresses[i].netmask);
    if (ioctl(control, SIOCSIFNETMASK, &request) != 0) return Failed(addresses[i].netmask);
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status EnterPrivateNetwork(const std::vector<LoopbackAddress>& addresses) {
  // Root needs no user namespace, and in one it would lose what its files belong to.
  const int spaces = geteuid() == 0 ? CLONE_NEWNET : CLONE_NEWUSER | CLONE_NEWNET;
  if (unshare(spaces) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) {
    return Failed("a new network namespace");
  }
  const int control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (control < 0) return Failed("a socket");
  absl::Status done = SetUp(control, addresses);
  close(control);
  return done;
}

}  // namespace noded::testlib
