#include "base/log.h"

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/digest.h"
#include "base/random.h"
#include "base/status.h"

namespace noded::base {
namespace {

TEST(LogTest, OneEventIsOneLineOfKeysAndValues) {
  StartLog(LogLevel::kInfo);
  testing::internal::CaptureStderr();
  LogInfo("link_up").Add("peer", "a@b").Add("port", 4369).Add("note", "two\nlines \"x\"");
  LogDebug("hidden").Add("k", "v");
  std::string text = testing::internal::GetCapturedStderr();
  EXPECT_NE(text.find("link_up peer=a@b port=4369 note=\"two\\nlines \\\"x\\\"\""),
            std::string::npos)
      << text;
  EXPECT_EQ(text.find("hidden"), std::string::npos);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
}

TEST(LogTest, AStatusShowsReasonCauseAndMendApart) {
  testing::internal::CaptureStderr();
  LogWarn("refused").Add(
      Error(absl::StatusCode::kPermissionDenied, "digests differ", "use one cookie", "bad_cookie"));
  std::string text = testing::internal::GetCapturedStderr();
  EXPECT_NE(text.find("reason=bad_cookie cause=\"digests differ\" mend=\"use one cookie\""),
            std::string::npos)
      << text;
}

TEST(DigestTest, Md5OfRfc1321) {
  EXPECT_EQ(ToHex(Md5(AsBytes("abc"))), "900150983cd24fb0d6963f7d28e17f72");
  EXPECT_EQ(ToHex(Md5({})), "d41d8cd98f00b204e9800998ecf8427e");
}

TEST(RandomTest, DoesNotRepeat) { EXPECT_NE(Random64(), Random64()); }

}  // namespace
}  // namespace noded::base
