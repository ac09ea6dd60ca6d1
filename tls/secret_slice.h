// Shared bytes that are wiped when the last holder lets them go: serialised sessions.
//
//   base::Slice kept = CopySecret(content);
//
// Thread-safe as every Slice (base/bytes.h).
#pragma once

#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "base/bytes.h"

namespace noded::tls {

// Takes over the vector; what it reallocated before is the caller's to wipe.
inline base::Slice SecretSlice(std::vector<uint8_t> bytes) {
  struct Wiping {
    explicit Wiping(std::vector<uint8_t> given) : bytes(std::move(given)) {}
    ~Wiping() { base::Wipe(bytes.data(), bytes.size()); }
    std::vector<uint8_t> bytes;
  };
  auto block = std::make_shared<Wiping>(std::move(bytes));
  const uint8_t* data = block->bytes.data();
  const size_t size = block->bytes.size();
  return base::Slice(std::move(block), data, size);
}

inline base::Slice CopySecret(base::ByteView bytes) { return SecretSlice(base::ToVector(bytes)); }

}  // namespace noded::tls
