// Text that must not stay in memory or reach a log: a cookie, a key password, a key in PEM or DER.
//
//   Secret password("s3cret");
//   Decrypt(password.view());       // wiped when the last copy goes
//
// Copies are wiped each for itself. Not thread-safe; a const Secret may be read from many threads.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "base/bytes.h"

namespace noded::base {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string_view text) : text_(text) {}
  Secret(const Secret& other) : text_(other.text_) {}
  // Moving a short string leaves its bytes behind: wipe the source.
  Secret(Secret&& other) noexcept : text_(other.text_) { other.Clear(); }
  Secret& operator=(const Secret& other) {
    if (this != &other) {
      Clear();
      text_ = other.text_;
    }
    return *this;
  }
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) {
      *this = other;
      other.Clear();
    }
    return *this;
  }
  ~Secret() { Clear(); }

  bool empty() const { return text_.empty(); }
  std::string_view view() const { return text_; }
  ByteView bytes() const { return AsBytes(text_); }
  void Clear() {
    Wipe(text_.data(), text_.size());
    text_.clear();
  }
  friend bool operator==(const Secret& a, const Secret& b) {
    return EqualConstantTime(a.bytes(), b.bytes());
  }

 private:
  std::string text_;
};

}  // namespace noded::base
