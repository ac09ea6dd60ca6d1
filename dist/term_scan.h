// The tokens of Erlang text, for term_parse.cc: numbers, characters, strings, atoms, blanks.
//
//   TermScanner in(text);
//   in.SkipBlank();
//   if (in.Take("#{")) ...
//   if (in.failed()) return in.status();
//
// The first failure is kept with its line and column and ends the text: what is read after it is
// empty. Not thread-safe. Source: OTP "Erlang Reference Manual", Data Types; erl_scan(3).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "dist/term.h"

namespace noded::dist {

class TermScanner {
 public:
  explicit TermScanner(std::string_view text);

  // White space and comments.
  void SkipBlank();
  // The next byte, or the one `ahead` behind it; zero at the end.
  char Peek(size_t ahead = 0) const {
    return position_ + ahead < text_.size() ? text_[position_ + ahead] : '\0';
  }
  // Whether `token` comes next, which is then taken.
  bool Take(std::string_view token);
  bool at_end() const { return position_ == text_.size(); }
  // A '.' that ends a term: white space, a comment or nothing stands behind it.
  bool TakeDot();

  // All of these expect their token's first character to be next.
  Term ReadNumber(bool is_negative);  // 12, 1_000, 16#ff, 1.5e3
  uint32_t ReadCharacter();           // $a, $\n
  // Between `quote`s; code points as they were written.
  std::u32string ReadQuoted(char quote);
  // An unquoted atom, variable or reserved word; empty when none begins here.
  std::string_view ReadWord();
  // A decimal number of at most `largest`, in `what`.
  uint64_t ReadCount(uint64_t largest, std::string_view what);

  bool failed() const { return !status_.ok(); }
  const absl::Status& status() const { return status_; }
  size_t position() const { return position_; }
  size_t size() const { return text_.size(); }

  // "term, line 1, column 2: `what`; `mend`", at the place now reached or at `position`.
  void Fail(std::string_view what, std::string_view mend = "");
  void FailAt(size_t position, std::string_view what, std::string_view mend = "");
  void FailLimit(std::string_view what, std::string_view mend);
  // "found ..., expected ...".
  void FailExpecting(std::string_view expected, std::string_view mend = "");

 private:
  std::string Where(size_t position) const;
  std::string Found() const;
  // The digits of `base` that come next, without '_'.
  std::string ReadDigits(int base);
  Term ReadInteger(const std::string& digits, int base, bool is_negative, size_t start);
  Term ReadFloat(std::string digits, bool is_negative, size_t start);
  uint32_t ReadCodePoint();
  uint32_t ReadEscape();
  uint32_t ReadHexEscape(size_t start);
  void End(absl::StatusCode code, size_t position, std::string_view what, std::string_view mend,
           std::string_view reason);

  std::string_view text_;
  size_t position_ = 0;
  absl::Status status_;
};

}  // namespace noded::dist
