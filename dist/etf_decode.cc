#include <bit>
#include <charconv>
#include <cmath>
#include <optional>
#include <string>
#include <utility>

#include "base/byte_reader.h"
#include "base/status.h"
#include "dist/etf.h"
#include "dist/etf_tags.h"
#include "dist/inflate.h"
#include "dist/utf8.h"
#include "fmt/format.h"

namespace noded::dist {
namespace {

// Reads one term. The first failure is kept and ends everything: each function then returns an
// empty value, and its caller looks at failed() before it goes on with a loop.
class Decoder {
 public:
  Decoder(const base::Slice& bytes, size_t offset, std::span<const Term> atoms,
          const base::Limits& limits)
      : bytes_(bytes), in_(bytes.view()), atoms_(atoms), limits_(limits) {
    in_.Skip(offset);
  }

  Term ReadTerm(int depth);
  // 131 and a term that may be compressed.
  Term ReadVersionedTerm();

  size_t position() const { return in_.position(); }
  bool failed() const { return !status_.ok() || !in_.ok(); }
  absl::Status status() const;

 private:
  Term ReadBig(size_t size);
  Term ReadTextFloat();
  Term ReadFloat();
  AtomName ReadLatin1(size_t size);
  AtomName ReadUtf8(size_t size);
  AtomName ReadCached();
  AtomName ReadAtom() { return ReadAtom(in_.U8()); }
  AtomName ReadAtom(uint8_t tag);
  Term ReadBinary();
  Term ReadBitString();
  Term ReadString();
  // What calls itself is not inlined: each level of a deep term costs small frames only.
  [[gnu::noinline]] Term ReadList(int depth);
  [[gnu::noinline]] Term ReadLongerList(std::shared_ptr<Term[]> cells, size_t count, int depth);
  [[gnu::noinline]] Term ReadTuple(size_t arity, int depth);
  [[gnu::noinline]] Term ReadMap(int depth);
  [[gnu::noinline]] Term ReadFun(int depth);
  [[gnu::noinline]] Term ReadLeaf(uint8_t tag);
  Term ReadPid(Tag tag);
  Term ReadPort(Tag tag);
  Term ReadReference(Tag tag);
  Term ReadExport();
  Term ReadCompressed();
  uint32_t ReadCreation(bool is_old);

  // Whether `count` elements of at least `bytes_each` bytes can still come. Every element has a
  // byte of its own, so that all counts of a term together cannot exceed its bytes: no nest of big
  // claims.
  [[gnu::noinline]] bool Claim(uint64_t count, uint64_t bytes_each);
  Term Fail(std::string_view what, std::string_view mend = "", std::string_view reason = "");
  Term FailLimit(std::string_view what, std::string_view mend);
  [[gnu::noinline]] Term FailDepth();
  Term RefuseTag(uint8_t tag);

  base::Slice Share(size_t size) {
    const size_t start = in_.position();
    in_.Skip(size);
    return in_.ok() ? bytes_.Sub(start, size) : base::Slice();
  }

  const base::Slice& bytes_;
  base::ByteReader in_;
  std::span<const Term> atoms_;
  const base::Limits& limits_;
  uint64_t claimed_ = 0;
  absl::Status status_;
};

absl::Status Decoder::status() const {
  if (!status_.ok() || in_.ok()) return status_;
  return base::Error(absl::StatusCode::kDataLoss,
                     fmt::format("term of {} bytes: ends before it is complete", bytes_.size()), "",
                     "badarg");
}

Term Decoder::Fail(std::string_view what, std::string_view mend, std::string_view reason) {
  if (status_.ok() && in_.ok()) {
    status_ = base::Error(absl::StatusCode::kDataLoss,
                          fmt::format("term, before byte {}: {}", in_.position(), what), mend,
                          reason.empty() ? "badarg" : reason);
  }
  return Term();
}

Term Decoder::FailLimit(std::string_view what, std::string_view mend) {
  if (status_.ok() && in_.ok()) {
    status_ = base::Error(absl::StatusCode::kResourceExhausted,
                          fmt::format("term, before byte {}: {}", in_.position(), what), mend,
                          "system_limit");
  }
  return Term();
}

Term Decoder::FailDepth() {
  return FailLimit(fmt::format("nested deeper than {}", limits_.max_term_depth),
                   "send a flatter term, or a binary of the term");
}

bool Decoder::Claim(uint64_t count, uint64_t bytes_each) {
  claimed_ += count;
  if (count > in_.remaining() / bytes_each || claimed_ > bytes_.size()) {
    Fail(fmt::format("claims {} elements, {} bytes are left", count, in_.remaining()));
  } else if (claimed_ > limits_.max_term_elements) {
    FailLimit(fmt::format("more than {} elements", limits_.max_term_elements),
              "send it in parts or as a binary");
  }
  return !failed();
}

Term Decoder::RefuseTag(uint8_t tag) {
  const std::string_view why = WhyRefused(static_cast<Tag>(tag));
  if (!why.empty()) return Fail(fmt::format("tag {} {}", tag, why), "", "unsupported_term");
  return Fail(fmt::format("tag {} is not known here", tag),
              "the peer may be newer than OTP 28: send tuples, maps or binaries instead of what is "
              "new there, such as native records",
              "unsupported_term");
}

// Numbers.

Term Decoder::ReadBig(size_t size) {
  const bool is_negative = in_.U8() != 0;
  return Term::Big(is_negative, Share(size));
}

Term Decoder::ReadTextFloat() {
  constexpr size_t kFieldBytes = 31;
  std::string_view text = base::AsText(in_.Bytes(kFieldBytes));
  text = text.substr(0, text.find('\0'));
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) {
    return Fail("tag 99 (FLOAT_EXT) without a finite number");
  }
  return Term::Float(value);
}

Term Decoder::ReadFloat() {
  const double value = std::bit_cast<double>(in_.U64());
  if (!std::isfinite(value)) return Fail("a float that is not finite");
  return Term::Float(value);
}

// Atoms.

AtomName Decoder::ReadLatin1(size_t size) {
  const base::ByteView bytes = in_.Bytes(size);
  if (size > AtomName::kMaxCharacters) Fail("an atom of more than 255 characters");
  if (failed()) return {};
  std::string name;
  for (uint8_t byte : bytes) AppendUtf8(byte, name);
  return name;
}

AtomName Decoder::ReadUtf8(size_t size) {
  const std::string_view name = base::AsText(in_.Bytes(size));
  const std::optional<size_t> length = Utf8Length(name);
  if (!length) Fail("an atom that is not UTF-8");
  if (length > AtomName::kMaxCharacters) Fail("an atom of more than 255 characters");
  if (failed()) return {};
  return name;
}

AtomName Decoder::ReadCached() {
  const size_t index = in_.U8();
  if (index >= atoms_.size()) {
    Fail(fmt::format("refers to atom {} of a header that has {}", index, atoms_.size()));
  }
  if (failed()) return {};
  return atoms_[index].atom_name();
}

AtomName Decoder::ReadAtom(uint8_t tag) {
  switch (static_cast<Tag>(tag)) {
    case Tag::kAtomCacheRef:
      return ReadCached();
    case Tag::kSmallAtomUtf8:
      return ReadUtf8(in_.U8());
    case Tag::kAtomUtf8:
      return ReadUtf8(in_.U16());
    case Tag::kSmallAtom:
      return ReadLatin1(in_.U8());
    case Tag::kAtom:
      return ReadLatin1(in_.U16());
    default:
      Fail(fmt::format("tag {} where an atom must stand", tag));
      return {};
  }
}

// Bytes and containers.

Term Decoder::ReadBinary() {
  const uint32_t size = in_.U32();
  return Term::Binary(Share(size));
}

Term Decoder::ReadBitString() {
  const uint32_t size = in_.U32();
  const uint8_t last_bits = in_.U8();
  if (last_bits > 8 || (size == 0) != (last_bits == 0)) {
    return Fail(fmt::format("a bit string of {} bytes with {} bits in the last", size, last_bits));
  }
  return Term::BitString(Share(size), last_bits);
}

Term Decoder::ReadString() {
  const size_t count = in_.U16();
  if (!Claim(count, 1)) return Term();
  const base::ByteView bytes = in_.Bytes(count);
  auto cells = std::make_shared<Term[]>(count + 1);
  for (size_t i = 0; i < count; ++i) cells[i] = Term::Int(bytes[i]);
  return Term::List(std::move(cells), count);
}

Term Decoder::ReadList(int depth) {
  const size_t count = in_.U32();
  if (!Claim(count, 1)) return Term();
  auto cells = std::make_shared<Term[]>(count + 1);
  for (size_t i = 0; i < count && !failed(); ++i) cells[i] = ReadTerm(depth + 1);
  if (failed()) return Term();
  if (in_.Peek() == static_cast<uint8_t>(Tag::kList)) {
    return ReadLongerList(std::move(cells), count, depth);
  }
  cells[count] = ReadTerm(depth + 1);
  return Term::List(std::move(cells), count);
}

// A list whose tail is another LIST_EXT, which may go on for long: gathered in a loop, not by
// recursion.
Term Decoder::ReadLongerList(std::shared_ptr<Term[]> cells, size_t count, int depth) {
  std::vector<Term> elements(std::move_iterator(cells.get()),
                             std::move_iterator(cells.get() + count));
  while (in_.Peek() == static_cast<uint8_t>(Tag::kList)) {
    in_.Skip(1);
    const size_t more = in_.U32();
    if (!Claim(more, 1)) return Term();
    for (size_t i = 0; i < more && !failed(); ++i) elements.push_back(ReadTerm(depth + 1));
    if (failed()) return Term();
  }
  Term tail = ReadTerm(depth + 1);
  return Term::List(std::move(elements), std::move(tail));
}

Term Decoder::ReadTuple(size_t arity, int depth) {
  if (!Claim(arity, 1)) return Term();
  if (arity == 0) return Term::Tuple({});
  auto elements = std::make_shared<Term[]>(arity);
  for (size_t i = 0; i < arity && !failed(); ++i) elements[i] = ReadTerm(depth + 1);
  return Term::Tuple(std::move(elements), arity);
}

Term Decoder::ReadMap(int depth) {
  const size_t count = in_.U32();
  if (!Claim(2 * uint64_t{count}, 1)) return Term();
  std::vector<MapEntry> entries(count);
  for (MapEntry& entry : entries) {
    entry.key = ReadTerm(depth + 1);
    entry.value = ReadTerm(depth + 1);
    if (failed()) return Term();
  }
  Term map = Term::Map(std::move(entries));
  return map.map().size() == count ? map : Fail("a map with the same key twice");
}

// Identifiers and funs.

// Old identifiers carry the two lowest bits of the creation in a byte.
uint32_t Decoder::ReadCreation(bool is_old) { return is_old ? in_.U8() & 3 : in_.U32(); }

Term Decoder::ReadPid(Tag tag) {
  Pid pid;
  pid.node = ReadAtom();
  pid.id = in_.U32();
  pid.serial = in_.U32();
  pid.creation = ReadCreation(tag == Tag::kPid);
  return Term::FromPid(std::move(pid));
}

Term Decoder::ReadPort(Tag tag) {
  Port port;
  port.node = ReadAtom();
  port.id = tag == Tag::kV4Port ? in_.U64() : in_.U32();
  port.creation = ReadCreation(tag == Tag::kPort);
  return Term::FromPort(std::move(port));
}

Term Decoder::ReadReference(Tag tag) {
  const size_t count = tag == Tag::kReference ? 1 : in_.U16();
  if (count == 0 || count > Reference::kMaxIds) {
    return Fail(fmt::format("a reference of {} words; it may have 1 to 5", count));
  }
  Reference reference;
  reference.node = ReadAtom();
  reference.id_count = static_cast<uint8_t>(count);
  if (tag == Tag::kReference) {
    reference.id_words[0] = in_.U32();
    reference.creation = ReadCreation(true);
    return Term::FromReference(std::move(reference));
  }
  reference.creation = ReadCreation(tag == Tag::kNewReference);
  for (size_t i = 0; i < count; ++i) reference.id_words[i] = in_.U32();
  return Term::FromReference(std::move(reference));
}

Term Decoder::ReadExport() {
  Export result;
  result.module = ReadAtom();
  result.function = ReadAtom();
  if (in_.U8() != static_cast<uint8_t>(Tag::kSmallInteger)) {
    return Fail("tag 113 (EXPORT_EXT) whose arity is not a small integer");
  }
  result.arity = in_.U8();
  return Term::FromExport(std::move(result));
}

Term Decoder::ReadFun(int depth) {
  const size_t start = in_.position();
  const uint32_t size = in_.U32();
  Fun fun;
  fun.arity = in_.U8();
  const base::ByteView uniq = in_.Bytes(fun.uniq.size());
  std::copy(uniq.begin(), uniq.end(), fun.uniq.begin());
  fun.index = in_.U32();
  const uint32_t free_count = in_.U32();
  fun.module = ReadAtom();
  fun.old_index = ReadTerm(depth + 1);
  fun.old_uniq = ReadTerm(depth + 1);
  fun.creator = ReadTerm(depth + 1);
  if (!fun.old_index.is_integer() || !fun.old_uniq.is_integer() || !fun.creator.is_pid()) {
    return Fail("tag 112 (NEW_FUN_EXT) with fields of the wrong kind");
  }
  if (!Claim(free_count, 1)) return Term();
  fun.free_variables.resize(free_count);
  for (Term& variable : fun.free_variables) {
    variable = ReadTerm(depth + 1);
    if (failed()) return Term();
  }
  if (in_.position() - start != size) {
    return Fail(fmt::format("tag 112 (NEW_FUN_EXT) that says {} bytes and has {}", size,
                            in_.position() - start));
  }
  return Term::FromFun(std::move(fun));
}

// Any term.

Term Decoder::ReadTerm(int depth) {
  if (depth > limits_.max_term_depth) return FailDepth();
  const uint8_t tag = in_.U8();
  switch (static_cast<Tag>(tag)) {
    case Tag::kList:
      return ReadList(depth);
    case Tag::kSmallTuple:
      return ReadTuple(in_.U8(), depth);
    case Tag::kLargeTuple:
      return ReadTuple(in_.U32(), depth);
    case Tag::kMap:
      return ReadMap(depth);
    case Tag::kNewFun:
      return ReadFun(depth);
    default:
      return ReadLeaf(tag);
  }
}

// A term without terms inside.
Term Decoder::ReadLeaf(uint8_t tag) {
  switch (static_cast<Tag>(tag)) {
    case Tag::kSmallInteger:
      return Term::Int(in_.U8());
    case Tag::kInteger:
      return Term::Int(static_cast<int32_t>(in_.U32()));
    case Tag::kSmallBig:
      return ReadBig(in_.U8());
    case Tag::kLargeBig:
      return ReadBig(in_.U32());
    case Tag::kFloat:
      return ReadTextFloat();
    case Tag::kNewFloat:
      return ReadFloat();
    case Tag::kAtomCacheRef:
    case Tag::kSmallAtomUtf8:
    case Tag::kAtomUtf8:
    case Tag::kSmallAtom:
    case Tag::kAtom:
      return Term::Atom(ReadAtom(tag));
    case Tag::kBinary:
      return ReadBinary();
    case Tag::kBitBinary:
      return ReadBitString();
    case Tag::kNil:
      return Term::Nil();
    case Tag::kString:
      return ReadString();
    case Tag::kPid:
    case Tag::kNewPid:
      return ReadPid(static_cast<Tag>(tag));
    case Tag::kPort:
    case Tag::kNewPort:
    case Tag::kV4Port:
      return ReadPort(static_cast<Tag>(tag));
    case Tag::kReference:
    case Tag::kNewReference:
    case Tag::kNewerReference:
      return ReadReference(static_cast<Tag>(tag));
    case Tag::kExport:
      return ReadExport();
    default:
      return in_.ok() ? RefuseTag(tag) : Term();
  }
}

Term Decoder::ReadVersionedTerm() {
  const uint8_t version = in_.U8();
  if (version != kVersionMagic) {
    return Fail(fmt::format("begins with byte {} instead of 131, the format's version", version));
  }
  if (in_.Peek() != static_cast<uint8_t>(Tag::kCompressed)) return ReadTerm(0);
  in_.Skip(1);
  return ReadCompressed();
}

Term Decoder::ReadCompressed() {
  const uint64_t size = in_.U32();
  if (failed()) return Term();
  if (size > limits_.max_uncompressed_bytes) {
    return FailLimit(
        fmt::format("unpacks to {} bytes, more than {}", size, limits_.max_uncompressed_bytes),
        "send it without compression or in parts");
  }
  const size_t start = in_.position();
  absl::StatusOr<Inflated> unpacked = Inflate(bytes_.view().subspan(start), size);
  if (!unpacked.ok()) {
    status_ = unpacked.status();
    return Term();
  }
  Decoder inner(unpacked->bytes, 0, atoms_, limits_);
  Term term = inner.ReadTerm(0);
  if (inner.failed()) {
    status_ = base::Annotate(inner.status(), "compressed term");
  } else if (inner.position() != unpacked->bytes.size()) {
    return Fail("a compressed term with bytes behind its end");
  }
  in_.Skip(unpacked->packed_size);
  return term;
}

absl::StatusOr<DecodedTerm> Finish(const Decoder& decoder, Term term, size_t offset) {
  if (decoder.failed()) return decoder.status();
  return DecodedTerm{std::move(term), decoder.position() - offset};
}

}  // namespace

absl::StatusOr<DecodedTerm> DecodeBareTermAt(const base::Slice& bytes, size_t offset,
                                             std::span<const Term> atoms,
                                             const base::Limits& limits) {
  Decoder decoder(bytes, offset, atoms, limits);
  Term term = decoder.ReadTerm(0);
  return Finish(decoder, std::move(term), offset);
}

absl::StatusOr<DecodedTerm> DecodeTermAt(const base::Slice& bytes, size_t offset,
                                         const base::Limits& limits) {
  Decoder decoder(bytes, offset, {}, limits);
  Term term = decoder.ReadVersionedTerm();
  return Finish(decoder, std::move(term), offset);
}

absl::StatusOr<Term> DecodeTerm(const base::Slice& bytes, const base::Limits& limits) {
  ASSIGN_OR_RETURN(DecodedTerm decoded, DecodeTermAt(bytes, 0, limits));
  if (decoded.size != bytes.size()) {
    return base::Error(absl::StatusCode::kDataLoss,
                       fmt::format("term of {} bytes: {} more bytes follow it", decoded.size,
                                   bytes.size() - decoded.size),
                       "", "badarg");
  }
  return std::move(decoded.term);
}

}  // namespace noded::dist
