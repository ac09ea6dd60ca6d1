// The atoms of what we send: named once in the header of a packet, or in an earlier one, and then
// by number.
//
//   AtomTable atoms;                                   // of one message
//   EncodeBareTerm(control, head, &atoms);
//   EncodeBareTerm(payload, tail, &atoms);
//   AtomCacheWriter cache;                             // one a link
//   EncodePlainHeader(out); cache.Write(atoms, out);   // then head and tail
//
// The peer's cache changes in the order in which packets arrive, so Write() is for a packet that
// goes out behind all that were written before; WriteAlone() is for one that may be overtaken, such
// as a fragment: what it puts into the cache nobody else relies on. An atom is put where its hash
// says, in the place of what was there. Not thread-safe. Source: OTP "External Term Format",
// Distribution Header; erts/emulator/beam/external.c for the order in which a reader takes entries.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/byte_writer.h"
#include "dist/atom_name.h"
#include "dist/atom_table.h"

namespace noded::dist {

class AtomCacheWriter {
 public:
  // How long Write() and WriteAlone() may be at most.
  static constexpr size_t kMaxBytes =
      1 + AtomTable::kMaxAtoms / 2 + 1 + AtomTable::kMaxAtoms * (1 + 2 + AtomName::kMaxBytes);

  void Write(const AtomTable& table, base::ByteWriter& out);
  static void WriteAlone(const AtomTable& table, base::ByteWriter& out);

 private:
  // None where nothing was put; empty before the first atom.
  std::vector<std::optional<AtomName>> entries_;
};

}  // namespace noded::dist
