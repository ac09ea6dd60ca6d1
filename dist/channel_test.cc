#include "dist/channel.h"

#include <string>
#include <vector>

#include "base/status.h"
#include "dist/etf.h"
#include "dist/flags.h"
#include "gtest/gtest.h"

namespace noded::dist {
namespace {

using namespace std::chrono_literals;

const Pid kFrom{"a@host", 7, 1, 11};
const Pid kOther{"a@host", 8, 1, 11};
const Pid kTo{"b@host", 9, 0, 22};
const Reference kReference("a@host", 11, {1, 2, 3});
constexpr auto kInterval = 15s;
// Also what our own Channel writes when nothing special was negotiated.
constexpr uint64_t kPlain = dflag::kMandatory26 | dflag::kSendSender | dflag::kDistMonitor;

Term Large(size_t size) { return Term::Binary(base::Slice(std::vector<uint8_t>(size, 'x'))); }

class ChannelTest : public testing::Test {
 protected:
  Channel Make(uint64_t flags = LocalFlags(true), base::Limits limits = {}) {
    return Channel(
        {.flags = flags, .tick_interval = kInterval, .limits = limits, .now = clock_.Now()});
  }
  static base::Slice TakeAll(Channel& channel) {
    base::Buffer out;
    while (channel.queued_bytes() > 0) out.Append(channel.TakeOutput());
    return out.ToSlice();
  }
  // Everything that the channel has to say now.
  std::vector<Channel::Event> Drain(Channel& channel) {
    std::vector<Channel::Event> events;
    while (true) {
      auto event = channel.Next(clock_.Now());
      EXPECT_TRUE(event.ok()) << event.status();
      if (!event.ok() || !*event) return events;
      events.push_back(**event);
    }
  }
  std::vector<Channel::Message> Messages(Channel& channel) {
    std::vector<Channel::Message> messages;
    for (Channel::Event& event : Drain(channel)) {
      if (auto* bad = std::get_if<Channel::BadMessage>(&event)) {
        ADD_FAILURE() << bad->status;
      } else {
        messages.push_back(std::get<Channel::Message>(event));
      }
    }
    return messages;
  }
  void ExpectError(Channel& channel, absl::StatusCode code, std::string_view reason) {
    auto event = channel.Next(clock_.Now());
    ASSERT_FALSE(event.ok());
    EXPECT_EQ(event.status().code(), code) << event.status();
    EXPECT_EQ(base::ReasonOf(event.status()), reason) << event.status();
    EXPECT_EQ(channel.Next(clock_.Now()).status(), event.status()) << "an error must stay";
    EXPECT_FALSE(channel.Deadline());
  }
  // A packet with this header and terms without 131.
  static base::Slice Packet(std::string_view header_hex, const std::vector<Term>& terms,
                            std::string_view behind_hex = "") {
    base::ByteWriter body;
    body.Bytes(base::FromHex(header_hex));
    for (const Term& term : terms) EncodeBareTerm(term, body);
    body.Bytes(base::FromHex(behind_hex));
    return FramePacket(body.Take()).ToSlice();
  }

  base::FakeClock clock_;
};

struct Sent {
  Control control;
  std::optional<Term> payload;
};

std::vector<Sent> Samples() {
  const Term reason = Term::Tuple({Term::Atom("shutdown"), Term::Binary("why")});
  return {
      {Link{kFrom, kTo}, {}},
      {SendSender{kFrom, kTo, {}}, Term::Atom("hello")},
      {RegSend{kFrom, "rex", {}}, Term::List({Term::Int(1), Term::Int(2)})},
      {Exit{kFrom, kTo, reason, false, {}}, {}},
      {Exit2{kFrom, kTo, reason, false, Term::Int(4)}, {}},
      {MonitorP{kFrom, Term::FromPid(kTo), kReference}, {}},
      {MonitorPExit{Term::FromPid(kFrom), kTo, kReference, reason, false}, {}},
      {UnlinkId{5, kFrom, kTo}, {}},
      {RegSend{kFrom, "big", {}}, Large(140'000)},
      {Exit{kFrom, kTo, Large(70'000), false, {}}, {}},
      {RegSend{kFrom, "empty", {}}, Term::Nil()},
  };
}

TEST_F(ChannelTest, WhatOneSendsTheOtherGetsHoweverTheBytesAreCut) {
  for (uint64_t flags : {LocalFlags(true), LocalFlags(true) & ~dflag::kFragments, kPlain,
                         kPlain | dflag::kDistHdrAtomCache}) {
    Channel a = Make(flags);
    for (const Sent& sent : Samples()) ASSERT_TRUE(a.Send(sent.control, sent.payload));
    const base::Slice bytes = TakeAll(a);
    EXPECT_EQ(a.queued_bytes(), 0u);
    for (size_t cut : {size_t{1}, size_t{7}, size_t{1000}, size_t{65'536}, bytes.size()}) {
      if (cut == 1 && flags != LocalFlags(true)) continue;  // slow under sanitizers
      Channel b = Make(flags);
      std::vector<Channel::Message> got;
      for (size_t i = 0; i < bytes.size(); i += cut) {
        b.Feed(bytes.Sub(i, cut));
        for (Channel::Message& message : Messages(b)) got.push_back(std::move(message));
      }
      ASSERT_EQ(got.size(), Samples().size());
      for (size_t i = 0; i < got.size(); ++i) {
        EXPECT_EQ(got[i].control, Samples()[i].control) << ControlName(got[i].control);
        EXPECT_EQ(got[i].payload, Samples()[i].payload) << ControlName(got[i].control);
      }
    }
  }
}

TEST_F(ChannelTest, AMessageWithADistributionHeaderHasTheDocumentedForm) {
  Channel channel = Make();
  ASSERT_TRUE(channel.Send(RegSend{{}, "rex", {}}, Term::Int(7)));
  // Two atoms, both new in the cache, and references to them.
  EXPECT_EQ(base::ToHex(TakeAll(channel)),
            "00000018"
            "834402ea00c500f803726578"
            "68046106"
            "5200"
            "5200"
            "5201"
            "6107");
  ASSERT_TRUE(channel.Send(RegSend{{}, "rex", {}}, Term::Int(7)));
  EXPECT_EQ(base::ToHex(TakeAll(channel)),
            "00000013"
            "8344026200c5f8"
            "68046106"
            "5200"
            "5200"
            "5201"
            "6107");
}

// What waits behind a large message of its sender arrives after messages that were sent later: its
// atoms must not be looked for in what was sent before it.
TEST_F(ChannelTest, AtomsOfMessagesThatAreOvertakenStandForThemselves) {
  const Pid other{"other@host", 9, 1, 5};
  Channel a = Make(), b = Make();
  const auto text = [](int number) { return Term::Atom("atom" + std::to_string(number)); };
  ASSERT_TRUE(a.Send(SendSender{kFrom, kTo, {}}, Large(200'000)));
  for (int i = 0; i < 2000; ++i) {
    const Pid& from = i % 3 == 0 ? kFrom : other;
    ASSERT_TRUE(a.Send(SendSender{from, kTo, {}}, Term::Tuple({text(i % 700), text(i)})));
  }
  size_t count = 0;
  int last_of_from = -1, last_of_other = -1;
  while (a.queued_bytes() > 0) {
    b.Feed(a.TakeOutput().ToSlice());
    for (const Channel::Message& message : Messages(b)) {
      ++count;
      if (!message.payload->is_tuple()) continue;
      const std::string name(message.payload->tuple()[1].atom());
      const int number = std::stoi(name.substr(4));
      EXPECT_EQ(*message.payload, Term::Tuple({text(number % 700), text(number)}));
      int& last = number % 3 == 0 ? last_of_from : last_of_other;
      EXPECT_GT(number, last);
      last = number;
    }
  }
  EXPECT_EQ(count, 2001u);
}

TEST_F(ChannelTest, AMessageWithoutAHeaderHasTheDocumentedForm) {
  Channel channel = Make(kPlain);
  ASSERT_TRUE(channel.Send(RegSend{{}, "rex", {}}, Term::Int(7)));
  EXPECT_EQ(base::ToHex(TakeAll(channel)),
            "00000012"
            "70"
            "83"
            "68046106"
            "7700"
            "7700"
            "7703726578"
            "83"
            "6107");
}

TEST_F(ChannelTest, AtomsOfTheHeaderStandInControlMessageAndPayload) {
  Channel channel = Make();
  // {6, '', '', cached 0}, cached 1: the header gives rex and true.
  channel.Feed(
      Packet("834402"
             "88"
             "00"
             "0003726578"
             "010474727565"
             "68046106"
             "7700"
             "7700"
             "5200"
             "5201",
             {}));
  // The next one names the second by its number in the cache.
  channel.Feed(
      Packet("834401"
             "00"
             "01"
             "68046106"
             "7700"
             "7700"
             "5200"
             "5200",
             {}));
  const auto messages = Messages(channel);
  ASSERT_EQ(messages.size(), 2u);
  EXPECT_EQ(messages[0].control, Control(RegSend{{}, "rex", {}}));
  EXPECT_EQ(messages[0].payload, Term::Atom("true"));
  EXPECT_EQ(messages[1].control, Control(RegSend{{}, "true", {}}));
}

TEST_F(ChannelTest, AtomsOfTheFirstFragmentStandInAllOfThem) {
  Channel channel = Make();
  channel.Feed(
      Packet("8345"
             "0000000000000009"
             "0000000000000002"
             "01"
             "08"
             "0003726578"
             "68046106"
             "7700"
             "7700"
             "5200"
             "6802",
             {}));
  // Another message between them changes the cache.
  channel.Feed(
      Packet("834401"
             "08"
             "00026f6b"
             "68046106"
             "7700"
             "7700"
             "5200"
             "6101",
             {}));
  channel.Feed(
      Packet("8346"
             "0000000000000009"
             "0000000000000001"
             "5200"
             "6105",
             {}));
  const auto messages = Messages(channel);
  ASSERT_EQ(messages.size(), 2u);
  EXPECT_EQ(messages[0].control, Control(RegSend{{}, "ok", {}}));
  EXPECT_EQ(messages[1].control, Control(RegSend{{}, "rex", {}}));
  EXPECT_EQ(messages[1].payload, Term::Tuple({Term::Atom("rex"), Term::Int(5)}));
}

TEST_F(ChannelTest, AMessageThatCannotBeUnderstoodLeavesTheLinkUp) {
  const Term reg_send =
      Term::Tuple({Term::Int(6), Term::FromPid(kFrom), Term::Atom(""), Term::Atom("rex")});
  const std::vector<base::Slice> bad = {
      Packet("834400", {Term::Tuple({Term::Int(99)})}),        // an unknown operation
      Packet("834400", {Term::Atom("x")}),                     // no operation
      Packet("834400", {}),                                    // nothing
      Packet("834400", {}, "ff"),                              // a newer tag
      Packet("834400", {reg_send}, "ff00"),                    // a newer tag in the payload
      Packet("834400", {reg_send}),                            // no payload
      Packet("834400", {reg_send, Term::Nil(), Term::Nil()}),  // too much
      Packet("834400", {reg_send}, "5200"),                    // an atom that the header lacks
      Packet("834400", {Term::Tuple({Term::Int(1), Term::FromPid(kFrom), Term::FromPid(kTo)}),
                        Term::Nil()}),        // a payload where there is none
      Packet("70", {reg_send, Term::Nil()}),  // 131 is missing
  };
  for (const base::Slice& packet : bad) {
    Channel channel = Make();
    channel.Feed(packet);
    channel.Feed(Packet("834400", {reg_send, Term::Int(1)}));
    const auto events = Drain(channel);
    ASSERT_EQ(events.size(), 2u) << base::ToHex(packet);
    ASSERT_TRUE(std::holds_alternative<Channel::BadMessage>(events[0])) << base::ToHex(packet);
    EXPECT_FALSE(std::get<Channel::BadMessage>(events[0]).status.ok());
    EXPECT_TRUE(std::holds_alternative<Channel::Message>(events[1]));
  }
}

TEST_F(ChannelTest, BrokenFramingEndsTheLink) {
  const std::vector<std::pair<base::Slice, std::string>> broken = {
      {Packet("05", {}), "bad_packet"},
      {Packet("834300", {}), "bad_header"},
      {Packet("83440100"
              "05",
              {}),
       "bad_header"},  // an atom that was never sent
      {Packet("8346"
              "0000000000000001"
              "0000000000000001",
              {}),
       "bad_fragment"},
  };
  for (const auto& [packet, reason] : broken) {
    Channel channel = Make();
    channel.Feed(packet);
    ExpectError(channel, absl::StatusCode::kDataLoss, reason);
  }
}

TEST_F(ChannelTest, EachLimitEndsTheLinkOrTheMessage) {
  base::Limits limits;
  limits.max_packet_bytes = 100;
  Channel packets = Make(LocalFlags(true), limits);
  packets.Feed(base::Slice(base::FromHex("00000065")));
  ExpectError(packets, absl::StatusCode::kResourceExhausted, "system_limit");

  limits = {};
  limits.max_fragment_sequences = 1;
  Channel sequences = Make(LocalFlags(true), limits);
  sequences.Feed(
      Packet("8345"
             "0000000000000001"
             "0000000000000002"
             "00",
             {}));
  sequences.Feed(
      Packet("8345"
             "0000000000000002"
             "0000000000000002"
             "00",
             {}));
  ExpectError(sequences, absl::StatusCode::kResourceExhausted, "system_limit");

  limits = {};
  limits.max_fragmented_bytes = 10;
  Channel bytes = Make(LocalFlags(true), limits);
  bytes.Feed(
      Packet("8345"
             "0000000000000001"
             "0000000000000002"
             "00",
             {}, std::string(22, '0')));
  ExpectError(bytes, absl::StatusCode::kResourceExhausted, "system_limit");

  limits = {};
  limits.max_term_depth = 3;
  Channel depth = Make(LocalFlags(true), limits);
  depth.Feed(Packet("834400", {},
                    "6801680168016801"
                    "6801"
                    "6101"));
  const auto events = Drain(depth);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(std::get<Channel::BadMessage>(events[0]).status.code(),
            absl::StatusCode::kResourceExhausted);
}

// Sending.

TEST_F(ChannelTest, WhatThePeerDidNotNegotiateIsNotSent) {
  Channel channel = Make(kPlain);
  EXPECT_FALSE(
      channel.Send(SpawnRequest{kReference, kFrom, kTo, "m", "f", 0, {}, {}}, Term::Nil()));
  EXPECT_FALSE(channel.Send(AliasSend{kFrom, kReference, {}}, Term::Nil()));
  EXPECT_EQ(channel.queued_bytes(), 0u);
}

TEST_F(ChannelTest, AMessageThatNeedsAPayloadIsNotSentWithout) {
  Channel channel = Make();
  EXPECT_FALSE(channel.Send(RegSend{kFrom, "rex", {}}, std::nullopt));
  EXPECT_EQ(channel.queued_bytes(), 0u);
}

TEST_F(ChannelTest, SmallMessagesOfOthersPassALargeOneAndThoseOfItsSenderDoNot) {
  Channel a = Make(), b = Make();
  ASSERT_TRUE(a.Send(RegSend{kFrom, "large", {}}, Large(1'000'000)));
  b.Feed(a.TakeOutput().ToSlice());
  EXPECT_GT(a.queued_bytes(), 0u);
  ASSERT_TRUE(a.Send(RegSend{kFrom, "same", {}}, Term::Int(1)));
  ASSERT_TRUE(a.Send(RegSend{kOther, "other", {}}, Term::Int(2)));
  b.Feed(TakeAll(a));
  std::vector<std::string> order;
  for (const auto& message : Messages(b)) {
    order.push_back(std::get<RegSend>(message.control).to.ToString());
  }
  EXPECT_EQ(order, (std::vector<std::string>{"other", "large", "same"}));
}

TEST_F(ChannelTest, AMessageOfAnUnknownSenderWaitsForAllThatWereSentBefore) {
  Channel a = Make(), b = Make();
  ASSERT_TRUE(a.Send(RegSend{kFrom, "one", {}}, Large(300'000)));
  ASSERT_TRUE(a.Send(RegSend{kOther, "two", {}}, Large(200'000)));
  ASSERT_TRUE(a.Send(MonitorPExit{Term::Atom("rex"), kTo, kReference, Term::Atom("x"), false}, {}));
  b.Feed(TakeAll(a));
  const auto messages = Messages(b);
  ASSERT_EQ(messages.size(), 3u);
  EXPECT_TRUE(std::holds_alternative<MonitorPExit>(messages[2].control));
}

TEST_F(ChannelTest, LargeMessagesOfTwoSendersShareTheLink) {
  Channel a = Make(), b = Make();
  ASSERT_TRUE(a.Send(RegSend{kFrom, "longer", {}}, Large(2'000'000)));
  ASSERT_TRUE(a.Send(RegSend{kOther, "shorter", {}}, Large(200'000)));
  b.Feed(TakeAll(a));
  const auto messages = Messages(b);
  ASSERT_EQ(messages.size(), 2u);
  EXPECT_EQ(std::get<RegSend>(messages[0].control).to, "shorter");
}

TEST_F(ChannelTest, OneTakeOfALargeMessageIsBounded) {
  Channel channel = Make();
  ASSERT_TRUE(channel.Send(RegSend{kFrom, "rex", {}}, Large(1'000'000)));
  const size_t all = channel.queued_bytes();
  size_t taken = 0;
  while (channel.queued_bytes() > 0) {
    const size_t size = channel.TakeOutput().size();
    EXPECT_LE(size, 3 * kFragmentBytes);
    ASSERT_GT(size, 0u);
    taken += size;
  }
  EXPECT_EQ(taken, all);
  EXPECT_TRUE(channel.TakeOutput().empty());
}

// Time.

TEST_F(ChannelTest, ASilentSideSendsATickEachInterval) {
  Channel channel = Make();
  ASSERT_EQ(channel.Deadline(), clock_.Now() + kInterval);
  for (int i = 0; i < 3; ++i) {
    clock_.Advance(kInterval - 1ms);
    Drain(channel);
    EXPECT_EQ(channel.queued_bytes(), 0u);
    clock_.Advance(1ms);
    EXPECT_EQ(channel.Deadline(), clock_.Now());
    Drain(channel);
    EXPECT_EQ(base::ToHex(TakeAll(channel)), "00000000");
    EXPECT_EQ(channel.Deadline(), clock_.Now() + kInterval);
  }
}

TEST_F(ChannelTest, WhoSendsNeedsNoTick) {
  Channel channel = Make();
  ASSERT_TRUE(channel.Send(Link{kFrom, kTo}, {}));
  TakeAll(channel);
  clock_.Advance(kInterval);
  Drain(channel);
  EXPECT_EQ(channel.queued_bytes(), 0u);
  clock_.Advance(kInterval);
  Drain(channel);
  EXPECT_EQ(channel.queued_bytes(), 4u);
}

TEST_F(ChannelTest, APeerSilentForFourIntervalsIsGone) {
  Channel channel = Make();
  for (int i = 0; i < 3; ++i) {
    clock_.Advance(kInterval);
    Drain(channel);
  }
  clock_.Advance(kInterval);
  ExpectError(channel, absl::StatusCode::kUnavailable, "net_tick_timeout");
}

TEST_F(ChannelTest, ATickOrAPartOfAPacketShowsLife) {
  for (std::string_view hex : {"00000000", "0000"}) {
    Channel channel = Make();
    for (int i = 0; i < 10; ++i) {
      clock_.Advance(kInterval);
      if (i < 4) channel.Feed(base::Slice(base::FromHex("00000000")));
      if (i == 4) channel.Feed(base::Slice(base::FromHex(hex)));
      auto event = channel.Next(clock_.Now());
      EXPECT_EQ(event.ok(), i < 8) << i;
      TakeAll(channel);
    }
  }
}

TEST_F(ChannelTest, AStandstillOfThisProcessIsNotThePeersFault) {
  Channel channel = Make();
  clock_.Advance(100 * kInterval);
  EXPECT_TRUE(channel.Next(clock_.Now()).ok());
}

TEST_F(ChannelTest, TwoIdleChannelsKeepEachOtherAlive) {
  Channel a = Make(), b = Make();
  for (int i = 0; i < 100; ++i) {
    clock_.Advance(kInterval);
    Drain(a);
    Drain(b);
    a.Feed(TakeAll(b));
    b.Feed(TakeAll(a));
  }
}

TEST_F(ChannelTest, WithoutAnIntervalThereAreNoTicks) {
  Channel channel({.flags = LocalFlags(true), .now = clock_.Now()});
  EXPECT_FALSE(channel.Deadline());
  clock_.Advance(1000 * kInterval);
  Drain(channel);
  EXPECT_EQ(channel.queued_bytes(), 0u);
}

}  // namespace
}  // namespace noded::dist
