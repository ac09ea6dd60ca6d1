#include "dist/utf8.h"

namespace noded::dist {
namespace {

bool IsSurrogate(int64_t code_point) { return code_point >= 0xd800 && code_point <= 0xdfff; }

constexpr int64_t kLargest = 0x10ffff;

}  // namespace

size_t TakeUtf8(std::string_view text, uint32_t& code_point) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t first = byte(0);
  const size_t size = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (size == 0 || size > text.size() || first > 0xf4) return 0;
  code_point = size == 1 ? first : first & (0x7f >> size);
  for (size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
    code_point = code_point << 6 | (byte(i) & 0x3f);
  }
  static constexpr uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool is_overlong = code_point < kSmallest[size];
  return is_overlong || code_point > kLargest || IsSurrogate(code_point) ? 0 : size;
}

bool AppendUtf8(int64_t code_point, std::string& text) {
  if (code_point < 0 || code_point > kLargest || IsSurrogate(code_point)) return false;
  if (code_point < 0x80) {
    text += static_cast<char>(code_point);
    return true;
  }
  static constexpr uint8_t kLead[] = {0, 0xc0, 0xe0, 0xf0};
  const int more = code_point < 0x800 ? 1 : code_point < 0x10000 ? 2 : 3;
  text += static_cast<char>(kLead[more] | code_point >> (6 * more));
  for (int i = more - 1; i >= 0; --i) {
    text += static_cast<char>(0x80 | ((code_point >> (6 * i)) & 0x3f));
  }
  return true;
}

std::optional<size_t> Utf8Length(std::string_view text) {
  size_t length = 0;
  while (!text.empty()) {
    uint32_t code_point;
    const size_t size = TakeUtf8(text, code_point);
    if (size == 0) return std::nullopt;
    text.remove_prefix(size);
    ++length;
  }
  return length;
}

std::optional<std::string> Utf8ToLatin1(std::string_view text) {
  std::string bytes;
  bytes.reserve(text.size());
  while (!text.empty()) {
    uint32_t character = 0;
    const size_t size = TakeUtf8(text, character);
    if (size == 0 || character > 0xff) return std::nullopt;
    bytes += static_cast<char>(character);
    text.remove_prefix(size);
  }
  return bytes;
}

std::string Latin1ToUtf8(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) AppendUtf8(static_cast<unsigned char>(byte), text);
  return text;
}

}  // namespace noded::dist
