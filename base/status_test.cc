#include "base/status.h"

#include <cerrno>

#include <gtest/gtest.h>

namespace noded::base {
namespace {

TEST(StatusTest, CarriesCauseMendAndReason) {
  absl::Status status = Error(absl::StatusCode::kInvalidArgument, "option depth: 'x' is no number",
                              "give 0 to 255", "badarg");
  EXPECT_EQ(std::string(status.message()), "option depth: 'x' is no number; give 0 to 255");
  EXPECT_EQ(CauseOf(status), "option depth: 'x' is no number");
  EXPECT_EQ(MendOf(status), "give 0 to 255");
  absl::Status outer = Annotate(status, "ERL_FLAGS");
  EXPECT_EQ(std::string(outer.message()),
            "ERL_FLAGS: option depth: 'x' is no number; give 0 to 255");
  EXPECT_EQ(ReasonOf(outer), "badarg");
  EXPECT_EQ(MendOf(outer), "give 0 to 255");
}

TEST(StatusTest, ReasonFollowsTheCodeWhenNoneIsGiven) {
  EXPECT_EQ(ReasonOf(absl::DeadlineExceededError("x")), "timeout");
  EXPECT_EQ(ReasonOf(absl::UnavailableError("x")), "noconnection");
  EXPECT_EQ(ReasonOf(absl::OkStatus()), "ok");
}

TEST(StatusTest, AnnotateLeavesOkAlone) { EXPECT_TRUE(Annotate(absl::OkStatus(), "x").ok()); }

TEST(StatusTest, ErrnoHasTextAndAtom) {
  EXPECT_EQ(ErrnoText(ENOENT), "no such file or directory");
  EXPECT_EQ(ErrnoAtom(ECONNREFUSED), "econnrefused");
}

absl::StatusOr<int> Half(int value) {
  if (value % 2 != 0) return absl::InvalidArgumentError("odd");
  return value / 2;
}

absl::StatusOr<int> Quarter(int value) {
  ASSIGN_OR_RETURN(int half, Half(value));
  ASSIGN_OR_RETURN(int quarter, Half(half));
  return quarter;
}

TEST(StatusTest, MacrosPassErrorsOn) {
  EXPECT_EQ(*Quarter(8), 2);
  EXPECT_FALSE(Quarter(6).ok());
}

}  // namespace
}  // namespace noded::base
