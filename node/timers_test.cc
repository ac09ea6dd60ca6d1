#include "node/timers.h"

#include <gtest/gtest.h>

#include "node/mailbox.h"

namespace noded::node {
namespace {

using dist::Reference;
using dist::Term;
using std::chrono::milliseconds;

constexpr std::chrono::seconds kSoon{30};

struct NoPeers : Outbound {
  void SendTo(const dist::AtomName&, dist::Control, std::optional<Term>) override {}
};

class TimersTest : public testing::Test {
 protected:
  ~TimersTest() override { loops_.Stop(); }

  Reference Start(milliseconds delay, const Destination& to, const char* message) {
    return home_.Run([&] {
      const Reference timer = identity_.NextReference();
      timers_.Start(timer, delay, to, Term::Atom(message));
      return timer;
    });
  }
  std::optional<base::Duration> Cancel(const Reference& timer) {
    return home_.Run([&] { return timers_.Cancel(timer); });
  }
  size_t size() {
    return home_.Run([&] { return timers_.size(); });
  }

  base::LoopGroup loops_{1};
  base::Loop& home_ = loops_.home();
  NoPeers peers_;
  Identity identity_{"here@host", 7};
  Signals signals_{identity_, peers_};
  Timers timers_{home_, signals_};
  std::shared_ptr<Mailbox::Queue> queue_ = std::make_shared<Mailbox::Queue>(base::Limits());
  const dist::Pid pid_ = home_.Run([this] { return signals_.Start(queue_); });
  Mailbox mailbox_{pid_, queue_, [] {}};
  const Destination self_ = Destination::OfPid(pid_);
};

TEST_F(TimersTest, MessagesComeInTheOrderOfTheirTimesAndNotBefore) {
  const auto begin = std::chrono::steady_clock::now();
  Start(milliseconds(60), self_, "late");
  Start(milliseconds(30), self_, "early");
  EXPECT_EQ(mailbox_.Receive(kSoon), Term::Atom("early"));
  EXPECT_GE(std::chrono::steady_clock::now() - begin, milliseconds(30));
  EXPECT_EQ(mailbox_.Receive(kSoon), Term::Atom("late"));
  EXPECT_GE(std::chrono::steady_clock::now() - begin, milliseconds(60));
  EXPECT_EQ(size(), 0u);
}

TEST_F(TimersTest, ACancelledTimerSendsNothingAndSaysWhatWasLeft) {
  const Reference hour = Start(std::chrono::hours(1), self_, "hour");
  const auto left = Cancel(hour);
  ASSERT_TRUE(left);
  EXPECT_LE(*left, std::chrono::hours(1));
  EXPECT_GT(*left, std::chrono::minutes(30));
  EXPECT_FALSE(Cancel(hour));
  // Cancelled before it goes off, or expired and not yet told of: the loop is busy meanwhile.
  const auto cancelled = home_.Run([&] {
    const Reference timer = identity_.NextReference();
    timers_.Start(timer, milliseconds(0), self_, Term::Atom("now"));
    return timers_.Cancel(timer);
  });
  EXPECT_EQ(cancelled, base::Duration::zero());
  const Reference last = Start(milliseconds(1), self_, "last");
  EXPECT_EQ(mailbox_.Receive(kSoon), Term::Atom("last"));
  EXPECT_FALSE(Cancel(last)) << "it has gone off";
}

TEST_F(TimersTest, ANameIsLookedUpWhenTheTimeHasCome) {
  home_.Run([&] {  // in one go: no time comes before the name is given
    Start(milliseconds(1), Destination::OfName("nobody", "here@host"), "lost");
    Start(milliseconds(1), Destination::OfName("till", "here@host"), "found");
    return signals_.processes().Register("till", pid_).ok();
  });
  EXPECT_EQ(mailbox_.Receive(kSoon), Term::Atom("found"));
}

}  // namespace
}  // namespace noded::node
