#include "base/nearest_name.h"

#include <array>

#include <gtest/gtest.h>

namespace noded::base {
namespace {

constexpr std::array<std::string_view, 5> kKnown = {"name", "sname", "setcookie", "proto_dist",
                                                    "s"};

TEST(NearestNameTest, FindsTheNameThatWasMeant) {
  EXPECT_EQ(NearestName("setcokie", kKnown), "setcookie");
  EXPECT_EQ(NearestName("setcooike", kKnown), "setcookie");
  EXPECT_EQ(NearestName("cookie", kKnown), "");
  EXPECT_EQ(NearestName("proto-dist", kKnown), "proto_dist");
  EXPECT_EQ(NearestName("protodist", kKnown), "proto_dist");
  EXPECT_EQ(NearestName("snaem", kKnown), "sname");
  EXPECT_EQ(NearestName("NAME", kKnown), "name");
}

TEST(NearestNameTest, OffersNothingForAnotherWord) {
  EXPECT_EQ(NearestName("frobnicate", kKnown), "");
  EXPECT_EQ(NearestName("x", kKnown), "");
  EXPECT_EQ(NearestName("", kKnown), "");
  EXPECT_EQ(NearestName(std::string(100000, 'a'), kKnown), "");
  EXPECT_EQ(NearestName("name", {}), "");
}

TEST(NearestNameTest, PrefersTheFirstOfEquallyNearNames) {
  constexpr std::array<std::string_view, 2> known = {"cat", "car"};
  EXPECT_EQ(NearestName("cap", known), "cat");
}

TEST(NearestNameTest, AsksInOneClauseOrNotAtAll) {
  EXPECT_EQ(DidYouMean("setcokie", kKnown), "; did you mean 'setcookie'?");
  EXPECT_EQ(DidYouMean("frobnicate", kKnown), "");
}

}  // namespace
}  // namespace noded::base
