#include "tests/testlib/log_events.h"

#include <gtest/gtest.h>

namespace noded::testlib {
namespace {

TEST(LogEventsTest, ReadsWhatTheLoggerWrites) {
  const auto events = ReadLog(
      "noded: not an event\n"
      "2026-01-02T03:04:05.678Z info  node_started node=a@host port=4711\n"
      "2026-01-02T03:04:05.678Z warning link_down peer=b@host cause=\"two words, one "
      "\\\"quoted\\\"\" "
      "mend=none\n"
      "2026-01-02T03:04:05.678Z info  cut_off node=");
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0].level, "info");
  EXPECT_EQ(events[0].name, "node_started");
  EXPECT_EQ(events[0].Get("node"), "a@host");
  EXPECT_EQ(events[0].Get("port"), "4711");
  EXPECT_EQ(events[0].Get("cause"), "");
  EXPECT_EQ(events[1].level, "warning");
  EXPECT_EQ(events[1].Get("cause"), "two words, one \"quoted\"");
  EXPECT_EQ(events[1].Get("mend"), "none");
}

TEST(LogEventsTest, ReadsLinesWithoutValuesAndNonsense) {
  const auto events = ReadLog("2026-01-02T03:04:05.678Z info  alone\n\nZ x y=\"open\n=\n");
  ASSERT_EQ(events.size(), 2u);
  EXPECT_TRUE(events[0].values.empty());
}

}  // namespace
}  // namespace noded::testlib
