#include "base/buffer.h"

#include <utility>

namespace noded::base {

Buffer::Buffer(Buffer&& other) noexcept
    : pieces_(std::move(other.pieces_)),
      tail_(std::move(other.tail_)),
      size_(std::exchange(other.size_, 0)) {
  other.pieces_.clear();
  other.tail_.clear();
}

Buffer& Buffer::operator=(Buffer&& other) noexcept {
  if (this != &other) {
    pieces_ = std::move(other.pieces_);
    tail_ = std::move(other.tail_);
    size_ = std::exchange(other.size_, 0);
    other.pieces_.clear();
    other.tail_.clear();
  }
  return *this;
}

void Buffer::Append(ByteView bytes) {
  tail_.insert(tail_.end(), bytes.begin(), bytes.end());
  size_ += bytes.size();
}

void Buffer::Append(Slice slice) {
  if (slice.size() < kShareFrom) return Append(slice.view());
  Seal();
  size_ += slice.size();
  pieces_.push_back(std::move(slice));
}

void Buffer::Append(Buffer other) {
  for (const Slice& piece : other.pieces()) Append(piece);
}

const std::deque<Slice>& Buffer::pieces() {
  Seal();
  return pieces_;
}

void Buffer::Consume(size_t count) {
  Seal();
  while (count > 0 && !pieces_.empty()) {
    Slice& front = pieces_.front();
    if (count < front.size()) {
      front = front.Sub(count);
      size_ -= count;
      return;
    }
    count -= front.size();
    size_ -= front.size();
    pieces_.pop_front();
  }
}

void Buffer::Clear() {
  pieces_.clear();
  tail_.clear();
  size_ = 0;
}

Slice Buffer::ToSlice() {
  Seal();
  if (pieces_.empty()) return {};
  if (pieces_.size() == 1) return pieces_.front();
  std::vector<uint8_t> all;
  all.reserve(size_);
  for (const Slice& piece : pieces_) {
    all.insert(all.end(), piece.view().begin(), piece.view().end());
  }
  return Slice(std::move(all));
}

std::string Buffer::ToString() {
  std::string text;
  text.reserve(size_);
  for (const Slice& piece : pieces()) text.append(piece.text());
  return text;
}

void Buffer::Seal() {
  if (tail_.empty()) return;
  pieces_.push_back(Slice(std::exchange(tail_, {})));
}

}  // namespace noded::base
