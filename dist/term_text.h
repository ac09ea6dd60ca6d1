// Terms as Erlang text: what people type, option files hold, and messages show.
//
//   ASSIGN_OR_RETURN(Term term, ParseTerm("{ok, #{<<\"a\">> => [1, 2.5 | tail]}}"));
//   ASSIGN_OR_RETURN(std::vector<Term> terms, ParseTerms(file));   // each ends with '.'
//   std::string text = PrintTerm(term);                            // on one line
//
// Reads what file:consult/1 reads, in UTF-8: a term with an optional '.' behind it, comments
// included; also the values of `-kernel` and other application flags. Stricter than Erlang in one
// point: a character above 255 in <<"...">> is refused (write <<"..."/utf8>>) instead of cut to its
// lowest byte.
//
// Prints what io_lib:format("~0tp", [Term]) of OTP 25 started with `+pc unicode` prints, but for
//   - pids, ports and references: <a@host.107.0>, #Port<a@host.3>, #Ref<a@host.3.2.1>. OTP prints
//     here, instead of the node's name, a number that is only known inside one virtual machine;
//   - maps of more than 32 keys: sorted by key as smaller ones are, not in the order of OTP's hash;
//   - the names in fun m:f/1: quoted and in UTF-8 as atoms elsewhere, not by rules of their own;
//   - integers of more than kMaxDecimalBytes bytes: in base 16, which costs time in proportion.
// What is printed parses to an equal term, except identifiers and closures: they have no syntax.
//
// Errors: InvalidArgument (line and column, what was found, what is expected) and
// ResourceExhausted (nested deeper than limits.max_term_depth, an integer or binary too large).
// Functions without state: any thread. Source: OTP "Erlang Reference Manual", io_lib(3), file(3).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "base/limits.h"
#include "dist/term.h"

namespace noded::dist {

inline constexpr size_t kMaxDecimalBytes = 8192;

absl::StatusOr<Term> ParseTerm(std::string_view text, const base::Limits& limits = {});
absl::StatusOr<std::vector<Term>> ParseTerms(std::string_view text,
                                             const base::Limits& limits = {});

std::string PrintTerm(const Term& term);

// An atom as source code: in quotes where it needs them.
std::string PrintAtom(std::string_view name);
// The shortest digits that read back as `value`, which is finite, in Erlang's notation: 1.0e3.
std::string PrintFloat(double value);

// Whether Erlang keeps `word` for itself, so that as an atom it needs quotes (OTP 25: without
// `maybe` and `else`).
bool IsReservedWord(std::string_view word);

// A character that may stand in a string that is printed as one; control characters only as far as
// they have an escape of their own.
bool IsPrintable(int64_t code_point);

}  // namespace noded::dist
