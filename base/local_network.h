// Whether two addresses are of one network: what -kernel check_ip asks of those who connect.
//
//   ASSIGN_OR_RETURN(std::vector<Interface> interfaces, LocalInterfaces());
//   ASSIGN_OR_RETURN(bool is_near, IsOnNetworkOf(interfaces, local, peer));
//
// Addresses are numeric; a zone ("fe80::1%eth0") is left out of account. Any thread. Errors:
// Unavailable (the kernel does not tell its interfaces), NotFound (none of them has `local`).
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace noded::base {

struct Interface {
  std::string address;
  std::string netmask;  // "255.255.255.0" or "ffff:ffff:ffff:ffff::"
};

absl::StatusOr<std::vector<Interface>> LocalInterfaces();

// `local`: an address of one of the interfaces, whose netmask counts.
absl::StatusOr<bool> IsOnNetworkOf(std::span<const Interface> interfaces, std::string_view local,
                                   std::string_view peer);

}  // namespace noded::base
