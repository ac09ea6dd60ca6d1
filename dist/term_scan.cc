#include "dist/term_scan.h"

#include <bit>
#include <cmath>
#include <cstdlib>
#include <vector>

#include "base/status.h"
#include "dist/term_text.h"
#include "dist/utf8.h"
#include "fmt/format.h"

namespace noded::dist {
namespace {

constexpr int kMaxBase = 36;
// Reading other bases than powers of two takes time with the square of the digits.
constexpr size_t kMaxDecimalDigits = 20'000;
static_assert(kMaxDecimalDigits > kMaxDecimalBytes * 241 / 100, "what is printed must parse");

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// kMaxBase for what is no digit in any base.
int DigitValue(char c) {
  if (IsDigit(c)) return c - '0';
  if (c >= 'a' && c <= 'z') return c - 'a' + 10;
  if (c >= 'A' && c <= 'Z') return c - 'A' + 10;
  return kMaxBase;
}

bool IsWordCharacter(uint32_t c) {
  return (c < 0x80 && (DigitValue(static_cast<char>(c)) < kMaxBase || c == '_' || c == '@')) ||
         (c >= 0xc0 && c <= 0xff && c != 0xd7 && c != 0xf7);
}

std::vector<uint8_t> FromPowerOfTwo(const std::string& digits, int base) {
  const int width = std::countr_zero(static_cast<unsigned>(base));
  std::vector<uint8_t> bytes(digits.size() * static_cast<size_t>(width) / 8 + 1);
  size_t bit = 0;
  for (size_t i = digits.size(); i-- > 0;) {
    const unsigned value = static_cast<unsigned>(DigitValue(digits[i]));
    for (int j = 0; j < width; ++j, ++bit) {
      bytes[bit / 8] |= static_cast<uint8_t>((value >> j & 1) << bit % 8);
    }
  }
  return bytes;
}

std::vector<uint8_t> FromAnyBase(const std::string& digits, int base) {
  std::vector<uint32_t> words;
  for (char digit : digits) {
    uint64_t carry = static_cast<uint64_t>(DigitValue(digit));
    for (uint32_t& word : words) {
      carry += uint64_t{word} * static_cast<uint64_t>(base);
      word = static_cast<uint32_t>(carry);
      carry >>= 32;
    }
    if (carry != 0) words.push_back(static_cast<uint32_t>(carry));
  }
  std::vector<uint8_t> bytes;
  for (uint32_t word : words) {
    for (int shift = 0; shift < 32; shift += 8)
      bytes.push_back(static_cast<uint8_t>(word >> shift));
  }
  return bytes;
}

}  // namespace

TermScanner::TermScanner(std::string_view text) : text_(text) {
  if (text_.starts_with("\xef\xbb\xbf")) text_.remove_prefix(3);
}

std::string TermScanner::Where(size_t position) const {
  const std::string_view before = text_.substr(0, position);
  size_t line = 1, start = 0;
  for (size_t i = 0; i < before.size(); ++i) {
    if (before[i] != '\n') continue;
    ++line;
    start = i + 1;
  }
  const std::string_view last_line = before.substr(start);
  const size_t column = Utf8Length(last_line).value_or(last_line.size()) + 1;
  return fmt::format("line {}, column {}", line, column);
}

void TermScanner::End(absl::StatusCode code, size_t position, std::string_view what,
                      std::string_view mend, std::string_view reason) {
  if (failed()) return;
  status_ = base::Error(code, fmt::format("term, {}: {}", Where(position), what), mend, reason);
  position_ = text_.size();
}

void TermScanner::Fail(std::string_view what, std::string_view mend) {
  FailAt(position_, what, mend);
}

void TermScanner::FailAt(size_t position, std::string_view what, std::string_view mend) {
  End(absl::StatusCode::kInvalidArgument, position, what, mend, "badarg");
}

void TermScanner::FailLimit(std::string_view what, std::string_view mend) {
  End(absl::StatusCode::kResourceExhausted, position_, what, mend, "system_limit");
}

std::string TermScanner::Found() const {
  if (at_end()) return "the end of the text";
  constexpr size_t kLongest = 24;
  uint32_t c = 0;
  size_t size = TakeUtf8(text_.substr(position_), c);
  if (size == 0) return fmt::format("byte {}, which is not UTF-8", static_cast<uint8_t>(Peek()));
  if (c < 0x20 || c == 0x7f) return fmt::format("character {}", c);
  size_t length = size;
  if (IsWordCharacter(c)) {
    while (length < kLongest && position_ + length < text_.size()) {
      size = TakeUtf8(text_.substr(position_ + length), c);
      if (size == 0 || !IsWordCharacter(c)) break;
      length += size;
    }
  }
  return fmt::format("`{}`", text_.substr(position_, length));
}

void TermScanner::FailExpecting(std::string_view expected, std::string_view mend) {
  if (failed()) return;
  Fail(fmt::format("found {}, expected {}", Found(), expected), mend);
}

void TermScanner::SkipBlank() {
  while (!at_end()) {
    const char c = Peek();
    if (c == '%') {
      position_ = std::min(text_.find('\n', position_), text_.size());
    } else if (static_cast<uint8_t>(c) <= ' ') {
      ++position_;
    } else if (text_.substr(position_).starts_with("\xc2\xa0")) {
      position_ += 2;  // a no-break space is white space
    } else {
      return;
    }
  }
}

bool TermScanner::Take(std::string_view token) {
  if (!text_.substr(position_).starts_with(token)) return false;
  position_ += token.size();
  return true;
}

bool TermScanner::TakeDot() {
  if (Peek() != '.') return false;
  const char next = Peek(1);
  if (static_cast<uint8_t>(next) > ' ' && next != '%') return false;
  ++position_;
  return true;
}

std::string TermScanner::ReadDigits(int base) {
  std::string digits;
  while (true) {
    const char c = Peek();
    if (DigitValue(c) < base) {
      digits += c;
    } else if (c != '_' || digits.empty() || text_[position_ - 1] == '_' ||
               DigitValue(Peek(1)) >= base) {
      return digits;
    }
    ++position_;
  }
}

Term TermScanner::ReadInteger(const std::string& digits, int base, bool is_negative, size_t start) {
  const size_t first = digits.find_first_not_of('0');
  if (first == std::string::npos) return Term::Int(0);
  const std::string significant = digits.substr(first);
  if (std::has_single_bit(static_cast<unsigned>(base))) {
    return Term::Big(is_negative, base::Slice(FromPowerOfTwo(significant, base)));
  }
  if (significant.size() > kMaxDecimalDigits) {
    position_ = start;
    FailLimit(fmt::format("an integer of {} digits; in base {} it may have {}", significant.size(),
                          base, kMaxDecimalDigits),
              "write it in base 16: 16#...");
    return Term();
  }
  return Term::Big(is_negative, base::Slice(FromAnyBase(significant, base)));
}

Term TermScanner::ReadFloat(std::string digits, bool is_negative, size_t start) {
  ++position_;  // the point
  digits += '.' + ReadDigits(10);
  if (Peek() == 'e' || Peek() == 'E') {
    const size_t sign = Peek(1) == '-' || Peek(1) == '+' ? 1 : 0;
    if (!IsDigit(Peek(1 + sign))) {
      Fail("an exponent without digits", "write 1.0e10 or 1.0e-10");
      return Term();
    }
    digits += 'e';
    if (sign != 0) digits += Peek(1);
    position_ += 1 + sign;
    digits += ReadDigits(10);
  }
  // Too small is zero, as in Erlang. The C locale holds: nothing here sets another.
  const double value = std::strtod(digits.c_str(), nullptr);
  if (!std::isfinite(value)) {
    FailAt(start, fmt::format("{} is too large for a float", digits.substr(0, 40)),
           "the largest is 1.7976931348623157e308");
    return Term();
  }
  return Term::Float(is_negative ? -value : value);
}

Term TermScanner::ReadNumber(bool is_negative) {
  const size_t start = position_;
  const std::string digits = ReadDigits(10);
  if (Peek() == '.' && IsDigit(Peek(1))) return ReadFloat(digits, is_negative, start);
  if (Peek() != '#' || DigitValue(Peek(1)) >= kMaxBase) {
    return ReadInteger(digits, 10, is_negative, start);
  }
  const int base = digits.size() > 2 ? 0 : std::atoi(digits.c_str());
  if (base < 2 || base > kMaxBase) {
    FailAt(start, fmt::format("an integer in base {}", digits.substr(0, 20)),
           "a base is 2 to 36, as in 16#ff");
    return Term();
  }
  ++position_;
  const std::string based = ReadDigits(base);
  if (based.empty()) FailExpecting(fmt::format("a digit of base {}", base));
  if (failed()) return Term();
  return ReadInteger(based, base, is_negative, start);
}

uint64_t TermScanner::ReadCount(uint64_t largest, std::string_view what) {
  const size_t start = position_;
  const std::string digits = ReadDigits(10);
  if (digits.empty()) {
    FailExpecting(what);
    return 0;
  }
  const uint64_t value =
      digits.size() > 18 ? UINT64_MAX : std::strtoull(digits.c_str(), nullptr, 10);
  if (value <= largest) return value;
  FailAt(start, fmt::format("{} of {}; it may be at most {}", what, digits.substr(0, 30), largest));
  return 0;
}

uint32_t TermScanner::ReadCodePoint() {
  if (at_end()) return 0;
  uint32_t c = 0;
  const size_t size = TakeUtf8(text_.substr(position_), c);
  if (size == 0) {
    FailExpecting("a character", "save the text as UTF-8, or write the byte as \\x{...}");
    return 0;
  }
  position_ += size;
  return c;
}

uint32_t TermScanner::ReadHexEscape(size_t start) {
  size_t most = 2;
  const bool is_braced = Take("{");
  if (is_braced) most = 8;
  int64_t value = 0;
  size_t count = 0;
  while (count < most && DigitValue(Peek()) < 16) {
    value = value << 4 | DigitValue(Peek());
    ++position_;
    ++count;
  }
  std::string ignored;
  if (count == 0 || (!is_braced && count < 2) || (is_braced && !Take("}")) ||
      !AppendUtf8(value, ignored)) {
    FailAt(start, "\\x is not followed by a character's number",
           "write \\xHH or \\x{H...} with a number up to 10FFFF that is no surrogate");
    return 0;
  }
  return static_cast<uint32_t>(value);
}

uint32_t TermScanner::ReadEscape() {
  const size_t start = position_ - 1;  // at the backslash, which is taken
  const char c = Peek();
  if (c >= '0' && c <= '7') {
    uint32_t value = 0;
    for (int i = 0; i < 3 && Peek() >= '0' && Peek() <= '7'; ++i, ++position_) {
      value = value * 8 + static_cast<uint32_t>(Peek() - '0');
    }
    return value;
  }
  if (Take("x")) return ReadHexEscape(start);
  if (Take("^") && !at_end()) return ReadCodePoint() & 0x1f;
  static constexpr std::string_view kNames = "bdefnrstv", kValues = "\b\x7f\x1b\f\n\r \t\v";
  if (const size_t i = kNames.find(c); c != '\0' && i != std::string_view::npos) {
    ++position_;
    return static_cast<uint32_t>(kValues[i]);
  }
  return ReadCodePoint();
}

uint32_t TermScanner::ReadCharacter() {
  ++position_;  // the dollar
  if (at_end()) {
    FailExpecting("a character behind $");
    return 0;
  }
  if (!Take("\\")) return ReadCodePoint();
  if (at_end()) {
    FailExpecting("a character behind $\\");
    return 0;
  }
  return ReadEscape();
}

std::u32string TermScanner::ReadQuoted(char quote) {
  const size_t start = position_++;
  if (quote == '"' && Peek() == '"' && Peek(1) == '"') {
    FailAt(start, "a triple-quoted string, which is not read here", "write it with one quote: \"");
    return {};
  }
  std::u32string characters;
  while (!at_end()) {
    if (Peek() == quote) {
      ++position_;
      return characters;
    }
    const bool is_escape = Take("\\");
    if (is_escape && at_end()) break;
    characters += is_escape ? ReadEscape() : ReadCodePoint();
  }
  FailAt(start, fmt::format("what begins here with {} does not end", quote),
         fmt::format("close it with {}", quote));
  return {};
}

std::string_view TermScanner::ReadWord() {
  const size_t start = position_;
  while (!at_end()) {
    uint32_t c = 0;
    const size_t size = TakeUtf8(text_.substr(position_), c);
    if (size == 0 || !IsWordCharacter(c)) break;
    position_ += size;
  }
  return text_.substr(start, position_ - start);
}

}  // namespace noded::dist
