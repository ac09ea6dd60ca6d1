#include "dist/etf.h"

#include <gtest/gtest.h>

#include <bit>
#include <string>

#include "base/status.h"

namespace noded::dist {
namespace {

using base::FromHex;
using base::Slice;

const base::Limits kLimits;

Slice Bytes(std::string_view hex) { return Slice(FromHex(hex)); }

Term Decoded(std::string_view hex) {
  absl::StatusOr<Term> term = DecodeTerm(Bytes(hex), kLimits);
  EXPECT_TRUE(term.ok()) << hex << ": " << term.status();
  return term.ok() ? *term : Term::Atom("decoding failed");
}

absl::Status Refusal(const Slice& bytes, const base::Limits& limits = kLimits) {
  absl::StatusOr<Term> term = DecodeTerm(bytes, limits);
  EXPECT_FALSE(term.ok()) << base::ToHex(bytes);
  return term.status();
}

void ExpectRefused(const Slice& bytes) { EXPECT_FALSE(Refusal(bytes).ok()); }

bool Mentions(const absl::Status& status, std::string_view text) {
  return std::string(status.message()).find(text) != std::string::npos;
}

std::string Encoded(const Term& term) { return base::ToHex(EncodeTerm(term)); }

struct Vector {
  std::string hex;  // as term_to_binary(Term, [{minor_version, 2}]) of OTP 25 writes it
  Term term;
};

Pid OtpPid() { return {"nonode@nohost", 9, 0, 0}; }

std::vector<Vector> CanonicalVectors() {
  const std::string node = "770d6e6f6e6f6465406e6f686f7374";
  return {
      {"836100", Term::Int(0)},
      {"8361ff", Term::Int(255)},
      {"836200000100", Term::Int(256)},
      {"8362ffffffff", Term::Int(-1)},
      {"836280000000", Term::Int(INT32_MIN)},
      {"836e040000000080", Term::Int(int64_t{1} << 31)},
      {"836e080100000000000000 80", Term::Int(INT64_MIN)},
      {"836e0800ffffffffffffffff", Term::Big(false, Bytes("ffffffffffffffff"))},
      {"836e0900000000000000000001", Term::Big(false, Bytes("000000000000000001"))},
      {"83463ff8000000000000", Term::Float(1.5)},
      {"83468000000000000000", Term::Float(-0.0)},
      {"83770161", Term::Atom("a")},
      {"837700", Term::Atom("")},
      {"836a", Term::Nil()},
      {"836b0003616263", Term::String("abc")},
      {"836c00000002610161026103", Term::List({Term::Int(1), Term::Int(2)}, Term::Int(3))},
      {"836c00000001620000 01006a", Term::List({Term::Int(256)})},
      {"836800", Term::Tuple({})},
      {"836802610177016f", Term::Tuple({Term::Int(1), Term::Atom("o")})},
      {"8374000000027701616102770162 6101",
       Term::Map({{Term::Atom("b"), Term::Int(1)}, {Term::Atom("a"), Term::Int(2)}})},
      {"836d00000003010203", Term::Binary(Bytes("010203"))},
      {"836d00000000", Term::Binary("")},
      {"834d0000000103a0", Term::BitString(Bytes("a0"), 3)},
      {"8371770 56c6973747377036d617 06102", Term::FromExport({"lists", "map", 2})},
      {"8358" + node + "00000009 00000000 00000000", Term::FromPid(OtpPid())},
      {"8359" + node + "00000003 00000000", Term::FromPort({"nonode@nohost", 3, 0})},
      {"8378" + node + "0000000100000003 00000007",
       Term::FromPort({"nonode@nohost", (uint64_t{1} << 32) + 3, 7})},
      {"835a0003" + node + "00000000 00016dbe 79f40002 5f55cede",
       Term::FromReference(Reference("nonode@nohost", 0, {0x16dbe, 0x79f40002, 0x5f55cede}))},
  };
}

TEST(EtfTest, DecodesAndEncodesAsOtpDoes) {
  for (const Vector& vector : CanonicalVectors()) {
    EXPECT_EQ(Decoded(vector.hex), vector.term) << vector.hex;
    EXPECT_EQ(Encoded(vector.term), base::ToHex(FromHex(vector.hex)));
  }
}

TEST(EtfTest, RefusesEveryPrefixOfATerm) {
  for (const Vector& vector : CanonicalVectors()) {
    const Slice bytes = Bytes(vector.hex);
    for (size_t size = 0; size < bytes.size(); ++size) ExpectRefused(bytes.Sub(0, size));
  }
}

TEST(EtfTest, DecodesOldTags) {
  EXPECT_EQ(Decoded("8364000161"), Term::Atom("a"));
  EXPECT_EQ(Decoded("837301e5"), Term::Atom("\xc3\xa5"));
  EXPECT_EQ(Decoded("83760002c3a5"), Term::Atom("\xc3\xa5"));
  const std::string text = "1.50000000000000000000e+00";
  EXPECT_EQ(Decoded("8363" + base::ToHex(base::AsBytes(text)) + "0000000000"), Term::Float(1.5));
  EXPECT_EQ(Decoded("836764000161 0000000100000002 03"), Term::FromPid({"a", 1, 2, 3}));
  EXPECT_EQ(Decoded("836664000161 00000001 ff"), Term::FromPort({"a", 1, 3}));
  EXPECT_EQ(Decoded("836564000161 00000007 01"), Term::FromReference(Reference("a", 1, {7})));
  EXPECT_EQ(Decoded("83720002640001610200000001 00000002"),
            Term::FromReference(Reference("a", 2, {1, 2})));
  EXPECT_EQ(Decoded("836f00000001 0105"), Term::Int(-5));
}

TEST(EtfTest, ListsInListTailsAreOneList) {
  EXPECT_EQ(Decoded("836c000000016101 6c000000016102 6b00020304"),
            Term::List({Term::Int(1), Term::Int(2), Term::Int(3), Term::Int(4)}));
  EXPECT_EQ(Decoded("836c00000000 6105"), Term::Int(5));
}

TEST(EtfTest, BinaryKeepsTheBufferInsteadOfACopy) {
  const Slice bytes = Bytes("836d00000003010203");
  const Term term = *DecodeTerm(bytes, kLimits);
  EXPECT_EQ(term.binary().data(), bytes.data() + 6);
}

TEST(EtfTest, LargeBinaryIsLinkedIntoTheOutput) {
  const Slice payload(std::vector<uint8_t>(4096, 7));
  base::ByteWriter out;
  EncodeTerm(Term::Binary(payload), out);
  base::Buffer buffer = out.Take();
  ASSERT_EQ(buffer.pieces().size(), 2u);
  EXPECT_EQ(buffer.pieces()[1].data(), payload.data());
}

TEST(EtfTest, LongStringsAndLargeTuplesUseTheLargeForms) {
  const Term longest = Term::List(std::vector<Term>(65535, Term::Int(97)));
  const Term longer = Term::List(std::vector<Term>(65536, Term::Int(97)));
  EXPECT_EQ(Encoded(longest).substr(0, 8), "836bffff");
  EXPECT_EQ(Encoded(longer).substr(0, 12), "836c00010000");
  EXPECT_EQ(*DecodeTerm(EncodeTerm(longer), kLimits), longer);
  const Term tuple = Term::Tuple(std::vector<Term>(256, Term::Nil()));
  EXPECT_EQ(Encoded(tuple).substr(0, 12), "836900000100");
  EXPECT_EQ(*DecodeTerm(EncodeTerm(tuple), kLimits), tuple);
  const Term big = Term::Big(true, Slice(std::vector<uint8_t>(300, 1)));
  EXPECT_EQ(Encoded(big).substr(0, 14), "836f0000012c01");
  EXPECT_EQ(*DecodeTerm(EncodeTerm(big), kLimits), big);
  std::string name;
  for (int i = 0; i < 255; ++i) name += "\xf0\x9f\x98\x80";
  EXPECT_EQ(Encoded(Term::Atom(name)).substr(0, 8), "837603fc");
  EXPECT_EQ(*DecodeTerm(EncodeTerm(Term::Atom(name)), kLimits), Term::Atom(name));
}

TEST(EtfTest, FunsEncodeToTheSameBytes) {
  // term_to_binary(fun(X) -> X end), typed into the shell of OTP 25.
  const std::string hex =
      "83700000009701065361aa461590d1bdf1eb62d1a6eb080000002a00000001770865726c5f657661"
      "6c612a6200329b0d58770d6e6f6e6f6465406e6f686f737400000009000000000000000068066101"
      "6a77046e6f6e6577046e6f6e6574000000006c0000000168057706636c6175736561016c00000001"
      "6803770376617261017701586a6a6c000000016803770376617261017701586a6a";
  const Term fun = Decoded(hex);
  ASSERT_EQ(fun.kind(), Kind::kFun);
  EXPECT_EQ(fun.fun().module, "erl_eval");
  EXPECT_EQ(fun.fun().arity, 1);
  EXPECT_EQ(fun.fun().index, 42u);
  EXPECT_EQ(fun.fun().free_variables.size(), 1u);
  EXPECT_EQ(fun.fun().creator.pid(), OtpPid());
  EXPECT_EQ(Encoded(fun), base::ToHex(FromHex(hex)));
  std::vector<uint8_t> wrong_size = FromHex(hex);
  wrong_size[5] -= 1;
  EXPECT_TRUE(Mentions(Refusal(Slice(wrong_size)), "NEW_FUN_EXT"));
}

TEST(EtfTest, TermsBehindEachOtherAreReadFromAPosition) {
  const Slice packet = Bytes("70 836101 83770161");
  const DecodedTerm control = *DecodeTermAt(packet, 1, kLimits);
  EXPECT_EQ(control.term, Term::Int(1));
  EXPECT_EQ(control.size, 3u);
  const DecodedTerm payload = *DecodeTermAt(packet, 1 + control.size, kLimits);
  EXPECT_EQ(payload.term, Term::Atom("a"));
  EXPECT_EQ(1 + control.size + payload.size, packet.size());
  EXPECT_FALSE(DecodeTermAt(packet, 100, kLimits).ok());
}

TEST(EtfTest, CachedAtomsComeFromTheTableOnly) {
  const std::vector<Term> atoms = {Term::Atom("ok"), Term::Atom("a@b")};
  const Slice packet = Bytes("6803 5200 5852010000000100000002 00000003 6101");
  const DecodedTerm decoded = *DecodeBareTermAt(packet, 0, atoms, kLimits);
  EXPECT_EQ(decoded.term, Term::Tuple({atoms[0], Term::FromPid({"a@b", 1, 2, 3}), Term::Int(1)}));
  EXPECT_EQ(decoded.size, packet.size());
  const absl::Status status = DecodeBareTermAt(Bytes("5202"), 0, atoms, kLimits).status();
  EXPECT_TRUE(Mentions(status, "refers to atom 2 of a header that has 2")) << status;
  ExpectRefused(Bytes("835200"));
}

TEST(EtfTest, RefusesUnknownTagsByNumberAndPlace) {
  const absl::Status status = Refusal(Bytes("836801c8"));
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_TRUE(Mentions(status, "before byte 4: tag 200 is not known here")) << status;
  EXPECT_EQ(base::ReasonOf(status), "unsupported_term");
  EXPECT_TRUE(Mentions(Refusal(Bytes("8379 01020304")), "LOCAL_EXT"));
  EXPECT_TRUE(Mentions(Refusal(Bytes("8375 00000000")), "FUN_EXT"));
  EXPECT_TRUE(Mentions(Refusal(Bytes("83680150 00000000")), "COMPRESSED"));
  EXPECT_TRUE(Mentions(Refusal(Bytes("826101")), "begins with byte 130"));
  EXPECT_TRUE(Mentions(Refusal(Bytes("8361016101")), "2 more bytes"));
}

TEST(EtfTest, RefusesMalformedFields) {
  ExpectRefused(Bytes("83467ff0000000000000"));           // infinity
  ExpectRefused(Bytes("83467ff8000000000001"));           // not a number
  ExpectRefused(Bytes("837702c328"));                     // atom that is not UTF-8
  ExpectRefused(Bytes("837703eda080"));                   // atom with a surrogate
  ExpectRefused(Bytes("837400000002610161026101 6103"));  // key twice
  ExpectRefused(Bytes("834d0000000109a0"));               // nine bits in a byte
  ExpectRefused(Bytes("834d0000000100a0"));               // no bits in a byte
  ExpectRefused(Bytes("834d0000000003"));                 // bits in no byte
  ExpectRefused(Bytes("835a0006770161 00000000 000000010000000100000001000000010000000100000001"));
  ExpectRefused(Bytes("835a0000770161 00000000"));             // reference without words
  ExpectRefused(Bytes("8358610100000001 00000002 00000003"));  // node that is not an atom
  ExpectRefused(Bytes("8371770161770162620000 0002"));         // arity that is not a small integer
  std::string many(256 * 2, '6');
  ExpectRefused(Bytes("83640100" + many));  // atom of 256 characters
}

TEST(EtfTest, CountsThatTheBytesCannotHoldAreRefusedBeforeTheyCost) {
  ExpectRefused(Bytes("836cffffffff6a"));
  ExpectRefused(Bytes("8369ffffffff6a"));
  ExpectRefused(Bytes("8374ffffffff6a"));
  ExpectRefused(Bytes("836dffffffff6a"));
  ExpectRefused(Bytes("836fffffffff006a"));
  // Each list claims as many elements as bytes are left: alone believable, together not.
  std::vector<uint8_t> nest = {131};
  for (int i = 0; i < 500; ++i) nest.insert(nest.end(), {108, 0, 0, 200, 0});
  nest.resize(nest.size() + 60000, 106);
  EXPECT_TRUE(Mentions(Refusal(Slice(nest)), "claims 51200 elements"));
}

TEST(EtfTest, LimitsOnDepthAndElementsHold) {
  base::Limits limits;
  limits.max_term_depth = 3;
  limits.max_term_elements = 4;
  EXPECT_TRUE(DecodeTerm(Bytes("836801680168016101"), limits).ok());
  const absl::Status deep = Refusal(Bytes("8368016801680168016101"), limits);
  EXPECT_EQ(deep.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(Mentions(deep, "nested deeper than 3")) << deep;
  EXPECT_TRUE(DecodeTerm(Bytes("8368046a6a6a6a"), limits).ok());
  EXPECT_EQ(Refusal(Bytes("8368056a6a6a6a6a"), limits).code(),
            absl::StatusCode::kResourceExhausted);
}

TEST(EtfTest, TermsOfTheLargestDepthComeAndGo) {
  std::vector<uint8_t> bytes = {131};
  for (int i = 0; i < kLimits.max_term_depth; ++i) bytes.insert(bytes.end(), {104, 1});
  bytes.push_back(106);
  const Term term = *DecodeTerm(Slice(bytes), kLimits);
  EXPECT_EQ(EncodeTerm(term), Slice(bytes));
  bytes.insert(bytes.begin() + 1, {104, 1});
  EXPECT_EQ(Refusal(Slice(bytes)).code(), absl::StatusCode::kResourceExhausted);
}

// term_to_binary(lists:duplicate(100, $a), [compressed]).
constexpr std::string_view kCompressed = "835000000067789ccb664849a4030000cccb26b4";

TEST(EtfTest, CompressedTermsAreUnpackedWithinTheirLimit) {
  EXPECT_EQ(Decoded(kCompressed), Term::String(std::string(100, 'a')));
  const Slice two(FromHex(std::string(kCompressed) + "836101"));
  const DecodedTerm first = *DecodeTermAt(two, 0, kLimits);
  EXPECT_EQ(*DecodeTerm(two.Sub(first.size), kLimits), Term::Int(1));
  base::Limits limits;
  limits.max_uncompressed_bytes = 102;
  EXPECT_EQ(Refusal(Bytes(kCompressed), limits).code(), absl::StatusCode::kResourceExhausted);
}

TEST(EtfTest, CompressedTermsThatLieAreRefused) {
  std::string claims_less(kCompressed);
  claims_less.replace(10, 2, "66");
  EXPECT_TRUE(Mentions(Refusal(Bytes(claims_less)), "more than it claims"));
  std::string claims_more(kCompressed);
  claims_more.replace(10, 2, "68");
  EXPECT_TRUE(Mentions(Refusal(Bytes(claims_more)), "claims 104"));
  EXPECT_TRUE(Mentions(Refusal(Bytes("83500fffffff 789c")), "cannot unpack"));
  ExpectRefused(Bytes("835000000067 789ccb664849a403"));
}

}  // namespace
}  // namespace noded::dist
