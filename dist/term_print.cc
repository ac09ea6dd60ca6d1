#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <iterator>

#include "dist/term_text.h"
#include "dist/utf8.h"
#include "fmt/format.h"

namespace noded::dist {
namespace {

bool IsLowerStart(uint32_t c) {
  return (c >= 'a' && c <= 'z') || (c >= 0xdf && c <= 0xff && c != 0xf7);
}

bool IsAtomCharacter(uint32_t c) {
  return IsLowerStart(c) || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '@' || (c >= 0xc0 && c <= 0xde && c != 0xd7);
}

bool NeedsQuotes(std::string_view name) {
  uint32_t c = 0;
  if (name.empty() || TakeUtf8(name, c) == 0 || !IsLowerStart(c) || IsReservedWord(name)) {
    return true;
  }
  while (!name.empty()) {
    const size_t size = TakeUtf8(name, c);
    if (size == 0 || !IsAtomCharacter(c)) return true;
    name.remove_prefix(size);
  }
  return false;
}

void AppendCharacter(uint32_t c, char quote, std::string& out) {
  if (c == static_cast<uint8_t>(quote) || c == '\\') {
    out += {'\\', static_cast<char>(c)};
    return;
  }
  static constexpr std::string_view kControls = "\b\t\n\v\f\r\x1b\x7f", kNames = "btnvfred";
  if (c < 0x80 && kControls.find(static_cast<char>(c)) != std::string_view::npos) {
    out += {'\\', kNames[kControls.find(static_cast<char>(c))]};
  } else if (c < 0x20 || (c >= 0x80 && c < 0xa0)) {
    fmt::format_to(std::back_inserter(out), "\\{:03o}", c);
  } else if (!AppendUtf8(c, out)) {
    fmt::format_to(std::back_inserter(out), "\\x{{{:X}}}", c);
  }
}

// `text` is UTF-8; a byte that is not stands for itself.
void AppendQuoted(std::string_view text, char quote, std::string& out) {
  out += quote;
  while (!text.empty()) {
    uint32_t c = 0;
    size_t size = TakeUtf8(text, c);
    if (size == 0) {
      c = static_cast<uint8_t>(text[0]);
      size = 1;
    }
    AppendCharacter(c, quote, out);
    text.remove_prefix(size);
  }
  out += quote;
}

void AppendAtom(std::string_view name, std::string& out) {
  if (NeedsQuotes(name)) {
    AppendQuoted(name, '\'', out);
  } else {
    out += name;
  }
}

void AppendHex(const BigInteger& value, std::string& out) {
  out += "16#";
  const base::ByteView bytes = value.magnitude;
  fmt::format_to(std::back_inserter(out), "{:X}", bytes.back());
  for (size_t i = bytes.size() - 1; i-- > 0;) {
    fmt::format_to(std::back_inserter(out), "{:02X}", bytes[i]);
  }
}

void AppendBig(const BigInteger& value, std::string& out) {
  if (value.is_negative) out += '-';
  const base::ByteView bytes = value.magnitude;
  if (bytes.size() > kMaxDecimalBytes) return AppendHex(value, out);
  std::vector<uint32_t> words((bytes.size() + 3) / 4);
  for (size_t i = 0; i < bytes.size(); ++i) words[i / 4] |= uint32_t{bytes[i]} << (8 * (i % 4));
  constexpr uint64_t kNineDigits = 1'000'000'000;
  std::vector<uint32_t> groups;  // of nine digits, the lowest first
  while (!words.empty()) {
    uint64_t rest = 0;
    for (size_t i = words.size(); i-- > 0;) {
      rest = rest << 32 | words[i];
      words[i] = static_cast<uint32_t>(rest / kNineDigits);
      rest %= kNineDigits;
    }
    groups.push_back(static_cast<uint32_t>(rest));
    while (!words.empty() && words.back() == 0) words.pop_back();
  }
  fmt::format_to(std::back_inserter(out), "{}", groups.back());
  for (size_t i = groups.size() - 1; i-- > 0;) {
    fmt::format_to(std::back_inserter(out), "{:09}", groups[i]);
  }
}

bool IsPrintableString(const Term& list) {
  const std::span<const Term> elements = list.list();
  return list.is_proper_list() &&
         std::all_of(elements.begin(), elements.end(), [](const Term& element) {
           const std::optional<int64_t> value = element.AsInt();
           return value && IsPrintable(*value);
         });
}

enum class BinaryForm { kBytes, kLatin1, kUtf8 };

// OTP's choice: the first character that is not printable decides for bytes, the first byte that
// is not UTF-8 for Latin-1, if all is printable then.
BinaryForm FormOf(std::string_view bytes) {
  bool is_ascii = true;
  for (std::string_view rest = bytes; !rest.empty();) {
    uint32_t c = 0;
    const size_t size = TakeUtf8(rest, c);
    if (size == 0) {
      const bool is_latin1 = std::all_of(bytes.begin(), bytes.end(), [](char byte) {
        return IsPrintable(static_cast<uint8_t>(byte));
      });
      return is_latin1 ? BinaryForm::kLatin1 : BinaryForm::kBytes;
    }
    if (!IsPrintable(c)) return BinaryForm::kBytes;
    is_ascii = is_ascii && c < 0x80;
    rest.remove_prefix(size);
  }
  return is_ascii ? BinaryForm::kLatin1 : BinaryForm::kUtf8;
}

void AppendBytes(base::ByteView bytes, std::string& out) {
  for (size_t i = 0; i < bytes.size(); ++i) {
    fmt::format_to(std::back_inserter(out), "{}{}", i == 0 ? "" : ",", bytes[i]);
  }
}

void AppendBinary(base::ByteView bytes, std::string& out) {
  const std::string_view text = base::AsText(bytes);
  out += "<<";
  const BinaryForm form = bytes.empty() ? BinaryForm::kBytes : FormOf(text);
  switch (form) {
    case BinaryForm::kBytes:
      AppendBytes(bytes, out);
      break;
    case BinaryForm::kLatin1:
      out += '"';
      for (uint8_t byte : bytes) AppendCharacter(byte, '"', out);
      out += '"';
      break;
    case BinaryForm::kUtf8:
      AppendQuoted(text, '"', out);
      out += "/utf8";
      break;
  }
  out += ">>";
}

void AppendBitString(const BitString& value, std::string& out) {
  const base::ByteView bytes = value.bytes;
  out += "<<";
  AppendBytes(bytes.first(bytes.size() - 1), out);
  fmt::format_to(std::back_inserter(out), "{}{}:{}>>", bytes.size() == 1 ? "" : ",",
                 bytes.back() >> (8 - value.last_bits), value.last_bits);
}

void Append(const Term& term, std::string& out);

[[gnu::noinline]] void AppendAll(std::span<const Term> terms, std::string& out) {
  for (size_t i = 0; i < terms.size(); ++i) {
    if (i > 0) out += ',';
    Append(terms[i], out);
  }
}

[[gnu::noinline]] void AppendList(const Term& list, std::string& out) {
  if (IsPrintableString(list)) {
    out += '"';
    for (const Term& element : list.list()) {
      AppendCharacter(static_cast<uint32_t>(*element.AsInt()), '"', out);
    }
    out += '"';
    return;
  }
  out += '[';
  AppendAll(list.list(), out);
  if (!list.is_proper_list()) {
    out += '|';
    Append(list.tail(), out);
  }
  out += ']';
}

[[gnu::noinline]] void AppendMap(std::span<const MapEntry> entries, std::string& out) {
  out += "#{";
  for (size_t i = 0; i < entries.size(); ++i) {
    if (i > 0) out += ',';
    Append(entries[i].key, out);
    out += " => ";
    Append(entries[i].value, out);
  }
  out += '}';
}

void AppendReference(const Reference& reference, std::string& out) {
  out += "#Ref<";
  AppendAtom(reference.node.view(), out);
  const std::span<const uint32_t> ids = reference.ids();
  for (size_t i = ids.size(); i-- > 0;) {
    fmt::format_to(std::back_inserter(out), ".{}", ids[i]);
  }
  out += '>';
}

void AppendExport(const Export& value, std::string& out) {
  out += "fun ";
  AppendAtom(value.module.view(), out);
  out += ':';
  AppendAtom(value.function.view(), out);
  fmt::format_to(std::back_inserter(out), "/{}", value.arity);
}

[[gnu::noinline]] void AppendFun(const Fun& fun, std::string& out) {
  out += "#Fun<";
  AppendAtom(fun.module.view(), out);
  out += '.';
  Append(fun.old_index, out);
  out += '.';
  Append(fun.old_uniq, out);
  out += '>';
}

// A term without terms inside.
[[gnu::noinline]] void AppendLeaf(const Term& term, std::string& out) {
  switch (term.kind()) {
    case Kind::kNil:
      out += "[]";
      return;
    case Kind::kInteger:
      fmt::format_to(std::back_inserter(out), "{}", *term.AsInt());
      return;
    case Kind::kFloat:
      out += PrintFloat(term.float_value());
      return;
    case Kind::kAtom:
      return AppendAtom(term.atom(), out);
    case Kind::kBinary:
      return AppendBinary(term.binary(), out);
    case Kind::kPid:
      out += '<';
      AppendAtom(term.pid().node.view(), out);
      fmt::format_to(std::back_inserter(out), ".{}.{}>", term.pid().id, term.pid().serial);
      return;
    case Kind::kPort:
      out += "#Port<";
      AppendAtom(term.port().node.view(), out);
      fmt::format_to(std::back_inserter(out), ".{}>", term.port().id);
      return;
    case Kind::kReference:
      return AppendReference(term.reference(), out);
    case Kind::kBigInteger:
      return AppendBig(term.big_integer(), out);
    case Kind::kBitString:
      return AppendBitString(term.bit_string(), out);
    case Kind::kExport:
      return AppendExport(term.export_fun(), out);
    default:
      return;
  }
}

// What calls itself is not inlined: each level of a deep term costs small frames only.
void Append(const Term& term, std::string& out) {
  switch (term.kind()) {
    case Kind::kTuple:
      out += '{';
      AppendAll(term.tuple(), out);
      out += '}';
      return;
    case Kind::kList:
      return AppendList(term, out);
    case Kind::kMap:
      return AppendMap(term.map(), out);
    case Kind::kFun:
      return AppendFun(term.fun(), out);
    default:
      return AppendLeaf(term, out);
  }
}

}  // namespace

bool IsReservedWord(std::string_view word) {
  static constexpr std::array<std::string_view, 28> kWords = {
      "after", "and",    "andalso", "band", "begin", "bnot", "bor", "bsl", "bsr", "bxor",
      "case",  "catch",  "cond",    "div",  "end",   "fun",  "if",  "let", "not", "of",
      "or",    "orelse", "receive", "rem",  "try",   "when", "xor", ""};
  return !word.empty() && std::find(kWords.begin(), kWords.end(), word) != kWords.end();
}

bool IsPrintable(int64_t c) {
  return (c >= 0x20 && c <= 0x7e) || (c >= '\b' && c <= '\r') || c == 0x1b ||
         (c >= 0xa0 && c < 0xd800) || (c >= 0xe000 && c < 0xfffe) || (c > 0xffff && c <= 0x10ffff);
}

std::string PrintFloat(double value) {
  // d.ddddde[+-]dd, the shortest that reads back
  std::array<char, 40> text;
  const char* end =
      std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::scientific)
          .ptr;
  std::string_view whole(text.data(), static_cast<size_t>(end - text.data()));
  std::string out;
  if (whole.front() == '-') {
    out += '-';
    whole.remove_prefix(1);
  }
  const size_t e = whole.find('e');
  std::string digits(whole.substr(0, e));
  if (digits.size() > 1) digits.erase(1, 1);
  int exponent = 0;
  std::string_view exponent_text = whole.substr(e + 1);
  if (exponent_text.front() == '+') exponent_text.remove_prefix(1);
  std::from_chars(exponent_text.data(), exponent_text.data() + exponent_text.size(), exponent);

  // Without an exponent where that is no longer; never from 2^53 on, where not every digit of the
  // integer would be significant.
  const int count = static_cast<int>(digits.size()), place = exponent + 1;
  const int exponent_cost =
      static_cast<int>(fmt::formatted_size("{}", exponent)) + (count == 1 ? 3 : 2);
  constexpr double kLargestPlain = 9007199254740992.0;
  const bool is_large = std::abs(value) >= kLargestPlain;
  const auto zeros = [](int n) { return std::string(static_cast<size_t>(n), '0'); };
  if (value == 0) return out + "0.0";
  if (!is_large && place <= 0 && (place == 0 || 2 - place <= exponent_cost)) {
    return out + "0." + zeros(-place) + digits;
  }
  if (!is_large && place > 0 && place < count) {
    return out + digits.substr(0, static_cast<size_t>(place)) + "." +
           digits.substr(static_cast<size_t>(place));
  }
  if (!is_large && place >= count && place - count + 2 <= exponent_cost) {
    return out + digits + zeros(place - count) + ".0";
  }
  const std::string fraction = count == 1 ? "0" : digits.substr(1);
  return out + fmt::format("{}.{}e{}", digits[0], fraction, exponent);
}

std::string PrintAtom(std::string_view name) {
  std::string out;
  AppendAtom(name, out);
  return out;
}

std::string PrintTerm(const Term& term) {
  std::string out;
  Append(term, out);
  return out;
}

}  // namespace noded::dist
