// The name of an atom: UTF-8, at most 255 characters. Immutable; short names sit inside the object,
// longer ones are shared, so that a copy never allocates.
//
//   AtomName node = "a@host.example";      // from anything that is a string_view
//   fmt::print("{}", node.view());
//   if (node == "a@host.example") ...
//
// Nothing checks the text here: bytes from a peer or a user are checked by etf.h and term_text.h.
// May be copied and destroyed on any thread.
#pragma once

#include <array>
#include <compare>
#include <concepts>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

namespace noded::dist {

class AtomName {
 public:
  // Erlang's bound, in characters; in UTF-8 each takes up to four bytes.
  static constexpr size_t kMaxCharacters = 255;
  static constexpr size_t kMaxBytes = 4 * kMaxCharacters;

  AtomName() = default;
  template <std::convertible_to<std::string_view> Text>
  AtomName(const Text& text) : AtomName(std::string_view(text), 0) {}

  std::string_view view() const;
  std::string ToString() const { return std::string(view()); }
  bool empty() const { return view().empty(); }

  friend bool operator==(const AtomName& a, const AtomName& b) { return a.view() == b.view(); }
  // The order of the code points, which is Erlang's order of atoms and that of the UTF-8 bytes.
  friend auto operator<=>(const AtomName& a, const AtomName& b) { return a.view() <=> b.view(); }

 private:
  struct Short {
    uint8_t size;
    std::array<char, 15> text;
  };
  using Long = std::shared_ptr<const std::string>;

  AtomName(std::string_view text, int);

  std::variant<Short, Long> text_;
};

}  // namespace noded::dist
