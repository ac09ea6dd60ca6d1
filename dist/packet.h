// Packets of a link: four bytes of length and that many bytes; an empty one is a tick.
//
//   PacketReader packets(limits);
//   packets.Feed(bytes);
//   ASSIGN_OR_RETURN(std::optional<base::Slice> packet, packets.Next());   // none: read more
//
//   base::Buffer out = FramePacket(std::move(body));
//
// A packet that arrived in one piece shares what was fed (a small one is copied). Memory grows with
// the bytes that came, not with the length that a peer claims. Not thread-safe. Errors:
// ResourceExhausted (a length above limits.max_packet_bytes); the link must be closed. Source: OTP
// "Distribution Protocol", Protocol between Connected Nodes.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "absl/status/statusor.h"
#include "base/buffer.h"
#include "base/bytes.h"
#include "base/limits.h"

namespace noded::dist {

class PacketReader {
 public:
  explicit PacketReader(const base::Limits& limits) : max_bytes_(limits.max_packet_bytes) {}

  void Feed(base::Slice bytes);
  absl::StatusOr<std::optional<base::Slice>> Next();

 private:
  // Pieces below this size are copied together: they would hold a whole read block alive each.
  static constexpr size_t kShareFrom = 4096;

  bool TakeLength();

  uint64_t max_bytes_;
  std::deque<base::Slice> input_;  // no empty slices
  uint32_t length_ = 0;
  int length_bytes_ = 0;  // of the length, how many have come
  base::Buffer body_;     // what came of a packet in pieces
};

inline constexpr size_t kPacketHeaderBytes = 4;
inline constexpr uint64_t kMaxPacketBytes = UINT32_MAX;

// `body` with its length in front; it must not be larger than kMaxPacketBytes.
base::Buffer FramePacket(base::Buffer body);

}  // namespace noded::dist
