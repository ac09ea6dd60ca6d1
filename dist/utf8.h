// Unicode code points in and out of UTF-8, strictly (RFC 3629): no surrogates, no overlong forms.
//
//   while (!text.empty()) {
//     uint32_t c;
//     size_t size = TakeUtf8(text, c);     // 0: text does not begin with a character
//     ...
//     text.remove_prefix(size);
//   }
//
// Functions without state: any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace noded::dist {

// How many bytes of non-empty `text` its first character takes; 0 when it is not UTF-8.
size_t TakeUtf8(std::string_view text, uint32_t& code_point);

// False, and nothing appended, when `code_point` is no Unicode character.
bool AppendUtf8(int64_t code_point, std::string& text);

// The number of characters; none when `text` is not UTF-8.
std::optional<size_t> Utf8Length(std::string_view text);

// The same text with one byte a character; none when it is not UTF-8 or has a character beyond 255.
std::optional<std::string> Utf8ToLatin1(std::string_view text);
std::string Latin1ToUtf8(std::string_view bytes);

}  // namespace noded::dist
