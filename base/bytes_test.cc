#include "base/bytes.h"

#include <gtest/gtest.h>

namespace noded::base {
namespace {

TEST(BytesTest, HexGoesBothWays) {
  std::vector<uint8_t> bytes = FromHex("00 ff\n7F");
  EXPECT_EQ(bytes, (std::vector<uint8_t>{0x00, 0xff, 0x7f}));
  EXPECT_EQ(ToHex(bytes), "00ff7f");
  EXPECT_TRUE(FromHex("0").empty());
  EXPECT_TRUE(FromHex("zz").empty());
}

TEST(BytesTest, ConstantTimeCompareIsACompare) {
  EXPECT_TRUE(EqualConstantTime(AsBytes("abc"), AsBytes("abc")));
  EXPECT_FALSE(EqualConstantTime(AsBytes("abc"), AsBytes("abd")));
  EXPECT_FALSE(EqualConstantTime(AsBytes("abc"), AsBytes("ab")));
  EXPECT_TRUE(EqualConstantTime({}, {}));
}

TEST(SliceTest, APartSharesTheBlockAndOutlivesTheWhole) {
  Slice part;
  {
    Slice whole = Slice::Copy("hello world");
    part = whole.Sub(6, 100);
    EXPECT_FALSE(whole.is_unique());
  }
  EXPECT_EQ(part.text(), "world");
  EXPECT_TRUE(part.is_unique());
  EXPECT_TRUE(part.Sub(9).empty());
}

TEST(SliceTest, TakesOverAVectorWithoutACopy) {
  std::vector<uint8_t> bytes = {1, 2, 3};
  const uint8_t* data = bytes.data();
  Slice slice(std::move(bytes));
  EXPECT_EQ(slice.data(), data);
  EXPECT_EQ(slice, Slice::Copy(FromHex("010203")));
}

}  // namespace
}  // namespace noded::base
