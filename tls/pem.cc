#include "tls/pem.h"

#include <algorithm>

#include "mbedtls/base64.h"

namespace noded::tls {
namespace {

constexpr std::string_view kBegin = "-----BEGIN ";
constexpr std::string_view kEnd = "-----END ";
constexpr std::string_view kDashes = "-----";
constexpr size_t kMaxLabelBytes = 64;

// The label of a line that begins with `start`, or nothing.
std::string_view Label(std::string_view text, std::string_view start) {
  const size_t end = text.find(kDashes, start.size());
  if (end == std::string_view::npos || end - start.size() > kMaxLabelBytes) return {};
  return text.substr(start.size(), end - start.size());
}

bool Decode(std::string_view base64, base::Slice& der) {
  // mbedTLS knows line ends, but no blanks within lines.
  std::string packed;
  for (char c : base64) {
    if (c != '\n' && c != '\r' && c != ' ' && c != '\t') packed.push_back(c);
  }
  std::vector<uint8_t> bytes(packed.size());
  size_t size = 0;
  const int result =
      mbedtls_base64_decode(bytes.data(), bytes.size(), &size,
                            reinterpret_cast<const uint8_t*>(packed.data()), packed.size());
  if (result != 0 || size == 0) return false;
  bytes.resize(size);
  der = base::Slice(std::move(bytes));
  return true;
}

}  // namespace

bool IsPem(std::string_view text) { return text.find(kBegin) != std::string_view::npos; }

std::vector<PemBlock> SplitPem(std::string_view text) {
  std::vector<PemBlock> blocks;
  while (true) {
    const size_t begin = text.find(kBegin);
    if (begin == std::string_view::npos) return blocks;
    text.remove_prefix(begin);
    const std::string_view label = Label(text, kBegin);
    if (label.empty()) {
      text.remove_prefix(kBegin.size());
      continue;
    }
    PemBlock block{.label = std::string(label), .der = {}, .is_whole = false};
    text.remove_prefix(kBegin.size() + label.size() + kDashes.size());
    // A block that another one begins in has lost its end.
    const size_t end = text.find(kEnd);
    const std::string_view body = text.substr(0, std::min(text.find(kBegin), end));
    if (end != std::string_view::npos && body.size() == end &&
        Label(text.substr(end), kEnd) == label) {
      block.is_whole = block.is_private_key() || Decode(body, block.der);
    }
    text.remove_prefix(body.size());
    blocks.push_back(std::move(block));
  }
}

}  // namespace noded::tls
