// Bytes that somebody else owns (ByteView) and bytes that are shared (Slice).
//
//   base::ByteView view = base::AsBytes("abc");       // no ownership: valid while the source is
//   base::Slice slice = base::Slice::Copy(view);      // owned, immutable, cheap to copy and to cut
//   base::Slice tail = slice.Sub(1, 2);               // shares the block; keeps all of it alive
//
// A Slice may be copied and destroyed on any thread; its bytes never change.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace noded::base {

using ByteView = std::span<const uint8_t>;

// The bytes of `text`, without its terminating zero.
ByteView AsBytes(std::string_view text);
std::string_view AsText(ByteView bytes);
std::string ToString(ByteView bytes);
std::vector<uint8_t> ToVector(ByteView bytes);

// Lower-case hexadecimal, without separators.
std::string ToHex(ByteView bytes);
// The reverse; white space is skipped. Empty on anything that is not hexadecimal (for tests and
// vectors).
std::vector<uint8_t> FromHex(std::string_view hex);

// Compares without a branch on the content, so that the time taken tells nothing but the lengths.
bool EqualConstantTime(ByteView a, ByteView b);

// Overwrites memory that held a secret, in a way the compiler may not leave out.
void Wipe(void* data, size_t size);

class Slice {
 public:
  Slice() = default;
  // Takes over a vector without copying its bytes.
  explicit Slice(std::vector<uint8_t> bytes);
  // Shares `block` from `data` on. `data` must point into what `block` keeps alive.
  Slice(std::shared_ptr<const void> block, const uint8_t* data, size_t size)
      : block_(std::move(block), data), size_(size) {}

  static Slice Copy(ByteView bytes);
  static Slice Copy(std::string_view text) { return Copy(AsBytes(text)); }

  const uint8_t* data() const { return block_.get(); }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  ByteView view() const { return {data(), size_}; }
  operator ByteView() const { return view(); }
  std::string_view text() const { return AsText(view()); }

  // A part of this slice; `offset` and `size` are cut to what is there.
  Slice Sub(size_t offset, size_t size = SIZE_MAX) const;
  // True when this slice is the block's only user, and so holds alive no more than it shows.
  bool is_unique() const { return block_.use_count() <= 1; }

  friend bool operator==(const Slice& a, const Slice& b);

 private:
  std::shared_ptr<const uint8_t> block_;
  size_t size_ = 0;
};

}  // namespace noded::base
