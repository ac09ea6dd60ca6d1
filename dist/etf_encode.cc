#include <algorithm>
#include <array>
#include <bit>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "dist/atom_table.h"
#include "dist/etf.h"
#include "dist/etf_tags.h"

namespace noded::dist {
namespace {

// Where terms are written to: bytes, and the numbers of their atoms when there is a table.
class Sink {
 public:
  Sink(base::ByteWriter& bytes, AtomTable* atoms) : bytes_(bytes), atoms_(atoms) {}

  void U32(uint32_t value) { bytes_.U32(value); }
  void U64(uint64_t value) { bytes_.U64(value); }
  void Bytes(base::ByteView bytes) { bytes_.Bytes(bytes); }
  void Bytes(std::string_view text) { bytes_.Bytes(text); }
  void Shared(const base::Slice& slice) { bytes_.Shared(slice); }
  void Append(base::Buffer buffer) { bytes_.Append(std::move(buffer)); }
  AtomTable* atoms() const { return atoms_; }

 private:
  base::ByteWriter& bytes_;
  AtomTable* const atoms_;
};

// A tag and the few bytes behind it, appended in one go.
class Head {
 public:
  explicit Head(Tag tag) : bytes_{static_cast<uint8_t>(tag)} {}

  Head& U8(uint8_t value) { return Integer(value, 1); }
  Head& U16(size_t value) { return Integer(value, 2); }
  Head& U32(size_t value) { return Integer(value, 4); }
  Head& U64(uint64_t value) { return Integer(value, 8); }
  void AppendTo(Sink& out) const { out.Bytes(base::ByteView(bytes_.data(), size_)); }

 private:
  Head& Integer(uint64_t value, int width) {
    for (int i = width - 1; i >= 0; --i) bytes_[size_++] = static_cast<uint8_t>(value >> (8 * i));
    return *this;
  }

  std::array<uint8_t, 16> bytes_;
  size_t size_ = 1;
};

void Encode(const Term& term, Sink& out);

void EncodeAll(std::span<const Term> terms, Sink& out) {
  for (const Term& term : terms) Encode(term, out);
}

void EncodeInteger(int64_t value, Sink& out) {
  if (value >= 0 && value <= 255) {
    return Head(Tag::kSmallInteger).U8(static_cast<uint8_t>(value)).AppendTo(out);
  }
  if (value >= INT32_MIN && value <= INT32_MAX) {
    return Head(Tag::kInteger).U32(static_cast<uint32_t>(value)).AppendTo(out);
  }
  uint64_t magnitude = value < 0 ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
  const int size = (std::bit_width(magnitude) + 7) / 8;
  Head head(Tag::kSmallBig);
  head.U8(static_cast<uint8_t>(size)).U8(value < 0);
  for (int i = 0; i < size; ++i) head.U8(static_cast<uint8_t>(magnitude >> (8 * i)));
  head.AppendTo(out);
}

void EncodeBig(const BigInteger& value, Sink& out) {
  const size_t size = value.magnitude.size();
  if (size <= 255) {
    Head(Tag::kSmallBig).U8(static_cast<uint8_t>(size)).U8(value.is_negative).AppendTo(out);
  } else {
    Head(Tag::kLargeBig).U32(size).U8(value.is_negative).AppendTo(out);
  }
  out.Shared(value.magnitude);
}

void EncodeAtom(const AtomName& name, Sink& out) {
  if (out.atoms() != nullptr) {
    if (const std::optional<uint8_t> number = out.atoms()->NumberOf(name)) {
      return Head(Tag::kAtomCacheRef).U8(*number).AppendTo(out);
    }
  }
  const std::string_view text = name.view();
  if (text.size() <= 255) {
    Head(Tag::kSmallAtomUtf8).U8(static_cast<uint8_t>(text.size())).AppendTo(out);
  } else {
    Head(Tag::kAtomUtf8).U16(text.size()).AppendTo(out);
  }
  out.Bytes(text);
}

void EncodeBitString(const BitString& value, Sink& out) {
  Head(Tag::kBitBinary).U32(value.bytes.size()).U8(value.last_bits).AppendTo(out);
  out.Shared(value.bytes);
}

// The elements of a list that STRING_EXT can hold; none otherwise.
std::optional<std::vector<uint8_t>> BytesOf(const Term& list) {
  constexpr size_t kMaxStringBytes = 65535;
  const std::span<const Term> elements = list.list();
  if (elements.size() > kMaxStringBytes || !list.tail().is_nil()) return std::nullopt;
  std::vector<uint8_t> bytes;
  for (const Term& element : elements) {
    const std::optional<int64_t> value = element.AsInt();
    if (!value || *value < 0 || *value > 255) return std::nullopt;
    if (bytes.empty()) bytes.reserve(elements.size());
    bytes.push_back(static_cast<uint8_t>(*value));
  }
  return bytes;
}

[[gnu::noinline]] void EncodeList(const Term& list, Sink& out) {
  const std::span<const Term> elements = list.list();
  if (const std::optional<std::vector<uint8_t>> bytes = BytesOf(list)) {
    Head(Tag::kString).U16(bytes->size()).AppendTo(out);
    return out.Bytes(*bytes);
  }
  Head(Tag::kList).U32(elements.size()).AppendTo(out);
  EncodeAll(elements, out);
  Encode(list.tail(), out);
}

[[gnu::noinline]] void EncodeTuple(std::span<const Term> elements, Sink& out) {
  if (elements.size() <= 255) {
    Head(Tag::kSmallTuple).U8(static_cast<uint8_t>(elements.size())).AppendTo(out);
  } else {
    Head(Tag::kLargeTuple).U32(elements.size()).AppendTo(out);
  }
  EncodeAll(elements, out);
}

[[gnu::noinline]] void EncodeMap(std::span<const MapEntry> entries, Sink& out) {
  Head(Tag::kMap).U32(entries.size()).AppendTo(out);
  for (const MapEntry& entry : entries) {
    Encode(entry.key, out);
    Encode(entry.value, out);
  }
}

void EncodePid(const Pid& pid, Sink& out) {
  Head(Tag::kNewPid).AppendTo(out);
  EncodeAtom(pid.node, out);
  out.U32(pid.id);
  out.U32(pid.serial);
  out.U32(pid.creation);
}

// OTP writes V4_PORT_EXT only where the 28 bits of NEW_PORT_EXT are too few.
void EncodePort(const Port& port, Sink& out) {
  const bool is_large = port.id >> 28 != 0;
  Head(is_large ? Tag::kV4Port : Tag::kNewPort).AppendTo(out);
  EncodeAtom(port.node, out);
  if (is_large) {
    out.U64(port.id);
  } else {
    out.U32(static_cast<uint32_t>(port.id));
  }
  out.U32(port.creation);
}

void EncodeReference(const Reference& reference, Sink& out) {
  Head(Tag::kNewerReference).U16(reference.id_count).AppendTo(out);
  EncodeAtom(reference.node, out);
  out.U32(reference.creation);
  for (uint32_t id : reference.ids()) out.U32(id);
}

void EncodeExport(const Export& value, Sink& out) {
  Head(Tag::kExport).AppendTo(out);
  EncodeAtom(value.module, out);
  EncodeAtom(value.function, out);
  EncodeInteger(value.arity, out);
}

[[gnu::noinline]] void EncodeFun(const Fun& fun, Sink& out) {
  base::ByteWriter bytes;
  Sink body(bytes, out.atoms());
  EncodeAtom(fun.module, body);
  Encode(fun.old_index, body);
  Encode(fun.old_uniq, body);
  Encode(fun.creator, body);
  EncodeAll(fun.free_variables, body);
  // The size counts itself and the fields up to the module.
  const size_t size = 4 + 1 + fun.uniq.size() + 4 + 4 + bytes.size();
  Head(Tag::kNewFun).U32(size).U8(fun.arity).AppendTo(out);
  out.Bytes(fun.uniq);
  out.U32(fun.index);
  out.U32(static_cast<uint32_t>(fun.free_variables.size()));
  out.Append(bytes.Take());
}

// A term without terms inside.
[[gnu::noinline]] void EncodeLeaf(const Term& term, Sink& out) {
  switch (term.kind()) {
    case Kind::kNil:
      return Head(Tag::kNil).AppendTo(out);
    case Kind::kInteger:
      return EncodeInteger(*term.AsInt(), out);
    case Kind::kFloat:
      return Head(Tag::kNewFloat).U64(std::bit_cast<uint64_t>(term.float_value())).AppendTo(out);
    case Kind::kAtom:
      return EncodeAtom(term.atom_name(), out);
    case Kind::kBinary:
      Head(Tag::kBinary).U32(term.binary().size()).AppendTo(out);
      return out.Shared(term.binary());
    case Kind::kPid:
      return EncodePid(term.pid(), out);
    case Kind::kPort:
      return EncodePort(term.port(), out);
    case Kind::kReference:
      return EncodeReference(term.reference(), out);
    case Kind::kBigInteger:
      return EncodeBig(term.big_integer(), out);
    case Kind::kBitString:
      return EncodeBitString(term.bit_string(), out);
    case Kind::kExport:
      return EncodeExport(term.export_fun(), out);
    default:
      return;
  }
}

void Encode(const Term& term, Sink& out) {
  switch (term.kind()) {
    case Kind::kTuple:
      return EncodeTuple(term.tuple(), out);
    case Kind::kList:
      return EncodeList(term, out);
    case Kind::kMap:
      return EncodeMap(term.map(), out);
    case Kind::kFun:
      return EncodeFun(term.fun(), out);
    default:
      return EncodeLeaf(term, out);
  }
}

}  // namespace

void EncodeTerm(const Term& term, base::ByteWriter& out) {
  out.U8(kVersionMagic);
  EncodeBareTerm(term, out);
}

void EncodeBareTerm(const Term& term, base::ByteWriter& out, AtomTable* atoms) {
  Sink sink(out, atoms);
  Encode(term, sink);
}

base::Slice EncodeTerm(const Term& term) {
  base::ByteWriter out;
  EncodeTerm(term, out);
  return out.Take().ToSlice();
}

}  // namespace noded::dist
