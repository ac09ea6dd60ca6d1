// The end of a node, clean or not, is seen by the others at once, and does not outlive it.
#include <signal.h>

#include <chrono>

#include "tests/fault/cluster.h"
#include "tests/testlib/process.h"
#include "tests/testlib/wait.h"

namespace noded::fault {
namespace {

using std::chrono::seconds;
using std::chrono::steady_clock;
using testlib::CommandOf;
using testlib::Eventually;
using testlib::LogReader;
using testlib::NodedProcess;
using testlib::OtpNode;
using testlib::Process;

// "At once": net_ticktime is a minute in all of these.
constexpr seconds kAtOnce{10};

class EndsTest : public ClusterTest, public testing::WithParamInterface<const char*> {
 protected:
  testlib::NodedOptions Options(const std::string& name) {
    return ClusterTest::Options(name, GetParam());
  }
};

INSTANTIATE_TEST_SUITE_P(Carriers, EndsTest, testing::Values("inet_tcp", "inet_tls"),
                         [](const auto& info) {
                           return std::string(info.param) == "inet_tcp" ? "Plain" : "Tls";
                         });

TEST_P(EndsTest, ACleanStopOfOtpIsSeenAtOnce) {
  NodedProcess shop(Options("shop@127.0.0.1"));
  OtpNode otp(Otp(Options("otp@127.0.0.1")));
  ASSERT_TRUE(shop.WaitReady().ok()) << shop.Log();
  LogReader log(shop);
  Join(otp, shop.name());
  otp.Stop();
  auto down = log.WaitFor("link_down", {{"peer", otp.name()}}, kAtOnce);
  EXPECT_TRUE(down.ok()) << down.status();
}

TEST_P(EndsTest, ADeadOtpNodeIsSeenAtOnceAndBackAgain) {
  NodedProcess shop(Options("shop@127.0.0.1"));
  ASSERT_TRUE(shop.WaitReady().ok()) << shop.Log();
  LogReader log(shop);
  {
    OtpNode otp(Otp(Options("otp@127.0.0.1")));
    Join(otp, shop.name());
    otp.Kill();
    auto down = log.WaitFor("link_down", {{"peer", otp.name()}}, kAtOnce);
    EXPECT_TRUE(down.ok()) << down.status();
  }
  OtpNode again(Otp(Options("otp@127.0.0.1")));
  Join(again, shop.name());
  EXPECT_TRUE(Eventually([&] { return log.All("link_up").size() == 2; })) << shop.Log();
}

TEST_P(EndsTest, OtpSeesACleanStopAndADeathOfNodedAtOnce) {
  OtpNode otp(Otp(Options("otp@127.0.0.1")));
  for (const bool is_clean : {true, false}) {
    SCOPED_TRACE(is_clean);
    NodedProcess shop(Options("shop@127.0.0.1"));
    ASSERT_TRUE(shop.WaitReady().ok()) << shop.Log();
    Join(otp, shop.name());
    const auto start = steady_clock::now();
    if (is_clean) {
      EXPECT_EQ(shop.Stop(), 0) << shop.Log();
      EXPECT_LT(steady_clock::now() - start, kAtOnce) << shop.Log();
    } else {
      shop.Kill();
    }
    // The word of OTP's TLS processes for it is another one.
    const bool is_plain = std::string(GetParam()) == "inet_tcp";
    EXPECT_EQ(TakeDown(otp),
              fmt::format("{{'shop@127.0.0.1',{}}}", is_plain ? "connection_closed" : "shutdown"));
    EXPECT_LT(steady_clock::now() - start, kAtOnce);
    EXPECT_EQ(otp.Eval("net_adm:ping('shop@127.0.0.1')"), "pang");
  }
}

TEST_P(EndsTest, NodedsSeeEachOthersEnds) {
  NodedProcess shop(Options("shop@127.0.0.1"));
  ASSERT_TRUE(shop.WaitReady().ok()) << shop.Log();
  LogReader log(shop);
  for (const bool is_clean : {true, false}) {
    SCOPED_TRACE(is_clean);
    NodedProcess till(Options("till@127.0.0.1"));
    ASSERT_TRUE(till.WaitReady().ok()) << till.Log();
    const auto pong =
        testlib::Nodectl(Options(""), {"call", shop.name(), "net_adm", "ping", "'till@127.0.0.1'"});
    ASSERT_EQ(pong.out, "pong\n") << pong.err << shop.Log();
    if (is_clean) {
      EXPECT_EQ(till.Stop(), 0);
    } else {
      till.Kill();
    }
    auto down = log.WaitFor("link_down", {{"peer", till.name()}}, kAtOnce);
    ASSERT_TRUE(down.ok()) << down.status();
    // Plain TCP says the same in both cases; TLS has a word of goodbye, which a dead node does not
    // say.
    const bool is_goodbye = is_clean || std::string(GetParam()) == "inet_tcp";
    EXPECT_EQ(down->Get("reason") == "connection_closed", is_goodbye) << shop.Log();
    EXPECT_EQ(down->level == "info", is_goodbye) << shop.Log();
    log.Mark();
  }
}

// A question whose answer will never come ends with the node that was asked.
TEST_P(EndsTest, ACallUnderWayEndsWithTheNodeThatWasCalled) {
  OtpNode otp(Otp(Options("otp@127.0.0.1")));
  ASSERT_TRUE(otp.WaitReady().ok()) << otp.Log();
  auto call = Process::Start(
      CommandOf("cli/nodectl", {"call", otp.name(), "timer", "sleep", "60000", "--timeout", "50"},
                Options("")));
  ASSERT_TRUE(call.ok()) << call.status();
  ASSERT_TRUE(Eventually([&] { return otp.Eval("length(nodes(hidden))") == "1"; }));
  const auto start = steady_clock::now();
  otp.Kill();
  auto code = (*call)->WaitForExit();
  ASSERT_TRUE(code.ok()) << code.status();
  EXPECT_EQ(*code, 3) << (*call)->Err();
  EXPECT_NE((*call)->Err().find(otp.name()), std::string::npos) << (*call)->Err();
  EXPECT_LT(steady_clock::now() - start, kAtOnce);
}

// The node's kernel takes the connection, and nobody says a word.
TEST_P(EndsTest, AFrozenNodeIsNotWaitedForLongerThanAskedFor) {
  NodedProcess shop(Options("shop@127.0.0.1"));
  ASSERT_TRUE(shop.WaitReady().ok()) << shop.Log();
  shop.process()->Signal(SIGSTOP);
  auto hasty = Options("");
  hasty.arguments = {"-kernel", "net_setuptime", "1"};
  const auto start = steady_clock::now();
  const auto done = testlib::Nodectl(hasty, {"ping", shop.name()});
  EXPECT_EQ(done.code, 4) << done.err;
  EXPECT_NE(done.err.find("net_setuptime"), std::string::npos) << done.err;
  EXPECT_LT(steady_clock::now() - start, kAtOnce);
  shop.process()->Signal(SIGCONT);
  EXPECT_EQ(testlib::Nodectl(Options(""), {"ping", shop.name()}).out, "pong\n");
}

}  // namespace
}  // namespace noded::fault
