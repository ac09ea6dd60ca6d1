#include "node/handshake_pace.h"

#include <chrono>

#include <gtest/gtest.h>

namespace noded::node {
namespace {

using base::Duration;
using base::TimePoint;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr char kBad[] = "192.0.2.1", kGood[] = "192.0.2.2";

class HandshakePaceTest : public testing::Test {
 protected:
  void Fail(const std::string& address, int times) {
    for (int i = 0; i < times; ++i) pace_.Failed(address, now_);
  }

  HandshakePace pace_{{.free_failures = 10,
                       .forgiven_per_second = 5,
                       .turns_per_second = 100,
                       .max_wait = milliseconds(100),
                       .max_addresses = 3}};
  TimePoint now_{seconds(1000)};
};

TEST_F(HandshakePaceTest, AFewFailuresChangeNothing) {
  Fail(kBad, 10);
  EXPECT_FALSE(pace_.IsSlowed(kBad, now_));
  EXPECT_FALSE(pace_.IsSlowed(kGood, now_));
}

TEST_F(HandshakePaceTest, TheTurnsOfAnAddressWithManyAreApart) {
  Fail(kBad, 11);
  ASSERT_TRUE(pace_.IsSlowed(kBad, now_));
  for (int i = 0; i <= 10; ++i) EXPECT_EQ(pace_.TakeTurn(kBad, now_), milliseconds(10 * i));
  // The next would wait too long; nothing waits that was refused.
  EXPECT_EQ(pace_.TakeTurn(kBad, now_), std::nullopt);
  EXPECT_EQ(pace_.refused(), 1u);
  now_ += milliseconds(10);
  EXPECT_EQ(pace_.TakeTurn(kBad, now_), milliseconds(100));
  // Who comes when nobody waits has its turn at once.
  now_ += seconds(1);
  EXPECT_EQ(pace_.TakeTurn(kBad, now_), Duration::zero());
}

TEST_F(HandshakePaceTest, OthersDoNotWait) {
  Fail(kBad, 20);
  for (int i = 0; i < 20; ++i) pace_.TakeTurn(kBad, now_);
  EXPECT_FALSE(pace_.IsSlowed(kGood, now_));
  EXPECT_EQ(pace_.TakeTurn(kGood, now_), Duration::zero());
}

TEST_F(HandshakePaceTest, FailuresAreForgivenHoweverManyTheyWere) {
  Fail(kBad, 100'000);
  now_ += milliseconds(1900);
  EXPECT_TRUE(pace_.IsSlowed(kBad, now_));
  now_ += milliseconds(200);
  EXPECT_FALSE(pace_.IsSlowed(kBad, now_));
}

TEST_F(HandshakePaceTest, AnIpv6NetworkIsOneAddress) {
  for (int i = 1; i <= 11; ++i) Fail("2001:db8::" + std::to_string(i), 1);
  EXPECT_TRUE(pace_.IsSlowed("2001:db8::ffff", now_));
  EXPECT_FALSE(pace_.IsSlowed("2001:db8:0:1::1", now_));
}

TEST_F(HandshakePaceTest, KnowsABoundedNumberOfAddresses) {
  for (int i = 0; i < 3; ++i) Fail("192.0.2.1" + std::to_string(i), 11);
  Fail(kBad, 20);
  EXPECT_FALSE(pace_.IsSlowed(kBad, now_));
  EXPECT_TRUE(pace_.IsSlowed("192.0.2.10", now_));
  now_ += seconds(10);  // those three are forgiven
  Fail(kBad, 20);
  EXPECT_TRUE(pace_.IsSlowed(kBad, now_));
}

}  // namespace
}  // namespace noded::node
