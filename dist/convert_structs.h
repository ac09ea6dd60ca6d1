// Structs as records and as maps: how they are laid out (kTerm), and their conversion. Part of
// dist/convert.h, which includes it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "dist/convert_core.h"

namespace noded::dist {

// How a struct is laid out.
template <class Struct, class T>
struct FieldOf {
  std::string_view name;
  T Struct::*member;
};
template <class Struct, class T>
constexpr FieldOf<Struct, T> Field(std::string_view name, T Struct::*member) {
  return {name, member};
}
template <class... Field>
struct RecordLayout {
  std::string_view tag;
  std::tuple<Field...> fields;
};
template <class... Field>
constexpr RecordLayout<Field...> Record(std::string_view tag, Field... fields) {
  return {tag, {fields...}};
}
template <class... Field>
struct MapLayout {
  std::tuple<Field...> fields;
};
template <class... Field>
constexpr MapLayout<Field...> Fields(Field... fields) {
  return {{fields...}};
}

namespace convert {

template <class T>
inline constexpr bool kIsOptional = false;
template <class T>
inline constexpr bool kIsOptional<std::optional<T>> = true;

template <class T>
concept HasLayout = requires {
  T::kTerm;
};

template <class T, class... Field>
Term Write(const T& value, const RecordLayout<Field...>& layout) {
  std::vector<Term> elements = {Term::Atom(layout.tag)};
  std::apply([&](const auto&... field) { (elements.push_back(ToTerm(value.*field.member)), ...); },
             layout.fields);
  return Term::Tuple(std::move(elements));
}
template <class T, class... Field>
Term Write(const T& value, const MapLayout<Field...>& layout) {
  std::vector<MapEntry> entries;
  const auto add = [&](const auto& field) {
    const auto& member = value.*field.member;
    if constexpr (kIsOptional<std::remove_cvref_t<decltype(member)>>) {
      if (!member) return;
    }
    entries.push_back({Term::Atom(field.name), ToTerm(member)});
  };
  std::apply([&](const auto&... field) { (add(field), ...); }, layout.fields);
  return Term::Map(std::move(entries));
}

bool IsRecord(const Term& term, std::string_view tag, size_t fields, Mismatch& why);

template <class T, class... Field>
bool Read(const Term& term, T& value, const RecordLayout<Field...>& layout, Mismatch& why) {
  if (!IsRecord(term, layout.tag, sizeof...(Field), why)) return false;
  size_t index = 0;
  const auto read = [&](const auto& field) {
    return why.At(Convert(term.tuple()[++index], value.*field.member, why), field.name);
  };
  return std::apply([&](const auto&... field) { return (read(field) && ...); }, layout.fields);
}
template <class T, class... Field>
bool Read(const Term& term, T& value, const MapLayout<Field...>& layout, Mismatch& why) {
  if (!term.is_map()) return why.Is(term, "a map");
  const auto read = [&](const auto& field) {
    auto& member = value.*field.member;
    const Term* found = term.Find(field.name);
    if (found != nullptr) return why.At(Convert(*found, member, why), field.name);
    if constexpr (kIsOptional<std::remove_cvref_t<decltype(member)>>) {
      member.reset();
      return true;
    } else {
      return why.Is(term, "a map with the key " + std::string(field.name));
    }
  };
  return std::apply([&](const auto&... field) { return (read(field) && ...); }, layout.fields);
}

}  // namespace convert

template <convert::HasLayout T>
struct TermConversion<T> {
  static Term To(const T& value) { return convert::Write(value, T::kTerm); }
  static bool From(const Term& term, T& value, Mismatch& why) {
    return convert::Read(term, value, T::kTerm, why);
  }
};

}  // namespace noded::dist
