// The blocks of a PEM text, in order.
//
//   for (const PemBlock& block : SplitPem(text)) {
//     if (block.label == "CERTIFICATE" && block.is_whole) Take(block.der);
//   }
//
// Private keys are named but not decoded: their bytes stay where they can be wiped. Never fails: a
// block without an end, or that is not base64, is there and not whole. Any thread. Source: RFC
// 7468.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace noded::tls {

struct PemBlock {
  std::string label;  // "CERTIFICATE"
  base::Slice der;    // empty unless is_whole, and of a private key
  bool is_whole = false;

  bool is_private_key() const { return label.ends_with("PRIVATE KEY"); }
};

std::vector<PemBlock> SplitPem(std::string_view text);

// Has it a line that begins a block? (Else it may be DER.)
bool IsPem(std::string_view text);

}  // namespace noded::tls
