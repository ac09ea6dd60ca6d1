// Cuts a stream of plaintext into what a receiver asked for: so many bytes, or packets by the
// option `packet` of Erlang's sockets. And puts the header before a packet that is sent.
//
//   PacketReader reader;
//   reader.SetMode(Packet::k2, 0);
//   reader.Feed(bytes);                            // one byte at a time is fine
//   auto packet = reader.Peek();                   // value, none (needs more) or error
//   if (packet.ok() && *packet) reader.Drop();     // taken: the next Peek gives the next one
//   auto framed = FramePacket(Packet::k2, std::move(body));
//
// Sans-IO; not thread-safe. What is fed is shared when large, small pieces are copied together;
// what Peek gives is shared when it lies in one piece. Errors of Peek: DataLoss (invalid_packet)
// for a packet above its limit, and the reader stays there; of FramePacket: InvalidArgument
// (einval), the body is longer than the header can say. Source: OTP, inet(3), option packet;
// erlang:decode_packet.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/limits.h"

namespace noded::tls {

enum class Packet {
  kRaw,   // `raw`, `0`: bytes without bounds
  k1,     // a length of 1, 2 or 4 bytes, big-endian, then so many bytes
  k2,     //
  k4,     //
  kLine,  // up to and with a newline
};

// "raw", "1", "2", "4", "line".
const char* PacketName(Packet packet);

class PacketReader {
 public:
  explicit PacketReader(base::Limits limits = {}) : limits_(limits) {}

  // For what is read from now on, also of what is buffered. `packet_size`: the longest packet to be
  // taken; 0 means limits.max_ssl_packet_bytes, which bounds every other value too.
  void SetMode(Packet packet, size_t packet_size);
  Packet mode() const { return mode_; }
  size_t packet_size() const { return packet_size_; }

  void Feed(base::Slice bytes) { buffer_.Append(std::move(bytes)); }

  // kRaw: exactly `length` bytes, or with 0 what there is, at least one. Else the next packet
  // without its header (a line with its newline); `length` must be 0 then.
  absl::StatusOr<std::optional<base::Slice>> Peek(size_t length = 0);
  // Takes away what the last Peek gave; also when the mode has changed meanwhile.
  void Drop();

  // Bytes that nobody took.
  size_t size() const { return buffer_.size(); }
  base::Slice TakeAll();

 private:
  absl::StatusOr<std::optional<base::Slice>> PeekCounted(size_t header);
  absl::StatusOr<std::optional<base::Slice>> PeekLine();
  // The `size` bytes from `offset` on, which must be there.
  base::Slice Cut(size_t offset, size_t size);
  size_t limit() const;
  absl::Status TooLong(size_t size) const;

  const base::Limits limits_;
  Packet mode_ = Packet::kRaw;
  size_t packet_size_ = 0;
  base::Buffer buffer_;
  size_t peeked_ = 0;   // bytes that Drop() takes away
  size_t scanned_ = 0;  // bytes known to hold no newline
};

// `body` as it is sent.
absl::StatusOr<base::Buffer> FramePacket(Packet packet, base::Buffer body);

}  // namespace noded::tls
