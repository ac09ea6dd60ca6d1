// Conversions of values without values inside. Part of dist/convert.h, which includes it.
#pragma once

#include <concepts>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>

#include "dist/convert_core.h"

namespace noded::dist {

namespace convert {

// An integer, if `value` holds one of these bounds.
bool ReadInteger(const Term& term, int64_t least, uint64_t most, uint64_t& bits, Mismatch& why);
Term WriteUnsigned(uint64_t value);
bool ReadNumber(const Term& term, double& value, Mismatch& why);
bool ReadText(const Term& term, std::string& value, Mismatch& why);

}  // namespace convert

template <>
struct TermConversion<bool> {
  static Term To(bool value) { return Term::Bool(value); }
  static bool From(const Term& term, bool& value, Mismatch& why);
};

template <std::integral T>
requires(!std::same_as<T, char> && !std::same_as<T, bool>) struct TermConversion<T> {
  static Term To(T value) {
    if constexpr (std::is_signed_v<T>) {
      return Term::Int(value);
    } else {
      return convert::WriteUnsigned(value);
    }
  }
  static bool From(const Term& term, T& value, Mismatch& why) {
    uint64_t bits = 0;
    constexpr auto kLeast = static_cast<int64_t>(std::numeric_limits<T>::min());
    constexpr auto kMost = static_cast<uint64_t>(std::numeric_limits<T>::max());
    if (!convert::ReadInteger(term, kLeast, kMost, bits, why)) return false;
    value = static_cast<T>(bits);
    return true;
  }
};

template <std::floating_point T>
struct TermConversion<T> {
  static Term To(T value) { return Term::Float(static_cast<double>(value)); }
  static bool From(const Term& term, T& value, Mismatch& why) {
    double number = 0;
    if (!convert::ReadNumber(term, number, why)) return false;
    value = static_cast<T>(number);
    return true;
  }
};

template <>
struct TermConversion<std::string> {
  static Term To(std::string_view value) { return Term::Binary(value); }
  static bool From(const Term& term, std::string& value, Mismatch& why) {
    return convert::ReadText(term, value, why);
  }
};
template <>
struct TermConversion<std::string_view> {
  static Term To(std::string_view value) { return Term::Binary(value); }
};
template <>
struct TermConversion<const char*> {
  static Term To(const char* value) { return Term::Binary(value); }
};
template <size_t N>
struct TermConversion<char[N]> {
  static Term To(const char* value) { return Term::Binary(value); }
};

template <>
struct TermConversion<base::Slice> {
  static Term To(const base::Slice& value) { return Term::Binary(value); }
  static bool From(const Term& term, base::Slice& value, Mismatch& why);
};
template <>
struct TermConversion<AtomName> {
  static Term To(const AtomName& value) { return Term::Atom(value); }
  static bool From(const Term& term, AtomName& value, Mismatch& why);
};
template <>
struct TermConversion<Pid> {
  static Term To(const Pid& value) { return Term::FromPid(value); }
  static bool From(const Term& term, Pid& value, Mismatch& why);
};
template <>
struct TermConversion<Port> {
  static Term To(const Port& value) { return Term::FromPort(value); }
  static bool From(const Term& term, Port& value, Mismatch& why);
};
template <>
struct TermConversion<Reference> {
  static Term To(const Reference& value) { return Term::FromReference(value); }
  static bool From(const Term& term, Reference& value, Mismatch& why);
};
template <>
struct TermConversion<Term> {
  static Term To(const Term& value) { return value; }
  static bool From(const Term& term, Term& value, Mismatch&) {
    value = term;
    return true;
  }
};

}  // namespace noded::dist
