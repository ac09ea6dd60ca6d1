// Conversions of optionals, lists, maps, tuples and alternatives. Part of dist/convert.h, which
// includes it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "dist/convert_core.h"

namespace noded::dist {

namespace convert {

template <class Tuple, size_t... I>
Term WriteTuple(const Tuple& value, std::index_sequence<I...>) {
  return Term::Tuple({ToTerm(std::get<I>(value))...});
}
template <class Tuple, size_t... I>
bool ReadTuple(const Term& term, Tuple& value, Mismatch& why, std::index_sequence<I...>) {
  if (!term.IsTuple(sizeof...(I))) {
    return why.Is(term, "a tuple of " + std::to_string(sizeof...(I)));
  }
  return (why.At(Convert(term.tuple()[I], std::get<I>(value), why), I + 1) && ...);
}

// "[Key]" of a map, for paths.
std::string KeyText(const Term& key);

}  // namespace convert

template <class T>
struct TermConversion<std::optional<T>> {
  static Term To(const std::optional<T>& value) {
    return value ? ToTerm(*value) : Term::Atom("undefined");
  }
  static bool From(const Term& term, std::optional<T>& value, Mismatch& why) {
    value.reset();
    if (term.IsAtom("undefined")) return true;
    T one{};
    if (!Convert(term, one, why)) return false;
    value = std::move(one);
    return true;
  }
};

template <class T>
struct TermConversion<std::vector<T>> {
  static Term To(const std::vector<T>& value) {
    std::vector<Term> elements;
    elements.reserve(value.size());
    for (const auto& element : value) elements.push_back(ToTerm<T>(element));
    return Term::List(std::move(elements));
  }
  static bool From(const Term& term, std::vector<T>& value, Mismatch& why) {
    if (!term.is_proper_list()) return why.Is(term, "a list");
    value.clear();
    value.reserve(term.list().size());
    for (const Term& element : term.list()) {
      T one{};
      if (!why.At(Convert(element, one, why), value.size() + 1)) return false;
      value.push_back(std::move(one));
    }
    return true;
  }
};

template <class K, class V, class Less>
struct TermConversion<std::map<K, V, Less>> {
  static Term To(const std::map<K, V, Less>& value) {
    std::vector<MapEntry> entries;
    for (const auto& [key, one] : value) entries.push_back({ToTerm(key), ToTerm(one)});
    return Term::Map(std::move(entries));
  }
  static bool From(const Term& term, std::map<K, V, Less>& value, Mismatch& why);
};

template <class A, class B>
struct TermConversion<std::pair<A, B>> {
  static Term To(const std::pair<A, B>& value) {
    return Term::Tuple({ToTerm(value.first), ToTerm(value.second)});
  }
  static bool From(const Term& term, std::pair<A, B>& value, Mismatch& why) {
    return convert::ReadTuple(term, value, why, std::make_index_sequence<2>());
  }
};
template <class... T>
struct TermConversion<std::tuple<T...>> {
  static Term To(const std::tuple<T...>& value) {
    return convert::WriteTuple(value, std::index_sequence_for<T...>());
  }
  static bool From(const Term& term, std::tuple<T...>& value, Mismatch& why) {
    return convert::ReadTuple(term, value, why, std::index_sequence_for<T...>());
  }
};

template <class... T>
struct TermConversion<std::variant<T...>> {
  static Term To(const std::variant<T...>& value) {
    return std::visit([](const auto& held) { return ToTerm(held); }, value);
  }
  static bool From(const Term& term, std::variant<T...>& value, Mismatch& why) {
    std::string expected;
    const auto fits = [&]<class One>(std::type_identity<One>) {
      One one{};
      Mismatch not_this;
      if (!Convert(term, one, not_this)) {
        expected += (expected.empty() ? "" : ", or ") + not_this.expected;
        return false;
      }
      value = std::move(one);
      return true;
    };
    return (fits(std::type_identity<T>()) || ...) || why.Is(term, expected);
  }
};

template <class K, class V, class Less>
bool TermConversion<std::map<K, V, Less>>::From(const Term& term, std::map<K, V, Less>& value,
                                                Mismatch& why) {
  if (!term.is_map()) return why.Is(term, "a map");
  value.clear();
  for (const MapEntry& entry : term.map()) {
    K key{};
    V one{};
    const bool fits = Convert(entry.key, key, why) && Convert(entry.value, one, why);
    if (!fits) {
      why.path = convert::KeyText(entry.key) + why.path;
      return false;
    }
    value.insert_or_assign(std::move(key), std::move(one));
  }
  return true;
}

}  // namespace noded::dist
