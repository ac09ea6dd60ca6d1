#include "dist/control.h"

#include <map>
#include <set>
#include <vector>

#include "base/status.h"
#include "dist/flags.h"
#include "fmt/format.h"
#include "gtest/gtest.h"

namespace noded::dist {
namespace {

const Pid kFrom{"a@host", 7, 1, 11};
const Pid kTo{"b@host", 9, 0, 22};
const Reference kReference("a@host", 11, {1, 2, 3});
const Term kToken = Term::Tuple({Term::Int(1), Term::Atom("label")});
const Term kReason = Term::Tuple({Term::Atom("shutdown"), Term::Int(3)});
constexpr uint64_t kAll = ~uint64_t{0};

Term Tuple(int64_t tag, std::vector<Term> fields) {
  fields.insert(fields.begin(), Term::Int(tag));
  return Term::Tuple(std::move(fields));
}

struct Case {
  Term wire;
  Control control;
  uint64_t flags = kAll;
  bool has_payload = false;
};

// Every control message of the OTP document, as it stands there.
std::vector<Case> Cases() {
  const Term from = Term::FromPid(kFrom), to = Term::FromPid(kTo);
  const Term ref = Term::FromReference(kReference);
  const Term unused = Term::Atom(""), name = Term::Atom("rex"), options = Term::Nil();
  const Term mfa = Term::Tuple({Term::Atom("m"), Term::Atom("f"), Term::Int(2)});
  constexpr uint64_t kOld = 0;
  return {
      {Tuple(1, {from, to}), Link{kFrom, kTo}},
      {Tuple(2, {unused, to}), Send{kTo, {}}, kAll, true},
      {Tuple(12, {unused, to, kToken}), Send{kTo, kToken}, kAll, true},
      {Tuple(3, {from, to, kReason}), Exit{kFrom, kTo, kReason, false, {}}, kOld},
      {Tuple(13, {from, to, kToken, kReason}), Exit{kFrom, kTo, kReason, false, kToken}, kOld},
      {Tuple(4, {from, to}), Unlink{kFrom, kTo}},
      {Tuple(6, {from, unused, name}), RegSend{kFrom, "rex", {}}, kAll, true},
      {Tuple(16, {from, unused, name, kToken}), RegSend{kFrom, "rex", kToken}, kAll, true},
      {Tuple(7, {from, to}), GroupLeader{kFrom, kTo}},
      {Tuple(8, {from, to, kReason}), Exit2{kFrom, kTo, kReason, false, {}}, kOld},
      {Tuple(18, {from, to, kToken, kReason}), Exit2{kFrom, kTo, kReason, false, kToken}, kOld},
      {Tuple(19, {from, to, ref}), MonitorP{kFrom, to, kReference}},
      {Tuple(19, {from, name, ref}), MonitorP{kFrom, name, kReference}},
      {Tuple(20, {from, name, ref}), DemonitorP{kFrom, name, kReference}},
      {Tuple(21, {name, to, ref, kReason}), MonitorPExit{name, kTo, kReference, kReason, false},
       kOld},
      {Tuple(22, {from, to}), SendSender{kFrom, kTo, {}}, kAll, true},
      {Tuple(23, {from, to, kToken}), SendSender{kFrom, kTo, kToken}, kAll, true},
      {Tuple(24, {from, to}), Exit{kFrom, kTo, {}, true, {}}, kAll, true},
      {Tuple(25, {from, to, kToken}), Exit{kFrom, kTo, {}, true, kToken}, kAll, true},
      {Tuple(26, {from, to}), Exit2{kFrom, kTo, {}, true, {}}, kAll, true},
      {Tuple(27, {from, to, kToken}), Exit2{kFrom, kTo, {}, true, kToken}, kAll, true},
      {Tuple(28, {from, to, ref}), MonitorPExit{from, kTo, kReference, {}, true}, kAll, true},
      {Tuple(29, {ref, from, to, mfa, options}),
       SpawnRequest{kReference, kFrom, kTo, "m", "f", 2, options, {}}, kAll, true},
      {Tuple(30, {ref, from, to, mfa, options, kToken}),
       SpawnRequest{kReference, kFrom, kTo, "m", "f", 2, options, kToken}, kAll, true},
      {Tuple(31, {ref, to, Term::Int(3), from}), SpawnReply{kReference, kTo, 3, from, {}}},
      {Tuple(32, {ref, to, Term::Int(0), name, kToken}),
       SpawnReply{kReference, kTo, 0, name, kToken}},
      {Tuple(33, {from, ref}), AliasSend{kFrom, kReference, {}}, kAll, true},
      {Tuple(34, {from, ref, kToken}), AliasSend{kFrom, kReference, kToken}, kAll, true},
      {Tuple(35, {Term::Int(5), from, to}), UnlinkId{5, kFrom, kTo}},
      {Tuple(35, {Term::Big(false, base::Slice(std::vector<uint8_t>(8, 0xff))), from, to}),
       UnlinkId{UINT64_MAX, kFrom, kTo}},
      {Tuple(36, {Term::Int(5), from, to}), UnlinkIdAck{5, kFrom, kTo}},
      {Tuple(37, {Term::Int(4), from, ref}), AltactSend{4, kFrom, ref, {}}, kAll, true},
      {Tuple(37, {Term::Int(10), from, name, kToken}), AltactSend{10, kFrom, name, kToken}, kAll,
       true},
  };
}

TEST(ControlTest, EveryMessageDecodesToItsStructAndBack) {
  for (const Case& c : Cases()) {
    auto control = DecodeControl(c.wire);
    ASSERT_TRUE(control.ok()) << control.status();
    EXPECT_EQ(*control, c.control) << ControlName(c.control);
    EXPECT_EQ(EncodeControl(c.control, c.flags), c.wire) << ControlName(c.control);
    EXPECT_EQ(HasPayload(c.control), c.has_payload) << ControlName(c.control);
  }
}

TEST(ControlTest, TheCasesCoverEveryOperationAndEveryStruct) {
  std::set<int64_t> tags;
  std::set<size_t> structs;
  for (const Case& c : Cases()) {
    tags.insert(*c.wire.tuple()[0].AsInt());
    structs.insert(c.control.index());
  }
  EXPECT_EQ(structs.size(), std::variant_size_v<Control>);
  for (int64_t tag = 0; tag < 64; ++tag) {
    bool is_known = false;
    for (size_t arity = 1; arity < 9; ++arity) {
      auto control = DecodeControl(Tuple(tag, std::vector<Term>(arity - 1)));
      is_known |= control.ok() || control.status().message().find("not known") == std::string::npos;
    }
    EXPECT_EQ(is_known, tags.contains(tag)) << tag;
  }
}

TEST(ControlTest, AFieldOfTheWrongKindIsNamed) {
  for (const Case& c : Cases()) {
    const auto tuple = c.wire.tuple();
    size_t refused = 0;
    for (size_t i = 1; i < tuple.size(); ++i) {
      std::vector<Term> fields(tuple.begin(), tuple.end());
      fields[i] = Term::Float(1.5);
      auto control = DecodeControl(Term::Tuple(fields));
      if (control.ok()) continue;  // a reason, a token, a sender, or unused
      ++refused;
      EXPECT_EQ(control.status().code(), absl::StatusCode::kDataLoss);
      EXPECT_NE(control.status().message().find(fmt::format("element {} ", i + 1)),
                std::string::npos)
          << control.status();
    }
    EXPECT_GE(refused, 1u) << ControlName(c.control);
  }
}

TEST(ControlTest, AnotherNumberOfElementsIsRefused) {
  for (const Case& c : Cases()) {
    const auto tuple = c.wire.tuple();
    std::vector<Term> fields(tuple.begin(), tuple.end() - 1);
    if (*tuple[0].AsInt() == 37 && tuple.size() == 5) continue;  // has both lengths
    EXPECT_FALSE(DecodeControl(Term::Tuple(fields)).ok()) << ControlName(c.control);
  }
}

TEST(ControlTest, WhatIsNoControlMessageIsRefused) {
  for (const Term& term :
       {Term::Nil(), Term::Atom("link"), Term::Tuple({}), Term::Tuple({Term::Atom("x")}),
        Tuple(99, {}), Tuple(5, {}), Tuple(-1, {Term::Nil(), Term::Nil()})}) {
    auto control = DecodeControl(term);
    ASSERT_FALSE(control.ok());
    EXPECT_EQ(control.status().code(), absl::StatusCode::kDataLoss);
    EXPECT_EQ(base::ReasonOf(control.status()), "bad_control");
  }
}

TEST(ControlTest, UnlinkNumbersAreFrom1To64Bits) {
  const Term from = Term::FromPid(kFrom), to = Term::FromPid(kTo);
  for (const Term& id : {Term::Int(0), Term::Int(-1), Term::Atom("x"),
                         Term::Big(false, base::Slice(std::vector<uint8_t>(9, 1))),
                         Term::Big(true, base::Slice(std::vector<uint8_t>(8, 0xff)))}) {
    EXPECT_FALSE(DecodeControl(Tuple(35, {id, from, to})).ok());
  }
}

TEST(ControlTest, ASenderThatIsNoProcessIsTakenAndWrittenAsNobody) {
  const Term to = Term::FromPid(kTo);
  auto control = DecodeControl(Tuple(22, {Term::Atom(""), to}));
  ASSERT_TRUE(control.ok());
  EXPECT_EQ(*control, Control(SendSender{{}, kTo, {}}));
  EXPECT_EQ(SenderOf(*control), nullptr);
  EXPECT_EQ(EncodeControl(*control, kAll), Tuple(22, {Term::Atom(""), to}));
}

TEST(ControlTest, OldPeersGetWhatTheyUnderstand) {
  const Term from = Term::FromPid(kFrom), to = Term::FromPid(kTo);
  EXPECT_EQ(EncodeControl(SendSender{kFrom, kTo, {}}, 0), Tuple(2, {Term::Atom(""), to}));
  EXPECT_EQ(EncodeControl(UnlinkId{5, kFrom, kTo}, 0), Tuple(4, {from, to}));
  EXPECT_FALSE(IsNegotiated(UnlinkIdAck{5, kFrom, kTo}, 0));
  EXPECT_FALSE(IsNegotiated(SpawnRequest{}, kAll & ~dflag::kSpawn));
  EXPECT_FALSE(IsNegotiated(AliasSend{}, kAll & ~dflag::kAlias));
  EXPECT_FALSE(IsNegotiated(AltactSend{}, LocalFlags(true)));
  EXPECT_FALSE(IsNegotiated(MonitorP{kFrom, to, kReference}, 0));
  EXPECT_TRUE(IsNegotiated(MonitorP{kFrom, to, kReference}, dflag::kDistMonitor));
  EXPECT_FALSE(IsNegotiated(MonitorP{kFrom, Term::Atom("x"), kReference}, dflag::kDistMonitor));
  EXPECT_TRUE(IsNegotiated(Link{kFrom, kTo}, 0));
}

TEST(ControlTest, AReasonGoesBehindTheMessageWhereThatWasNegotiated) {
  const Control exit = Exit{kFrom, kTo, kReason, false, {}};
  EXPECT_EQ(ReasonBehind(exit, 0), nullptr);
  ASSERT_NE(ReasonBehind(exit, dflag::kExitPayload), nullptr);
  EXPECT_EQ(*ReasonBehind(exit, dflag::kExitPayload), kReason);
  EXPECT_EQ(ReasonBehind(Link{kFrom, kTo}, dflag::kExitPayload), nullptr);
}

TEST(ControlTest, TheTokenFlagFollowsTheToken) {
  const Term name = Term::Atom("rex"), from = Term::FromPid(kFrom);
  EXPECT_EQ(EncodeControl(AltactSend{AltactSend::kName, kFrom, name, kToken}, kAll),
            Tuple(37, {Term::Int(10), from, name, kToken}));
  EXPECT_EQ(EncodeControl(AltactSend{10, kFrom, name, {}}, kAll),
            Tuple(37, {Term::Int(8), from, name}));
}

TEST(ControlTest, TheSenderIsKnownWhereAMessageNamesOne) {
  EXPECT_EQ(SenderOf(Send{kTo, {}}), nullptr);
  EXPECT_EQ(SenderOf(MonitorPExit{Term::Atom("x"), kTo, kReference, {}, false}), nullptr);
  const Control control = RegSend{kFrom, "rex", {}};
  ASSERT_NE(SenderOf(control), nullptr);
  EXPECT_EQ(*SenderOf(control), kFrom);
}

}  // namespace
}  // namespace noded::dist
