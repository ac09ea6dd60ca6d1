#include "dist/atom_cache_writer.h"

#include <array>
#include <string_view>

#include "dist/atom_cache.h"
#include "dist/atom_cache_format.h"

namespace noded::dist {
namespace {

// The last segment is for WriteAlone().
constexpr size_t kSharedSegments = AtomCache::kSegments - 1;

// Where an atom stands in the peer's cache, and whether it is to be put there.
struct Place {
  uint8_t segment = 0;
  uint8_t index = 0;
  bool is_new = false;
};

// FNV-1a.
uint32_t HashOf(std::string_view text) {
  uint32_t hash = 2166136261;
  for (const char c : text) hash = (hash ^ static_cast<uint8_t>(c)) * 16777619;
  return hash;
}

void WriteReferences(const AtomTable& table, const std::array<Place, AtomTable::kMaxAtoms>& places,
                     base::ByteWriter& out) {
  const std::vector<AtomName>& atoms = table.atoms();
  const size_t count = atoms.size();
  out.U8(static_cast<uint8_t>(count));
  if (count == 0) return;
  bool is_long = false;
  for (size_t i = 0; i < count; ++i) is_long |= places[i].is_new && atoms[i].view().size() > 255;
  std::array<uint8_t, AtomTable::kMaxAtoms / 2 + 1> flags{};
  const auto set = [&flags](size_t index, uint8_t half) {
    flags[index / 2] |= static_cast<uint8_t>(index % 2 == 0 ? half : half << 4);
  };
  for (size_t i = 0; i < count; ++i) {
    set(i, static_cast<uint8_t>((places[i].is_new ? kNewEntry : 0) | places[i].segment));
  }
  set(count, is_long ? kLongAtoms : 0);
  out.Bytes(base::ByteView(flags.data(), count / 2 + 1));
  for (size_t i = 0; i < count; ++i) {
    out.U8(places[i].index);
    if (!places[i].is_new) continue;
    const std::string_view text = atoms[i].view();
    if (is_long) {
      out.U16(static_cast<uint16_t>(text.size()));
    } else {
      out.U8(static_cast<uint8_t>(text.size()));
    }
    out.Bytes(text);
  }
}

}  // namespace

void AtomCacheWriter::Write(const AtomTable& table, base::ByteWriter& out) {
  std::array<Place, AtomTable::kMaxAtoms> places;
  const std::vector<AtomName>& atoms = table.atoms();
  if (entries_.empty() && !atoms.empty()) {
    entries_.resize(kSharedSegments * AtomCache::kSegmentSize);
  }
  for (size_t i = 0; i < atoms.size(); ++i) {
    const size_t slot = HashOf(atoms[i].view()) % entries_.size();
    places[i] = {static_cast<uint8_t>(slot / AtomCache::kSegmentSize),
                 static_cast<uint8_t>(slot % AtomCache::kSegmentSize), entries_[slot] != atoms[i]};
    entries_[slot] = atoms[i];
  }
  WriteReferences(table, places, out);
}

void AtomCacheWriter::WriteAlone(const AtomTable& table, base::ByteWriter& out) {
  std::array<Place, AtomTable::kMaxAtoms> places;
  for (size_t i = 0; i < table.atoms().size(); ++i) {
    places[i] = {kSharedSegments, static_cast<uint8_t>(i), true};
  }
  WriteReferences(table, places, out);
}

}  // namespace noded::dist
