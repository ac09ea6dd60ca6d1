// Puts the segments of <<...>> together bit by bit, for term_parse.cc.
//
//   BitSink sink(max_bytes);
//   sink.Append(Term::Int(5), {.size = 3});
//   Term term = sink.Take();                 // <<5:3>>
//
// Not thread-safe. Source: OTP "Erlang Reference Manual", Bit Syntax.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "dist/term.h"

namespace noded::dist {

struct Segment {
  static constexpr uint64_t kMaxBits = 65536;
  enum class Type : uint8_t { kInteger, kFloat, kUtf8, kUtf16, kUtf32 };

  bool is_utf() const { return type >= Type::kUtf8; }

  Type type = Type::kInteger;
  bool is_little = false;
  std::optional<uint64_t> size;  // in units; without it an integer has 8 bits, a float 64
  uint64_t unit = 1;
};

class BitSink {
 public:
  explicit BitSink(size_t max_bytes) : max_bytes_(max_bytes) {}

  // An integer or float as `segment` says; integers are cut to its size. False when the value does
  // not fit the type, or the type has no such size.
  bool Append(const Term& value, const Segment& segment);
  // Grew beyond max_bytes: what was to be appended is missing.
  bool overflown() const { return is_overflown_; }
  size_t size() const { return bytes_.size(); }
  // A binary or a bit string.
  Term Take();

 private:
  // The lowest `bits` bits of a little-endian number, the highest first.
  void AppendBits(const std::vector<uint8_t>& number, uint64_t bits, bool is_little);
  void AppendByte(uint8_t byte, int bits);
  bool AppendFloat(double value, uint64_t bits, bool is_little);
  bool AppendUtf(int64_t code_point, const Segment& segment);
  void AppendUnsigned(uint64_t value, uint64_t bits, bool is_little);

  size_t max_bytes_;
  std::vector<uint8_t> bytes_;
  int used_bits_ = 8;  // of the last byte
  bool is_overflown_ = false;
};

}  // namespace noded::dist
