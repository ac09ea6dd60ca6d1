#include "node/services/io_format.h"

#include <algorithm>
#include <cctype>

#include "fmt/format.h"

#include "dist/term_text.h"
#include "dist/utf8.h"

namespace noded::node {
namespace {

using dist::Term;

constexpr int kMaxDepth = 1024;    // of an iolist
constexpr int kMaxWidth = 10'000;  // of a field: nobody prints wider, an attacker would

bool AppendChars(const Term& chars, std::string& text, int depth) {
  if (depth > kMaxDepth) return false;
  if (chars.is_binary()) {
    text += chars.binary().text();
    return true;
  }
  if (const auto point = chars.AsInt()) return dist::AppendUtf8(*point, text);
  if (!chars.is_list()) return false;
  for (const Term& element : chars.list()) {
    if (!AppendChars(element, text, depth + 1)) return false;
  }
  return chars.tail().is_nil() || AppendChars(chars.tail(), text, depth + 1);
}

// One control sequence: ~F.P.PadModC.
struct Control {
  std::optional<int> width, precision;
  std::string pad = " ";
  bool is_left = false;  // a negative width
  char letter = 0;
};

// Takes a control sequence from the front of `format` and its `*` from `args`.
class Formatter {
 public:
  Formatter(std::string_view format, std::span<const Term> args) : format_(format), args_(args) {}

  std::optional<std::string> Run() {
    while (!format_.empty()) {
      const size_t tilde = format_.find('~');
      text_ += format_.substr(0, tilde);
      if (tilde == std::string_view::npos) break;
      format_.remove_prefix(tilde + 1);
      Control control;
      if (!Parse(control) || !Write(control)) return std::nullopt;
    }
    if (!args_.empty()) return std::nullopt;
    return std::move(text_);
  }

 private:
  const Term* Take() {
    if (args_.empty()) return nullptr;
    const Term* term = &args_.front();
    args_ = args_.subspan(1);
    return term;
  }

  bool Number(std::optional<int>& into) {
    if (!format_.empty() && format_.front() == '*') {
      format_.remove_prefix(1);
      const Term* term = Take();
      if (term == nullptr || !term->AsInt() || std::abs(*term->AsInt()) > kMaxWidth) return false;
      into = static_cast<int>(*term->AsInt());
      return true;
    }
    bool is_negative = false;
    if (!format_.empty() && format_.front() == '-') {
      is_negative = true;
      format_.remove_prefix(1);
    }
    int value = 0;
    bool is_number = false;
    while (!format_.empty() && std::isdigit(static_cast<unsigned char>(format_.front()))) {
      value = value * 10 + (format_.front() - '0');
      if (value > kMaxWidth) return false;
      format_.remove_prefix(1);
      is_number = true;
    }
    if (is_number) into = is_negative ? -value : value;
    return is_number || !is_negative;
  }

  bool Parse(Control& control) {
    if (!Number(control.width)) return false;
    if (!format_.empty() && format_.front() == '.') {
      format_.remove_prefix(1);
      if (!Number(control.precision)) return false;
      if (!format_.empty() && format_.front() == '.') {
        format_.remove_prefix(1);
        uint32_t point = 0;
        const size_t size = format_.empty() ? 0 : dist::TakeUtf8(format_, point);
        if (size == 0) return false;
        control.pad = std::string(format_.substr(0, size));
        format_.remove_prefix(size);
      }
    }
    while (!format_.empty() && (format_.front() == 't' || format_.front() == 'l' ||
                                format_.front() == 'k' || format_.front() == 'K')) {
      format_.remove_prefix(1);
    }
    if (format_.empty()) return false;
    control.letter = format_.front();
    format_.remove_prefix(1);
    if (control.width && *control.width < 0) {
      control.is_left = true;
      control.width = -*control.width;
    }
    return true;
  }

  bool Write(const Control& control) {
    if (control.letter == '~') return Repeat("~", control);
    if (control.letter == 'n') return Repeat("\n", control);
    const Term* term = Take();
    if (term == nullptr) return false;
    switch (control.letter) {
      case 'i':
        return true;
      case 'c': {
        std::string one;
        if (!term->AsInt() || !dist::AppendUtf8(*term->AsInt(), one)) return false;
        for (int i = control.precision.value_or(control.width.value_or(1)); i > 0; --i)
          text_ += one;
        return true;
      }
      case 's':
        return String(control, *term);
      case 'P':
      case 'W':
        if (Take() == nullptr) return false;  // the depth
        [[fallthrough]];
      case 'p':
        text_ += dist::PrintTerm(*term);
        return true;
      case 'w':
        return Pad(dist::PrintTerm(*term), control);
      case 'f':
      case 'e':
      case 'g':
        return Float(control, *term);
      case 'b':
      case 'B':
      case '+':
      case '#':
        return Integer(control, *term, "");
      case 'x':
      case 'X': {
        const Term* prefix = Take();
        const auto text = prefix == nullptr ? std::nullopt : CharsToText(*prefix);
        return text && Integer(control, *term, *text);
      }
      default:
        return false;
    }
  }

  bool Repeat(std::string_view what, const Control& control) {
    for (int i = control.width.value_or(1); i > 0; --i) text_ += what;
    return true;
  }

  bool String(const Control& control, const Term& term) {
    std::string text;
    if (term.is_atom()) {
      text = term.atom();
    } else if (!AppendChars(term, text, 0)) {
      return false;
    }
    if (control.precision) {
      size_t end = 0;
      uint32_t point = 0;
      for (int i = 0; i < *control.precision && end < text.size(); ++i) {
        const size_t size = dist::TakeUtf8(std::string_view(text).substr(end), point);
        end += std::max<size_t>(size, 1);
      }
      text.resize(std::min(end, text.size()));
    }
    return Pad(std::move(text), control);
  }

  bool Float(const Control& control, const Term& term) {
    if (!term.is_float() && !term.AsInt()) return false;
    const double value = term.is_float() ? term.float_value() : static_cast<double>(*term.AsInt());
    const int digits = std::clamp(control.precision.value_or(6), 0, 253);
    if (control.letter == 'f') return Pad(fmt::format("{:.{}f}", value, digits), control);
    // Erlang's exponent has no leading zeros: 1.0e+4.
    std::string text = fmt::format("{:.{}e}", value, std::max(digits - 1, 0));
    const size_t exponent = text.find('e') + 2;
    while (exponent + 1 < text.size() && text[exponent] == '0') text.erase(exponent, 1);
    return Pad(std::move(text), control);
  }

  bool Integer(const Control& control, const Term& term, const std::string& prefix) {
    if (!term.is_integer()) return false;
    const int radix = control.precision.value_or(10);
    if (radix < 2 || radix > 36) return false;
    const bool is_prefixed = control.letter == '+' || control.letter == '#';
    const std::string sign_free =
        radix == 10 || !term.AsInt() ? dist::PrintTerm(term) : Digits(*term.AsInt(), radix);
    std::string text = is_prefixed ? fmt::format("{}#{}", radix, sign_free) : prefix + sign_free;
    const bool is_upper = control.letter == 'B' || control.letter == 'X' || control.letter == '#';
    if (is_upper) {
      for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    }
    return Pad(std::move(text), control);
  }

  static std::string Digits(int64_t value, int radix) {
    std::string digits;
    uint64_t rest = value < 0 ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
    do {
      const auto digit = static_cast<char>(rest % static_cast<uint64_t>(radix));
      digits += static_cast<char>(digit < 10 ? '0' + digit : 'a' + digit - 10);
      rest /= static_cast<uint64_t>(radix);
    } while (rest > 0);
    if (value < 0) digits += '-';
    std::reverse(digits.begin(), digits.end());
    return digits;
  }

  // To the field's width; what does not fit is stars, as Erlang does.
  bool Pad(std::string text, const Control& control) {
    if (control.width) {
      const auto width = static_cast<size_t>(*control.width);
      const size_t length = dist::Utf8Length(text).value_or(text.size());
      if (length > width) {
        text = control.letter == 's' ? text : std::string(width, '*');
      } else {
        std::string padding;
        for (size_t i = length; i < width; ++i) padding += control.pad;
        text = control.is_left ? text + padding : padding + text;
      }
    }
    text_ += text;
    return true;
  }

  std::string_view format_;
  std::span<const Term> args_;
  std::string text_;
};

}  // namespace

std::optional<std::string> CharsToText(const Term& chars) {
  std::string text;
  if (!AppendChars(chars, text, 0)) return std::nullopt;
  return text;
}

std::optional<std::string> Format(std::string_view format, std::span<const Term> args) {
  return Formatter(format, args).Run();
}

std::optional<std::string> ApplyFormat(const Term& module, const Term& function, const Term& args) {
  if (!module.IsAtom("io_lib") || !args.is_proper_list()) return std::nullopt;
  const auto words = args.list();
  if ((function.IsAtom("format") || function.IsAtom("fwrite")) && words.size() == 2 &&
      words[1].is_proper_list()) {
    const auto format =
        words[0].is_atom() ? std::optional(std::string(words[0].atom())) : CharsToText(words[0]);
    return format ? Format(*format, words[1].list()) : std::nullopt;
  }
  if ((function.IsAtom("write") || function.IsAtom("print")) && words.size() == 1) {
    return dist::PrintTerm(words[0]);
  }
  if (function.IsAtom("nl")) return "\n";
  return std::nullopt;
}

}  // namespace noded::node
