#include "dist/convert.h"

#include <limits>

#include <gtest/gtest.h>

#include "base/status.h"
#include "dist/term_text.h"

namespace noded::dist {
namespace {

struct Item {
  std::string name;
  double price = 0;
  std::optional<int> stock;
  static constexpr auto kTerm = Record("item", Field("name", &Item::name),
                                       Field("price", &Item::price), Field("stock", &Item::stock));
  friend bool operator==(const Item&, const Item&) = default;
};
struct Cart {
  AtomName owner;
  std::vector<Item> items;
  std::optional<std::string> note;
  static constexpr auto kTerm = Fields(Field("owner", &Cart::owner), Field("items", &Cart::items),
                                       Field("note", &Cart::note));
  friend bool operator==(const Cart&, const Cart&) = default;
};

// Somebody's own.
enum class Colour { kRed, kBlue };

}  // namespace

template <>
struct TermConversion<Colour> {
  static Term To(Colour value) { return Term::Atom(value == Colour::kRed ? "red" : "blue"); }
  static bool From(const Term& term, Colour& value, Mismatch& why) {
    if (!term.IsAtom("red") && !term.IsAtom("blue")) return why.Is(term, "red or blue");
    value = term.IsAtom("red") ? Colour::kRed : Colour::kBlue;
    return true;
  }
};

namespace {

// There, as Erlang prints it, and back.
template <class T>
void ExpectSame(const T& value, const std::string& text) {
  const Term term = ToTerm(value);
  EXPECT_EQ(PrintTerm(term), text);
  const auto back = FromTerm<T>(term);
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_TRUE(*back == value) << text;
}

template <class T>
std::string Refusal(const std::string& text) {
  const auto value = FromTerm<T>(*ParseTerm(text));
  EXPECT_EQ(value.status().code(), absl::StatusCode::kInvalidArgument) << text;
  EXPECT_EQ(base::ReasonOf(value.status()), "badarg");
  return base::CauseOf(value.status());
}

TEST(ConvertTest, EachTypeGoesThereAndBack) {
  ExpectSame(true, "true");
  ExpectSame(-7, "-7");
  ExpectSame(uint8_t{255}, "255");
  ExpectSame(std::numeric_limits<int64_t>::min(), "-9223372036854775808");
  ExpectSame(std::numeric_limits<uint64_t>::max(), "18446744073709551615");
  ExpectSame(2.5, "2.5");
  ExpectSame(std::string("tea"), "<<\"tea\">>");
  ExpectSame(AtomName("shop@host"), "shop@host");
  ExpectSame(base::Slice::Copy("bytes"), "<<\"bytes\">>");
  ExpectSame(std::optional<int>(), "undefined");
  ExpectSame(std::optional<int>(3), "3");
  ExpectSame(std::vector<int>{1, 2, 300}, "[1,2,300]");
  ExpectSame(std::vector<std::string>(), "[]");
  ExpectSame(std::map<std::string, int>{{"a", 1}, {"b", 2}}, "#{<<\"a\">> => 1,<<\"b\">> => 2}");
  ExpectSame(std::pair<AtomName, int>("ok", 1), "{ok,1}");
  ExpectSame(std::tuple<int, std::string, bool>(1, "x", false), "{1,<<\"x\">>,false}");
  ExpectSame(std::variant<int, std::string>("x"), "<<\"x\">>");
  ExpectSame(Item{"tea", 2.5, 7}, "{item,<<\"tea\">>,2.5,7}");
  ExpectSame(Item{"tea", 2.5, std::nullopt}, "{item,<<\"tea\">>,2.5,undefined}");
  ExpectSame(Cart{"ann", {{"tea", 1.5, {}}}, {}},
             "#{items => [{item,<<\"tea\">>,1.5,undefined}],owner => ann}");
  ExpectSame(Colour::kBlue, "blue");
  EXPECT_EQ(PrintTerm(ToTerm("text")), "<<\"text\">>");
}

TEST(ConvertTest, ReadsWhatErlangMayWriteInstead) {
  EXPECT_EQ(*FromTerm<std::string>(*ParseTerm("\"list\"")), "list");
  EXPECT_EQ(*FromTerm<std::string>(*ParseTerm("[]")), "");
  EXPECT_EQ(*FromTerm<double>(*ParseTerm("3")), 3.0);
  EXPECT_EQ(*FromTerm<double>(*ParseTerm("36893488147419103232")), 36893488147419103232.0);
  EXPECT_EQ(*FromTerm<std::vector<int>>(*ParseTerm("\"abc\"")), (std::vector<int>{97, 98, 99}));
  const auto cart = FromTerm<Cart>(*ParseTerm("#{owner => a, items => [], colour => red}"));
  ASSERT_TRUE(cart.ok()) << cart.status();
  EXPECT_FALSE(cart->note);
}

TEST(ConvertTest, WhatDoesNotFitIsToldWithItsPath) {
  EXPECT_EQ(Refusal<int8_t>("128"), "found 128, expected an integer from -128 to 127");
  EXPECT_EQ(Refusal<uint64_t>("-1"),
            "found -1, expected an integer from 0 to 18446744073709551615");
  EXPECT_EQ(Refusal<uint64_t>("18446744073709551616"),
            "found 18446744073709551616, expected an integer from 0 to 18446744073709551615");
  EXPECT_EQ(Refusal<int64_t>("9223372036854775808"),
            "found 9223372036854775808, expected an integer from -9223372036854775808 to "
            "9223372036854775807");
  EXPECT_EQ(Refusal<bool>("1"), "found 1, expected true or false");
  EXPECT_EQ(Refusal<std::vector<int>>("[1|2]"), "found [1|2], expected a list");
  EXPECT_EQ(Refusal<std::vector<int>>("[1, x]"),
            "at [2]: found x, expected an integer from -2147483648 to 2147483647");
  EXPECT_EQ((Refusal<std::tuple<int, bool>>("{1}")), "found {1}, expected a tuple of 2");
  EXPECT_EQ((Refusal<std::pair<int, bool>>("{1, 2}")), "at [2]: found 2, expected true or false");
  EXPECT_EQ((Refusal<std::map<std::string, bool>>("#{<<\"a\">> => 2}")),
            "at [<<\"a\">>]: found 2, expected true or false");
  EXPECT_EQ((Refusal<std::variant<bool, Colour>>("3")),
            "found 3, expected true or false, or red or blue");
  EXPECT_EQ(Refusal<Item>("{item, 1}"), "found {item,1}, expected a record item with 3 fields");
  EXPECT_EQ(Refusal<Cart>("#{owner => a, items => [{item, <<\"x\">>, 1, 2}, "
                          "{item, <<\"tea\">>, dear, 1}]}"),
            "at .items[2].price: found dear, expected a number");
  EXPECT_EQ(Refusal<Cart>("#{owner => a}"),
            "found #{owner => a}, expected a map with the key items");
  EXPECT_EQ(Refusal<Pid>("x"), "found x, expected a pid");
  EXPECT_EQ(Refusal<Reference>("x"), "found x, expected a reference");
  EXPECT_LT(Refusal<bool>("\"" + std::string(10'000, 'x') + "\"").size(), 200u);
}

}  // namespace
}  // namespace noded::dist
