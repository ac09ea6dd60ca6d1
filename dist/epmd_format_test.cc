#include "dist/epmd_format.h"

#include <random>

#include <gtest/gtest.h>

namespace noded::dist {
namespace {

using base::FromHex;
using base::Limits;
using base::ToHex;

std::string Hex(base::Buffer buffer) { return ToHex(buffer.ToSlice()); }

EpmdNode Shop() { return {.name = "shop", .port = 4711}; }

std::vector<EpmdRequest> EveryRequest() {
  EpmdNode hidden{.name = "caf\xc3\xa9",
                  .port = 65535,
                  .type = EpmdNode::kHidden,
                  .protocol = 0,
                  .highest_version = 5,
                  .lowest_version = 5,
                  .extra = std::string("a\0b", 3)};
  return {EpmdRegister{Shop()}, EpmdRegister{hidden}, EpmdLookUp{"shop"}, EpmdNames{},
          EpmdDump{},           EpmdKill{},           EpmdStop{"shop"}};
}

// Feeds `bytes` in pieces that `next_size` chooses.
template <class F>
absl::StatusOr<std::optional<EpmdRequest>> Read(base::ByteView bytes, F next_size) {
  EpmdRequestReader reader{Limits()};
  absl::StatusOr<std::optional<EpmdRequest>> got = reader.Next();
  while (!bytes.empty() && got.ok() && !got->has_value()) {
    const size_t size = std::min<size_t>(next_size(), bytes.size());
    reader.Feed(bytes.first(size));
    bytes = bytes.subspan(size);
    got = reader.Next();
  }
  return got;
}

// Taken from the wire between OTP 25's epmd and its clients.
TEST(EpmdFormatTest, WritesTheBytesThatOtpWrites) {
  EXPECT_EQ(Hex(EncodeEpmdRequest(EpmdRegister{Shop()})),
            "001178"
            "12674d0000060005000473686f700000");
  EXPECT_EQ(Hex(EncodeEpmdRequest(EpmdLookUp{"shop"})), "00057a73686f70");
  EXPECT_EQ(Hex(EncodeEpmdRequest(EpmdNames{})), "00016e");
  EXPECT_EQ(Hex(EncodeEpmdRequest(EpmdDump{})), "000164");
  EXPECT_EQ(Hex(EncodeEpmdRequest(EpmdKill{})), "00016b");
  EXPECT_EQ(Hex(EncodeEpmdRequest(EpmdStop{"shop"})), "00057373686f70");
  EXPECT_EQ(Hex(EncodeEpmdRegisterReply({true, true, 0x6b049ee8})), "76006b049ee8");
  EXPECT_EQ(Hex(EncodeEpmdRegisterReply({false, true, 99})), "760100000063");
  EXPECT_EQ(Hex(EncodeEpmdRegisterReply({true, false, 2})), "79000002");
  EXPECT_EQ(Hex(EncodeEpmdRegisterReply({false, false, 99})), "79010063");
  EXPECT_EQ(Hex(EncodeEpmdLookUpReply({Shop()})), "770012674d0000060005000473686f700000");
  EXPECT_EQ(Hex(EncodeEpmdLookUpReply({})), "7701");
  EXPECT_EQ(Hex(EncodeEpmdNamesReply({57469, {{"old", 5000}, {"shop", 4711}}})),
            "0000e07d6e616d65206f6c6420617420706f727420353030300a"
            "6e616d652073686f7020617420706f727420343731310a");
}

TEST(EpmdFormatTest, EveryRequestComesBackWholeByteByByteAndInRandomCuts) {
  std::mt19937 random(1);
  for (const EpmdRequest& request : EveryRequest()) {
    const base::Slice bytes = EncodeEpmdRequest(request).ToSlice();
    for (int way = 0; way < 20; ++way) {
      auto got = Read(bytes, [&] {
        return way == 0 ? bytes.size() : way == 1 ? 1 : 1 + random() % 5;
      });
      ASSERT_TRUE(got.ok()) << got.status();
      ASSERT_TRUE(got->has_value());
      EXPECT_EQ(**got, request);
    }
  }
}

TEST(EpmdFormatTest, NoPrefixOfARequestIsARequest) {
  for (const EpmdRequest& request : EveryRequest()) {
    const base::Slice bytes = EncodeEpmdRequest(request).ToSlice();
    for (size_t size = 0; size < bytes.size(); ++size) {
      auto got = Read(bytes.view().first(size), [] { return 1; });
      ASSERT_TRUE(got.ok()) << got.status();
      EXPECT_FALSE(got->has_value());
    }
  }
}

TEST(EpmdFormatTest, TakesANameThatACClientEndedWithAZero) {
  auto request = DecodeEpmdRequest(FromHex("7a73686f7000"));
  ASSERT_TRUE(request.ok());
  EXPECT_EQ(*request, EpmdRequest(EpmdLookUp{"shop"}));
}

TEST(EpmdFormatTest, RefusesMalformedRequests) {
  const char* kBad[] = {
      "",                                    // nothing
      "00",                                  // unknown
      "61",                                  // a request of before 1995
      "78",                                  // a registration without its fields
      "7812674d000006000500000000",          // without a name
      "7812674d0000060005000573686f700000",  // a name longer than the rest
      "7812674d0000060005000473006f700000",  // with a zero in its name
      "7812674d0000060005000473686f70ffff",  // extra longer than the rest
      "7a",                                  // without a name
      "7a00",
      "7a61006200",  // with a zero in the name
      "73",
      "7300",
  };
  for (const char* hex : kBad) {
    auto request = DecodeEpmdRequest(FromHex(hex));
    EXPECT_EQ(request.status().code(), absl::StatusCode::kDataLoss) << hex;
  }
}

TEST(EpmdFormatTest, RefusesALengthAboveTheLimitBeforeItsBytesCame) {
  EpmdRequestReader reader{Limits()};
  const uint16_t size = static_cast<uint16_t>(Limits().max_epmd_request_bytes + 1);
  reader.Feed(std::vector<uint8_t>{static_cast<uint8_t>(size >> 8), static_cast<uint8_t>(size)});
  EXPECT_EQ(reader.Next().status().code(), absl::StatusCode::kResourceExhausted);
}

TEST(EpmdFormatTest, TheLargestRegistrationThatEpmdTakesFitsTheLimit) {
  std::string name, extra(1020, 'x');
  for (int i = 0; i < 255; ++i) name += "\xf0\x9f\x98\x80";
  EXPECT_TRUE(IsEpmdName(name));
  const EpmdRegister request{{.name = name, .port = 1, .extra = extra}};
  auto got = Read(EncodeEpmdRequest(request).ToSlice(), [] { return 100; });
  ASSERT_TRUE(got.ok()) << got.status();
  EXPECT_EQ(**got, EpmdRequest(request));
}

TEST(EpmdFormatTest, RefusesAnEmptyRequestAndBytesAfterOne) {
  for (const char* hex : {"0000", "00016e00", "00016e00016e"}) {
    EpmdRequestReader reader{Limits()};
    reader.Feed(FromHex(hex));
    EXPECT_EQ(reader.Next().status().code(), absl::StatusCode::kDataLoss) << hex;
  }
}

TEST(EpmdFormatTest, RepliesComeBackAndTheirPrefixesWaitForMore) {
  for (const EpmdRegisterReply& reply :
       {EpmdRegisterReply{true, true, 0xffffffff}, EpmdRegisterReply{false, false, 99}}) {
    const base::Slice bytes = EncodeEpmdRegisterReply(reply).ToSlice();
    for (size_t size = 0; size < bytes.size(); ++size) {
      auto got = DecodeEpmdRegisterReply(bytes.view().first(size));
      ASSERT_TRUE(got.ok()) << got.status();
      EXPECT_FALSE(got->has_value());
    }
    EXPECT_EQ(**DecodeEpmdRegisterReply(bytes), reply);
  }
  for (const EpmdLookUpReply& reply : {EpmdLookUpReply{Shop()}, EpmdLookUpReply{}}) {
    const base::Slice bytes = EncodeEpmdLookUpReply(reply).ToSlice();
    for (size_t size = 0; size < bytes.size(); ++size) {
      auto got = DecodeEpmdLookUpReply(bytes.view().first(size));
      ASSERT_TRUE(got.ok()) << got.status();
      EXPECT_FALSE(got->has_value());
    }
    EXPECT_EQ(**DecodeEpmdLookUpReply(bytes), reply);
  }
}

TEST(EpmdFormatTest, RefusesRepliesOfSomethingElse) {
  const auto http = base::AsBytes("HTTP/1.1 400 Bad Request\r\n\r\n");
  EXPECT_EQ(DecodeEpmdRegisterReply(http).status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(DecodeEpmdLookUpReply(http).status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(DecodeEpmdNamesReply(http).status().code(), absl::StatusCode::kDataLoss);
  EXPECT_FALSE(DecodeEpmdRegisterReply(FromHex("76006b049ee800")).ok());
  EXPECT_FALSE(DecodeEpmdLookUpReply(FromHex("770100")).ok());
}

TEST(EpmdFormatTest, ReadsNamesWithBlanksAndRefusesLinesThatAreNone) {
  auto decode = [](std::string lines) {
    return DecodeEpmdNamesReply(base::AsBytes(std::string("\0\0\x11\x11", 4) + lines));
  };
  EXPECT_EQ(*decode(""), (EpmdNamesReply{4369, {}}));
  EXPECT_EQ(*decode("name a at port 1 at port 2\n"), (EpmdNamesReply{4369, {{"a at port 1", 2}}}));
  EXPECT_FALSE(decode("name a at port 1").ok());
  EXPECT_FALSE(decode("name a at port 65536\n").ok());
  EXPECT_FALSE(decode("name a at port \n").ok());
  EXPECT_FALSE(decode("name at port 1\n").ok());
  EXPECT_FALSE(decode("a at port 1\n").ok());
  EXPECT_FALSE(decode("\n").ok());
}

TEST(EpmdFormatTest, KnowsWhatANameMayBe) {
  EXPECT_TRUE(IsEpmdName("shop"));
  EXPECT_TRUE(IsEpmdName("caf\xc3\xa9"));
  EXPECT_FALSE(IsEpmdName(""));
  EXPECT_FALSE(IsEpmdName("\xff"));
  EXPECT_FALSE(IsEpmdName("a\nname b"));
  EXPECT_FALSE(IsEpmdName(std::string("a\0b", 3)));
  EXPECT_FALSE(IsEpmdName(std::string(256, 'a')));
}

}  // namespace
}  // namespace noded::dist
