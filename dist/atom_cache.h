// The distribution header: the atoms of a packet, named once and then by number.
//
//   AtomCache cache;                                          // one a link and direction
//   ASSIGN_OR_RETURN(DistHeader header, cache.Read(packet));
//   DecodeBareTermAt(packet, header.size, header.atoms, limits);
//
// What we send: dist/atom_cache_writer.h.
// Errors of Read: DataLoss; the cache is then out of step with the peer and the link must be
// closed. Not thread-safe. Source: OTP "External Term Format", Distribution Header.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "base/byte_reader.h"
#include "base/byte_writer.h"
#include "base/bytes.h"
#include "dist/term.h"

namespace noded::dist {

inline constexpr uint8_t kDistHeader = 68;
inline constexpr uint8_t kFirstFragment = 69;
inline constexpr uint8_t kNextFragment = 70;
inline constexpr uint8_t kPassThrough = 112;

struct DistHeader {
  uint8_t kind = kDistHeader;  // or kFirstFragment, kNextFragment
  uint64_t sequence_id = 0;    // of a fragment
  uint64_t fragment_id = 0;    // counts down to 1
  std::vector<Term> atoms;     // by the number that ATOM_CACHE_REF uses; none in kNextFragment
  size_t size = 0;             // of the header: what follows begins here

  bool is_fragment() const { return kind != kDistHeader; }
};

class AtomCache {
 public:
  static constexpr size_t kSegments = 8;
  static constexpr size_t kSegmentSize = 256;

  // `packet` begins with 131 and 68, 69 or 70.
  absl::StatusOr<DistHeader> Read(base::ByteView packet);

 private:
  absl::Status ReadAtoms(base::ByteReader& in, std::vector<Term>& atoms);

  std::vector<Term> entries_;  // [] where nothing was put; empty before the first atom
};

// 131 and 68; the atoms follow (AtomCacheWriter).
void EncodePlainHeader(base::ByteWriter& out);
// 131 and 69, behind which the atoms follow, or 131 and 70.
void EncodeFragmentHeader(bool is_first, uint64_t sequence_id, uint64_t fragment_id,
                          base::ByteWriter& out);

}  // namespace noded::dist
