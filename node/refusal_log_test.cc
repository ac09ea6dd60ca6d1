#include "node/refusal_log.h"

#include <gtest/gtest.h>

namespace noded::node {
namespace {

using std::chrono::seconds;

class RefusalLogTest : public testing::Test {
 protected:
  RefusalLog log_{{.window = seconds(10), .lines_per_address = 2, .lines = 5}};
  base::TimePoint now_{seconds(1000)};
};

TEST_F(RefusalLogTest, AFewAreAllLogged) {
  EXPECT_EQ(log_.Next("a", now_), 0u);
  EXPECT_EQ(log_.Next("b", now_), 0u);
  EXPECT_EQ(log_.Next("a", now_), 0u);
}

TEST_F(RefusalLogTest, TheRestOfAnAddressIsCounted) {
  for (int i = 0; i < 2; ++i) EXPECT_EQ(log_.Next("a", now_), 0u);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(log_.Next("a", now_), std::nullopt);
  // Another one's line tells of them, and the window ends for all.
  EXPECT_EQ(log_.Next("b", now_), 1000u);
  EXPECT_EQ(log_.Next("a", now_), std::nullopt);
  now_ += seconds(10);
  EXPECT_EQ(log_.Next("a", now_), 1u);
  EXPECT_EQ(log_.Next("a", now_), 0u);
}

TEST_F(RefusalLogTest, OfManyAddressesTheFirstAreLogged) {
  int lines = 0;
  for (int i = 0; i < 1000; ++i) lines += log_.Next(std::to_string(i), now_) ? 1 : 0;
  EXPECT_EQ(lines, 5);
  now_ += seconds(10);
  EXPECT_EQ(log_.Next("a", now_), 995u);
}

}  // namespace
}  // namespace noded::node
