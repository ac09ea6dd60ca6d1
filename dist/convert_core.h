// What all conversions have in common: where they are found, and why one did not succeed. Part of
// dist/convert.h, which is what to include.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "dist/term.h"

namespace noded::dist {

// Why a term does not fit. The path grows from the inside out.
struct Mismatch {
  std::string path;      // "[2].price"
  std::string found;     // the term there, shortened
  std::string expected;  // "a number"

  // Always false, so that conversions can return it.
  bool Is(const Term& found_term, std::string_view what);
  // Within an element or a field: gives `fits` on, with the path lengthened if it does not.
  bool At(bool fits, size_t index);  // of a list, counted from 1 as lists:nth does
  bool At(bool fits, std::string_view field);

  absl::Status ToStatus() const;
};

// Specialise for a type of your own:
//   static Term To(const T& value);
//   static bool From(const Term& term, T& value, Mismatch& why);   // return why.Is(term, "a
//   colour");
template <class T>
struct TermConversion;

template <class T>
Term ToTerm(const T& value) {
  return TermConversion<T>::To(value);
}

template <class T>
bool Convert(const Term& term, T& value, Mismatch& why) {
  return TermConversion<T>::From(term, value, why);
}

template <class T>
absl::StatusOr<T> FromTerm(const Term& term) {
  T value{};
  Mismatch why;
  if (Convert(term, value, why)) return value;
  return why.ToStatus();
}

}  // namespace noded::dist
