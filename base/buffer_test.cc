#include "base/buffer.h"

#include <gtest/gtest.h>

namespace noded::base {
namespace {

TEST(BufferTest, KeepsOrderOfCopiedAndSharedPieces) {
  Slice large = Slice::Copy(std::string(2000, 'x'));
  Buffer buffer;
  buffer.Append("ab");
  buffer.Append(large);
  buffer.Append("cd");
  EXPECT_EQ(buffer.size(), 2004u);
  ASSERT_EQ(buffer.pieces().size(), 3u);
  EXPECT_EQ(buffer.pieces()[1].data(), large.data());
  EXPECT_EQ(buffer.ToString(), "ab" + std::string(2000, 'x') + "cd");
}

TEST(BufferTest, ConsumeCrossesPieces) {
  Buffer buffer;
  buffer.Append("head");
  buffer.Append(Slice::Copy(std::string(600, 'y')));
  buffer.Consume(5);
  EXPECT_EQ(buffer.size(), 599u);
  buffer.Consume(10'000);
  EXPECT_TRUE(buffer.empty());
  EXPECT_TRUE(buffer.pieces().empty());
}

TEST(BufferTest, MovedFromIsEmpty) {
  Buffer a;
  a.Append("abc");
  Buffer b = std::move(a);
  EXPECT_TRUE(a.empty());
  EXPECT_EQ(b.ToString(), "abc");
  a.Append("d");
  b.Append(std::move(a));
  EXPECT_EQ(b.ToString(), "abcd");
}

}  // namespace
}  // namespace noded::base
