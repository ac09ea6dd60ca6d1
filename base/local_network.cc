#include "base/local_network.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>

#include "fmt/format.h"

#include "base/status.h"

namespace noded::base {
namespace {

// The bytes of an address; an IPv4 one leaves the rest zero.
struct Address {
  int family = AF_UNSPEC;
  std::array<uint8_t, 16> bytes{};
};

std::optional<Address> Parse(std::string_view text) {
  const std::string plain(text.substr(0, text.find('%')));
  for (const int family : {AF_INET, AF_INET6}) {
    Address address{family, {}};
    if (inet_pton(family, plain.c_str(), address.bytes.data()) == 1) return address;
  }
  return std::nullopt;
}

std::string Text(const sockaddr& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const void* bytes =
      address.sa_family == AF_INET
          ? static_cast<const void*>(&reinterpret_cast<const sockaddr_in&>(address).sin_addr)
          : &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr;
  const char* made = inet_ntop(address.sa_family, bytes, text.data(), text.size());
  return made == nullptr ? "" : made;
}

}  // namespace

absl::StatusOr<std::vector<Interface>> LocalInterfaces() {
  ifaddrs* first = nullptr;
  if (getifaddrs(&first) != 0) {
    return Error(absl::StatusCode::kUnavailable,
                 fmt::format("the interfaces of this machine cannot be read: {}", strerror(errno)),
                 "");
  }
  const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owned(first, &freeifaddrs);
  std::vector<Interface> interfaces;
  for (const ifaddrs* each = first; each != nullptr; each = each->ifa_next) {
    if (each->ifa_addr == nullptr || each->ifa_netmask == nullptr) continue;
    const int family = each->ifa_addr->sa_family;
    if (family != AF_INET && family != AF_INET6) continue;
    // The kernel leaves the family of some masks out.
    sockaddr_storage mask{};
    memcpy(&mask, each->ifa_netmask,
           family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
    mask.ss_family = static_cast<sa_family_t>(family);
    interfaces.push_back({Text(*each->ifa_addr), Text(reinterpret_cast<const sockaddr&>(mask))});
  }
  return interfaces;
}

absl::StatusOr<bool> IsOnNetworkOf(std::span<const Interface> interfaces, std::string_view local,
                                   std::string_view peer) {
  const std::optional<Address> here = Parse(local), there = Parse(peer);
  for (const Interface& each : interfaces) {
    const std::optional<Address> address = Parse(each.address), mask = Parse(each.netmask);
    if (!here || !address || !mask || address->family != here->family ||
        address->bytes != here->bytes) {
      continue;
    }
    if (!there || there->family != here->family) return false;
    for (size_t i = 0; i < mask->bytes.size(); ++i) {
      if (((here->bytes[i] ^ there->bytes[i]) & mask->bytes[i]) != 0) return false;
    }
    return true;
  }
  return Error(absl::StatusCode::kNotFound,
               fmt::format("no interface of this machine has the address {}", local), "");
}

}  // namespace noded::base
