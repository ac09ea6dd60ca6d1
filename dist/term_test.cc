#include "dist/term.h"

#include <gtest/gtest.h>

namespace noded::dist {
namespace {

Term Small(int value) { return Term::Int(value); }

Term Power(int exponent, bool is_negative = false) {
  std::vector<uint8_t> magnitude(static_cast<size_t>(exponent / 8) + 1);
  magnitude.back() = static_cast<uint8_t>(1 << exponent % 8);
  return Term::Big(is_negative, base::Slice(std::move(magnitude)));
}

TEST(TermTest, TupleGivesItsElements) {
  const Term reply = Term::Tuple({Term::Atom("ok"), Small(42), Term::Binary("text")});
  ASSERT_TRUE(reply.IsTuple(3));
  EXPECT_TRUE(reply.IsTagged("ok", 3));
  EXPECT_FALSE(reply.IsTagged("ok", 2));
  EXPECT_EQ(reply.tuple()[1].AsInt(), 42);
  EXPECT_EQ(reply.tuple()[2].binary().text(), "text");
}

TEST(TermTest, AccessorOfAnotherKindGivesAnEmptyValue) {
  const Term term = Small(1);
  EXPECT_EQ(term.atom(), "");
  EXPECT_TRUE(term.tuple().empty());
  EXPECT_TRUE(term.list().empty());
  EXPECT_TRUE(term.map().empty());
  EXPECT_TRUE(term.tail().is_nil());
  EXPECT_TRUE(term.pid().node.empty());
  EXPECT_TRUE(term.binary().empty());
  EXPECT_EQ(Term::Atom("a").AsInt(), std::nullopt);
  EXPECT_EQ(term.Find("a"), nullptr);
}

TEST(TermTest, LongAndShortAtomsAreEqualByText) {
  const std::string name(300, 'x');
  EXPECT_EQ(Term::Atom(name), Term::Atom(name));
  EXPECT_EQ(Term::Atom(name).atom(), name);
  EXPECT_EQ(Term::Atom("fifteen_letters").atom(), "fifteen_letters");
  EXPECT_EQ(Term::Atom("sixteen_letters_").atom(), "sixteen_letters_");
  EXPECT_TRUE(Term::Atom("").IsAtom(""));
}

TEST(TermTest, BigIntegerThatFitsBecomesAnInteger) {
  EXPECT_EQ(Power(62), Term::Int(int64_t{1} << 62));
  EXPECT_EQ(Power(63, true), Term::Int(INT64_MIN));
  EXPECT_EQ(Power(63).kind(), Kind::kBigInteger);
  EXPECT_EQ(Term::Big(true, base::Slice(std::vector<uint8_t>{0, 0, 0})), Small(0));
  EXPECT_EQ(Term::Big(false, base::Slice(std::vector<uint8_t>{7, 0, 0, 0, 0, 0, 0, 0, 0, 0})),
            Small(7));
}

TEST(TermTest, ListWithAListForATailIsOneList) {
  const Term joined = Term::List({Small(1)}, Term::List({Small(2)}, Term::Atom("end")));
  EXPECT_EQ(joined, Term::List({Small(1), Small(2)}, Term::Atom("end")));
  EXPECT_EQ(joined.list().size(), 2u);
  EXPECT_TRUE(joined.tail().IsAtom("end"));
  EXPECT_FALSE(joined.is_proper_list());
  EXPECT_TRUE(Term::List({}).is_nil());
  EXPECT_TRUE(Term::List({}, Term::Nil()).is_proper_list());
}

TEST(TermTest, TextOfAListOfCharactersIsUtf8) {
  const std::string text = "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80";
  const Term term = Term::String(text);
  EXPECT_EQ(term.list().size(), 8u);
  EXPECT_EQ(term.AsText(), text);
  EXPECT_EQ(Term::Nil().AsText(), "");
  EXPECT_EQ(Term::Binary("abc").AsText(), "abc");
  EXPECT_EQ(Term::List({Small(-1)}).AsText(), std::nullopt);
  EXPECT_EQ(Term::List({Small(97)}, Term::Atom("b")).AsText(), std::nullopt);
  EXPECT_EQ(Term::String("\xff").list()[0].AsInt(), 255);
}

TEST(TermTest, MapIsEqualWhateverTheOrderOfItsEntries) {
  const Term a = Term::Map({{Small(1), Small(2)}, {Term::Atom("k"), Small(3)}});
  const Term b = Term::Map({{Term::Atom("k"), Small(3)}, {Small(1), Small(2)}});
  EXPECT_EQ(a, b);
  EXPECT_EQ(a.Hash(), b.Hash());
  ASSERT_NE(a.Find("k"), nullptr);
  EXPECT_EQ(a.Find("k")->AsInt(), 3);
  EXPECT_EQ(a.Find(Term::Float(1.0)), nullptr);
  EXPECT_EQ(a.Find("z"), nullptr);
}

TEST(TermTest, LaterOfTwoEqualKeysCounts) {
  const Term map = Term::Map({{Small(1), Small(2)}, {Small(1), Small(3)}, {Small(0), Small(9)}});
  ASSERT_EQ(map.map().size(), 2u);
  EXPECT_EQ(map.Find(Small(1))->AsInt(), 3);
}

TEST(TermTest, UnusedBitsOfABitStringAreCleared) {
  const Term noisy = Term::BitString(base::Slice::Copy("\xff"), 3);
  const Term clean = Term::BitString(base::Slice::Copy("\xe0"), 3);
  EXPECT_EQ(noisy, clean);
  EXPECT_EQ(Term::BitString(base::Slice::Copy("a"), 8), Term::Binary("a"));
  EXPECT_TRUE(Term::BitString(base::Slice(), 3).is_binary());
}

TEST(TermTest, ExactEqualityTellsIntegersFromFloats) {
  EXPECT_FALSE(Small(1) == Term::Float(1.0));
  EXPECT_TRUE(Compare(Small(1), Term::Float(1.0)) == 0);
  EXPECT_FALSE(Term::Float(0.0) == Term::Float(-0.0));
  EXPECT_TRUE(Compare(Term::Float(0.0), Term::Float(-0.0)) == 0);
}

TEST(TermTest, IdentifiersOfAnotherCreationDiffer) {
  const Pid pid{"a@b", 1, 2, 3};
  Pid later = pid;
  later.creation = 4;
  EXPECT_EQ(Term::FromPid(pid), Term::FromPid(pid));
  EXPECT_FALSE(Term::FromPid(pid) == Term::FromPid(later));
  const Reference reference("a@b", 1, {1, 2, 3});
  EXPECT_EQ(Term::FromReference(reference).reference().ids().size(), 3u);
  EXPECT_EQ(IdentifierHash()(reference), IdentifierHash()(Reference("a@b", 1, {1, 2, 3})));
}

// Each entry is less than the next one in Erlang's order of terms.
std::vector<Term> Ascending() {
  const Term map = Term::Map({{Small(1), Small(2)}});
  return {
      Power(64, true),
      Power(63, true),
      Small(-1),
      Term::Float(-0.5),
      Small(0),
      Small(1),
      Term::Float(1.5),
      Term::Int((int64_t{1} << 53) + 1),
      Term::Float(9007199254740994.0),
      Power(63),
      Term::Float(1e19),
      Power(1023),
      Term::Float(1.7e308),
      Term::Atom("a"),
      Term::Atom("ab"),
      Term::Atom("b"),
      Term::FromReference(Reference("a@b", 1, {5, 2})),
      Term::FromReference(Reference("a@b", 1, {3, 2, 1})),
      Term::FromReference(Reference("a@b", 2, {1, 1, 1})),
      Term::FromExport({"a", "b", 2}),
      Term::FromExport({"a", "c", 1}),
      Term::FromPort({"a@b", 2, 1}),
      Term::FromPort({"a@b", 1, 2}),
      Term::FromPid({"b@b", 1, 0, 1}),
      Term::FromPid({"a@b", 2, 0, 1}),
      Term::FromPid({"a@b", 1, 2, 1}),
      Term::Tuple({}),
      Term::Tuple({Small(9)}),
      Term::Tuple({Small(1), Small(1)}),
      Term::Tuple({Small(1), Small(2)}),
      Term::Map({}),
      map,
      Term::Map({{Small(1), Small(3)}}),
      Term::Map({{Term::Float(0.0), Small(0)}}),
      Term::Nil(),
      Term::List({Small(1)}, Small(5)),
      Term::List({Small(1)}),
      Term::List({Small(1), Small(2)}),
      Term::List({Small(1)}, Term::Binary("")),
      Term::List({Small(2)}),
      Term::Binary(""),
      Term::Binary("a"),
      Term::BitString(base::Slice::Copy("a\x80"), 1),
      Term::Binary("b"),
  };
}

TEST(TermTest, TermsAreOrderedAsInErlang) {
  const std::vector<Term> terms = Ascending();
  for (size_t i = 0; i < terms.size(); ++i) {
    for (size_t j = 0; j < terms.size(); ++j) {
      EXPECT_EQ(Compare(terms[i], terms[j]) < 0, i < j) << i << " and " << j;
      EXPECT_EQ(Compare(terms[i], terms[j]) == 0, i == j) << i << " and " << j;
      EXPECT_EQ(terms[i] == terms[j], i == j) << i << " and " << j;
    }
  }
}

}  // namespace
}  // namespace noded::dist
