#include "tls/packet_mode.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>
#include <vector>

#include "fmt/format.h"

#include "base/byte_reader.h"
#include "base/status.h"

namespace noded::tls {
namespace {

using base::Slice;

// Bytes of the length before a packet.
size_t HeaderSize(Packet packet) {
  switch (packet) {
    case Packet::k1:
      return 1;
    case Packet::k2:
      return 2;
    case Packet::k4:
      return 4;
    case Packet::kRaw:
    case Packet::kLine:
      break;
  }
  return 0;
}

}  // namespace

const char* PacketName(Packet packet) {
  switch (packet) {
    case Packet::kRaw:
      return "raw";
    case Packet::k1:
      return "1";
    case Packet::k2:
      return "2";
    case Packet::k4:
      return "4";
    case Packet::kLine:
      break;
  }
  return "line";
}

void PacketReader::SetMode(Packet packet, size_t packet_size) {
  mode_ = packet;
  packet_size_ = packet_size;
  scanned_ = 0;
}

size_t PacketReader::limit() const {
  if (packet_size_ == 0) return limits_.max_ssl_packet_bytes;
  return std::min(packet_size_, limits_.max_ssl_packet_bytes);
}

absl::Status PacketReader::TooLong(size_t size) const {
  return base::Error(absl::StatusCode::kDataLoss,
                     fmt::format("packet mode {}: a packet of {} bytes or more, and {} are allowed",
                                 PacketName(mode_), size, limit()),
                     "check that the peer uses the same packet mode, or raise packet_size",
                     "invalid_packet");
}

Slice PacketReader::Cut(size_t offset, size_t size) {
  std::vector<uint8_t> together;
  for (const Slice& piece : buffer_.pieces()) {
    if (offset >= piece.size()) {
      offset -= piece.size();
      continue;
    }
    const Slice part = piece.Sub(offset, size - together.size());
    if (part.size() == size) return part;
    if (together.empty()) together.reserve(size);
    together.insert(together.end(), part.data(), part.data() + part.size());
    if (together.size() == size) break;
    offset = 0;
  }
  return Slice(std::move(together));
}

absl::StatusOr<std::optional<Slice>> PacketReader::Peek(size_t length) {
  peeked_ = 0;
  const size_t header = HeaderSize(mode_);
  if (header > 0) return PeekCounted(header);
  if (mode_ == Packet::kLine) return PeekLine();
  if (buffer_.empty() || buffer_.size() < length) return std::optional<Slice>();
  std::optional<Slice> bytes = length == 0 ? buffer_.pieces().front() : Cut(0, length);
  peeked_ = bytes->size();
  return bytes;
}

absl::StatusOr<std::optional<Slice>> PacketReader::PeekCounted(size_t header) {
  if (buffer_.size() < header) return std::optional<Slice>();
  const Slice bytes = Cut(0, header);
  base::ByteReader in(bytes);
  const size_t size = header == 1 ? in.U8() : header == 2 ? in.U16() : in.U32();
  if (size > limit()) return TooLong(size);
  if (buffer_.size() - header < size) return std::optional<Slice>();
  peeked_ = header + size;
  return std::optional<Slice>(Cut(header, size));
}

absl::StatusOr<std::optional<Slice>> PacketReader::PeekLine() {
  size_t start = 0;
  for (const Slice& piece : buffer_.pieces()) {
    const size_t end = start + piece.size();
    if (end > scanned_) {
      const size_t from = scanned_ - std::min(scanned_, start);
      const void* found = std::memchr(piece.data() + from, '\n', piece.size() - from);
      if (found != nullptr) {
        const auto in_piece = static_cast<const uint8_t*>(found) - piece.data();
        const size_t size = start + static_cast<size_t>(in_piece) + 1;
        if (size > limit()) return TooLong(size);
        scanned_ = size - 1;
        peeked_ = size;
        return std::optional<Slice>(Cut(0, size));
      }
      scanned_ = end;
    }
    start = end;
  }
  if (buffer_.size() > limit()) return TooLong(buffer_.size());
  return std::optional<Slice>();
}

void PacketReader::Drop() {
  buffer_.Consume(std::exchange(peeked_, 0));
  scanned_ = 0;
}

Slice PacketReader::TakeAll() {
  peeked_ = 0;
  scanned_ = 0;
  Slice all = buffer_.ToSlice();
  buffer_.Clear();
  return all;
}

absl::StatusOr<base::Buffer> FramePacket(Packet packet, base::Buffer body) {
  const size_t header = HeaderSize(packet);
  if (header == 0) return body;
  const uint64_t most = (uint64_t{1} << (8 * header)) - 1;
  if (body.size() > most) {
    return base::Error(absl::StatusCode::kInvalidArgument,
                       fmt::format("packet mode {}: {} bytes do not fit, at most {} do",
                                   PacketName(packet), body.size(), most),
                       "send less at once, or agree on a wider packet mode", "einval");
  }
  std::array<uint8_t, 4> length{};
  for (size_t i = 0; i < header; ++i) {
    length[i] = static_cast<uint8_t>(body.size() >> (8 * (header - 1 - i)));
  }
  base::Buffer framed;
  framed.Append(base::ByteView(length.data(), header));
  framed.Append(std::move(body));
  return framed;
}

}  // namespace noded::tls
