// C++ values to terms and back, by type; what does not fit is told with the path to it.
//
//   Term term = ToTerm(std::map<std::string, std::vector<int>>{{"a", {1, 2}}});   // #{<<"a">> =>
//   [1,2]} ASSIGN_OR_RETURN(auto items, FromTerm<std::vector<Item>>(term));
//       // InvalidArgument (badarg): "at [2].price: found <<"dear">>, expected a number"
//
// | C++                                   | to a term              | from |
// |---------------------------------------|------------------------|---------------------------------|
// | bool                                  | true, false            | the same | | integers |
// integer                | one that fits the type          | | float, double | float (finite) |
// float or integer                | | std::string                           | binary | binary, or
// list of characters   | | const char*, std::string_view         | binary                 | | |
// base::Slice                           | binary                 | binary, shared with the term |
// | AtomName                              | atom                   | atom | | Pid, Port, Reference,
// Term            | itself                 | itself                          | | std::optional<T>
// | undefined, or T        | undefined, or T                 | | std::vector<T> | list | proper
// list                     | | std::map<K, V>                        | map                    | map
// | | std::pair, std::tuple                 | tuple                  | tuple of that size | |
// std::variant<T...>                    | what it holds          | the first T that fits | | struct
// with kTerm                     | record or map          | the same                        |
//
//   struct Item {
//     std::string name;
//     double price = 0;
//     static constexpr auto kTerm =                                 // {item, <<"tea">>, 2.5}
//         Record("item", Field("name", &Item::name), Field("price", &Item::price));
//   };
//
// With Fields(...) instead of Record("item", ...) it is a map with atoms as keys: keys that are not
// named are passed over, and an optional field may be missing. Another type converts by its own
// TermConversion. Functions of their arguments: any thread. Source: OTP "Erlang Reference Manual",
// Records; erl_interface's conventions for undefined.
#pragma once

#include <concepts>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "dist/term.h"

namespace noded::dist {

// Why a term does not fit. The path grows from the inside out.
struct Mismatch {
  std::string path;      // "[2].price"
  std::string found;     // the term there, shortened
  std::string expected;  // "a number"

  // Always false, so that conversions can return it.
  bool Is(const Term& found_term, std::string_view what);
  // Within an element or a field: gives `fits` on, with the path lengthened if it does not.
  bool At(bool fits, size_t index);  // of a list, counted from 1 as lists:nth does
  bool At(bool fits, std::string_view field);

  absl::Status ToStatus() const;
};

// Specialise for a type of your own:
//   static Term To(const T& value);
//   static bool From(const Term& term, T& value, Mismatch& why);   // return why.Is(term, "a
//   colour");
template <class T>
struct TermConversion;

template <class T>
Term ToTerm(const T& value) {
  return TermConversion<T>::To(value);
}

template <class T>
bool Convert(const Term& term, T& value, Mismatch& why) {
  return TermConversion<T>::From(term, value, why);
}

template <class T>
absl::StatusOr<T> FromTerm(const Term& term) {
  T value{};
  Mismatch why;
  if (Convert(term, value, why)) return value;
  return why.ToStatus();
}

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

// ---- What follows are the conversions themselves.

namespace convert {

// An integer, if `value` holds one of these bounds.
bool ReadInteger(const Term& term, int64_t least, uint64_t most, uint64_t& bits, Mismatch& why);
Term WriteUnsigned(uint64_t value);
bool ReadNumber(const Term& term, double& value, Mismatch& why);
bool ReadText(const Term& term, std::string& value, Mismatch& why);

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

template <convert::HasLayout T>
struct TermConversion<T> {
  static Term To(const T& value) { return convert::Write(value, T::kTerm); }
  static bool From(const Term& term, T& value, Mismatch& why) {
    return convert::Read(term, value, T::kTerm, why);
  }
};

namespace convert {
// "[Key]" of a map, for paths.
std::string KeyText(const Term& key);
}  // namespace convert

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
