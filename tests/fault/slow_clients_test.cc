// Clients that connect and waste time do not keep a real peer out.
#include "tests/testlib/slow_clients.h"

#include <algorithm>
#include <chrono>
#include <vector>

#include <gtest/gtest.h>

#include "tests/testlib/log_events.h"
#include "tests/testlib/noded.h"
#include "tests/testlib/otp_node.h"
#include "tests/testlib/ports.h"
#include "tests/testlib/test_certs.h"
#include "tests/testlib/wait.h"

namespace noded::testlib {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr int kPerAddress = 256;  // base/limits.h, max_pending_handshakes_per_address

class SlowClientsTest : public testing::Test {
 protected:
  NodedOptions Tls() {
    NodedOptions options;
    options.proto_dist = "inet_tls";
    options.ssl_dist_optfile = optfile_;
    options.epmd_port = epmd_port_;
    return options;
  }
  // The median time of a client that comes, is answered and goes.
  static milliseconds MedianPing(const NodedOptions& client, const std::string& node) {
    std::vector<milliseconds> times;
    for (int i = 0; i < 15; ++i) {
      const auto start = steady_clock::now();
      const Finished pong = Nodectl(client, {"ping", node});
      times.push_back(std::chrono::duration_cast<milliseconds>(steady_clock::now() - start));
      EXPECT_EQ(pong.code, 0) << pong.err;
    }
    std::nth_element(times.begin(), times.begin() + times.size() / 2, times.end());
    return times[times.size() / 2];
  }
  // Generous: a busy machine is no failure; waiting in line behind the crowd would take seconds.
  static void ExpectNotDelayed(milliseconds without, milliseconds with) {
    EXPECT_LE(with, 3 * without + milliseconds(50));
  }

  TestCerts certs_;
  const uint16_t epmd_port_ = FreePort();
  const std::string optfile_ = certs_.OptFile(certs_.Node("any@127.0.0.1"));
};

TEST_F(SlowClientsTest, ACrowdOfSilentAndDrippingClientsDoesNotDelayARealPeer) {
  NodedProcess shop(Tls().Named("shop@127.0.0.1"));
  ASSERT_TRUE(shop.WaitReady().ok()) << shop.Log();
  OtpNodeOptions options;
  options.name = "otp@127.0.0.1";
  options.proto_dist = "inet_tls";
  options.ssl_dist_optfile = optfile_;
  options.epmd_port = epmd_port_;
  OtpNode otp(options);
  ASSERT_TRUE(otp.WaitReady().ok()) << otp.Log();
  const milliseconds without = MedianPing(Tls(), shop.name());

  // From so few addresses that none is over its bound: all of them wait until their deadline, and
  // come back when they are thrown out.
  SlowClients crowd({.port = shop.port(), .silent = 500, .dripping = 100, .sources = 4});
  ASSERT_TRUE(Eventually([&] { return crowd.opened() >= 600; })) << crowd.opened();
  const milliseconds with = MedianPing(Tls(), shop.name());
  ExpectNotDelayed(without, with);
  EXPECT_EQ(otp.Eval("net_adm:ping('shop@127.0.0.1')"), "pong") << otp.Log() << shop.Log();
  EXPECT_GE(crowd.open(), 500) << "the crowd was there all the time";
  EXPECT_EQ(crowd.refused(), 0);

  RecordProperty("median_ms_without", static_cast<int>(without.count()));
  RecordProperty("median_ms_with", static_cast<int>(with.count()));
  // A crowd does not hold up the end either, and the one that is connected sees it.
  EXPECT_EQ(otp.Eval("monitor_node('shop@127.0.0.1', true)"), "true");
  EXPECT_EQ(shop.Stop(), 0);
  EXPECT_EQ(otp.Eval("receive {nodedown, N} -> N after 10000 -> none end"), "'shop@127.0.0.1'");
}

// The crowd has the address of the real peer, and is larger than its bound.
TEST_F(SlowClientsTest, TheOldestSilentOneOfAnAddressMakesRoomForARealPeer) {
  NodedOptions options = Tls().Named("shop@127.0.0.1");
  options.arguments = {"-kernel", "net_setuptime", "120"};  // nobody goes by himself
  NodedProcess shop(options);
  ASSERT_TRUE(shop.WaitReady().ok()) << shop.Log();
  LogReader log(shop);
  const milliseconds without = MedianPing(Tls(), shop.name());
  SlowClients crowd({.port = shop.port(), .silent = 500, .dripping = 100, .is_stubborn = false});
  ASSERT_TRUE(Eventually([&] { return crowd.closed_by_server() >= 600 - kPerAddress; }))
      << crowd.opened() << " came, " << crowd.closed_by_server() << " had to go";
  const milliseconds with = MedianPing(Tls(), shop.name());
  ExpectNotDelayed(without, with);

  // Not one more than had to go: each real peer was a moment long one of the crowd.
  EXPECT_LE(crowd.open(), kPerAddress);
  EXPECT_GE(crowd.open(), kPerAddress - 15);
  // One line for the first of a thousand, and none for each.
  const std::vector<LoggedEvent> evicted = log.All("handshake_evicted");
  ASSERT_EQ(evicted.size(), 1u) << shop.Log();
  EXPECT_EQ(evicted[0].Get("peer"), "127.0.0.1");
  EXPECT_NE(evicted[0].Get("mend"), "");
  EXPECT_EQ(log.All("handshake_refused").size(), 0u) << shop.Log();
  EXPECT_EQ(shop.Stop(), 0) << shop.Log();
}

class SlowClientsDeadlineTest : public SlowClientsTest, public testing::WithParamInterface<bool> {};

INSTANTIATE_TEST_SUITE_P(Carriers, SlowClientsDeadlineTest, testing::Bool(),
                         [](const auto& info) { return info.param ? "Tls" : "Plain"; });

TEST_P(SlowClientsDeadlineTest, WhoIsNotDoneInTimeIsThrownOutWithAReason) {
  NodedOptions options = Tls();
  if (!GetParam()) options.proto_dist = options.ssl_dist_optfile = "";
  NodedOptions hasty = options.Named("shop@127.0.0.1");
  hasty.arguments = {"-kernel", "net_setuptime", "1"};
  NodedProcess shop(hasty);
  ASSERT_TRUE(shop.WaitReady().ok()) << shop.Log();
  LogReader log(shop);
  const auto start = steady_clock::now();
  SlowClientsOptions slow{.port = shop.port(), .silent = 10, .dripping = 10};
  slow.interval = milliseconds(100);
  slow.is_stubborn = false;
  // A name of a length that is just allowed.
  if (!GetParam()) slow.drip = "\x07\xd0N";
  SlowClients crowd(slow);
  ASSERT_TRUE(Eventually([&] { return crowd.closed_by_server() == 20; }, seconds(30)))
      << crowd.open() << shop.Log();
  const auto took = steady_clock::now() - start;
  EXPECT_GE(took, milliseconds(900)) << "they had their second";
  EXPECT_LT(took, seconds(6)) << "that is nearer to the default of seven seconds";
  EXPECT_TRUE(Eventually([&] { return log.All("handshake_refused").size() == 20; })) << shop.Log();
  for (const LoggedEvent& refused : log.All("handshake_refused")) {
    EXPECT_EQ(refused.Get("reason"), "timeout");
    EXPECT_NE(refused.Get("mend").find("net_setuptime"), std::string::npos);
  }
  const Finished pong = Nodectl(options, {"ping", shop.name()});
  EXPECT_EQ(pong.out, "pong\n") << pong.err;
}

}  // namespace
}  // namespace noded::testlib
