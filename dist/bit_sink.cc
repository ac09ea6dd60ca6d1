#include "dist/bit_sink.h"

#include <bit>
#include <cmath>
#include <limits>
#include <string>

#include "dist/utf8.h"

namespace noded::dist {
namespace {

// Two's complement, little-endian, in exactly `size` bytes.
std::vector<uint8_t> LowestBytes(const Term& value, size_t size) {
  std::vector<uint8_t> number(size);
  if (const std::optional<int64_t> small = value.AsInt()) {
    for (size_t i = 0; i < size; ++i) {
      number[i] = static_cast<uint8_t>(*small >> std::min<size_t>(8 * i, 63));
    }
    return number;
  }
  const BigInteger& big = value.big_integer();
  for (size_t i = 0; i < std::min(size, big.magnitude.size()); ++i) {
    number[i] = big.magnitude.data()[i];
  }
  if (!big.is_negative) return number;
  unsigned carry = 1;
  for (uint8_t& byte : number) {
    carry += static_cast<uint8_t>(~byte);
    byte = static_cast<uint8_t>(carry);
    carry >>= 8;
  }
  return number;
}

}  // namespace

// The highest `bits` bits of `byte`.
void BitSink::AppendByte(uint8_t byte, int bits) {
  byte &= static_cast<uint8_t>(0xff << (8 - bits));
  if (used_bits_ == 8) {
    bytes_.push_back(byte);
    used_bits_ = bits;
    return;
  }
  bytes_.back() |= static_cast<uint8_t>(byte >> used_bits_);
  const int free = 8 - used_bits_;
  if (bits <= free) {
    used_bits_ += bits;
  } else {
    bytes_.push_back(static_cast<uint8_t>(byte << free));
    used_bits_ = bits - free;
  }
}

void BitSink::AppendBits(const std::vector<uint8_t>& number, uint64_t bits, bool is_little) {
  const size_t whole = bits / 8;
  const int rest = static_cast<int>(bits % 8);
  if (bytes_.size() + number.size() > max_bytes_) {
    is_overflown_ = true;
    return;
  }
  const auto append_rest = [&] {
    if (rest > 0) AppendByte(static_cast<uint8_t>(number[whole] << (8 - rest)), rest);
  };
  if (is_little) {
    for (size_t i = 0; i < whole; ++i) AppendByte(number[i], 8);
    return append_rest();
  }
  append_rest();
  for (size_t i = whole; i-- > 0;) AppendByte(number[i], 8);
}

void BitSink::AppendUnsigned(uint64_t value, uint64_t bits, bool is_little) {
  std::vector<uint8_t> number(bits / 8);
  for (size_t i = 0; i < number.size(); ++i) number[i] = static_cast<uint8_t>(value >> (8 * i));
  AppendBits(number, bits, is_little);
}

bool BitSink::AppendFloat(double value, uint64_t bits, bool is_little) {
  if (bits == 64) {
    AppendUnsigned(std::bit_cast<uint64_t>(value), bits, is_little);
    return true;
  }
  if (bits != 32 || std::abs(value) > std::numeric_limits<float>::max()) return false;
  AppendUnsigned(std::bit_cast<uint32_t>(static_cast<float>(value)), bits, is_little);
  return true;
}

bool BitSink::AppendUtf(int64_t code_point, const Segment& segment) {
  std::string utf8;
  if (!AppendUtf8(code_point, utf8)) return false;
  const uint64_t c = static_cast<uint64_t>(code_point);
  if (segment.type == Segment::Type::kUtf8) {
    for (char byte : utf8) AppendUnsigned(static_cast<uint8_t>(byte), 8, false);
  } else if (segment.type == Segment::Type::kUtf32) {
    AppendUnsigned(c, 32, segment.is_little);
  } else if (c < 0x10000) {
    AppendUnsigned(c, 16, segment.is_little);
  } else {
    AppendUnsigned(0xd800 | (c - 0x10000) >> 10, 16, segment.is_little);
    AppendUnsigned(0xdc00 | ((c - 0x10000) & 0x3ff), 16, segment.is_little);
  }
  return true;
}

bool BitSink::Append(const Term& value, const Segment& segment) {
  if (segment.is_utf()) return value.AsInt() && AppendUtf(*value.AsInt(), segment);
  if (segment.type == Segment::Type::kFloat) {
    const uint64_t bits = segment.size.value_or(64) * segment.unit;
    if (value.is_float()) return AppendFloat(value.float_value(), bits, segment.is_little);
    const std::optional<int64_t> integer = value.AsInt();
    return integer && AppendFloat(static_cast<double>(*integer), bits, segment.is_little);
  }
  if (!value.is_integer()) return false;
  const uint64_t bits = segment.size.value_or(8) * segment.unit;
  if (bits > Segment::kMaxBits) return false;
  AppendBits(LowestBytes(value, (bits + 7) / 8), bits, segment.is_little);
  return true;
}

Term BitSink::Take() { return Term::BitString(base::Slice(std::move(bytes_)), used_bits_); }

}  // namespace noded::dist
