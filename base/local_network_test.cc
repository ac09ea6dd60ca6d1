#include "base/local_network.h"

#include <gtest/gtest.h>

namespace noded::base {
namespace {

const std::vector<Interface> kInterfaces = {{"127.0.0.1", "255.0.0.0"},
                                            {"10.1.2.3", "255.255.254.0"},
                                            {"192.0.2.1", "255.255.255.255"},
                                            {"2001:db8::1", "ffff:ffff:ffff:ffff::"},
                                            {"fe80::1", "ffff:ffff:ffff:ffff::"}};

bool IsNear(const char* local, const char* peer) {
  const auto near = IsOnNetworkOf(kInterfaces, local, peer);
  EXPECT_TRUE(near.ok()) << near.status();
  return near.value_or(false);
}

TEST(LocalNetworkTest, TheNetmaskOfTheAddressThatWasConnectedToCounts) {
  EXPECT_TRUE(IsNear("127.0.0.1", "127.9.9.9"));
  EXPECT_TRUE(IsNear("10.1.2.3", "10.1.3.255"));
  EXPECT_FALSE(IsNear("10.1.2.3", "10.1.4.0"));
  EXPECT_FALSE(IsNear("10.1.2.3", "127.0.0.1"));
  EXPECT_TRUE(IsNear("192.0.2.1", "192.0.2.1"));
  EXPECT_FALSE(IsNear("192.0.2.1", "192.0.2.2"));
}

TEST(LocalNetworkTest, TheSameForIpv6) {
  EXPECT_TRUE(IsNear("2001:db8::1", "2001:db8::ffff:1"));
  EXPECT_FALSE(IsNear("2001:db8::1", "2001:db8:0:1::1"));
  EXPECT_TRUE(IsNear("fe80::1%eth0", "fe80::2%eth0"));
  EXPECT_FALSE(IsNear("2001:db8::1", "10.1.2.3"));
}

TEST(LocalNetworkTest, AnUnknownAddressIsAnError) {
  EXPECT_TRUE(absl::IsNotFound(IsOnNetworkOf(kInterfaces, "10.1.2.4", "10.1.2.3").status()));
  EXPECT_TRUE(absl::IsNotFound(IsOnNetworkOf(kInterfaces, "localhost", "10.1.2.3").status()));
}

TEST(LocalNetworkTest, ThisMachineHasALoopback) {
  const auto interfaces = LocalInterfaces();
  ASSERT_TRUE(interfaces.ok()) << interfaces.status();
  const auto near = IsOnNetworkOf(*interfaces, "127.0.0.1", "127.0.0.2");
  ASSERT_TRUE(near.ok()) << near.status();
  EXPECT_TRUE(*near);
  const auto far = IsOnNetworkOf(*interfaces, "127.0.0.1", "10.0.0.1");
  EXPECT_FALSE(far.value_or(true));
}

}  // namespace
}  // namespace noded::base
