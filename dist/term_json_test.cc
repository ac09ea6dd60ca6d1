#include "dist/term_json.h"

#include <gtest/gtest.h>

#include <vector>

#include "dist/term_text.h"
#include "nlohmann/json.hpp"

namespace noded::dist {
namespace {

std::string JsonOf(std::string_view text) {
  absl::StatusOr<Term> term = ParseTerm(text);
  EXPECT_TRUE(term.ok()) << term.status();
  return TermToJson(term.ok() ? *term : Term());
}

TEST(TermJsonTest, PlainValuesArePlainJson) {
  EXPECT_EQ(JsonOf("1"), "1");
  EXPECT_EQ(JsonOf("9007199254740993"), "9007199254740993");
  EXPECT_EQ(JsonOf("-9223372036854775808"), "-9223372036854775808");
  EXPECT_EQ(JsonOf("1.5"), "1.5");
  EXPECT_EQ(JsonOf("1.0"), "1.0");
  EXPECT_EQ(JsonOf("-0.0"), "-0.0");
  EXPECT_EQ(JsonOf("ok"), "\"ok\"");
  EXPECT_EQ(JsonOf("[true,false,null,undefined]"), "[true,false,null,null]");
  EXPECT_EQ(JsonOf("<<\"caf\xc3\xa9\"/utf8>>"), "\"caf\xc3\xa9\"");
  EXPECT_EQ(JsonOf("<<\"a\\n\\\"\",0>>"), "\"a\\n\\\"\\u0000\"");
  EXPECT_EQ(JsonOf("<<>>"), "\"\"");
  EXPECT_EQ(JsonOf("\"caf\xc3\xa9\""), "\"caf\xc3\xa9\"");
  EXPECT_EQ(JsonOf("[]"), "[]");
  EXPECT_EQ(JsonOf("[1,[2,a]]"), "[1,[2,\"a\"]]");
  EXPECT_EQ(JsonOf("#{}"), "{}");
  EXPECT_EQ(JsonOf("#{b => 1, <<\"a\">> => #{c => []}}"), R"({"a":{"c":[]},"b":1})");
}

TEST(TermJsonTest, WhatJsonHasNoWordForIsAnObjectOfAReservedKey) {
  EXPECT_EQ(JsonOf("{ok,{}}"), R"({"tuple":["ok",{"tuple":[]}]})");
  EXPECT_EQ(JsonOf("9223372036854775808"), R"({"integer":"9223372036854775808"})");
  EXPECT_EQ(JsonOf("<<255>>"), R"({"binary":"/w=="})");
  EXPECT_EQ(JsonOf("<<255,254>>"), R"({"binary":"//4="})");
  EXPECT_EQ(JsonOf("<<255,254,253>>"), R"({"binary":"//79"})");
  EXPECT_EQ(JsonOf("<<1,5:3>>"), R"({"bits":11,"bitstring":"AaA="})");
  EXPECT_EQ(JsonOf("[1|a]"), R"({"list":[1],"tail":"a"})");
  EXPECT_EQ(JsonOf("[97|98]"), R"({"list":[97],"tail":98})");
  EXPECT_EQ(JsonOf("fun lists:map/2"), R"({"fun":{"arity":2,"function":"map","module":"lists"}})");
}

TEST(TermJsonTest, MapWithOtherKeysIsAListOfPairs) {
  EXPECT_EQ(JsonOf("#{1 => a}"), R"({"map":[[1,"a"]]})");
  EXPECT_EQ(JsonOf("#{a => 1, <<\"a\">> => 2}"), R"({"map":[["a",1],["a",2]]})");
  EXPECT_EQ(JsonOf("#{tuple => []}"), R"({"map":[["tuple",[]]]})");
  EXPECT_EQ(JsonOf("#{list => [],tail => a}"), R"({"map":[["list",[]],["tail","a"]]})");
  EXPECT_EQ(JsonOf("#{name => a,port => 1}"), R"({"name":"a","port":1})");
  EXPECT_EQ(JsonOf("#{a => 1,b => 2,list => 3}"), R"({"a":1,"b":2,"list":3})");
  EXPECT_EQ(JsonOf("#{<<255>> => 1}"), R"({"map":[[{"binary":"/w=="},1]]})");
  EXPECT_EQ(JsonOf("#{\"a\" => 1}"), R"({"map":[["a",1]]})");
}

TEST(TermJsonTest, IdentifiersShowAllTheirFields) {
  EXPECT_EQ(TermToJson(Term::FromPid({"a@b", 107, 2, 9})),
            R"({"pid":{"creation":9,"id":107,"node":"a@b","serial":2}})");
  EXPECT_EQ(TermToJson(Term::FromPort({"a@b", uint64_t{1} << 63, 9})),
            R"({"port":{"creation":9,"id":9223372036854775808,"node":"a@b"}})");
  EXPECT_EQ(TermToJson(Term::FromReference(Reference("a@b", 9, {1, 2}))),
            R"({"reference":{"creation":9,"ids":[1,2],"node":"a@b"}})");
  Fun fun;
  fun.module = "m";
  fun.arity = 1;
  fun.old_index = Term::Int(4);
  fun.old_uniq = Term::Int(77);
  EXPECT_EQ(TermToJson(Term::FromFun(fun)),
            R"({"fun":{"arity":1,"index":4,"module":"m","uniq":77}})");
}

TEST(TermJsonTest, AtomThatIsNotUtf8IsStillJson) {
  EXPECT_TRUE(nlohmann::json::accept(TermToJson(Term::Atom("\xff"))));
}

TEST(TermJsonTest, DeepTermsAreWritten) {
  Term term;
  for (int i = 0; i < 1024; ++i) term = Term::Tuple({term});
  EXPECT_TRUE(nlohmann::json::accept(TermToJson(term)));
}

}  // namespace
}  // namespace noded::dist
