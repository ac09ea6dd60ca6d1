#include "dist/packet.h"

#include <algorithm>
#include <utility>

#include "base/byte_writer.h"
#include "base/status.h"
#include "fmt/format.h"

namespace noded::dist {

void PacketReader::Feed(base::Slice bytes) {
  if (!bytes.empty()) input_.push_back(std::move(bytes));
}

// Gathers the four bytes; false while some are missing.
bool PacketReader::TakeLength() {
  while (length_bytes_ < static_cast<int>(kPacketHeaderBytes) && !input_.empty()) {
    base::Slice& front = input_.front();
    length_ = length_ << 8 | front.data()[0];
    ++length_bytes_;
    front = front.Sub(1);
    if (front.empty()) input_.pop_front();
  }
  return length_bytes_ == static_cast<int>(kPacketHeaderBytes);
}

absl::StatusOr<std::optional<base::Slice>> PacketReader::Next() {
  if (!TakeLength()) return std::optional<base::Slice>();
  if (length_ > max_bytes_) {
    return base::Error(absl::StatusCode::kResourceExhausted,
                       fmt::format("packet of {} bytes, more than {}", length_, max_bytes_),
                       "send large data in parts, or raise max_packet_bytes", "system_limit");
  }
  while (body_.size() < length_ && !input_.empty()) {
    base::Slice& front = input_.front();
    base::Slice piece = front.Sub(0, length_ - body_.size());
    front = front.Sub(piece.size());
    if (front.empty()) input_.pop_front();
    const bool is_whole = piece.size() == length_;
    if (is_whole || piece.size() >= kShareFrom) {
      body_.Append(std::move(piece));
    } else {
      body_.Append(piece.view());
    }
  }
  if (body_.size() < length_) return std::optional<base::Slice>();
  length_ = 0;
  length_bytes_ = 0;
  base::Slice packet = body_.ToSlice();
  body_.Clear();
  return std::optional(std::move(packet));
}

base::Buffer FramePacket(base::Buffer body) {
  base::ByteWriter out;
  out.U32(static_cast<uint32_t>(body.size()));
  out.Append(std::move(body));
  return out.Take();
}

}  // namespace noded::dist
