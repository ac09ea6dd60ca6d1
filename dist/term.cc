#include "dist/term.h"

#include <algorithm>

#include "dist/utf8.h"

namespace noded::dist {
namespace {

// What an accessor of the wrong kind gives: one shared empty value of each type.
template <class T>
const T& Empty() {
  static const T empty{};
  return empty;
}

template <class T, class Value>
const T& Pointee(const Value& value) {
  const auto* shared = std::get_if<std::shared_ptr<const T>>(&value);
  return shared ? **shared : Empty<T>();
}

std::shared_ptr<Term[]> MoveToArray(std::vector<Term>& terms) {
  if (terms.empty()) return nullptr;
  auto items = std::make_shared<Term[]>(terms.size());
  std::move(terms.begin(), terms.end(), items.get());
  return items;
}

}  // namespace

static_assert(sizeof(Term) <= 32, "terms are copied and stored by the million");

std::string_view KindName(Kind kind) {
  static constexpr std::string_view kNames[] = {
      "[]",  "integer", "float",     "atom",        "binary",     "tuple",  "list", "map",
      "pid", "port",    "reference", "big integer", "bit string", "export", "fun"};
  return kNames[static_cast<size_t>(kind)];
}

Term Term::Big(bool is_negative, base::Slice magnitude) {
  size_t size = magnitude.size();
  while (size > 0 && magnitude.data()[size - 1] == 0) --size;
  if (size <= 8) {
    uint64_t value = 0;
    for (size_t i = 0; i < size; ++i) value |= uint64_t{magnitude.data()[i]} << (8 * i);
    constexpr uint64_t kMost = uint64_t{1} << 63;
    if (!is_negative && value < kMost) return Int(static_cast<int64_t>(value));
    if (is_negative && value <= kMost) return Int(static_cast<int64_t>(0 - value));
  }
  return Term(
      Value(std::make_shared<const BigInteger>(BigInteger{is_negative, magnitude.Sub(0, size)})));
}

Term Term::BitString(base::Slice bytes, int last_bits) {
  if (bytes.empty() || last_bits < 1 || last_bits > 7) return Binary(std::move(bytes));
  const uint8_t unused = static_cast<uint8_t>(0xff >> last_bits);
  if (bytes.data()[bytes.size() - 1] & unused) {
    std::vector<uint8_t> copy = base::ToVector(bytes);
    copy.back() &= static_cast<uint8_t>(~unused);
    bytes = base::Slice(std::move(copy));
  }
  return Term(Value(std::make_shared<const dist::BitString>(
      dist::BitString{std::move(bytes), static_cast<uint8_t>(last_bits)})));
}

Term Term::String(std::string_view text) {
  std::vector<Term> characters;
  characters.reserve(text.size());
  while (!text.empty()) {
    uint32_t code_point = 0;
    size_t size = TakeUtf8(text, code_point);
    if (size == 0) {
      code_point = static_cast<uint8_t>(text[0]);
      size = 1;
    }
    characters.push_back(Int(code_point));
    text.remove_prefix(size);
  }
  return List(std::move(characters));
}

Term Term::List(std::vector<Term> elements, Term tail) {
  if (tail.kind() == Kind::kList) {
    const std::span<const Term> rest = tail.list();
    elements.insert(elements.end(), rest.begin(), rest.end());
    Term last = tail.tail();
    tail = std::move(last);
  }
  const size_t count = elements.size();
  elements.push_back(std::move(tail));
  return List(MoveToArray(elements), count);
}

Term Term::List(std::shared_ptr<Term[]> cells, size_t count) {
  if (count == 0) return std::move(cells[0]);
  if (cells[count].kind() == Kind::kList) {
    std::vector<Term> elements(cells.get(), cells.get() + count);
    return List(std::move(elements), std::move(cells[count]));
  }
  return Term(Value(Cells{std::move(cells), count}));
}

Term Term::Tuple(std::vector<Term> elements) {
  const size_t count = elements.size();
  return Tuple(MoveToArray(elements), count);
}

Term Term::Tuple(std::shared_ptr<const Term[]> elements, size_t count) {
  return Term(Value(Elements{std::move(elements), count}));
}

Term Term::FromPid(Pid pid) { return Term(Value(std::make_shared<const Pid>(std::move(pid)))); }

Term Term::FromPort(Port port) {
  return Term(Value(std::make_shared<const Port>(std::move(port))));
}

Term Term::FromReference(Reference reference) {
  return Term(Value(std::make_shared<const Reference>(std::move(reference))));
}

Term Term::FromExport(dist::Export value) {
  return Term(Value(std::make_shared<const dist::Export>(std::move(value))));
}

Term Term::FromFun(dist::Fun value) {
  return Term(Value(std::make_shared<const dist::Fun>(std::move(value))));
}

bool Term::IsTagged(std::string_view tag, size_t arity) const {
  return arity > 0 && IsTuple(arity) && tuple()[0].IsAtom(tag);
}

std::optional<int64_t> Term::AsInt() const {
  const int64_t* value = std::get_if<int64_t>(&value_);
  return value ? std::optional(*value) : std::nullopt;
}

std::optional<bool> Term::AsBool() const {
  if (IsAtom("true")) return true;
  if (IsAtom("false")) return false;
  return std::nullopt;
}

std::optional<std::string> Term::AsText() const {
  if (is_binary()) return std::string(binary().text());
  if (!is_proper_list()) return std::nullopt;
  std::string text;
  for (const Term& character : list()) {
    const std::optional<int64_t> code_point = character.AsInt();
    if (!code_point || !AppendUtf8(*code_point, text)) return std::nullopt;
  }
  return text;
}

double Term::float_value() const {
  const double* value = std::get_if<double>(&value_);
  return value ? *value : 0.0;
}

const AtomName& Term::atom_name() const {
  const AtomName* name = std::get_if<AtomName>(&value_);
  return name ? *name : Empty<AtomName>();
}

const base::Slice& Term::binary() const {
  const base::Slice* bytes = std::get_if<base::Slice>(&value_);
  return bytes ? *bytes : Empty<base::Slice>();
}

std::span<const Term> Term::tuple() const {
  const Elements* elements = std::get_if<Elements>(&value_);
  if (!elements) return {};
  return {elements->items.get(), elements->count};
}

std::span<const Term> Term::list() const {
  const Cells* cells = std::get_if<Cells>(&value_);
  if (!cells) return {};
  return {cells->items.get(), cells->count};
}

const Term& Term::tail() const {
  const Cells* cells = std::get_if<Cells>(&value_);
  return cells ? cells->items[cells->count] : Empty<Term>();
}

std::span<const MapEntry> Term::map() const {
  const Entries* entries = std::get_if<Entries>(&value_);
  if (!entries) return {};
  return {entries->items.get(), entries->count};
}

const Pid& Term::pid() const { return Pointee<Pid>(value_); }
const Port& Term::port() const { return Pointee<Port>(value_); }
const Reference& Term::reference() const { return Pointee<Reference>(value_); }
const BigInteger& Term::big_integer() const { return Pointee<BigInteger>(value_); }
const dist::BitString& Term::bit_string() const { return Pointee<dist::BitString>(value_); }
const dist::Export& Term::export_fun() const { return Pointee<dist::Export>(value_); }
const dist::Fun& Term::fun() const { return Pointee<dist::Fun>(value_); }

}  // namespace noded::dist
