// Letters without case, of ASCII alone: names of hosts, of TLS and of flags, whatever the locale.
//
//   Lower("A.Example");                  // "a.example"
//   IsSameIgnoringCase("A.Example", "a.example");
//
// Functions of their arguments: any thread.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace noded::base {

constexpr char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

inline std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = Lower(c);
  return lower;
}

inline bool IsSameIgnoringCase(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return Lower(x) == Lower(y); });
}

}  // namespace noded::base
