#include "dist/packet.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace noded::dist {
namespace {

base::Buffer Body(std::string_view text) {
  base::Buffer body;
  body.Append(text);
  return body;
}

// All packets that `packets` holds.
std::vector<std::string> Drain(PacketReader& packets) {
  std::vector<std::string> out;
  while (true) {
    auto packet = packets.Next();
    EXPECT_TRUE(packet.ok()) << packet.status();
    if (!packet.ok() || !*packet) return out;
    out.emplace_back((*packet)->text());
  }
}

TEST(PacketTest, WhatIsFramedIsRead) {
  const std::string large(100'000, 'x');
  base::Buffer stream;
  const std::vector<std::string> bodies = {"abc", "", large, "d"};
  for (const std::string& body : bodies) stream.Append(FramePacket(Body(body)));
  const base::Slice bytes = stream.ToSlice();
  for (size_t cut : {size_t{1}, size_t{3}, size_t{5}, size_t{4096}, size_t{70'000}, bytes.size()}) {
    PacketReader packets{base::Limits()};
    std::vector<std::string> out;
    for (size_t i = 0; i < bytes.size(); i += cut) {
      packets.Feed(bytes.Sub(i, cut));
      for (std::string& body : Drain(packets)) out.push_back(std::move(body));
    }
    EXPECT_EQ(out, bodies) << "in pieces of " << cut;
  }
}

TEST(PacketTest, TheLengthIsFourBytesBigEndian) {
  EXPECT_EQ(base::ToHex(FramePacket(Body("ab")).ToSlice()), "000000026162");
  EXPECT_EQ(base::ToHex(FramePacket({}).ToSlice()), "00000000");
}

TEST(PacketTest, ALargePacketInOnePieceIsNotCopied) {
  const base::Slice bytes = FramePacket(Body(std::string(1000, 'x'))).ToSlice();
  PacketReader packets{base::Limits()};
  packets.Feed(bytes);
  auto packet = packets.Next();
  ASSERT_TRUE(packet.ok() && *packet);
  EXPECT_EQ((*packet)->data(), bytes.data() + kPacketHeaderBytes);
}

TEST(PacketTest, ALengthAboveTheLimitIsAnErrorBeforeAnyBody) {
  base::Limits limits;
  limits.max_packet_bytes = 10;
  PacketReader packets(limits);
  packets.Feed(FramePacket(Body("0123456789")).ToSlice());
  EXPECT_EQ(Drain(packets).size(), 1u);
  packets.Feed(base::Slice(base::FromHex("0000000b")));
  EXPECT_EQ(packets.Next().status().code(), absl::StatusCode::kResourceExhausted);
}

TEST(PacketTest, AClaimedLengthTakesNoMemory) {
  PacketReader packets{base::Limits()};
  packets.Feed(base::Slice(base::FromHex("7fffffff")));
  packets.Feed(base::Slice::Copy("a"));
  EXPECT_TRUE(Drain(packets).empty());
}

}  // namespace
}  // namespace noded::dist
