// A network of the test's own: from here on it and the programs that it starts have a loopback
// interface with the addresses given, and nothing else.
//
//   ASSERT_TRUE(EnterPrivateNetwork({{"10.9.0.1", "255.255.255.0"}}).ok());
//
// Call it before there are threads; it cannot be left again. 127.0.0.1 is there besides. Needs
// network namespaces, of root or of a user. Errors: Unavailable, with the step.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"

namespace noded::testlib {

struct LoopbackAddress {
  std::string address;
  std::string netmask;
};

absl::Status EnterPrivateNetwork(const std::vector<LoopbackAddress>& addresses);

}  // namespace noded::testlib
