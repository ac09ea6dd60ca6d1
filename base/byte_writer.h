// Writes big-endian fields one after the other: the counterpart of ByteReader.
//
//   ByteWriter out;
//   out.U16(name.size());
//   out.Bytes(name);
//   out.Shared(payload);            // a large slice is linked in, not copied
//   Buffer message = out.Take();
//
// Not thread-safe.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/buffer.h"
#include "base/bytes.h"

namespace noded::base {

class ByteWriter {
 public:
  void U8(uint8_t value) { Integer(value, 1); }
  void U16(uint16_t value) { Integer(value, 2); }
  void U32(uint32_t value) { Integer(value, 4); }
  void U64(uint64_t value) { Integer(value, 8); }
  void Bytes(ByteView bytes) { buffer_.Append(bytes); }
  void Bytes(std::string_view text) { buffer_.Append(AsBytes(text)); }
  void Shared(Slice slice) { buffer_.Append(std::move(slice)); }
  void Append(Buffer other) { buffer_.Append(std::move(other)); }

  size_t size() const { return buffer_.size(); }
  Buffer Take() { return std::move(buffer_); }

 private:
  void Integer(uint64_t value, int width) {
    uint8_t bytes[8];
    for (int i = 0; i < width; ++i) bytes[i] = static_cast<uint8_t>(value >> (8 * (width - 1 - i)));
    buffer_.Append(ByteView(bytes, width));
  }

  Buffer buffer_;
};

}  // namespace noded::base
