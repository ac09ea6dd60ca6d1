#include "dist/convert.h"

#include <cmath>

#include "fmt/format.h"

#include "base/status.h"
#include "dist/term_text.h"

namespace noded::dist {
namespace {

constexpr size_t kShownBytes = 80;

std::string Shown(const Term& term) {
  std::string text = PrintTerm(term);
  if (text.size() > kShownBytes) text = text.substr(0, kShownBytes) + "...";
  return text;
}

// The low 64 bits of a magnitude that has no more.
std::optional<uint64_t> Bits(const BigInteger& big) {
  if (big.magnitude.size() > sizeof(uint64_t)) return std::nullopt;
  uint64_t bits = 0;
  for (size_t i = 0; i < big.magnitude.size(); ++i) {
    bits |= uint64_t{big.magnitude.data()[i]} << (8 * i);
  }
  return bits;
}

}  // namespace

bool Mismatch::Is(const Term& found_term, std::string_view what) {
  path.clear();
  found = Shown(found_term);
  expected = what;
  return false;
}

bool Mismatch::At(bool fits, size_t index) {
  if (!fits) path = fmt::format("[{}]{}", index, path);
  return fits;
}

bool Mismatch::At(bool fits, std::string_view field) {
  if (!fits) path = fmt::format(".{}{}", field, path);
  return fits;
}

absl::Status Mismatch::ToStatus() const {
  return base::Error(absl::StatusCode::kInvalidArgument,
                     fmt::format("{}found {}, expected {}",
                                 path.empty() ? "" : fmt::format("at {}: ", path), found, expected),
                     "", "badarg");
}

namespace convert {

bool ReadInteger(const Term& term, int64_t least, uint64_t most, uint64_t& bits, Mismatch& why) {
  if (const std::optional<int64_t> small = term.AsInt()) {
    const bool fits = *small >= least && (*small < 0 || static_cast<uint64_t>(*small) <= most);
    bits = static_cast<uint64_t>(*small);
    if (fits) return true;
  } else if (term.kind() == Kind::kBigInteger && !term.big_integer().is_negative) {
    const std::optional<uint64_t> large = Bits(term.big_integer());
    bits = large.value_or(0);
    if (large && *large <= most) return true;
  }
  return why.Is(term, fmt::format("an integer from {} to {}", least, most));
}

Term WriteUnsigned(uint64_t value) {
  if (value <= static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
    return Term::Int(static_cast<int64_t>(value));
  }
  std::vector<uint8_t> magnitude;
  for (; value != 0; value >>= 8) magnitude.push_back(static_cast<uint8_t>(value));
  return Term::Big(false, base::Slice(std::move(magnitude)));
}

bool ReadNumber(const Term& term, double& value, Mismatch& why) {
  if (term.is_float()) {
    value = term.float_value();
    return true;
  }
  if (const std::optional<int64_t> small = term.AsInt()) {
    value = static_cast<double>(*small);
    return true;
  }
  if (term.kind() == Kind::kBigInteger) {
    const BigInteger& big = term.big_integer();
    value = 0;
    for (size_t i = big.magnitude.size(); i-- > 0;) value = value * 256 + big.magnitude.data()[i];
    if (big.is_negative) value = -value;
    if (std::isfinite(value)) return true;
  }
  return why.Is(term, "a number");
}

bool ReadText(const Term& term, std::string& value, Mismatch& why) {
  std::optional<std::string> text = term.AsText();
  if (!text) return why.Is(term, "text (a binary, or a list of characters)");
  value = *std::move(text);
  return true;
}

bool IsRecord(const Term& term, std::string_view tag, size_t fields, Mismatch& why) {
  if (term.IsTagged(tag, fields + 1)) return true;
  return why.Is(term, fmt::format("a record {} with {} fields", tag, fields));
}

std::string KeyText(const Term& key) { return fmt::format("[{}]", Shown(key)); }

}  // namespace convert

bool TermConversion<bool>::From(const Term& term, bool& value, Mismatch& why) {
  const std::optional<bool> is_true = term.AsBool();
  if (!is_true) return why.Is(term, "true or false");
  value = *is_true;
  return true;
}

bool TermConversion<base::Slice>::From(const Term& term, base::Slice& value, Mismatch& why) {
  if (!term.is_binary()) return why.Is(term, "a binary");
  value = term.binary();
  return true;
}

bool TermConversion<AtomName>::From(const Term& term, AtomName& value, Mismatch& why) {
  if (!term.is_atom()) return why.Is(term, "an atom");
  value = term.atom_name();
  return true;
}

bool TermConversion<Pid>::From(const Term& term, Pid& value, Mismatch& why) {
  if (!term.is_pid()) return why.Is(term, "a pid");
  value = term.pid();
  return true;
}

bool TermConversion<Port>::From(const Term& term, Port& value, Mismatch& why) {
  if (!term.is_port()) return why.Is(term, "a port");
  value = term.port();
  return true;
}

bool TermConversion<Reference>::From(const Term& term, Reference& value, Mismatch& why) {
  if (!term.is_reference()) return why.Is(term, "a reference");
  value = term.reference();
  return true;
}

}  // namespace noded::dist
