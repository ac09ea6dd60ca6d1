#include "node/typed.h"

#include <gtest/gtest.h>

#include "base/status.h"
#include "dist/term_text.h"

namespace noded::node {
namespace {

using dist::PrintTerm;
using dist::Term;

struct Item {
  std::string name;
  int count = 0;
  static constexpr auto kTerm =
      dist::Record("item", dist::Field("name", &Item::name), dist::Field("count", &Item::count));
};

int Sum(const std::vector<int>& numbers) {
  int sum = 0;
  for (int number : numbers) sum += number;
  return sum;
}

// How a call of it ends, as Erlang would print it.
std::string Ends(const TypedFunction& function, const std::string& args) {
  CallContext context;
  context.caller.node = "caller@host";
  const CallOutcome outcome = function.body(context, dist::ParseTerm(args)->list());
  const char* kind = outcome.is_return()                           ? ""
                     : outcome.kind == CallOutcome::Kind::kErrored ? "error:"
                     : outcome.kind == CallOutcome::Kind::kThrown  ? "throw:"
                                                                   : "exit:";
  return kind + PrintTerm(outcome.value);
}

TEST(TypedTest, FunctionsAreCalledWithValuesOfTheirTypes) {
  EXPECT_EQ(Typed(Sum).arity, 1);
  EXPECT_EQ(Ends(Typed(Sum), "[[1, 2, 3]]"), "6");
  const auto more = Typed([](Item item, std::optional<int> by) {
    item.count += by.value_or(1);
    return item;
  });
  EXPECT_EQ(more.arity, 2);
  EXPECT_EQ(Ends(more, "[{item, <<\"tea\">>, 1}, 4]"), "{item,<<\"tea\">>,5}");
  EXPECT_EQ(Ends(more, "[{item, <<\"tea\">>, 1}, undefined]"), "{item,<<\"tea\">>,2}");
  bool was_called = false;
  EXPECT_EQ(Ends(Typed([&] { was_called = true; }), "[]"), "ok");
  EXPECT_TRUE(was_called);
  const auto who = Typed([](const CallContext& context, int) { return context.caller.node; });
  EXPECT_EQ(who.arity, 1);
  EXPECT_EQ(Ends(who, "[1]"), "caller@host");
}

TEST(TypedTest, WhatDoesNotFitRaisesWithTheArgumentAndThePath) {
  EXPECT_EQ(Ends(Typed(Sum), "[[1, tea]]"),
            "error:{badarg,<<\"argument 1: at [2]: found tea, expected an integer from "
            "-2147483648 to 2147483647\">>}");
  const auto two = Typed([](int, Item item) { return item.count; });
  EXPECT_EQ(
      Ends(two, "[1, {item, 2, 3}]"),
      "error:{badarg,<<\"argument 2: at .name: found 2, expected text (a binary, or a list of "
      "characters)\">>}");
  EXPECT_EQ(Ends(two, "[1]"), "error:badarg");
}

TEST(TypedTest, AStatusRaisesAndAnOutcomeIsTheFunctionsOwn) {
  const auto find = Typed([](int number) -> absl::StatusOr<Item> {
    if (number == 1) return Item{"tea", 1};
    if (number == 2) return absl::NotFoundError("plain");
    return base::Error(absl::StatusCode::kNotFound, "no such item", "look elsewhere", "no_item");
  });
  EXPECT_EQ(Ends(find, "[1]"), "{item,<<\"tea\">>,1}");
  EXPECT_EQ(Ends(find, "[3]"), "error:{no_item,<<\"no such item; look elsewhere\">>}");
  EXPECT_NE(Ends(find, "[2]").find("<<\"plain\">>}"), std::string::npos) << Ends(find, "[2]");
  EXPECT_EQ(Ends(Typed([] { return absl::OkStatus(); }), "[]"), "ok");
  EXPECT_EQ(Ends(Typed([] { return CallOutcome::Throw(Term::Atom("tantrum")); }), "[]"),
            "throw:tantrum");
}

TEST(TypedTest, ResultsAreReadByType) {
  EXPECT_EQ(PrintTerm(Arguments("tea", 3, Item{"x", 1})), "[<<\"tea\">>,3,{item,<<\"x\">>,1}]");
  EXPECT_EQ(PrintTerm(Arguments()), "[]");
  const auto result = ResultAs<Item>(CallOutcome::Return(*dist::ParseTerm("{item, \"tea\", 2}")));
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->name, "tea");
  const absl::Status wrong =
      ResultAs<Item>(CallOutcome::Return(*dist::ParseTerm("{item, tea, 2}"))).status();
  EXPECT_EQ(base::CauseOf(wrong),
            "at .name: found tea, expected text (a binary, or a list of characters)");
  const absl::Status raised =
      ResultAs<Item>(CallOutcome::Exit(*dist::ParseTerm("{shutdown, late}"))).status();
  EXPECT_EQ(raised.code(), absl::StatusCode::kAborted);
  EXPECT_EQ(base::ReasonOf(raised), "exit");
  EXPECT_NE(raised.message().find("{shutdown,late}"), std::string::npos) << raised;
  const absl::Status lost = absl::UnavailableError("no connection");
  EXPECT_EQ(ResultAs<Item>(absl::StatusOr<CallOutcome>(lost)).status(), lost);
}

}  // namespace
}  // namespace noded::node
