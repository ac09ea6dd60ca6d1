#include "dist/term_text.h"

#include <gtest/gtest.h>

#include <limits>

#include "base/status.h"
#include "fmt/format.h"

namespace noded::dist {
namespace {

using base::Slice;

Term Parsed(std::string_view text) {
  absl::StatusOr<Term> term = ParseTerm(text);
  EXPECT_TRUE(term.ok()) << text << ": " << term.status();
  return term.ok() ? *term : Term::Atom("parsing failed");
}

std::string Refusal(std::string_view text) {
  absl::StatusOr<Term> term = ParseTerm(text);
  EXPECT_FALSE(term.ok()) << text;
  if (term.ok()) return "";
  EXPECT_EQ(term.status().code(), absl::StatusCode::kInvalidArgument) << term.status();
  return std::string(term.status().message());
}

std::string Reprinted(std::string_view text) { return PrintTerm(Parsed(text)); }

Term List(std::vector<Term> elements, Term tail = Term()) {
  return Term::List(std::move(elements), std::move(tail));
}

Term Bits(std::string_view hex, int last_bits = 8) {
  return Term::BitString(Slice(base::FromHex(hex)), last_bits);
}

TEST(ParseTermTest, ReadsNumbers) {
  EXPECT_EQ(Parsed("0"), Term::Int(0));
  EXPECT_EQ(Parsed("-42"), Term::Int(-42));
  EXPECT_EQ(Parsed("- 42"), Term::Int(-42));
  EXPECT_EQ(Parsed("+42"), Term::Int(42));
  EXPECT_EQ(Parsed("1_000_000"), Term::Int(1000000));
  EXPECT_EQ(Parsed("16#fF"), Term::Int(255));
  EXPECT_EQ(Parsed("16#f_f"), Term::Int(255));
  EXPECT_EQ(Parsed("-2#101"), Term::Int(-5));
  EXPECT_EQ(Parsed("36#zz"), Term::Int(1295));
  EXPECT_EQ(Parsed("9223372036854775807"), Term::Int(INT64_MAX));
  EXPECT_EQ(Parsed("-9223372036854775808"), Term::Int(INT64_MIN));
  EXPECT_EQ(Parsed("9223372036854775808"), Parsed("16#8000000000000000"));
  EXPECT_EQ(Parsed("9223372036854775808").kind(), Kind::kBigInteger);
  EXPECT_EQ(Parsed("1.5"), Term::Float(1.5));
  EXPECT_EQ(Parsed("-1.5e-3"), Term::Float(-0.0015));
  EXPECT_EQ(Parsed("1.0E+3"), Term::Float(1000));
  EXPECT_EQ(Parsed("-0.0"), Term::Float(-0.0));
  EXPECT_EQ(Parsed("1.0e-400"), Term::Float(0.0));
  EXPECT_EQ(Parsed("$a"), Term::Int('a'));
  EXPECT_EQ(Parsed("$\\n"), Term::Int('\n'));
  EXPECT_EQ(Parsed("-$a"), Term::Int(-'a'));
  EXPECT_EQ(Parsed("$\xe2\x82\xac"), Term::Int(0x20ac));
  EXPECT_EQ(Parsed("$ "), Term::Int(' '));
}

TEST(ParseTermTest, ReadsAtoms) {
  EXPECT_EQ(Parsed("ok"), Term::Atom("ok"));
  EXPECT_EQ(Parsed("a_B9@host"), Term::Atom("a_B9@host"));
  EXPECT_EQ(Parsed("'a@host.example'"), Term::Atom("a@host.example"));
  EXPECT_EQ(Parsed("\xc3\xa9t\xc3\xa9"), Term::Atom("\xc3\xa9t\xc3\xa9"));
  EXPECT_EQ(Parsed("'\xd0\xb6 \\x{416}'"), Term::Atom("\xd0\xb6 \xd0\x96"));
  EXPECT_EQ(Parsed("''"), Term::Atom(""));
  EXPECT_EQ(Parsed("'it\\'s'"), Term::Atom("it's"));
  EXPECT_EQ(Parsed("maybe"), Term::Atom("maybe"));
  EXPECT_EQ(Parsed("'end'"), Term::Atom("end"));
  const std::string longest(255, 'a');
  EXPECT_EQ(Parsed(longest), Term::Atom(longest));
  EXPECT_NE(Refusal(longest + "a").find("255"), std::string::npos);
  EXPECT_NE(Refusal("'" + longest + "a'").find("255"), std::string::npos);
}

TEST(ParseTermTest, ReadsStrings) {
  EXPECT_EQ(Parsed("\"abc\""), Term::String("abc"));
  EXPECT_EQ(Parsed("\"\""), Term::Nil());
  EXPECT_EQ(Parsed("\"ab\" \"c\"\n\"d\""), Term::String("abcd"));
  EXPECT_EQ(Parsed("\"\\b\\d\\e\\f\\n\\r\\s\\t\\v\\\"\\'\\\\\\z\""),
            Term::String("\b\x7f\x1b\f\n\r \t\v\"'\\z"));
  EXPECT_EQ(Parsed("\"\\101\\7\\x41\\x{1F600}\\^A\\^[\""),
            List({Term::Int(65), Term::Int(7), Term::Int(65), Term::Int(0x1f600), Term::Int(1),
                  Term::Int(27)}));
  EXPECT_EQ(Parsed("\"a\nb\""), Term::String("a\nb"));
  EXPECT_EQ(Parsed("\"\xe2\x82\xac\""), List({Term::Int(0x20ac)}));
}

TEST(ParseTermTest, ReadsBinaries) {
  EXPECT_EQ(Parsed("<<>>"), Term::Binary(""));
  EXPECT_EQ(Parsed("<<\"abc\">>"), Term::Binary("abc"));
  EXPECT_EQ(Parsed("<<1, 2,255 >>"), Bits("0102ff"));
  EXPECT_EQ(Parsed("<<-1,256,$a>>"), Bits("ff0061"));
  EXPECT_EQ(Parsed("<<\"\xc3\xa9\">>"), Bits("e9"));
  EXPECT_EQ(Parsed("<<\"\xc3\xa9\"/utf8>>"), Term::Binary("\xc3\xa9"));
  EXPECT_EQ(Parsed("<<\"a\",0,\"b\">>"), Bits("610062"));
  EXPECT_EQ(Parsed("<<1,2:3>>"), Bits("0140", 3));
  EXPECT_EQ(Parsed("<<5:3,1:5>>"), Bits("a1"));
  EXPECT_EQ(Parsed("<<1:12,2:9>>"), Bits("001010", 5));
  EXPECT_EQ(Parsed("<<1:16/little>>"), Bits("0100"));
  EXPECT_EQ(Parsed("<<16#abc:12/little>>"), Bits("bca0", 4));
  EXPECT_EQ(Parsed("<<1:2/integer-unit:8-signed>>"), Bits("0001"));
  EXPECT_EQ(Parsed("<<-1:72>>"), Bits("ffffffffffffffffff"));
  EXPECT_EQ(Parsed("<<-16#10000000000000000:80>>"), Bits("ffff0000000000000000"));
  EXPECT_EQ(Parsed("<<1.5/float>>"), Bits("3ff8000000000000"));
  EXPECT_EQ(Parsed("<<1.5:32/float-little>>"), Bits("0000c03f"));
  EXPECT_EQ(Parsed("<<16#1f600/utf16,16#20ac/utf16-little>>"), Bits("d83dde00ac20"));
  EXPECT_EQ(Parsed("<<\"a\"/utf32>>"), Bits("00000061"));
}

TEST(ParseTermTest, ReadsContainers) {
  const Term one = Term::Int(1), two = Term::Int(2);
  EXPECT_EQ(Parsed("{}"), Term::Tuple({}));
  EXPECT_EQ(Parsed("{1,{2}}"), Term::Tuple({one, Term::Tuple({two})}));
  EXPECT_EQ(Parsed("[]"), Term::Nil());
  EXPECT_EQ(Parsed("[1,2]"), List({one, two}));
  EXPECT_EQ(Parsed("[1|2]"), List({one}, two));
  EXPECT_EQ(Parsed("[1|[2|[]]]"), List({one, two}));
  EXPECT_EQ(Parsed("[1|\"a\"]"), List({one, Term::Int('a')}));
  EXPECT_EQ(Parsed("#{}"), Term::Map({}));
  EXPECT_EQ(Parsed("#{a => 1,b=>#{2 => []}}"),
            Term::Map({{Term::Atom("a"), one}, {Term::Atom("b"), Term::Map({{two, Term()}})}}));
  EXPECT_EQ(Parsed("#{a=>1,a=>2}"), Term::Map({{Term::Atom("a"), two}}));
  EXPECT_EQ(Parsed("fun lists:'map'/2"), Term::FromExport({"lists", "map", 2}));
}

TEST(ParseTermTest, TakesADotAndCommentsButNothingElseBehindTheTerm) {
  EXPECT_EQ(Parsed(" ok. "), Term::Atom("ok"));
  EXPECT_EQ(Parsed("% first\nok % second\n. % third"), Term::Atom("ok"));
  EXPECT_EQ(Parsed("1."), Term::Int(1));
  EXPECT_EQ(Parsed("\xef\xbb\xbf[]"), Term::Nil());
  EXPECT_EQ(Refusal("ok ok"), "term, line 1, column 4: found `ok`, expected the end of the term");
  EXPECT_NE(Refusal("ok. ok.").find("column 5"), std::string::npos);
}

TEST(ParseTermTest, ErrorsNamePlaceFindAndMend) {
  EXPECT_EQ(Refusal("{a,\n  b]"), "term, line 2, column 4: found `]`, expected `,` or `}`");
  EXPECT_EQ(Refusal(""), "term, line 1, column 1: found the end of the text, expected a term");
  EXPECT_EQ(Refusal("[1 2]"), "term, line 1, column 4: found `2`, expected `,`, `|` or `]`");
  EXPECT_EQ(Refusal("\"\xc3\xa9\xc3\xa9\" )"),
            "term, line 1, column 6: found `)`, expected the end of the term");
  EXPECT_NE(Refusal("[Name]").find("line 1, column 2: found the variable Name"), std::string::npos);
  EXPECT_NE(Refusal("{end}").find("quote it: 'end'"), std::string::npos);
  EXPECT_NE(Refusal("a@host.example").find("quote names with dots"), std::string::npos);
  EXPECT_NE(Refusal("<0.1.0>").find("pids cannot be written"), std::string::npos);
  EXPECT_NE(Refusal("#Ref<0.1.2.3>").find("references"), std::string::npos);
  EXPECT_NE(Refusal("<<\"\xc5\xbe\">>").find("write /utf8"), std::string::npos);
  EXPECT_NE(Refusal("\"abc").find("does not end"), std::string::npos);
  EXPECT_NE(Refusal("\"\"\"\nabc\n\"\"\"").find("triple-quoted"), std::string::npos);
  EXPECT_NE(Refusal("~\"a\"").find("sigils"), std::string::npos);
}

TEST(ParseTermTest, RefusesMalformedText) {
  for (std::string_view text : {"[1,]",
                                "{1,}",
                                "#{a}",
                                "#{a:=1}",
                                "[|1]",
                                "[1|2,3]",
                                "<<1",
                                "<<a>>",
                                "<<1:>>",
                                "<<1/bits>>",
                                "1.0e",
                                "1.0e999",
                                "1#0",
                                "37#1",
                                "16#",
                                "16#g",
                                "$",
                                "$\\",
                                "\"\\x{110000}\"",
                                "\"\\x{d800}\"",
                                "\"\\xg\"",
                                "'a",
                                "fun a:b",
                                "fun a/1",
                                "fun a:b/256",
                                "fun a:b/-1",
                                "--1",
                                "-a",
                                "1_",
                                "_",
                                "\xff",
                                "\"\xff\"",
                                "a b",
                                ".",
                                "a..",
                                "{",
                                "<<\"a\"/utf9>>",
                                "<<1:70000>>",
                                "<<1.5:16/float>>",
                                "<<1.5>>",
                                "<<16#d800/utf8>>",
                                "<<1:8/utf8>>",
                                "\"\\^\"",
                                "<<1:70000000000000000000>>",
                                "?MODULE",
                                "#rec{}",
                                "1 + 2"}) {
    Refusal(text);
  }
}

TEST(ParseTermTest, NestingIsBounded) {
  const base::Limits limits;
  const auto nested = [](int depth) {
    return std::string(static_cast<size_t>(depth), '[') + "1" +
           std::string(static_cast<size_t>(depth), ']');
  };
  EXPECT_TRUE(ParseTerm(nested(limits.max_term_depth)).ok());
  EXPECT_EQ(ParseTerm(nested(limits.max_term_depth + 1)).status().code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ParseTerm(std::string(1 << 20, '{')).status().code(),
            absl::StatusCode::kResourceExhausted);
}

TEST(ParseTermTest, SizesOfIntegersAndBinariesAreBounded) {
  const std::string digits(100'000, '7');
  EXPECT_EQ(ParseTerm(digits).status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(ParseTerm("16#" + digits).ok());
  EXPECT_EQ(PrintTerm(Parsed("16#" + digits)), "16#" + digits);
  std::string many = "<<\"" + std::string(1000, 'a') + "\":65536>>";
  EXPECT_EQ(ParseTerm(many).status().code(), absl::StatusCode::kResourceExhausted);
}

TEST(ParseTermsTest, ReadsAFileOfTerms) {
  const auto terms = ParseTerms("%% -*- erlang -*-\n{a, 1}.\n\n[b].% c\n\"x.y\".\n1.5.2.");
  ASSERT_FALSE(terms.ok());  // 1.5.2 is no number and no two terms
  const auto good = ParseTerms("%% -*- erlang -*-\n{a, 1}.\n\n[b].% c\n\"x.y\".\n1.5.\n2.");
  ASSERT_TRUE(good.ok()) << good.status();
  ASSERT_EQ(good->size(), 5u);
  EXPECT_EQ((*good)[1], List({Term::Atom("b")}));
  EXPECT_EQ((*good)[3], Term::Float(1.5));
  EXPECT_TRUE(ParseTerms("").value().empty());
  EXPECT_TRUE(ParseTerms(" % nothing").value().empty());
}

TEST(ParseTermsTest, ATermWithoutItsDotIsAnError) {
  const absl::Status status = ParseTerms("{a}.\n{b}\n").status();
  EXPECT_EQ(status.message(),
            "term, line 3, column 1: found the end of the text, expected `.` behind the term; "
            "end every term with a dot");
}

TEST(PrintTermTest, QuotesAtomsAsOtpDoes) {
  EXPECT_EQ(PrintAtom("a_B9@x"), "a_B9@x");
  EXPECT_EQ(PrintAtom(""), "''");
  EXPECT_EQ(PrintAtom("A"), "'A'");
  EXPECT_EQ(PrintAtom("a.b"), "'a.b'");
  EXPECT_EQ(PrintAtom("9a"), "'9a'");
  EXPECT_EQ(PrintAtom("\xc3\xa9"), "\xc3\xa9");
  EXPECT_EQ(PrintAtom("\xc3\x89"), "'\xc3\x89'");
  EXPECT_EQ(PrintAtom("a\xc3\x89"), "a\xc3\x89");
  EXPECT_EQ(PrintAtom("a\xc3\x97"), "'a\xc3\x97'");
  EXPECT_EQ(PrintAtom("\xd0\xb6"), "'\xd0\xb6'");
  EXPECT_EQ(PrintAtom("end"), "'end'");
  EXPECT_EQ(PrintAtom("maybe"), "maybe");
  EXPECT_EQ(PrintAtom("it's \"\\\n\x01\x7f\xc2\x80"), "'it\\'s \"\\\\\\n\\001\\d\\200'");
}

TEST(PrintTermTest, PrintsListsOfPrintableCharactersAsStrings) {
  EXPECT_EQ(Reprinted("\"abc\""), "\"abc\"");
  EXPECT_EQ(Reprinted("[27,8,9,10,32]"), "\"\\e\\b\\t\\n \"");
  EXPECT_EQ(Reprinted("\"'\\\"\\\\\""), "\"'\\\"\\\\\"");
  EXPECT_EQ(Reprinted("[1024,16#10ffff]"), "\"\xd0\x80\xf4\x8f\xbf\xbf\"");
  EXPECT_EQ(Reprinted("[97,127]"), "[97,127]");
  EXPECT_EQ(Reprinted("[55296]"), "[55296]");
  EXPECT_EQ(Reprinted("[65534]"), "[65534]");
  EXPECT_EQ(Reprinted("[97,98|c]"), "[97,98|c]");
  EXPECT_EQ(Reprinted("[[]|\"b\"]"), "[[],98]");
  EXPECT_EQ(Reprinted("\"\""), "[]");
}

TEST(PrintTermTest, PrintsBinariesAsTextWhereTheyAre) {
  EXPECT_EQ(Reprinted("<<\"a\\\"b\\n\">>"), "<<\"a\\\"b\\n\">>");
  EXPECT_EQ(Reprinted("<<195,169>>"), "<<\"\xc3\xa9\"/utf8>>");
  EXPECT_EQ(Reprinted("<<229,228>>"), "<<\"\xc3\xa5\xc3\xa4\">>");
  EXPECT_EQ(Reprinted("<<97,0,98>>"), "<<97,0,98>>");
  EXPECT_EQ(Reprinted("<<239,191,191>>"), "<<239,191,191>>");
  EXPECT_EQ(Reprinted("<<1,2:3>>"), "<<1,2:3>>");
  EXPECT_EQ(Reprinted("<<5:4>>"), "<<5:4>>");
  EXPECT_EQ(Reprinted("<<>>"), "<<>>");
}

TEST(PrintTermTest, PrintsFloatsShortest) {
  const std::pair<double, std::string_view> cases[] = {
      {0.0, "0.0"},       {-0.0, "-0.0"},
      {1.0, "1.0"},       {100.0, "100.0"},
      {1000.0, "1.0e3"},  {123456.0, "123456.0"},
      {0.1, "0.1"},       {0.001, "0.001"},
      {0.0001, "0.0001"}, {1.0e-5, "1.0e-5"},
      {1.0e15, "1.0e15"}, {9007199254740992.0, "9.007199254740992e15"},
      {1.0e22, "1.0e22"}, {5e-324, "5.0e-324"},
      {-1.5, "-1.5"},     {std::numeric_limits<double>::max(), "1.7976931348623157e308"}};
  for (const auto& [value, text] : cases) {
    EXPECT_EQ(PrintFloat(value), text);
    EXPECT_EQ(Parsed(text), Term::Float(value));
  }
}

TEST(PrintTermTest, PrintsBigIntegersInDecimal) {
  EXPECT_EQ(Reprinted("16#10000000000000000"), "18446744073709551616");
  EXPECT_EQ(Reprinted("-1000000000000000000000000000000000000001"),
            "-1000000000000000000000000000000000000001");
  const Term largest_decimal =
      Term::Big(false, Slice(std::vector<uint8_t>(kMaxDecimalBytes, 0xff)));
  EXPECT_EQ(Parsed(PrintTerm(largest_decimal)), largest_decimal);
  EXPECT_EQ(PrintTerm(largest_decimal).find('#'), std::string::npos);
  const Term larger = Term::Big(true, Slice(std::vector<uint8_t>(kMaxDecimalBytes + 1, 0x0a)));
  EXPECT_TRUE(PrintTerm(larger).starts_with("-16#A0A"));
  EXPECT_EQ(Parsed(PrintTerm(larger)), larger);
}

TEST(PrintTermTest, PrintsContainersOnOneLine) {
  EXPECT_EQ(Reprinted("{ ok , [ 1 | b ] , { } }"), "{ok,[1|b],{}}");
  EXPECT_EQ(Reprinted("#{b=>1,a=>2,1=>[],\"x\"=>#{}}"), "#{1 => [],a => 2,b => 1,\"x\" => #{}}");
  EXPECT_EQ(Reprinted("fun 'Elixir.X':'foo bar'/3"), "fun 'Elixir.X':'foo bar'/3");
}

TEST(PrintTermTest, PrintsIdentifiersWithTheirNode) {
  EXPECT_EQ(PrintTerm(Term::FromPid({"a@host", 107, 2, 9})), "<a@host.107.2>");
  EXPECT_EQ(PrintTerm(Term::FromPid({"a@host.example", 107, 2, 9})), "<'a@host.example'.107.2>");
  EXPECT_EQ(PrintTerm(Term::FromPort({"a@host", 3, 9})), "#Port<a@host.3>");
  EXPECT_EQ(PrintTerm(Term::FromReference(Reference("a@host", 9, {1, 2, 3}))),
            "#Ref<a@host.3.2.1>");
  Fun fun;
  fun.module = "erl_eval";
  fun.old_index = Term::Int(42);
  fun.old_uniq = Term::Int(3316493);
  EXPECT_EQ(PrintTerm(Term::FromFun(fun)), "#Fun<erl_eval.42.3316493>");
}

}  // namespace
}  // namespace noded::dist
