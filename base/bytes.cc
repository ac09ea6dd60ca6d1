#include "base/bytes.h"

#include <algorithm>
#include <cstring>

namespace noded::base {

ByteView AsBytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

std::string_view AsText(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string ToString(ByteView bytes) { return std::string(AsText(bytes)); }

std::vector<uint8_t> ToVector(ByteView bytes) { return {bytes.begin(), bytes.end()}; }

std::string ToHex(ByteView bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  hex.reserve(bytes.size() * 2);
  for (uint8_t byte : bytes) {
    hex.push_back(kDigits[byte >> 4]);
    hex.push_back(kDigits[byte & 15]);
  }
  return hex;
}

std::vector<uint8_t> FromHex(std::string_view hex) {
  std::vector<uint8_t> bytes;
  int high = -1;
  for (char c : hex) {
    int digit;
    if (c >= '0' && c <= '9') {
      digit = c - '0';
    } else if (c >= 'a' && c <= 'f') {
      digit = c - 'a' + 10;
    } else if (c >= 'A' && c <= 'F') {
      digit = c - 'A' + 10;
    } else if (c == ' ' || c == '\n' || c == '\t') {
      continue;
    } else {
      return {};
    }
    if (high < 0) {
      high = digit;
    } else {
      bytes.push_back(static_cast<uint8_t>(high << 4 | digit));
      high = -1;
    }
  }
  if (high >= 0) return {};
  return bytes;
}

bool EqualConstantTime(ByteView a, ByteView b) {
  if (a.size() != b.size()) return false;
  volatile uint8_t difference = 0;
  for (size_t i = 0; i < a.size(); ++i) difference = difference | (a[i] ^ b[i]);
  return difference == 0;
}

void Wipe(void* data, size_t size) {
  volatile uint8_t* bytes = static_cast<volatile uint8_t*>(data);
  for (size_t i = 0; i < size; ++i) bytes[i] = 0;
}

Slice::Slice(std::vector<uint8_t> bytes) {
  auto owner = std::make_shared<const std::vector<uint8_t>>(std::move(bytes));
  size_ = owner->size();
  block_ = std::shared_ptr<const uint8_t>(owner, owner->data());
}

Slice Slice::Copy(ByteView bytes) {
  if (bytes.empty()) return {};
  auto block = std::make_shared_for_overwrite<uint8_t[]>(bytes.size());
  std::memcpy(block.get(), bytes.data(), bytes.size());
  const uint8_t* data = block.get();
  return Slice(std::move(block), data, bytes.size());
}

Slice Slice::Sub(size_t offset, size_t size) const {
  offset = std::min(offset, size_);
  return Slice(block_, data() + offset, std::min(size, size_ - offset));
}

bool operator==(const Slice& a, const Slice& b) {
  return std::equal(a.view().begin(), a.view().end(), b.view().begin(), b.view().end());
}

}  // namespace noded::base
