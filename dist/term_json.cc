#include "dist/term_json.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include "fmt/format.h"
#include "nlohmann/json.hpp"

#include "dist/term_text.h"
#include "dist/utf8.h"

namespace noded::dist {
namespace {

using Json = nlohmann::json;

// Terms are written straight into the text, one small frame a level: a tree of JSON values in
// between would be as deep several times over, and its library walks it with large frames. What
// calls itself is not inlined, so that no frame holds what another kind of term needs.
void Append(const Term& term, std::string& out);

std::string Text(const Json& leaf) {
  return leaf.dump(-1, ' ', false, Json::error_handler_t::replace);
}

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

[[gnu::noinline]] void AppendAll(std::span<const Term> terms, std::string& out) {
  out += '[';
  bool is_first = true;
  for (const Term& term : terms) {
    if (!std::exchange(is_first, false)) out += ',';
    Append(term, out);
  }
  out += ']';
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

[[gnu::noinline]] void AppendList(const Term& list, std::string& out) {
  if (!list.is_proper_list()) {
    out += "{\"list\":";
    AppendAll(list.list(), out);
    out += ",\"tail\":";
    Append(list.tail(), out);
    out += '}';
  } else if (IsText(list)) {
    out += Text(*list.AsText());
  } else {
    AppendAll(list.list(), out);
  }
}

std::optional<std::string_view> KeyText(const Term& key) {
  std::optional<std::string_view> text;
  if (key.is_atom()) text = key.atom();
  if (key.is_binary()) text = key.binary().text();
  if (!text || !Utf8Length(*text)) return std::nullopt;
  return text;
}

// By key. None when keys are no text, or two are the same one.
std::optional<std::map<std::string_view, const Term*>> ObjectOf(std::span<const MapEntry> entries) {
  std::map<std::string_view, const Term*> object;
  for (const MapEntry& entry : entries) {
    const auto key = KeyText(entry.key);
    if (!key || IsReservedKey(*key, entries.size())) return std::nullopt;
    object.emplace(*key, &entry.value);
  }
  if (object.size() != entries.size()) return std::nullopt;
  return object;
}

[[gnu::noinline]] void AppendMap(std::span<const MapEntry> entries, std::string& out) {
  const auto object = ObjectOf(entries);
  bool is_first = true;
  if (object) {
    out += '{';
    for (const auto& [key, value] : *object) {
      if (!std::exchange(is_first, false)) out += ',';
      out += Text(key);
      out += ':';
      Append(*value, out);
    }
    out += '}';
    return;
  }
  out += "{\"map\":[";
  for (const MapEntry& entry : entries) {
    out += std::exchange(is_first, false) ? "[" : ",[";
    Append(entry.key, out);
    out += ',';
    Append(entry.value, out);
    out += ']';
  }
  out += "]}";
}

Json ConvertBitString(const BitString& value) {
  const size_t bits = (value.bytes.size() - 1) * 8 + value.last_bits;
  return {{"bitstring", Base64(value.bytes)}, {"bits", bits}};
}

[[gnu::noinline]] void AppendFun(const Fun& fun, std::string& out) {
  out += fmt::format("{{\"fun\":{{\"arity\":{},\"index\":", fun.arity);
  Append(fun.old_index, out);
  out += fmt::format(",\"module\":{},\"uniq\":", Text(fun.module.view()));
  Append(fun.old_uniq, out);
  out += "}}";
}

Json ConvertReference(const Reference& reference) {
  return {{"reference",
           {{"node", reference.node.view()},
            {"creation", reference.creation},
            {"ids", Json(reference.ids())}}}};
}

// A term without terms inside.
Json ConvertLeaf(const Term& term) {
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
    default:
      return nullptr;
  }
}

[[gnu::noinline]] void AppendLeaf(const Term& term, std::string& out) {
  out += Text(ConvertLeaf(term));
}

void Append(const Term& term, std::string& out) {
  switch (term.kind()) {
    case Kind::kTuple:
      out += "{\"tuple\":";
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

std::string TermToJson(const Term& term) {
  std::string text;
  Append(term, text);
  return text;
}

}  // namespace noded::dist
