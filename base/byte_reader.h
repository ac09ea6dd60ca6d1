// The only way bytes from a peer are taken apart: a cursor that cannot run past its end.
//
//   ByteReader in(view);
//   uint16_t length = in.U16();
//   ByteView name = in.Bytes(length);
//   if (!in.ok()) return absl::DataLossError(...);   // one check at the end
//
// Integers are big-endian. A read past the end yields zero or an empty view and makes ok() false
// for good. Views point into the input. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"

namespace noded::base {

class ByteReader {
 public:
  explicit ByteReader(ByteView input) : input_(input) {}

  uint8_t U8() { return static_cast<uint8_t>(Integer(1)); }
  uint16_t U16() { return static_cast<uint16_t>(Integer(2)); }
  uint32_t U32() { return static_cast<uint32_t>(Integer(4)); }
  uint64_t U64() { return Integer(8); }

  // The next `count` bytes; empty (and failed) when fewer are left.
  ByteView Bytes(size_t count);
  // All that is left.
  ByteView Rest() { return Bytes(remaining()); }
  void Skip(size_t count) { Bytes(count); }

  // The next byte without taking it; zero (not failed) at the end.
  uint8_t Peek() const { return remaining() == 0 ? 0 : input_[position_]; }

  size_t position() const { return position_; }
  size_t remaining() const { return failed_ ? 0 : input_.size() - position_; }
  bool ok() const { return !failed_; }
  // ok() and nothing left over: what a message with a fixed layout must end with.
  bool done() const { return !failed_ && remaining() == 0; }
  void Fail() { failed_ = true; }

 private:
  uint64_t Integer(size_t width);

  ByteView input_;
  size_t position_ = 0;
  bool failed_ = false;
};

}  // namespace noded::base
