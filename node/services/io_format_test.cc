#include "node/services/io_format.h"

#include <gtest/gtest.h>

#include "dist/term_text.h"

namespace noded::node {
namespace {

using dist::Term;

Term T(const char* text) { return *dist::ParseTerm(text); }

std::string Formatted(const char* format, const char* args) {
  const Term list = T(args);
  return Format(format, list.list()).value_or("(none)");
}

// The expected texts are those of io_lib:format of OTP 25.
TEST(IoFormatTest, WritesWhatIoLibFormatWrites) {
  EXPECT_EQ(Formatted("hello ~p ~s~n", "[[1,2],\"x\"]"), "hello [1,2] x\n");
  EXPECT_EQ(Formatted("~w|~p", "[{a,1},\"ab\"]"), "{a,1}|\"ab\"");
  EXPECT_EQ(Formatted("~ts ~s", "[<<\"\xc3\xa9\"/utf8>>,atom]"), "\xc3\xa9 atom");
  EXPECT_EQ(Formatted("~5b|~-5b|~5.10.0b", "[42,42,42]"), "   42|42   |00042");
  EXPECT_EQ(Formatted("~.16b ~.16B ~.16# ~.2+", "[255,255,255,5]"), "ff FF 16#FF 2#101");
  EXPECT_EQ(Formatted("~.2f ~.3e", "[3.14159,31415.9]"), "3.14 3.14e+4");
  EXPECT_EQ(Formatted("~3c~~~i", "[$x,ignored]"), "xxx~");
  EXPECT_EQ(Formatted("~10s|~-10s|~.2s", "[abc,abc,abc]"), "       abc|abc       |ab");
}

TEST(IoFormatTest, ArgumentsThatDoNotFitGiveNothing) {
  EXPECT_EQ(Formatted("~p", "[]"), "(none)");
  EXPECT_EQ(Formatted("~p", "[1,2]"), "(none)");
  EXPECT_EQ(Formatted("~s", "[1.5]"), "(none)");
  EXPECT_EQ(Formatted("~q", "[1]"), "(none)");
  EXPECT_EQ(Formatted("~999999999s", "[x]"), "(none)");
  EXPECT_EQ(Formatted("~", "[]"), "(none)");
}

TEST(IoFormatTest, AppliesTheFunctionsThatIoSends) {
  const auto apply = [](const char* function, const char* args) {
    return ApplyFormat(T("io_lib"), T(function), T(args)).value_or("(none)");
  };
  EXPECT_EQ(apply("format", "[\"~p~n\",[{a,1}]]"), "{a,1}\n");
  EXPECT_EQ(apply("fwrite", "[<<\"~w\">>,[a]]"), "a");
  EXPECT_EQ(apply("write", "[{a,1}]"), "{a,1}");
  EXPECT_EQ(apply("nl", "[]"), "\n");
  EXPECT_EQ(apply("halt", "[]"), "(none)");
  EXPECT_FALSE(ApplyFormat(T("os"), T("cmd"), T("[\"id\"]")));
}

}  // namespace
}  // namespace noded::node
