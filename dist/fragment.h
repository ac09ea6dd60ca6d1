// Large messages in pieces: puts received fragments together, and cuts what is to be sent.
//
//   FragmentAssembler assembler(limits);
//   ASSIGN_OR_RETURN(std::optional<Assembled> whole, assembler.Add(header, body));   // none: more
//
//   for (base::Buffer& packet : SplitIntoFragments(control_bytes, payload_bytes, id)) ...
//
// Not thread-safe. Errors end the link: DataLoss (a fragment out of turn), ResourceExhausted (more
// than limits.max_fragment_sequences open, more than limits.max_fragmented_bytes in all of them).
// Source: OTP "External Term Format", Distribution Header for fragmented messages.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>
#include <vector>

#include "absl/status/statusor.h"
#include "base/buffer.h"
#include "base/bytes.h"
#include "base/limits.h"
#include "dist/atom_cache.h"
#include "dist/atom_cache_writer.h"
#include "dist/term.h"

namespace noded::dist {

struct Assembled {
  base::Slice bytes;        // control message and payload
  std::vector<Term> atoms;  // of the first fragment's header
};

class FragmentAssembler {
 public:
  explicit FragmentAssembler(const base::Limits& limits)
      : max_sequences_(limits.max_fragment_sequences), max_bytes_(limits.max_fragmented_bytes) {}

  // `body` is what stands behind the header.
  absl::StatusOr<std::optional<Assembled>> Add(DistHeader header, const base::Slice& body);

  size_t open_sequences() const { return open_.size(); }
  uint64_t open_bytes() const { return open_bytes_; }

 private:
  struct Sequence {
    uint64_t last_id = 0;  // of the latest fragment; the next one is smaller by one
    std::vector<Term> atoms;
    base::Buffer bytes;
  };

  // Smaller pieces are copied: each would hold a whole read block alive.
  static constexpr size_t kShareFrom = 4096;

  const size_t max_sequences_;
  const uint64_t max_bytes_;
  uint64_t open_bytes_ = 0;
  std::unordered_map<uint64_t, Sequence> open_;
};

// OTP's size of a fragment; a payload that is larger is sent in pieces of this size.
inline constexpr size_t kFragmentBytes = 64 * 1024;

// Framed packets. The first holds the whole control message.
std::deque<base::Buffer> SplitIntoFragments(base::Buffer control, base::Buffer payload,
                                            uint64_t sequence_id, const AtomTable& atoms);

}  // namespace noded::dist
