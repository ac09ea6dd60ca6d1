#include "dist/handshake.h"

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "dist/flags.h"
#include "gtest/gtest.h"

namespace noded::dist {
namespace {

using Event = Handshake::Event;
using Role = Handshake::Role;
using State = Handshake::State;
using Verdict = Handshake::Verdict;

constexpr uint32_t kChallengeA = 0x12345678;  // 305419896
constexpr uint32_t kChallengeB = 0x9abcdef0;  // 2596069104

std::shared_ptr<const CookieJar> Jar(std::string_view cookie) {
  return std::make_shared<const CookieJar>(Cookie{base::Secret(cookie), "option -setcookie"});
}

class HandshakeTest : public testing::Test {
 protected:
  Handshake Initiator(std::string_view cookie = "secret", int peer_version = 6,
                      uint64_t flags = LocalFlags(true), const char* expected = "b@host") {
    const AtomName name = (flags & dflag::kNameMe) ? "host" : "a@host";
    return Handshake(Role::kInitiator, {name, 11, flags, framing_}, Jar(cookie), expected,
                     deadline_, limits_, peer_version, [] { return kChallengeA; });
  }
  Handshake Acceptor(std::string_view cookie = "secret", uint64_t flags = LocalFlags(true)) {
    return Handshake(Role::kAcceptor, {"b@host", 22, flags, framing_}, Jar(cookie), {}, deadline_,
                     limits_, 6, [] { return kChallengeB; });
  }
  absl::StatusOr<std::optional<Event>> Next(Handshake& handshake) {
    return handshake.Next(clock_.Now());
  }
  // What the next event, or the failure, is.
  template <class Wanted>
  Wanted Expect(Handshake& handshake) {
    auto event = Next(handshake);
    EXPECT_TRUE(event.ok()) << event.status();
    if (!event.ok() || !*event || !std::holds_alternative<Wanted>(**event)) {
      ADD_FAILURE() << "no such event";
      return {};
    }
    return std::get<Wanted>(**event);
  }
  std::string ExpectError(Handshake& handshake, absl::StatusCode code, std::string_view reason) {
    auto event = Next(handshake);
    if (event.ok()) {
      ADD_FAILURE() << "no error";
      return "";
    }
    EXPECT_EQ(event.status().code(), code) << event.status();
    EXPECT_EQ(base::ReasonOf(event.status()), reason) << event.status();
    EXPECT_EQ(handshake.state(), State::kFailed);
    EXPECT_FALSE(handshake.Deadline());
    EXPECT_EQ(Next(handshake).status(), event.status()) << "an error must stay";
    EXPECT_EQ(handshake.PeerClosed(), event.status());
    return std::string(event.status().message());
  }
  void ExpectNothing(Handshake& handshake) {
    auto event = Next(handshake);
    ASSERT_TRUE(event.ok()) << event.status();
    EXPECT_FALSE(*event);
  }
  void Feed(Handshake& handshake, const HandshakeMessage& message) {
    handshake.Feed(EncodeHandshake(message, framing_).ToSlice());
  }

  HandshakeFraming framing_ = HandshakeFraming::k2Bytes;
  base::FakeClock clock_;
  base::Limits limits_;
  base::TimePoint deadline_ = clock_.Now() + std::chrono::seconds(7);
};

// Joins two handshakes, a byte at a time, until both are silent.
class Pair {
 public:
  Pair(Handshake initiator, Handshake acceptor, Verdict verdict = Verdict::kOk)
      : a_(std::move(initiator)), b_(std::move(acceptor)), verdict_(verdict) {}

  void Run() {
    bool has_moved = true;
    while (has_moved) {
      has_moved = Carry(a_, b_, b_events, b_error);
      has_moved |= Carry(b_, a_, a_events, a_error);
    }
  }

  std::vector<Event> a_events, b_events;
  absl::Status a_error, b_error;

  template <class Wanted>
  static const Wanted* Find(const std::vector<Event>& events) {
    for (const Event& event : events) {
      if (auto* found = std::get_if<Wanted>(&event)) return found;
    }
    return nullptr;
  }

 private:
  bool Carry(Handshake& from, Handshake& to, std::vector<Event>& events, absl::Status& error) {
    const base::Slice bytes = from.TakeOutput().ToSlice();
    for (size_t i = 0; i < bytes.size(); ++i) {
      to.Feed(bytes.Sub(i, 1));
      while (true) {
        auto event = to.Next(base::TimePoint());
        if (!event.ok()) error = event.status();
        if (!event.ok() || !*event) break;
        events.push_back(**event);
        if (std::holds_alternative<Handshake::PeerNamed>(**event)) {
          if (std::get<Handshake::PeerNamed>(**event).flags & dflag::kNameMe) {
            to.AnswerNamed("dyn-1@host", 77);
          } else {
            to.Answer(verdict_);
          }
        }
        if (std::holds_alternative<Handshake::AliveAsked>(**event)) to.AnswerAlive(true);
        if (std::holds_alternative<Handshake::Committing>(**event)) to.Commit(true);
      }
    }
    return !bytes.empty();
  }

  Handshake a_, b_;
  Verdict verdict_;
};

TEST_F(HandshakeTest, BothRolesAgreeInBothVersionsAndForEachVerdictThatGoesOn) {
  for (int version : {5, 6}) {
    for (Verdict verdict : {Verdict::kOk, Verdict::kOkSimultaneous, Verdict::kAlive}) {
      Pair pair(Initiator("secret", version), Acceptor(), verdict);
      pair.Run();
      ASSERT_TRUE(pair.a_error.ok()) << pair.a_error;
      ASSERT_TRUE(pair.b_error.ok()) << pair.b_error;
      const auto* a = Pair::Find<Handshake::Done>(pair.a_events);
      const auto* b = Pair::Find<Handshake::Done>(pair.b_events);
      ASSERT_TRUE(a && b) << version;
      EXPECT_EQ(*a, (Handshake::Done{"b@host", LocalFlags(true), 22, version, "a@host", 11, {}}));
      EXPECT_EQ(*b, (Handshake::Done{"a@host", LocalFlags(true), 11, version, "b@host", 22, {}}));
      const bool is_alive = verdict == Verdict::kAlive;
      EXPECT_EQ(Pair::Find<Handshake::AliveAsked>(pair.a_events) != nullptr, is_alive);
      EXPECT_EQ(Pair::Find<Handshake::Committing>(pair.a_events)->peer, "b@host");
      EXPECT_EQ(Pair::Find<Handshake::Committing>(pair.b_events)->peer, "a@host");
      const auto* named = Pair::Find<Handshake::PeerNamed>(pair.b_events);
      ASSERT_TRUE(named);
      EXPECT_EQ(named->name, "a@host");
      EXPECT_EQ(named->creation, version == 6 ? 11u : 0u);
      EXPECT_EQ(named->version, version);
    }
  }
}

TEST_F(HandshakeTest, TheFramingOfTlsCarriersHasFourBytesOfLength) {
  framing_ = HandshakeFraming::k4Bytes;
  for (int version : {5, 6}) {
    Pair pair(Initiator("secret", version), Acceptor());
    pair.Run();
    EXPECT_NE(Pair::Find<Handshake::Done>(pair.a_events), nullptr) << pair.a_error;
    EXPECT_NE(Pair::Find<Handshake::Done>(pair.b_events), nullptr) << pair.b_error;
  }
  Handshake handshake = Initiator("secret", 6, dflag::kMandatory25);
  EXPECT_EQ(base::ToHex(handshake.TakeOutput().ToSlice()).substr(0, 10), "000000154e");
}

TEST_F(HandshakeTest, FourBytesOfLengthAreBoundedAsWell) {
  framing_ = HandshakeFraming::k4Bytes;
  for (std::string_view hex : {"00000801", "ffffffff", "80000000"}) {
    Handshake handshake = Acceptor();
    const std::vector<uint8_t> bytes = base::FromHex(hex);
    handshake.Feed(base::ByteView(bytes).first(3));
    ExpectNothing(handshake);
    handshake.Feed(base::ByteView(bytes).subspan(3));
    ExpectError(handshake, absl::StatusCode::kResourceExhausted, "bad_handshake");
  }
}

TEST_F(HandshakeTest, AnotherCookieIsRefusedByTheAcceptorWhichNamesPeerAndOriginAndNoCookie) {
  for (int version : {5, 6}) {
    Pair pair(Initiator("wrong", version), Acceptor("right"));
    pair.Run();
    EXPECT_EQ(pair.b_error.code(), absl::StatusCode::kPermissionDenied);
    EXPECT_EQ(base::ReasonOf(pair.b_error), "bad_cookie");
    const std::string text(pair.b_error.message());
    EXPECT_NE(text.find("a@host"), std::string::npos) << text;
    EXPECT_NE(text.find("option -setcookie"), std::string::npos) << text;
    EXPECT_EQ(text.find("right"), std::string::npos) << text;
    EXPECT_EQ(text.find("wrong"), std::string::npos) << text;
    EXPECT_EQ(Pair::Find<Handshake::Done>(pair.b_events), nullptr);
    EXPECT_EQ(Pair::Find<Handshake::Done>(pair.a_events), nullptr);
  }
}

TEST_F(HandshakeTest, CookiesOfSingleNodesComeBeforeTheCommonOne) {
  CookieJar jar(Cookie{base::Secret("common"), "file"});
  jar.SetFor("a@host", Cookie{base::Secret("special"), "option"});
  Handshake acceptor(Role::kAcceptor, {"b@host", 22, LocalFlags(true)},
                     std::make_shared<const CookieJar>(jar), {}, deadline_, limits_);
  Pair pair(Initiator("special"), std::move(acceptor));
  pair.Run();
  EXPECT_NE(Pair::Find<Handshake::Done>(pair.a_events), nullptr);
  EXPECT_NE(Pair::Find<Handshake::Done>(pair.b_events), nullptr);
}

TEST_F(HandshakeTest, AnAcceptorIsBoundOnlyAfterThePeerHasProvedItsCookie) {
  for (Verdict verdict : {Verdict::kOk, Verdict::kAlive}) {
    Pair pair(Initiator("wrong"), Acceptor("right"), verdict);
    pair.Run();
    EXPECT_EQ(base::ReasonOf(pair.b_error), "bad_cookie");
    EXPECT_EQ(Pair::Find<Handshake::Committing>(pair.b_events), nullptr);
  }
}

TEST_F(HandshakeTest, WhoDoesNotCommitSaysNothingMore) {
  Handshake initiator = Initiator(), acceptor = Acceptor(), other = Initiator();
  acceptor.Feed(initiator.TakeOutput().ToSlice());
  Expect<Handshake::PeerNamed>(acceptor);
  acceptor.Answer(Verdict::kOk);
  const base::Slice challenge = acceptor.TakeOutput().ToSlice();
  initiator.Feed(challenge);
  Expect<Handshake::Committing>(initiator);
  initiator.Commit(true);
  acceptor.Feed(initiator.TakeOutput().ToSlice());
  Expect<Handshake::Committing>(acceptor);
  ExpectNothing(acceptor);
  acceptor.Commit(false);
  EXPECT_TRUE(acceptor.TakeOutput().empty());
  ExpectError(acceptor, absl::StatusCode::kUnavailable, "nok");

  other.TakeOutput();
  other.Feed(challenge);
  Expect<Handshake::Committing>(other);
  EXPECT_TRUE(other.TakeOutput().empty());
  other.Commit(false);
  EXPECT_TRUE(other.TakeOutput().empty());
  ExpectError(other, absl::StatusCode::kUnavailable, "nok");
}

TEST_F(HandshakeTest, ANodeWithoutANameGetsOne) {
  Pair pair(Initiator("secret", 6, LocalFlags(false) | dflag::kNameMe), Acceptor());
  pair.Run();
  const auto* a = Pair::Find<Handshake::Done>(pair.a_events);
  const auto* b = Pair::Find<Handshake::Done>(pair.b_events);
  ASSERT_TRUE(a && b) << pair.a_error << pair.b_error;
  EXPECT_EQ(a->own_name, "dyn-1@host");
  EXPECT_EQ(a->own_creation, 77u);
  EXPECT_EQ(b->peer, "dyn-1@host");
  EXPECT_EQ(b->creation, 77u);
  EXPECT_EQ(b->flags, LocalFlags(false));
  EXPECT_EQ(a->flags, b->flags);
}

TEST_F(HandshakeTest, ANodeWithoutANameIsNotAllowedWhereNoneIsGiven) {
  Handshake initiator = Initiator("secret", 6, LocalFlags(false) | dflag::kNameMe);
  Handshake acceptor = Acceptor();
  acceptor.Feed(initiator.TakeOutput().ToSlice());
  EXPECT_EQ(Expect<Handshake::PeerNamed>(acceptor).name, "host");
  acceptor.Answer(Verdict::kOk);
  initiator.Feed(acceptor.TakeOutput().ToSlice());
  ExpectError(acceptor, absl::StatusCode::kPermissionDenied, "not_allowed");
  ExpectError(initiator, absl::StatusCode::kPermissionDenied, "not_allowed");
}

// Vectors: the messages of the OTP document, digests by another MD5.

TEST_F(HandshakeTest, TheMessagesOfAnInitiatorAreThoseOfTheDocument) {
  Handshake handshake = Initiator("secret", 6, dflag::kMandatory25);
  EXPECT_EQ(base::ToHex(handshake.TakeOutput().ToSlice()),
            "0015"
            "4e"
            "0000000001070f94"
            "0000000b"
            "0006"
            "614068"
            "6f7374");
  handshake.Feed(
      base::FromHex("0003"
                    "73"
                    "6f6b"));  // sok
  ExpectNothing(handshake);
  handshake.Feed(
      base::FromHex("0019"
                    "4e"
                    "0000000d07df7fbd"
                    "9abcdef0"
                    "00000016"
                    "0006"
                    "6240686f7374"));
  Expect<Handshake::Committing>(handshake);
  handshake.Commit(true);
  EXPECT_EQ(base::ToHex(handshake.TakeOutput().ToSlice()),
            "0015"
            "72"
            "12345678"
            "84917353c63d415e3c554ba9c4a69afe");
}

TEST_F(HandshakeTest, TheMessagesOfVersion5AreThoseOfTheDocument) {
  Handshake handshake = Initiator("secret", 5, dflag::kMandatory25 | dflag::kSpawn);
  EXPECT_EQ(base::ToHex(handshake.TakeOutput().ToSlice()),
            "000d"
            "6e"
            "0005"
            "01070f94"
            "6140686f7374");
  handshake.Feed(
      base::FromHex("0003"
                    "73"
                    "6f6b"));
  ExpectNothing(handshake);
  Feed(handshake, HandshakeChallenge{6, LocalFlags(true), kChallengeB, 22, "b@host"});
  Expect<Handshake::Committing>(handshake);
  handshake.Commit(true);
  EXPECT_EQ(base::ToHex(handshake.TakeOutput().ToSlice()).substr(0, 22),
            "0009"
            "63"
            "00000001"
            "0000000b");
}

TEST_F(HandshakeTest, TheAcceptorsChallengeIsThatOfTheDocument) {
  Handshake handshake = Acceptor("secret", dflag::kMandatory25);
  handshake.Feed(
      base::FromHex("0015"
                    "4e"
                    "0000000d07df7fbd"
                    "0000000b"
                    "0006"
                    "6140686f7374"));
  EXPECT_EQ(Expect<Handshake::PeerNamed>(handshake).creation, 11u);
  handshake.Answer(Verdict::kOk);
  EXPECT_EQ(base::ToHex(handshake.TakeOutput().ToSlice()),
            "0003"
            "73"
            "6f6b"
            "0019"
            "4e"
            "0000000001070f94"
            "9abcdef0"
            "00000016"
            "0006"
            "6240686f7374");
}

TEST(ChallengeDigestTest, IsMd5OverCookieAndDecimalChallenge) {
  EXPECT_EQ(base::ToHex(ChallengeDigest({base::Secret("secret"), ""}, kChallengeA)),
            "1f4d9b4e53cadc3999bcdb386a23c240");
  EXPECT_EQ(base::ToHex(ChallengeDigest({base::Secret("secret"), ""}, kChallengeB)),
            "84917353c63d415e3c554ba9c4a69afe");
}

TEST(ChallengeDigestTest, TakesACookieOneByteACharacter) {
  EXPECT_EQ(base::ToHex(ChallengeDigest({base::Secret("k\xc3\xa9ks"), ""}, 0xffffffff)),
            "a552688603935a33c2f7f3dd15b6555a");
}

TEST_F(HandshakeTest, ExtraBytesBehindNamesAreIgnoredAsTheDocumentSays) {
  Handshake acceptor = Acceptor();
  acceptor.Feed(
      base::FromHex("0017"
                    "4e"
                    "0000000d07df7fbd"
                    "0000000b"
                    "0006"
                    "6140686f7374"
                    "ffff"));
  EXPECT_EQ(Expect<Handshake::PeerNamed>(acceptor).name, "a@host");
}

TEST_F(HandshakeTest, BytesBehindTheLastMessageBelongToTheChannel) {
  Handshake handshake = Initiator();
  Feed(handshake, HandshakeStatus{"ok", "", 0});
  Feed(handshake, HandshakeChallenge{6, LocalFlags(true), kChallengeB, 22, "b@host"});
  Expect<Handshake::Committing>(handshake);
  handshake.Commit(true);
  Feed(handshake, HandshakeAck{ChallengeDigest({base::Secret("secret"), ""}, kChallengeA)});
  handshake.Feed(
      base::FromHex("00000000"
                    "0000"));
  EXPECT_EQ(base::ToHex(Expect<Handshake::Done>(handshake).rest), "000000000000");
  ExpectNothing(handshake);
  EXPECT_FALSE(handshake.Deadline());
}

TEST_F(HandshakeTest, AWrongProofOfTheAcceptorIsABadCookie) {
  Handshake handshake = Initiator();
  Feed(handshake, HandshakeStatus{"ok", "", 0});
  Feed(handshake, HandshakeChallenge{6, LocalFlags(true), kChallengeB, 22, "b@host"});
  Expect<Handshake::Committing>(handshake);
  handshake.Commit(true);
  Feed(handshake, HandshakeAck{});
  ExpectError(handshake, absl::StatusCode::kPermissionDenied, "bad_cookie");
}

// Refusals.

TEST_F(HandshakeTest, EachRefusingVerdictReachesTheInitiator) {
  const std::vector<std::pair<Verdict, std::string>> verdicts = {
      {Verdict::kNok, "nok"}, {Verdict::kNotAllowed, "not_allowed"}};
  for (const auto& [verdict, reason] : verdicts) {
    Pair pair(Initiator(), Acceptor(), verdict);
    pair.Run();
    EXPECT_EQ(base::ReasonOf(pair.a_error), reason);
    EXPECT_EQ(base::ReasonOf(pair.b_error), reason);
  }
}

TEST_F(HandshakeTest, AnInitiatorThatHasALinkAlreadySaysFalse) {
  Handshake initiator = Initiator(), acceptor = Acceptor();
  acceptor.Feed(initiator.TakeOutput().ToSlice());
  Expect<Handshake::PeerNamed>(acceptor);
  acceptor.Answer(Verdict::kAlive);
  initiator.Feed(acceptor.TakeOutput().ToSlice());
  Expect<Handshake::AliveAsked>(initiator);
  initiator.AnswerAlive(false);
  acceptor.Feed(initiator.TakeOutput().ToSlice());
  ExpectError(initiator, absl::StatusCode::kUnavailable, "alive");
  ExpectError(acceptor, absl::StatusCode::kUnavailable, "alive");
}

TEST_F(HandshakeTest, APeerWithoutMandatoryFlagsIsToldAndRefused) {
  Pair pair(Initiator("secret", 6, dflag::kMandatory25 & ~dflag::kMapTag), Acceptor());
  pair.Run();
  EXPECT_EQ(base::ReasonOf(pair.b_error), "check_dflags_failed");
  EXPECT_NE(pair.b_error.message().find("MAP_TAG"), std::string::npos);
  EXPECT_EQ(base::ReasonOf(pair.a_error), "not_allowed");
}

TEST_F(HandshakeTest, ANodeOlderThanOtp23IsRefusedByName) {
  Handshake handshake = Initiator("secret", 5);
  Feed(handshake, HandshakeStatus{"ok", "", 0});
  Feed(handshake,
       HandshakeChallenge{5, dflag::kMandatory25 & ~dflag::kHandshake23, 1, 0, "b@host"});
  const std::string error =
      ExpectError(handshake, absl::StatusCode::kPermissionDenied, "check_dflags_failed");
  EXPECT_NE(error.find("HANDSHAKE_23"), std::string::npos);
}

TEST_F(HandshakeTest, AnotherNodeThanTheOneCalledIsRefused) {
  Pair pair(Initiator("secret", 6, LocalFlags(true), "c@host"), Acceptor());
  pair.Run();
  EXPECT_EQ(base::ReasonOf(pair.a_error), "bad_name");
  EXPECT_NE(pair.a_error.message().find("b@host"), std::string::npos);
}

TEST_F(HandshakeTest, APeerWithOurOwnNameIsRefused) {
  Handshake acceptor = Acceptor();
  Feed(acceptor, HandshakeName{6, LocalFlags(true), 5, "b@host"});
  ExpectError(acceptor, absl::StatusCode::kPermissionDenied, "duplicate_name");
}

TEST_F(HandshakeTest, NamesThatAreNoNodeNamesAreRefused) {
  for (const std::string name : {"", "a", "@", "a@", "@h", "a@b@c", "a b@h", "a\n@h", "a@h\x7f"}) {
    Handshake acceptor = Acceptor();
    Feed(acceptor, HandshakeName{6, LocalFlags(true), 5, name});
    ExpectError(acceptor, absl::StatusCode::kDataLoss, "bad_name");
  }
  Handshake acceptor = Acceptor();
  Feed(acceptor, HandshakeName{6, LocalFlags(true), 5, std::string(254, 'x') + "@h"});
  ExpectError(acceptor, absl::StatusCode::kDataLoss, "bad_name");
}

TEST_F(HandshakeTest, NamesTravelOneByteACharacter) {
  Handshake acceptor = Acceptor();
  Feed(acceptor, HandshakeName{6, LocalFlags(true), 5, "a@h\xe9"});
  EXPECT_EQ(Expect<Handshake::PeerNamed>(acceptor).name, "a@h\xc3\xa9");
}

TEST_F(HandshakeTest, ATlsPeerOnAPlainPortIsRecognisedInBothRoles) {
  const std::vector<uint8_t> hello = base::FromHex("1603010200010001fc0303");
  const std::vector<uint8_t> alert = base::FromHex("15030300020246");
  for (const auto& bytes : {hello, alert}) {
    for (bool is_acceptor : {true, false}) {
      Handshake handshake = is_acceptor ? Acceptor() : Initiator();
      handshake.Feed(base::ByteView(bytes).first(1));
      ExpectNothing(handshake);
      handshake.Feed(base::ByteView(bytes).subspan(1, 1));
      const std::string error =
          ExpectError(handshake, absl::StatusCode::kDataLoss, "tls_on_plain_port");
      EXPECT_NE(error.find("-proto_dist"), std::string::npos);
    }
  }
}

TEST_F(HandshakeTest, ABrowserIsRecognised) {
  for (std::string_view text : {"GET / HTTP/1.1\r\n", "PRI * HTTP/2.0", "HTTP/1.1 400 Bad"}) {
    Handshake handshake = Acceptor();
    for (char c : text.substr(0, 3)) {
      handshake.Feed(base::AsBytes(std::string_view(&c, 1)));
      ExpectNothing(handshake);
    }
    handshake.Feed(base::AsBytes(text.substr(3)));
    const std::string error = ExpectError(handshake, absl::StatusCode::kDataLoss, "bad_handshake");
    EXPECT_NE(error.find("HTTP"), std::string::npos);
  }
}

TEST_F(HandshakeTest, AMessageAboveTheLimitIsRefusedByItsLength) {
  Handshake handshake = Acceptor();
  handshake.Feed(base::FromHex("0801"));
  ExpectError(handshake, absl::StatusCode::kResourceExhausted, "bad_handshake");
}

TEST_F(HandshakeTest, APeerThatWritesWhileItMustWaitIsBounded) {
  Handshake handshake = Acceptor();
  Feed(handshake, HandshakeName{6, LocalFlags(true), 5, "a@host"});
  Expect<Handshake::PeerNamed>(handshake);
  handshake.Feed(std::vector<uint8_t>(limits_.max_handshake_bytes));
  ExpectNothing(handshake);
  handshake.Feed(std::vector<uint8_t>(1));
  ExpectError(handshake, absl::StatusCode::kResourceExhausted, "bad_handshake");
}

TEST_F(HandshakeTest, TheDeadlineEndsItAndSaysWhatWasMissing) {
  Handshake handshake = Initiator();
  EXPECT_EQ(handshake.Deadline(), deadline_);
  clock_.Advance(std::chrono::milliseconds(6999));
  ExpectNothing(handshake);
  clock_.Advance(std::chrono::milliseconds(1));
  const std::string error = ExpectError(handshake, absl::StatusCode::kDeadlineExceeded, "timeout");
  EXPECT_NE(error.find("the answer to our name"), std::string::npos);
}

TEST_F(HandshakeTest, AnEndOfTheStreamIsExplainedByItsPlace) {
  Handshake initiator = Initiator(), acceptor = Acceptor();
  EXPECT_NE(initiator.PeerClosed().message().find("TLS"), std::string::npos);
  EXPECT_NE(Initiator("secret", 5).PeerClosed().message().find("version 5"), std::string::npos);
  EXPECT_EQ(acceptor.PeerClosed().code(), absl::StatusCode::kUnavailable);
  acceptor.Feed(initiator.TakeOutput().ToSlice());
  Expect<Handshake::PeerNamed>(acceptor);
  acceptor.Answer(Verdict::kOk);
  EXPECT_NE(acceptor.PeerClosed().message().find("after our challenge"), std::string::npos);
  initiator.Feed(acceptor.TakeOutput().ToSlice());
  Expect<Handshake::Committing>(initiator);
  initiator.Commit(true);
  const absl::Status closed = initiator.PeerClosed();
  EXPECT_EQ(base::ReasonOf(closed), "bad_cookie");
  EXPECT_NE(closed.message().find("b@host"), std::string::npos);
  EXPECT_NE(closed.message().find("option -setcookie"), std::string::npos);
}

TEST_F(HandshakeTest, AnswersAtAnyOtherTimeChangeNothing) {
  Handshake acceptor = Acceptor(), initiator = Initiator();
  initiator.TakeOutput();
  acceptor.Answer(Verdict::kOk);
  acceptor.AnswerNamed("x@host", 1);
  acceptor.AnswerAlive(true);
  acceptor.Commit(true);
  initiator.Commit(false);
  initiator.Answer(Verdict::kOk);
  initiator.AnswerAlive(false);
  EXPECT_EQ(acceptor.state(), State::kAwaitName);
  EXPECT_EQ(initiator.state(), State::kAwaitStatus);
  EXPECT_TRUE(acceptor.TakeOutput().empty());
  EXPECT_TRUE(initiator.TakeOutput().empty());
}

// Every state and every message: what is listed goes on, what is not is refused.

struct Transition {
  State from;
  std::string message;
  State to;
};

TEST_F(HandshakeTest, EveryMessageThatIsNotDueIsRefused) {
  const base::Md5Digest proof_b = ChallengeDigest({base::Secret("secret"), ""}, kChallengeB);
  const base::Md5Digest proof_a = ChallengeDigest({base::Secret("secret"), ""}, kChallengeA);
  const std::map<std::string, HandshakeMessage> messages = {
      {"name", HandshakeName{6, LocalFlags(true), 5, "a@host"}},
      {"name 5", HandshakeName{5, dflag::kMandatory25, 0, "a@host"}},
      {"ok", HandshakeStatus{"ok", "", 0}},
      {"ok_simultaneous", HandshakeStatus{"ok_simultaneous", "", 0}},
      {"nok", HandshakeStatus{"nok", "", 0}},
      {"not_allowed", HandshakeStatus{"not_allowed", "", 0}},
      {"alive", HandshakeStatus{"alive", "", 0}},
      {"true", HandshakeStatus{"true", "", 0}},
      {"false", HandshakeStatus{"false", "", 0}},
      {"named", HandshakeStatus{"named:", "x@host", 3}},
      {"other", HandshakeStatus{"what", "", 0}},
      {"challenge", HandshakeChallenge{6, LocalFlags(true), kChallengeB, 22, "b@host"}},
      {"complement", HandshakeComplement{1, 2}},
      {"reply", HandshakeReply{7, proof_b}},
      {"ack", HandshakeAck{proof_a}},
  };
  const std::vector<Transition> transitions = {
      {State::kAwaitName, "name", State::kAwaitVerdict},
      {State::kAwaitName, "name 5", State::kAwaitVerdict},
      {State::kAwaitAliveReply, "true", State::kAwaitReply},
      {State::kAwaitComplement, "complement", State::kAwaitReply},
      {State::kAwaitReply, "reply", State::kAwaitCommit},
      {State::kAwaitStatus, "ok", State::kAwaitChallenge},
      {State::kAwaitStatus, "ok_simultaneous", State::kAwaitChallenge},
      {State::kAwaitStatus, "alive", State::kAwaitAliveAnswer},
      {State::kAwaitChallenge, "challenge", State::kAwaitCommit},
      {State::kAwaitAck, "ack", State::kDone},
  };
  // How to come to each state that reads.
  const std::map<State, std::vector<std::string>> ways = {
      {State::kAwaitName, {}},
      {State::kAwaitAliveReply, {"name", "!alive"}},
      {State::kAwaitComplement, {"name 5", "!ok"}},
      {State::kAwaitReply, {"name", "!ok"}},
      {State::kAwaitStatus, {}},
      {State::kAwaitChallenge, {"ok"}},
      {State::kAwaitAck, {"ok", "challenge", "!commit"}},
  };
  const std::set<State> acceptor_states = {State::kAwaitName, State::kAwaitAliveReply,
                                           State::kAwaitComplement, State::kAwaitReply};
  for (const auto& [state, way] : ways) {
    for (const auto& [label, message] : messages) {
      const bool is_acceptor = acceptor_states.contains(state);
      Handshake handshake = is_acceptor ? Acceptor() : Initiator();
      for (const std::string& step : way) {
        if (step == "!ok") {
          handshake.Answer(Verdict::kOk);
        } else if (step == "!alive") {
          handshake.Answer(Verdict::kAlive);
        } else if (step == "!commit") {
          handshake.Commit(true);
        } else {
          Feed(handshake, messages.at(step));
          ASSERT_TRUE(Next(handshake).ok());
        }
      }
      ASSERT_EQ(handshake.state(), state);
      State expected = State::kFailed;
      for (const Transition& transition : transitions) {
        if (transition.from == state && transition.message == label) expected = transition.to;
      }
      Feed(handshake, message);
      auto event = Next(handshake);
      EXPECT_EQ(handshake.state(), expected) << static_cast<int>(state) << " on " << label;
      EXPECT_EQ(event.ok(), expected != State::kFailed) << label;
    }
  }
}

TEST(HandshakeFormatTest, EveryMessageDecodesToWhatWasEncoded) {
  const std::vector<std::pair<HandshakeReader, HandshakeMessage>> messages = {
      {HandshakeReader::kAcceptor, HandshakeName{6, 0xd07df7fbd, 5, "a@host"}},
      {HandshakeReader::kAcceptor, HandshakeName{5, 0x7df7fbd, 0, "a@host"}},
      {HandshakeReader::kInitiator, HandshakeStatus{"ok_simultaneous", "", 0}},
      {HandshakeReader::kInitiator, HandshakeStatus{"named:", "x@host", 9}},
      {HandshakeReader::kInitiator, HandshakeChallenge{6, 0xd07df7fbd, 7, 5, "b@host"}},
      {HandshakeReader::kInitiator, HandshakeChallenge{5, 0x7df7fbd, 7, 0, "b@host"}},
      {HandshakeReader::kAcceptor, HandshakeComplement{3, 4}},
      {HandshakeReader::kAcceptor, HandshakeReply{3, {1, 2, 3}}},
      {HandshakeReader::kInitiator, HandshakeAck{{4, 5, 6}}},
  };
  for (const auto& [reader, message] : messages) {
    const base::Slice bytes = EncodeHandshake(message).ToSlice();
    auto decoded = DecodeHandshake(bytes.view().subspan(2), reader);
    ASSERT_TRUE(decoded.ok()) << HandshakeMessageName(message);
    EXPECT_EQ(*decoded, message) << HandshakeMessageName(message);
  }
}

TEST(HandshakeFormatTest, ACutMessageIsRefusedAtEveryLength) {
  const std::vector<std::pair<HandshakeReader, HandshakeMessage>> messages = {
      {HandshakeReader::kAcceptor, HandshakeName{6, 1, 5, "a@host"}},
      {HandshakeReader::kInitiator, HandshakeChallenge{6, 1, 7, 5, "b@host"}},
      {HandshakeReader::kAcceptor, HandshakeComplement{3, 4}},
      {HandshakeReader::kAcceptor, HandshakeReply{3, {}}},
      {HandshakeReader::kInitiator, HandshakeAck{}},
  };
  for (const auto& [reader, message] : messages) {
    const base::Slice bytes = EncodeHandshake(message).ToSlice().Sub(2);
    for (size_t size = 0; size < bytes.size(); ++size) {
      EXPECT_EQ(DecodeHandshake(bytes.Sub(0, size), reader).status().code(),
                absl::StatusCode::kDataLoss)
          << HandshakeMessageName(message) << " cut to " << size;
    }
  }
}

}  // namespace
}  // namespace noded::dist
