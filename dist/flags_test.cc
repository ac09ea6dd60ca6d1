#include "dist/flags.h"

#include "base/status.h"
#include "gtest/gtest.h"

namespace noded::dist {
namespace {

// erts_internal:get_dflags() of OTP 25.2: what it offers, and what it demands.
constexpr uint64_t kOtp25 = 55966662588;
constexpr uint64_t kOtp25Mandatory = 17239956;

TEST(FlagsTest, TheMandatorySetIsTheOneOfOtp25) { EXPECT_EQ(dflag::kMandatory25, kOtp25Mandatory); }

TEST(FlagsTest, OurFlagsSatisfyOtp25And26) {
  for (bool is_published : {false, true}) {
    const uint64_t flags = LocalFlags(is_published);
    EXPECT_EQ(flags & kOtp25Mandatory, kOtp25Mandatory);
    EXPECT_EQ(flags & dflag::kMandatory26, dflag::kMandatory26);
    EXPECT_EQ((flags & dflag::kPublished) != 0, is_published);
  }
}

TEST(FlagsTest, WeOfferNothingBeyondOtp25) {
  EXPECT_EQ(FlagNames(LocalFlags(false) & ~kOtp25), "");
  EXPECT_EQ(FlagNames(kOtp25 & ~LocalFlags(false)), "");
}

TEST(FlagsTest, NegotiationKeepsWhatBothHave) {
  auto flags = Negotiate(LocalFlags(true), kOtp25);
  ASSERT_TRUE(flags.ok());
  EXPECT_EQ(*flags, LocalFlags(false));  // the peer is hidden
}

TEST(FlagsTest, ARequestForANameIsNoCapability) {
  auto flags = Negotiate(LocalFlags(false) | dflag::kNameMe, kOtp25 | dflag::kNameMe);
  ASSERT_TRUE(flags.ok());
  EXPECT_EQ(*flags & dflag::kNameMe, 0);
}

TEST(FlagsTest, TheDigestStandsForAllMandatoryFlags) {
  auto flags = Negotiate(LocalFlags(false), dflag::kMandatory25Digest | dflag::kSpawn);
  ASSERT_TRUE(flags.ok());
  EXPECT_EQ(*flags, dflag::kMandatory25 | dflag::kMandatory25Digest | dflag::kSpawn);
}

TEST(FlagsTest, EachMandatoryFlagIsDemandedAndNamed) {
  for (uint64_t rest = dflag::kMandatory25; rest != 0; rest &= rest - 1) {
    const uint64_t flag = rest & (~rest + 1);
    auto flags =
        Negotiate(LocalFlags(false), LocalFlags(false) & ~flag & ~dflag::kMandatory25Digest);
    ASSERT_FALSE(flags.ok()) << FlagNames(flag);
    EXPECT_EQ(flags.status().code(), absl::StatusCode::kPermissionDenied);
    EXPECT_EQ(base::ReasonOf(flags.status()), "check_dflags_failed");
    EXPECT_NE(flags.status().message().find("lacks " + FlagNames(flag) + ","), std::string::npos)
        << flags.status().message();
  }
}

TEST(FlagsTest, NamesFollowTheBitsAndUnknownOnesAreNumbers) {
  EXPECT_EQ(FlagNames(0), "");
  EXPECT_EQ(FlagNames(dflag::kAlias | dflag::kPublished | uint64_t{1} << 60),
            "PUBLISHED, ALIAS, 0x1000000000000000");
}

}  // namespace
}  // namespace noded::dist
