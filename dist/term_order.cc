// Equality, order, hash and maps of terms: all that rests on comparing them.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>

#include "dist/term.h"

namespace noded::dist {
namespace {

// kValue: Erlang's ==, where 1 and 1.0 are the same. kExact: a total order that goes with =:=, in
// which every integer comes before every float; Erlang orders the keys of maps so.
enum class Mode { kValue, kExact };

std::strong_ordering Order(const Term& a, const Term& b, Mode mode);

std::strong_ordering Sign(int sign) { return sign <=> 0; }

std::strong_ordering OrderBytes(base::ByteView a, base::ByteView b) {
  const size_t common = std::min(a.size(), b.size());
  const int sign = common == 0 ? 0 : std::memcmp(a.data(), b.data(), common);
  return sign != 0 ? Sign(sign) : a.size() <=> b.size();
}

std::strong_ordering OrderTerms(std::span<const Term> a, std::span<const Term> b, Mode mode) {
  const size_t common = std::min(a.size(), b.size());
  for (size_t i = 0; i < common; ++i) {
    if (const auto order = Order(a[i], b[i], mode); order != 0) return order;
  }
  return a.size() <=> b.size();
}

// Integers of any size.

std::strong_ordering OrderBig(const BigInteger& a, const BigInteger& b) {
  if (a.is_negative != b.is_negative) return Sign(a.is_negative ? -1 : 1);
  const base::ByteView more = a.is_negative ? b.magnitude : a.magnitude;
  const base::ByteView less = a.is_negative ? a.magnitude : b.magnitude;
  if (more.size() != less.size()) return more.size() <=> less.size();
  for (size_t i = more.size(); i-- > 0;) {
    if (more[i] != less[i]) return more[i] <=> less[i];
  }
  return std::strong_ordering::equal;
}

// Both are integers. A BigInteger never fits int64_t, so its sign decides against one that does.
std::strong_ordering OrderIntegers(const Term& a, const Term& b) {
  const bool a_is_big = a.kind() == Kind::kBigInteger;
  const bool b_is_big = b.kind() == Kind::kBigInteger;
  if (a_is_big && b_is_big) return OrderBig(a.big_integer(), b.big_integer());
  if (a_is_big) return Sign(a.big_integer().is_negative ? -1 : 1);
  if (b_is_big) return Sign(b.big_integer().is_negative ? 1 : -1);
  return *a.AsInt() <=> *b.AsInt();
}

// The integer part of a float of any size, exactly.
Term Truncate(double value) {
  if (std::fabs(value) < 0x1p63) return Term::Int(static_cast<int64_t>(value));
  int exponent = 0;
  const double fraction = std::frexp(std::fabs(value), &exponent);
  const uint64_t digits = static_cast<uint64_t>(std::ldexp(fraction, 53));
  const int shift = exponent - 53;  // value = digits * 2^shift
  std::vector<uint8_t> magnitude(static_cast<size_t>(shift) / 8 + 9);
  for (int bit = 0; bit < 53; ++bit) {
    const int at = bit + shift;
    if (digits >> bit & 1) magnitude[at / 8] |= static_cast<uint8_t>(1 << (at % 8));
  }
  return Term::Big(value < 0, base::Slice(std::move(magnitude)));
}

std::strong_ordering OrderFloats(double a, double b, Mode mode) {
  if (a != b) return Sign(a < b ? -1 : 1);
  if (mode == Mode::kValue) return std::strong_ordering::equal;
  return std::signbit(b) <=> std::signbit(a);  // -0.0 comes first
}

std::strong_ordering OrderIntegerAndFloat(const Term& integer, double value) {
  const Term whole = Truncate(value);
  const std::strong_ordering order = OrderIntegers(integer, whole);
  if (order != 0 || std::fabs(value) >= 0x1p53) return order;
  const double fraction = value - std::trunc(value);
  return fraction == 0 ? std::strong_ordering::equal : Sign(fraction > 0 ? -1 : 1);
}

std::strong_ordering OrderNumbers(const Term& a, const Term& b, Mode mode) {
  if (a.is_float() && b.is_float()) return OrderFloats(a.float_value(), b.float_value(), mode);
  if (!a.is_float() && !b.is_float()) return OrderIntegers(a, b);
  if (mode == Mode::kExact) return Sign(a.is_float() ? 1 : -1);
  if (b.is_float()) return OrderIntegerAndFloat(a, b.float_value());
  return 0 <=> OrderIntegerAndFloat(b, a.float_value());
}

// Identifiers: in the order that OTP 25 was seen to sort them.

template <class T>
std::strong_ordering OrderNodes(const T& a, const T& b) {
  if (const auto order = a.node <=> b.node; order != 0) return order;
  return a.creation <=> b.creation;
}

std::strong_ordering OrderPids(const Pid& a, const Pid& b) {
  if (const auto order = a.serial <=> b.serial; order != 0) return order;
  if (const auto order = a.id <=> b.id; order != 0) return order;
  return OrderNodes(a, b);
}

std::strong_ordering OrderPorts(const Port& a, const Port& b) {
  if (const auto order = OrderNodes(a, b); order != 0) return order;
  return a.id <=> b.id;
}

std::strong_ordering OrderReferences(const Reference& a, const Reference& b) {
  if (const auto order = OrderNodes(a, b); order != 0) return order;
  for (size_t i = Reference::kMaxIds; i-- > 0;) {
    if (const auto order = a.id_words[i] <=> b.id_words[i]; order != 0) return order;
  }
  return a.id_count <=> b.id_count;
}

// Funs: closures before exports.

std::strong_ordering OrderExports(const Export& a, const Export& b) {
  if (const auto order = a.module <=> b.module; order != 0) return order;
  if (const auto order = a.function <=> b.function; order != 0) return order;
  return a.arity <=> b.arity;
}

std::strong_ordering OrderClosures(const Fun& a, const Fun& b, Mode mode) {
  if (const auto order = a.module <=> b.module; order != 0) return order;
  if (const auto order = Order(a.old_index, b.old_index, mode); order != 0) return order;
  if (const auto order = Order(a.old_uniq, b.old_uniq, mode); order != 0) return order;
  if (const auto order = a.free_variables.size() <=> b.free_variables.size(); order != 0)
    return order;
  if (const auto order = OrderTerms(a.free_variables, b.free_variables, mode); order != 0)
    return order;
  if (mode == Mode::kValue) return std::strong_ordering::equal;
  if (const auto order = a.arity <=> b.arity; order != 0) return order;
  if (const auto order = a.index <=> b.index; order != 0) return order;
  if (const auto order = a.uniq <=> b.uniq; order != 0) return order;
  return Order(a.creator, b.creator, mode);
}

std::strong_ordering OrderFuns(const Term& a, const Term& b, Mode mode) {
  if (a.kind() != b.kind()) return Sign(a.kind() == Kind::kFun ? -1 : 1);
  if (a.kind() == Kind::kExport) return OrderExports(a.export_fun(), b.export_fun());
  return OrderClosures(a.fun(), b.fun(), mode);
}

// Containers.

std::strong_ordering OrderTuples(const Term& a, const Term& b, Mode mode) {
  const auto order = a.tuple().size() <=> b.tuple().size();
  return order != 0 ? order : OrderTerms(a.tuple(), b.tuple(), mode);
}

std::strong_ordering OrderMaps(const Term& a, const Term& b, Mode mode) {
  const std::span<const MapEntry> x = a.map();
  const std::span<const MapEntry> y = b.map();
  if (x.size() != y.size()) return x.size() <=> y.size();
  for (size_t i = 0; i < x.size(); ++i) {
    if (const auto order = Order(x[i].key, y[i].key, Mode::kExact); order != 0) return order;
  }
  for (size_t i = 0; i < x.size(); ++i) {
    if (const auto order = Order(x[i].value, y[i].value, mode); order != 0) return order;
  }
  return std::strong_ordering::equal;
}

int Rank(const Term& term);

std::strong_ordering OrderLists(const Term& a, const Term& b, Mode mode) {
  const size_t common = std::min(a.list().size(), b.list().size());
  const auto order = OrderTerms(a.list().first(common), b.list().first(common), mode);
  if (order != 0) return order;
  if (a.list().size() == b.list().size()) return Order(a.tail(), b.tail(), mode);
  // One has ended: its tail, which is no list of elements, stands against more elements of the
  // other.
  if (a.list().size() == common) return Rank(a.tail()) <=> Rank(b);
  return Rank(a) <=> Rank(b.tail());
}

base::ByteView BitsOf(const Term& term) {
  return term.is_binary() ? term.binary().view() : term.bit_string().bytes.view();
}

int LastBitsOf(const Term& term) { return term.is_binary() ? 8 : term.bit_string().last_bits; }

// Unused bits are zero, so bytes first and then lengths in bits is the order of the bits.
std::strong_ordering OrderBits(const Term& a, const Term& b) {
  const auto order = OrderBytes(BitsOf(a), BitsOf(b));
  return order != 0 ? order : LastBitsOf(a) <=> LastBitsOf(b);
}

// number < atom < reference < fun < port < pid < tuple < map < [] < list < bit string
int Rank(const Term& term) {
  switch (term.kind()) {
    case Kind::kInteger:
    case Kind::kBigInteger:
    case Kind::kFloat:
      return 0;
    case Kind::kAtom:
      return 1;
    case Kind::kReference:
      return 2;
    case Kind::kFun:
    case Kind::kExport:
      return 3;
    case Kind::kPort:
      return 4;
    case Kind::kPid:
      return 5;
    case Kind::kTuple:
      return 6;
    case Kind::kMap:
      return 7;
    case Kind::kNil:
      return 8;
    case Kind::kList:
      return 9;
    case Kind::kBinary:
    case Kind::kBitString:
      return 10;
  }
  return 11;
}

std::strong_ordering Order(const Term& a, const Term& b, Mode mode) {
  const int rank = Rank(a);
  if (const auto order = rank <=> Rank(b); order != 0) return order;
  switch (rank) {
    case 0:
      return OrderNumbers(a, b, mode);
    case 1:
      return a.atom_name() <=> b.atom_name();
    case 2:
      return OrderReferences(a.reference(), b.reference());
    case 3:
      return OrderFuns(a, b, mode);
    case 4:
      return OrderPorts(a.port(), b.port());
    case 5:
      return OrderPids(a.pid(), b.pid());
    case 6:
      return OrderTuples(a, b, mode);
    case 7:
      return OrderMaps(a, b, mode);
    case 9:
      return OrderLists(a, b, mode);
    case 10:
      return OrderBits(a, b);
    default:
      return std::strong_ordering::equal;  // [] and []
  }
}

bool KeyLess(const MapEntry& a, const MapEntry& b) { return Order(a.key, b.key, Mode::kExact) < 0; }

size_t HashBytes(base::ByteView bytes) {
  return std::hash<std::string_view>()(base::AsText(bytes));
}

size_t HashAll(size_t seed, std::span<const Term> terms) {
  for (const Term& term : terms) seed = seed * 1099511628211ull + term.Hash();
  return seed;
}

}  // namespace

bool operator==(const Term& a, const Term& b) {
  if (a.kind() != b.kind()) return false;
  return Order(a, b, Mode::kExact) == 0;
}

std::weak_ordering Compare(const Term& a, const Term& b) { return Order(a, b, Mode::kValue); }

Term Term::Map(std::vector<MapEntry> entries) {
  std::stable_sort(entries.begin(), entries.end(), KeyLess);
  // Of equal keys, which now stand side by side, the last one stays.
  size_t kept = 0;
  for (size_t i = 0; i < entries.size(); ++i) {
    const bool is_overwritten = i + 1 < entries.size() && !KeyLess(entries[i], entries[i + 1]);
    if (is_overwritten) continue;
    if (kept != i) entries[kept] = std::move(entries[i]);
    ++kept;
  }
  auto items = std::make_shared<MapEntry[]>(kept);
  std::move(entries.begin(), entries.begin() + static_cast<ptrdiff_t>(kept), items.get());
  return Term(Value(Entries{std::move(items), kept}));
}

const Term* Term::Find(const Term& key) const {
  const std::span<const MapEntry> entries = map();
  const auto found = std::lower_bound(entries.begin(), entries.end(), MapEntry{key, {}}, KeyLess);
  return found != entries.end() && found->key == key ? &found->value : nullptr;
}

size_t Term::Hash() const {
  const size_t seed = static_cast<size_t>(kind()) * 0x9e3779b97f4a7c15ull;
  switch (kind()) {
    case Kind::kNil:
      return seed;
    case Kind::kInteger:
      return seed ^ std::hash<int64_t>()(*AsInt());
    case Kind::kFloat:
      return seed ^ (std::hash<double>()(float_value()) + std::signbit(float_value()));
    case Kind::kAtom:
      return seed ^ std::hash<std::string_view>()(atom());
    case Kind::kBinary:
      return seed ^ HashBytes(binary());
    case Kind::kTuple:
      return HashAll(seed, tuple());
    case Kind::kList:
      return HashAll(seed, list()) ^ tail().Hash();
    case Kind::kMap: {
      size_t hash = seed;
      for (const MapEntry& entry : map())
        hash = hash * 31 + entry.key.Hash() * 17 + entry.value.Hash();
      return hash;
    }
    case Kind::kPid:
      return seed ^ IdentifierHash()(pid());
    case Kind::kPort:
      return seed ^ IdentifierHash()(port());
    case Kind::kReference:
      return seed ^ IdentifierHash()(reference());
    case Kind::kBigInteger:
      return seed ^ (HashBytes(big_integer().magnitude) + big_integer().is_negative);
    case Kind::kBitString:
      return seed ^ (HashBytes(bit_string().bytes) + bit_string().last_bits);
    case Kind::kExport:
      return seed ^ std::hash<std::string_view>()(export_fun().function.view());
    case Kind::kFun:
      return HashAll(seed ^ std::hash<std::string_view>()(fun().module.view()),
                     fun().free_variables);
  }
  return seed;
}

}  // namespace noded::dist
