// What io_lib:format makes of its arguments, for output that other nodes send unformatted.
//
//   std::optional<std::string> text = Format("~p is ~ts~n", args);     // none: arguments do not
//   fit
//
// Control sequences: ~~ ~n ~c ~s ~ts ~w ~tw ~p ~tp ~P ~W ~f ~e ~g ~b ~B ~x ~X ~+ ~# ~i, with field
// width, precision and padding for all but ~p and ~P, which print on one line; ~w prints lists of
// characters as strings, as ~p does. Functions without state. Source: OTP io(3), fwrite/3.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "dist/term.h"

namespace noded::node {

// UTF-8 of an iolist of characters and UTF-8 binaries.
std::optional<std::string> CharsToText(const dist::Term& chars);

std::optional<std::string> Format(std::string_view format, std::span<const dist::Term> args);

// Module:Function(Arguments) as an I/O request names it: io_lib's format, fwrite and write.
std::optional<std::string> ApplyFormat(const dist::Term& module, const dist::Term& function,
                                       const dist::Term& args);

}  // namespace noded::node
