// Terms as deep as the limit allows go through all that walks through terms, on an ordinary stack;
// under a sanitizer too, whose frames are larger.
#include <gtest/gtest.h>

#include <functional>

#include "dist/etf.h"
#include "dist/term_json.h"
#include "dist/term_text.h"

namespace noded::dist {
namespace {

using Wrap = std::function<Term(Term)>;

Term Leaf() { return Term::Atom("leaf"); }

Term WrapInFun(Term term) {
  Fun fun;
  fun.module = "m";
  fun.old_index = Term::Int(1);
  fun.old_uniq = Term::Int(2);
  fun.creator = Term::FromPid({"a@b", 1, 2, 3});
  fun.free_variables = {std::move(term)};
  return Term::FromFun(std::move(fun));
}

Term Deepest(const Wrap& wrap) {
  const base::Limits limits;
  Term term = Leaf();
  for (int i = 0; i < limits.max_term_depth; ++i) term = wrap(std::move(term));
  return term;
}

void ExpectAllWorks(const Wrap& wrap, bool has_syntax) {
  const Term term = Deepest(wrap), same = Deepest(wrap);
  EXPECT_TRUE(term == same);
  EXPECT_TRUE(Compare(term, same) == 0);
  EXPECT_EQ(term.Hash(), same.Hash());
  const absl::StatusOr<Term> decoded = DecodeTerm(EncodeTerm(term), {});
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_TRUE(*decoded == term);
  EXPECT_FALSE(DecodeTerm(EncodeTerm(wrap(term)), {}).ok());
  EXPECT_FALSE(TermToJson(term).empty());
  const std::string text = PrintTerm(term);
  const absl::StatusOr<Term> parsed = ParseTerm(text);
  ASSERT_EQ(parsed.ok(), has_syntax) << parsed.status();
  if (has_syntax) {
    EXPECT_TRUE(*parsed == term);
  }
}

TEST(TermDepthTest, DeepListsWork) {
  ExpectAllWorks([](Term term) { return Term::List({std::move(term)}); }, true);
}

TEST(TermDepthTest, DeepTuplesWork) {
  ExpectAllWorks([](Term term) { return Term::Tuple({Term::Int(1), std::move(term)}); }, true);
}

TEST(TermDepthTest, DeepMapsWork) {
  ExpectAllWorks([](Term term) { return Term::Map({{Leaf(), std::move(term)}}); }, true);
}

TEST(TermDepthTest, DeepKeysOfMapsWork) {
  ExpectAllWorks([](Term term) { return Term::Map({{std::move(term), Leaf()}}); }, true);
}

TEST(TermDepthTest, DeepClosuresWork) { ExpectAllWorks(WrapInFun, false); }

}  // namespace
}  // namespace noded::dist
