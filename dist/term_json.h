// Terms as JSON, for tools such as `nodectl --json`. docs/json.md has the mapping; in short:
//
//   TermToJson(*ParseTerm("{ok, #{<<\"n\">> => 1}}"))     // {"tuple":["ok",{"n":1}]}
//
// Atoms, UTF-8 binaries and printable lists are strings, lists are arrays, a map whose keys are all
// text is an object; what JSON has no word for is an object of one reserved key ("tuple", "binary",
// "pid", ...). The mapping is for reading: atoms and binaries of the same text look alike.
// The result is one line of ASCII and UTF-8. No errors. Any thread.
#pragma once

#include <string>

#include "dist/term.h"

namespace noded::dist {

std::string TermToJson(const Term& term);

}  // namespace noded::dist
