#include "dist/preamble.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace noded::dist {
namespace {

constexpr std::array<std::string_view, 10> kTexts = {"SSH-", "GET ", "HEAD", "POST", "PUT ",
                                                     "OPTI", "CONN", "DELE", "PRI ", "HTTP"};

// The first two bytes of a TLS record: its type, and the version's upper half.
bool IsTlsRecord(base::ByteView begin) {
  constexpr uint8_t kFirstType = 0x14, kLastType = 0x17, kMajor = 3;
  return begin[0] >= kFirstType && begin[0] <= kLastType && begin[1] == kMajor;
}

}  // namespace

Preamble RecognisePreamble(base::ByteView begin) {
  if (begin.size() < 2) return Preamble::kUndecided;
  if (IsTlsRecord(begin)) return Preamble::kTls;
  const std::string_view start =
      base::AsText(begin.first(std::min(begin.size(), kTexts[0].size())));
  for (const std::string_view text : kTexts) {
    if (start == text) return text == kTexts[0] ? Preamble::kSsh : Preamble::kHttp;
    if (text.starts_with(start)) return Preamble::kUndecided;
  }
  return Preamble::kErlang;
}

}  // namespace noded::dist
