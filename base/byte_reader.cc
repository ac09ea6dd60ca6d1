#include "base/byte_reader.h"

namespace noded::base {

ByteView ByteReader::Bytes(size_t count) {
  if (failed_ || count > input_.size() - position_) {
    failed_ = true;
    return {};
  }
  ByteView bytes = input_.subspan(position_, count);
  position_ += count;
  return bytes;
}

uint64_t ByteReader::Integer(size_t width) {
  uint64_t value = 0;
  for (uint8_t byte : Bytes(width)) value = value << 8 | byte;
  return value;
}

}  // namespace noded::base
