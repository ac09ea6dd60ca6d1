#include "node/reconnect_pauses.h"

#include <string>

#include <gtest/gtest.h>

namespace noded::node {
namespace {

using std::chrono::milliseconds;

constexpr char kNode[] = "shop@host";

class ReconnectPausesTest : public testing::Test {
 protected:
  // As long as the node may not be tried, to the millisecond.
  milliseconds PauseOf(const ReconnectPauses& pauses) const {
    milliseconds pause{0};
    while (!pauses.MayTry(kNode, now_ + pause) && pause < milliseconds(60'000)) ++pause;
    return pause;
  }

  const base::Limits limits_;
  base::TimePoint now_{std::chrono::hours(1)};
  uint32_t random_ = 0;
  ReconnectPauses pauses_{limits_, [this] { return random_; }};
};

TEST_F(ReconnectPausesTest, TheFirstFailuresHoldNothingBackAndThenPausesDouble) {
  EXPECT_TRUE(pauses_.MayTry(kNode, now_));
  for (int i = 0; i < limits_.free_connect_failures; ++i) {
    pauses_.Failed(kNode, now_);
    EXPECT_TRUE(pauses_.MayTry(kNode, now_));
  }
  milliseconds expected = limits_.min_reconnect_pause;
  for (int i = 0; i < 20; ++i) {
    pauses_.Failed(kNode, now_);
    EXPECT_EQ(PauseOf(pauses_), expected);
    now_ += PauseOf(pauses_);
    expected = std::min(2 * expected, limits_.max_reconnect_pause);
  }
  EXPECT_EQ(expected, limits_.max_reconnect_pause);
}

TEST_F(ReconnectPausesTest, APartOfUpToAQuarterIsTakenOff) {
  random_ = UINT32_MAX;
  for (int i = 0; i < 40; ++i) pauses_.Failed(kNode, now_);
  EXPECT_GE(PauseOf(pauses_), limits_.max_reconnect_pause * 3 / 4);
  EXPECT_LE(PauseOf(pauses_), limits_.max_reconnect_pause * 3 / 4 + milliseconds(10));
}

TEST_F(ReconnectPausesTest, WhoIsConnectedOrLeftAloneBeginsAnew) {
  const auto fail = [&] {
    for (int i = 0; i <= limits_.free_connect_failures; ++i) pauses_.Failed(kNode, now_);
  };
  fail();
  EXPECT_FALSE(pauses_.MayTry(kNode, now_));
  pauses_.Forget(kNode);
  EXPECT_TRUE(pauses_.MayTry(kNode, now_));
  EXPECT_EQ(pauses_.size(), 0u);

  fail();
  now_ += limits_.min_reconnect_pause + limits_.max_reconnect_pause;
  pauses_.Failed(kNode, now_);
  EXPECT_TRUE(pauses_.MayTry(kNode, now_));
}

TEST_F(ReconnectPausesTest, ItsSizeIsBoundedAndOldOnesMakeRoom) {
  for (size_t i = 0; i < limits_.max_reconnect_pauses + 10; ++i) {
    pauses_.Failed("n" + std::to_string(i) + "@host", now_);
  }
  EXPECT_EQ(pauses_.size(), limits_.max_reconnect_pauses);
  for (int i = 0; i < 10; ++i) pauses_.Failed(kNode, now_);
  EXPECT_TRUE(pauses_.MayTry(kNode, now_)) << "there is no room for it";
  now_ += limits_.max_reconnect_pause;
  pauses_.Failed(kNode, now_);
  EXPECT_EQ(pauses_.size(), 1u);
}

}  // namespace
}  // namespace noded::node
