#include "tls/packet_mode.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/status.h"

namespace noded::tls {
namespace {

using base::Buffer;
using base::ReasonOf;
using base::Slice;
using namespace std::string_literals;

Buffer BufferOf(std::string_view text) {
  Buffer buffer;
  buffer.Append(text);
  return buffer;
}

// All packets in `wire`, fed in pieces of `step` bytes; "!reason" ends the list at an error.
std::vector<std::string> Read(Packet mode, size_t packet_size, const std::string& wire,
                              size_t step) {
  PacketReader reader;
  reader.SetMode(mode, packet_size);
  std::vector<std::string> packets;
  for (size_t at = 0; at < wire.size(); at += step) {
    reader.Feed(Slice::Copy(wire.substr(at, step)));
    while (true) {
      auto packet = reader.Peek();
      if (!packet.ok()) {
        packets.push_back("!" + ReasonOf(packet.status()));
        return packets;
      }
      if (!packet->has_value()) break;
      packets.emplace_back((*packet)->text());
      reader.Drop();
    }
  }
  return packets;
}

struct Case {
  const char* name;
  Packet mode;
  size_t packet_size;
  std::string wire;
  std::vector<std::string> packets;
};

TEST(PacketReaderTest, CutsEachModeHoweverTheBytesCome) {
  const std::string long_body(300, 'x');
  const Case cases[] = {
      {"one byte", Packet::k1, 0, "\x03"s + "abc\x00"s + "\x01z", {"abc", "", "z"}},
      {"two bytes", Packet::k2, 0, "\x01\x2c"s + long_body + "\x00\x00"s, {long_body, ""}},
      {"four bytes", Packet::k4, 0, "\x00\x00\x00\x02hi\x00\x00\x00\x01!"s, {"hi", "!"}},
      {"an unfinished packet waits", Packet::k2, 0, "\x00\x05"s + "four", {}},
      {"lines", Packet::kLine, 0, "one\n\r\n\nrest", {"one\n", "\r\n", "\n"}},
      {"as long as allowed", Packet::k4, 2, "\x00\x00\x00\x02hi"s, {"hi"}},
      {"too long", Packet::k4, 2, "\x00\x00\x00\x03hi!"s, {"!invalid_packet"}},
      {"too long for anybody", Packet::k4, 0, "\xff\xff\xff\xff"s, {"!invalid_packet"}},
      {"after a good one", Packet::k1, 2, "\x01"s + "a\x03" + "abc", {"a", "!invalid_packet"}},
      {"a line as long as allowed", Packet::kLine, 3, "ab\n", {"ab\n"}},
      {"a line too long", Packet::kLine, 3, "abc\n", {"!invalid_packet"}},
      {"a line without an end", Packet::kLine, 3, "abcdefg", {"!invalid_packet"}},
  };
  for (const Case& one : cases) {
    for (size_t step : {size_t{1}, size_t{2}, size_t{7}, one.wire.size()}) {
      EXPECT_EQ(Read(one.mode, one.packet_size, one.wire, step), one.packets)
          << one.name << ", " << step << " at once";
    }
  }
}

TEST(PacketReaderTest, RawGivesExactlyWhatIsAskedForOrWhatThereIs) {
  PacketReader reader;
  EXPECT_FALSE(reader.Peek()->has_value());
  for (char byte : "hello world"s) reader.Feed(Slice::Copy(std::string(1, byte)));
  EXPECT_EQ((**reader.Peek(5)).text(), "hello");
  EXPECT_EQ((**reader.Peek(6)).text(), "hello ") << "looking takes nothing away";
  reader.Drop();
  EXPECT_FALSE(reader.Peek(6)->has_value());
  reader.Drop();
  EXPECT_EQ(reader.size(), 5u) << "there was nothing to drop";
  EXPECT_EQ((**reader.Peek(0)).text(), "world");
  EXPECT_EQ(reader.TakeAll().text(), "world");
  EXPECT_EQ(reader.size(), 0u);
}

TEST(PacketReaderTest, AModeChangesInTheMiddleOfWhatIsBuffered) {
  PacketReader reader;
  reader.SetMode(Packet::kLine, 0);
  reader.Feed(Slice::Copy("length 3\n\x03"s + "abcdef"));
  EXPECT_EQ((**reader.Peek()).text(), "length 3\n");
  reader.SetMode(Packet::k1, 0);
  reader.Drop();
  EXPECT_EQ((**reader.Peek()).text(), "abc");
  reader.Drop();
  reader.SetMode(Packet::kRaw, 0);
  EXPECT_EQ((**reader.Peek(2)).text(), "de");
}

TEST(PacketReaderTest, LargeBytesAreShared) {
  const Slice large = Slice::Copy(std::string(100'000, 'x'));
  PacketReader reader;
  reader.Feed(large);
  EXPECT_EQ((**reader.Peek(1000)).data(), large.data());
}

TEST(FramePacketTest, PutsTheHeaderAndRefusesWhatDoesNotFit) {
  struct {
    Packet mode;
    size_t size;
    std::string header;
  } cases[] = {
      {Packet::kRaw, 300, ""},
      {Packet::kLine, 300, ""},
      {Packet::k1, 0, "\0"s},
      {Packet::k1, 255, "\xff"},
      {Packet::k2, 300, "\x01\x2c"},
      {Packet::k2, 65535, "\xff\xff"},
      {Packet::k4, 70000, "\x00\x01\x11\x70"s},
  };
  for (const auto& one : cases) {
    const std::string body(one.size, 'b');
    auto framed = FramePacket(one.mode, BufferOf(body));
    ASSERT_TRUE(framed.ok()) << PacketName(one.mode);
    EXPECT_EQ(framed->ToString(), one.header + body) << PacketName(one.mode);
  }
  EXPECT_EQ(ReasonOf(FramePacket(Packet::k1, BufferOf(std::string(256, 'b'))).status()), "einval");
  EXPECT_EQ(ReasonOf(FramePacket(Packet::k2, BufferOf(std::string(65536, 'b'))).status()),
            "einval");
}

}  // namespace
}  // namespace noded::tls
