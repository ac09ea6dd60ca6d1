#include "node/identity.h"

namespace noded::node {

dist::Pid Identity::NextPid() {
  // 15 bits of id and the rest as serial: what nodes without 32-bit ids can hold, for 2^28 pids.
  const uint64_t n = pids_.fetch_add(1);
  return {.node = name_,
          .id = static_cast<uint32_t>(n & 0x7fff),
          .serial = static_cast<uint32_t>(n >> 15),
          .creation = creation_};
}

dist::Reference Identity::NextReference() {
  // The first word has 18 significant bits.
  const uint64_t n = references_.fetch_add(1);
  return dist::Reference(name_, creation_,
                         {static_cast<uint32_t>(n & 0x3ffff), static_cast<uint32_t>(n >> 18),
                          static_cast<uint32_t>(n >> 50)});
}

}  // namespace noded::node
