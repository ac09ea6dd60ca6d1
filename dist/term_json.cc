#include "dist/term_json.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "dist/term_text.h"
#include "dist/utf8.h"
#include "nlohmann/json.hpp"

namespace noded::dist {
namespace {

using Json = nlohmann::json;

Json Convert(const Term& term);

std::string Base64(base::ByteView bytes) {
  static constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t count = std::min<size_t>(bytes.size() - i, 3);
    uint32_t group = 0;
    for (size_t j = 0; j < 3; ++j) group = group << 8 | (j < count ? bytes[i + j] : 0);
    for (size_t j = 0; j < 4; ++j) {
      text += j <= count ? kDigits[group >> (18 - 6 * j) & 63] : '=';
    }
  }
  return text;
}

// Whether an object of so many keys, this among them, could be one that stands for something else:
// those have one key, or are {bitstring, bits} and {list, tail}. Such a map is not an object.
bool IsReservedKey(std::string_view key, size_t keys) {
  static constexpr std::array<std::string_view, 10> kKeys = {
      "bitstring", "list", "binary", "fun", "integer", "map", "pid", "port", "reference", "tuple"};
  const auto end = keys == 1 ? kKeys.end() : kKeys.begin() + (keys == 2 ? 2 : 0);
  return std::find(kKeys.begin(), end, key) != end;
}

[[gnu::noinline]] Json ConvertAll(std::span<const Term> terms) {
  Json array = Json::array();
  for (const Term& term : terms) array.push_back(Convert(term));
  return array;
}

// {"`key`": `value`}
[[gnu::noinline]] Json Tagged(const char* key, Json value) {
  Json object = Json::object();
  object[key] = std::move(value);
  return object;
}

[[gnu::noinline]] Json ConvertTuple(std::span<const Term> elements) {
  return Tagged("tuple", ConvertAll(elements));
}

Json ConvertAtom(std::string_view name) {
  if (name == "true") return true;
  if (name == "false") return false;
  if (name == "null" || name == "undefined") return nullptr;
  return name;
}

Json ConvertBinary(base::ByteView bytes) {
  const std::string_view text = base::AsText(bytes);
  if (Utf8Length(text)) return text;
  return {{"binary", Base64(bytes)}};
}

bool IsText(const Term& list) {
  return std::all_of(list.list().begin(), list.list().end(), [](const Term& element) {
    const std::optional<int64_t> value = element.AsInt();
    return value && IsPrintable(*value);
  });
}

[[gnu::noinline]] Json ConvertList(const Term& list) {
  if (!list.is_proper_list()) {
    Json object = Tagged("list", ConvertAll(list.list()));
    object["tail"] = Convert(list.tail());
    return object;
  }
  if (IsText(list)) return *list.AsText();
  return ConvertAll(list.list());
}

std::optional<std::string_view> KeyText(const Term& key) {
  std::optional<std::string_view> text;
  if (key.is_atom()) text = key.atom();
  if (key.is_binary()) text = key.binary().text();
  if (!text || !Utf8Length(*text)) return std::nullopt;
  return text;
}

// None when keys are no text, or two are the same one.
[[gnu::noinline]] std::optional<Json> ConvertToObject(std::span<const MapEntry> entries) {
  Json object = Json::object();
  for (const MapEntry& entry : entries) {
    const auto key = KeyText(entry.key);
    if (!key || IsReservedKey(*key, entries.size())) return std::nullopt;
    object.emplace(*key, nullptr);
  }
  if (object.size() != entries.size()) return std::nullopt;
  for (const MapEntry& entry : entries) {
    object[std::string(*KeyText(entry.key))] = Convert(entry.value);
  }
  return object;
}

[[gnu::noinline]] Json ConvertMap(std::span<const MapEntry> entries) {
  if (std::optional<Json> object = ConvertToObject(entries)) return *std::move(object);
  Json pairs = Json::array();
  for (const MapEntry& entry : entries) {
    Json pair = Json::array();
    pair.push_back(Convert(entry.key));
    pair.push_back(Convert(entry.value));
    pairs.push_back(std::move(pair));
  }
  return Tagged("map", std::move(pairs));
}

Json ConvertBitString(const BitString& value) {
  const size_t bits = (value.bytes.size() - 1) * 8 + value.last_bits;
  return {{"bitstring", Base64(value.bytes)}, {"bits", bits}};
}

Json ConvertFun(const Fun& fun) {
  return {{"fun",
           {{"module", fun.module.view()},
            {"arity", fun.arity},
            {"index", Convert(fun.old_index)},
            {"uniq", Convert(fun.old_uniq)}}}};
}

Json ConvertReference(const Reference& reference) {
  return {{"reference",
           {{"node", reference.node.view()},
            {"creation", reference.creation},
            {"ids", Json(reference.ids())}}}};
}

// A term without terms inside.
[[gnu::noinline]] Json ConvertLeaf(const Term& term) {
  switch (term.kind()) {
    case Kind::kNil:
      return Json::array();
    case Kind::kInteger:
      return *term.AsInt();
    case Kind::kBigInteger:
      return {{"integer", PrintTerm(term)}};
    case Kind::kFloat:
      return term.float_value();
    case Kind::kAtom:
      return ConvertAtom(term.atom());
    case Kind::kBinary:
      return ConvertBinary(term.binary());
    case Kind::kBitString:
      return ConvertBitString(term.bit_string());
    case Kind::kPid:
      return {{"pid",
               {{"node", term.pid().node.view()},
                {"id", term.pid().id},
                {"serial", term.pid().serial},
                {"creation", term.pid().creation}}}};
    case Kind::kPort:
      return {{"port",
               {{"node", term.port().node.view()},
                {"id", term.port().id},
                {"creation", term.port().creation}}}};
    case Kind::kReference:
      return ConvertReference(term.reference());
    case Kind::kExport:
      return {{"fun",
               {{"module", term.export_fun().module.view()},
                {"function", term.export_fun().function.view()},
                {"arity", term.export_fun().arity}}}};
    case Kind::kFun:
      return ConvertFun(term.fun());
    default:
      return nullptr;
  }
}

// What calls itself is not inlined: each level of a deep term costs small frames only.
Json Convert(const Term& term) {
  switch (term.kind()) {
    case Kind::kTuple:
      return ConvertTuple(term.tuple());
    case Kind::kList:
      return ConvertList(term);
    case Kind::kMap:
      return ConvertMap(term.map());
    default:
      return ConvertLeaf(term);
  }
}

}  // namespace

std::string TermToJson(const Term& term) {
  return Convert(term).dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace noded::dist
