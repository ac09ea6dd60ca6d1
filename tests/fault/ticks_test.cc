// A peer that gives no sign of life is dropped after net_ticktime; one that is merely idle is not.
#include <signal.h>

#include <chrono>

#include "tests/fault/cluster.h"

namespace noded::fault {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using testlib::LogReader;
using testlib::NodedProcess;
using testlib::OtpNode;

const std::vector<std::string> kTwoSeconds = {"-kernel", "net_ticktime", "2"};

class TicksTest : public ClusterTest {
 protected:
  // The last tick may be a quarter of the time old, and the end comes within a quarter of it. What
  // is above allows for a busy machine, and is far below the default of a minute.
  static void ExpectInTime(steady_clock::time_point frozen) {
    const auto took = steady_clock::now() - frozen;
    EXPECT_GE(took, milliseconds(900));
    EXPECT_LT(took, seconds(10));
  }
};

TEST_F(TicksTest, AFrozenOtpNodeIsDroppedAndMayComeBack) {
  NodedProcess shop(Options("shop@127.0.0.1", "inet_tls", kTwoSeconds));
  OtpNode otp(Otp(Options("otp@127.0.0.1", "inet_tls", kTwoSeconds)));
  ASSERT_TRUE(shop.WaitReady().ok()) << shop.Log();
  LogReader log(shop);
  Join(otp, shop.name());

  const auto frozen = steady_clock::now();
  otp.process()->Signal(SIGSTOP);
  auto down = log.WaitFor("link_down", {{"peer", otp.name()}});
  ASSERT_TRUE(down.ok()) << down.status();
  ExpectInTime(frozen);
  EXPECT_EQ(down->Get("reason"), "net_tick_timeout") << shop.Log();

  otp.process()->Signal(SIGCONT);
  EXPECT_NE(TakeDown(otp), "none");
  ExpectPong(otp, shop.name());
}

TEST_F(TicksTest, OtpDropsAFrozenNodedWhichMayComeBack) {
  NodedProcess shop(Options("shop@127.0.0.1", "inet_tls", kTwoSeconds));
  OtpNode otp(Otp(Options("otp@127.0.0.1", "inet_tls", kTwoSeconds)));
  ASSERT_TRUE(shop.WaitReady().ok()) << shop.Log();
  LogReader log(shop);
  Join(otp, shop.name());

  const auto frozen = steady_clock::now();
  shop.process()->Signal(SIGSTOP);
  EXPECT_EQ(TakeDown(otp), "{'shop@127.0.0.1',net_tick_timeout}");
  ExpectInTime(frozen);

  shop.process()->Signal(SIGCONT);
  auto down = log.WaitFor("link_down", {{"peer", otp.name()}});
  EXPECT_TRUE(down.ok()) << down.status();
  ExpectPong(otp, shop.name());
}

TEST_F(TicksTest, AFrozenNodedIsDroppedByAnotherNoded) {
  NodedProcess shop(Options("shop@127.0.0.1", "inet_tcp", kTwoSeconds));
  NodedProcess till(Options("till@127.0.0.1", "inet_tcp", kTwoSeconds));
  ASSERT_TRUE(shop.WaitReady().ok()) << shop.Log();
  ASSERT_TRUE(till.WaitReady().ok()) << till.Log();
  const auto client = Options("", "inet_tcp");
  const auto ping =
      std::vector<std::string>{"call", shop.name(), "net_adm", "ping", "'till@127.0.0.1'"};
  EXPECT_EQ(testlib::Nodectl(client, ping).out, "pong\n");
  LogReader log(shop);

  const auto frozen = steady_clock::now();
  till.process()->Signal(SIGSTOP);
  auto down = log.WaitFor("link_down", {{"peer", till.name()}});
  ASSERT_TRUE(down.ok()) << down.status();
  ExpectInTime(frozen);
  EXPECT_EQ(down->Get("reason"), "net_tick_timeout");
  till.process()->Signal(SIGCONT);
  EXPECT_EQ(testlib::Nodectl(client, ping).out, "pong\n");
}

// Nobody asks anything of anybody; only ticks go to and fro, on the carrier with the most parts.
TEST_F(TicksTest, IdleNodesStayConnected) {
  const std::vector<std::string> ticktime = {"-kernel", "net_ticktime", "3"};
  NodedProcess shop(Options("shop@127.0.0.1", "inet_tls", ticktime));
  NodedProcess till(Options("till@127.0.0.1", "inet_tls", ticktime));
  OtpNode otp(Otp(Options("otp@127.0.0.1", "inet_tls", ticktime)));
  ASSERT_TRUE(shop.WaitReady().ok()) << shop.Log();
  ASSERT_TRUE(till.WaitReady().ok()) << till.Log();
  Join(otp, shop.name());
  EXPECT_EQ(testlib::Nodectl(Options("", "inet_tls"),
                             {"call", shop.name(), "net_adm", "ping", "'till@127.0.0.1'"})
                .out,
            "pong\n");
  // Three times the time after which silence would have ended the connections.
  EXPECT_EQ(otp.Eval("receive {nodedown, Lost, _} -> Lost after 9500 -> all_there end"),
            "all_there");
  EXPECT_EQ(otp.Eval("lists:sort(nodes())"), "['shop@127.0.0.1','till@127.0.0.1']") << "a mesh";
  LogReader shops(shop), tills(till);
  for (const auto& down : shops.All("link_down")) {
    EXPECT_EQ(down.Get("peer").substr(0, 8), "nodectl-") << shop.Log();
  }
  EXPECT_EQ(tills.All("link_down").size(), 0u) << till.Log();
  EXPECT_EQ(tills.All("link_up").size(), 2u) << till.Log();
}

}  // namespace
}  // namespace noded::fault
