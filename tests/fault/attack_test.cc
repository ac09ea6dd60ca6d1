// Under attack a real peer joins as if nothing was: a crowd that connects and says nothing, and a
// flood of handshakes that fail after the server has done its arithmetic. Scaled down unless
// NODED_SOAK is set.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <string>
#include <thread>

#include "asio/buffer.hpp"
#include "asio/io_context.hpp"
#include "asio/ip/tcp.hpp"
#include "fmt/format.h"
#include <gtest/gtest.h>

#include "tests/testlib/failing_clients.h"
#include "tests/testlib/log_events.h"
#include "tests/testlib/noded.h"
#include "tests/testlib/otp_node.h"
#include "tests/testlib/ports.h"
#include "tests/testlib/slow_clients.h"
#include "tests/testlib/test_certs.h"
#include "tests/testlib/wait.h"

namespace noded::testlib {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

bool IsSoak() { return std::getenv("NODED_SOAK") != nullptr; }

class AttackTest : public testing::Test {
 protected:
  NodedOptions Tls() {
    NodedOptions options;
    options.proto_dist = "inet_tls";
    options.ssl_dist_optfile = optfile_;
    options.epmd_port = epmd_port_;
    return options;
  }
  // It tells nobody to go by himself.
  NodedOptions Shop() {
    NodedOptions options = Tls().Named("shop@127.0.0.1");
    options.arguments = {"-kernel", "net_setuptime", "120"};
    return options;
  }
  OtpNodeOptions Otp() {
    OtpNodeOptions options;
    options.name = "otp@127.0.0.1";
    options.proto_dist = "inet_tls";
    options.ssl_dist_optfile = optfile_;
    options.epmd_port = epmd_port_;
    return options;
  }

  // How long an OTP node takes to join, again and again: the time that a quarter of its attempts
  // stays under, so that what else the machine does counts little. Every attempt must succeed.
  static microseconds JoinTime(OtpNode& otp) {
    const std::string time = otp.Eval(
        "(fun() ->"
        "  Gone = fun Gone() -> case nodes() of [] -> ok; _ -> timer:sleep(1), Gone() end end,"
        "  Join = fun() ->"
        "    {T, true} = timer:tc(net_kernel, connect_node, ['shop@127.0.0.1']),"
        "    erlang:disconnect_node('shop@127.0.0.1'), Gone(), T end,"
        "  Times = lists:sort([Join() || _ <- lists:seq(1, 40)]), lists:nth(10, Times) end)()");
    EXPECT_EQ(time.find_first_not_of("0123456789"), std::string::npos) << time << otp.Log();
    return microseconds(std::atoi(time.c_str()));
  }
  // A fifth more, and what a scheduler may take; on a machine that does other things besides, more.
  static void ExpectNotDelayed(microseconds without, microseconds with) {
    const microseconds noise = IsSoak() ? milliseconds(5) : milliseconds(30);
    EXPECT_GT(without.count(), 0);
    EXPECT_GT(with.count(), 0);
    EXPECT_LE(with.count(), (without * 6 / 5 + noise).count()) << "it was " << without.count();
  }

  // How a client of ours begins TLS.
  std::string ClientHello() {
    asio::io_context io;
    asio::ip::tcp::acceptor bait(io, {asio::ip::address_v4::loopback(), 0});
    NodedOptions options = Tls();
    options.arguments = {"-erl_epmd_port", std::to_string(bait.local_endpoint().port())};
    std::thread client([&] { Nodectl(options, {"ping", "bait@127.0.0.1"}); });
    std::string hello(4096, '\0');
    {
      asio::ip::tcp::socket socket(io);
      bait.accept(socket);
      hello.resize(socket.read_some(asio::buffer(hello)));
    }
    client.join();
    return hello;
  }

  TestCerts certs_;
  const uint16_t epmd_port_ = FreePort();
  const std::string optfile_ = certs_.OptFile(certs_.Node("any@127.0.0.1"));
};

TEST_F(AttackTest, ACrowdThatIsHalfOpenDoesNotDelayARealPeer) {
  const int crowd_size = IsSoak() ? 10'000 : 2'000;
  constexpr int kPending = 1024;  // base/limits.h, max_pending_handshakes
  NodedProcess shop(Shop());
  ASSERT_TRUE(shop.WaitReady().ok()) << shop.Log();
  OtpNode otp(Otp());
  const microseconds without = JoinTime(otp);

  LogReader log(shop);
  SlowClients crowd(
      {.port = shop.port(), .silent = crowd_size, .sources = 64, .is_stubborn = false});
  ASSERT_TRUE(Eventually([&] { return crowd.closed_by_server() >= crowd_size - kPending; }))
      << crowd.opened() << " came, " << crowd.closed_by_server() << " had to go";
  const microseconds with = JoinTime(otp);
  ExpectNotDelayed(without, with);
  EXPECT_GE(crowd.open(), kPending - 50) << "the crowd was there all the time";
  EXPECT_LE(log.All("handshake_evicted").size(), size_t(2 + crowd_size / 1000)) << shop.Log();
  EXPECT_EQ(log.All("handshake_refused").size(), 0u) << shop.Log();
  RecordProperty("join_us_without", static_cast<int>(without.count()));
  RecordProperty("join_us_with", static_cast<int>(with.count()));
  EXPECT_EQ(shop.Stop(), 0);
}

TEST_F(AttackTest, AFloodOfFailingHandshakesDoesNotDelayARealPeer) {
  NodedProcess shop(Shop());
  ASSERT_TRUE(shop.WaitReady().ok()) << shop.Log();
  OtpNode otp(Otp());
  const microseconds without = JoinTime(otp);

  LogReader log(shop);
  FailingClients flood(
      {.port = shop.port(), .clients = IsSoak() ? 400 : 40, .hello = ClientHello(), .sources = 2});
  // Until they are slowed: their first failures are free.
  ASSERT_TRUE(Eventually([&] { return flood.failed() >= 300; })) << flood.failed();
  const microseconds with = JoinTime(otp);
  ExpectNotDelayed(without, with);
  RecordProperty("join_us_without", static_cast<int>(without.count()));
  RecordProperty("join_us_with", static_cast<int>(with.count()));

  // Of all these failures the log has a few, and their number.
  EXPECT_TRUE(log.WaitFor("handshake_refused").ok());
  const auto unlogged = [&] {
    int all = 0;
    for (const LoggedEvent& refused : log.All("handshake_refused")) {
      all += std::atoi(refused.Get("unlogged").c_str());
    }
    return all;
  };
  EXPECT_TRUE(Eventually([&] { return unlogged() > 100; })) << shop.Log();
  EXPECT_LT(log.All("handshake_refused").size(), size_t(flood.failed() / 2));
  EXPECT_EQ(shop.Stop(), 0);
}

// They come from the address of the flood, and have no other.
TEST_F(AttackTest, GoodPeersBehindTheAddressOfAFloodGetIn) {
  NodedOptions options = Shop();
  options.arguments = {};
  NodedProcess shop(options);
  ASSERT_TRUE(shop.WaitReady().ok()) << shop.Log();
  LogReader log(shop);
  FailingClients flood({.port = shop.port(), .clients = 40, .hello = ClientHello()});
  ASSERT_TRUE(Eventually([&] { return flood.failed() >= 300; })) << flood.failed();
  for (int i = 0; i < 5; ++i) {
    const Finished pong = Nodectl(Tls(), {"ping", shop.name()});
    EXPECT_EQ(pong.out, "pong\n") << pong.err << shop.Log();
  }
  OtpNode otp(Otp());
  EXPECT_EQ(otp.Eval("net_adm:ping('shop@127.0.0.1')"), "pong") << otp.Log() << shop.Log();
  EXPECT_EQ(shop.Stop(), 0);
}

}  // namespace
}  // namespace noded::testlib
