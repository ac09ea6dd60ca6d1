// A port that nobody has now, on any address.
//
//   const uint16_t port = FreePort();
//
// Another program may take it before the test does: a test tagged "block-network" has a loopback
// of its own and is safe.
#pragma once

#include <cstdint>

namespace noded::testlib {

uint16_t FreePort();

// Whether this machine (or this test's sandbox) has ::1.
bool HasIpv6Loopback();

}  // namespace noded::testlib
