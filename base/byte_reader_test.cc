#include "base/byte_reader.h"

#include <gtest/gtest.h>

#include "base/byte_writer.h"

namespace noded::base {
namespace {

TEST(ByteReaderTest, ReadsWhatTheWriterWrote) {
  ByteWriter out;
  out.U8(1);
  out.U16(0x0203);
  out.U32(0x04050607);
  out.U64(0x08090a0b0c0d0e0f);
  out.Bytes("tail");
  Slice bytes = out.Take().ToSlice();
  EXPECT_EQ(ToHex(bytes), "0102030405060708090a0b0c0d0e0f7461696c");

  ByteReader in(bytes);
  EXPECT_EQ(in.Peek(), 1);
  EXPECT_EQ(in.U8(), 1);
  EXPECT_EQ(in.U16(), 0x0203);
  EXPECT_EQ(in.U32(), 0x04050607u);
  EXPECT_EQ(in.U64(), 0x08090a0b0c0d0e0fu);
  EXPECT_FALSE(in.done());
  EXPECT_EQ(AsText(in.Rest()), "tail");
  EXPECT_TRUE(in.done());
}

TEST(ByteReaderTest, AReadPastTheEndFailsForGood) {
  std::vector<uint8_t> bytes = {1, 2, 3};
  ByteReader in(bytes);
  EXPECT_EQ(in.U32(), 0u);
  EXPECT_FALSE(in.ok());
  EXPECT_EQ(in.U8(), 0);
  EXPECT_EQ(in.remaining(), 0u);
  EXPECT_TRUE(in.Rest().empty());
  EXPECT_FALSE(in.done());
}

TEST(ByteReaderTest, AHugeCountIsOnlyAFailure) {
  std::vector<uint8_t> bytes = {1};
  ByteReader in(bytes);
  in.U8();
  EXPECT_TRUE(in.Bytes(SIZE_MAX).empty());
  EXPECT_FALSE(in.ok());
}

}  // namespace
}  // namespace noded::base
