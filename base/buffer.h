// A queue of bytes held as a chain of slices: small pieces are copied into a growing block, large
// ones are shared, so a payload passes through without a copy.
//
//   Buffer out;
//   out.Append(header_bytes);            // copied
//   out.Append(std::move(payload));      // shared when it is a large Slice
//   for (const Slice& piece : out.pieces()) ...gather...
//   out.Consume(written);
//
// Not thread-safe; a Buffer may be moved to another thread.
#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace noded::base {

class Buffer {
 public:
  // Slices below this size are copied: a piece of its own costs more than the copy.
  static constexpr size_t kShareFrom = 512;

  Buffer() = default;
  Buffer(Buffer&&) noexcept;
  Buffer& operator=(Buffer&&) noexcept;
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  void Append(ByteView bytes);
  void Append(std::string_view text) { Append(AsBytes(text)); }
  void Append(Slice slice);
  void Append(Buffer other);

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  // The content in order. Valid until the next call that changes the buffer.
  const std::deque<Slice>& pieces();

  // Drops `count` bytes from the front; all of them when fewer are there.
  void Consume(size_t count);
  void Clear();

  // The whole content in one piece: shared when it already is one, else copied together.
  Slice ToSlice();
  std::string ToString();

 private:
  void Seal();

  std::deque<Slice> pieces_;
  std::vector<uint8_t> tail_;  // small appends gather here until somebody looks
  size_t size_ = 0;
};

}  // namespace noded::base
