// The nearest right name for a misspelt one, for messages to people.
//
//   fmt::format("unknown flag -{}{}", name, DidYouMean(name, known));
//   // "unknown flag -setcokie; did you mean '-setcookie'?"
//
// Functions of their arguments: any thread. Names of any length; only known ones of similar length
// are looked at closely.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace noded::base {

// The name of `known` with the fewest edits (insertion, deletion, substitution, transposition of
// neighbours) to `name`, case aside; the first of several. Empty when none is near enough to be
// meant.
std::string_view NearestName(std::string_view name, std::span<const std::string_view> known);

// "; did you mean 'x'?", or nothing.
std::string DidYouMean(std::string_view name, std::span<const std::string_view> known);

}  // namespace noded::base
