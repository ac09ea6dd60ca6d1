#include "dist/atom_cache.h"

#include <string_view>

#include "base/status.h"
#include "dist/atom_cache_format.h"
#include "dist/etf_tags.h"
#include "dist/utf8.h"
#include "fmt/format.h"

namespace noded::dist {
namespace {

absl::Status BadHeader(std::string_view what) {
  return base::Error(absl::StatusCode::kDataLoss, fmt::format("distribution header: {}", what), "",
                     "bad_header");
}

uint8_t HalfByte(base::ByteView flags, size_t index) {
  return index % 2 == 0 ? flags[index / 2] & 15 : flags[index / 2] >> 4;
}

}  // namespace

absl::StatusOr<DistHeader> AtomCache::Read(base::ByteView packet) {
  base::ByteReader in(packet);
  DistHeader header;
  const uint8_t version = in.U8();
  header.kind = in.U8();
  if (!in.ok() || version != kVersionMagic || header.kind < kDistHeader ||
      header.kind > kNextFragment) {
    return BadHeader(
        fmt::format("begins with bytes {} and {}, not 131 and 68 to 70", version, header.kind));
  }
  if (header.is_fragment()) {
    header.sequence_id = in.U64();
    header.fragment_id = in.U64();
  }
  if (header.kind != kNextFragment) RETURN_IF_ERROR(ReadAtoms(in, header.atoms));
  if (!in.ok()) return BadHeader("ends before it is complete");
  header.size = in.position();
  return header;
}

absl::Status AtomCache::ReadAtoms(base::ByteReader& in, std::vector<Term>& atoms) {
  const size_t count = in.U8();
  if (count == 0) return absl::OkStatus();
  const base::ByteView flags = in.Bytes(count / 2 + 1);
  if (!in.ok()) return absl::OkStatus();  // Read() says so
  if (entries_.empty()) entries_.resize(kSegments * kSegmentSize);
  const bool is_long = (HalfByte(flags, count) & kLongAtoms) != 0;
  atoms.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    const uint8_t flag = HalfByte(flags, i);
    Term& entry = entries_[(flag & kSegment) * kSegmentSize + in.U8()];
    if (flag & kNewEntry) {
      const std::string_view name = base::AsText(in.Bytes(is_long ? in.U16() : in.U8()));
      if (!in.ok()) return absl::OkStatus();
      const std::optional<size_t> length = Utf8Length(name);
      if (!length || *length > AtomName::kMaxCharacters) {
        return BadHeader("an atom that is not UTF-8 or has more than 255 characters");
      }
      entry = Term::Atom(name);
    }
    if (!in.ok()) return absl::OkStatus();
    if (!entry.is_atom()) return BadHeader("refers to an atom that was never sent");
    atoms.push_back(entry);
  }
  return absl::OkStatus();
}

void EncodePlainHeader(base::ByteWriter& out) {
  out.U8(kVersionMagic);
  out.U8(kDistHeader);
}

void EncodeFragmentHeader(bool is_first, uint64_t sequence_id, uint64_t fragment_id,
                          base::ByteWriter& out) {
  out.U8(kVersionMagic);
  out.U8(is_first ? kFirstFragment : kNextFragment);
  out.U64(sequence_id);
  out.U64(fragment_id);
}

}  // namespace noded::dist
