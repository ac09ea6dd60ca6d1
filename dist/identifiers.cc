#include "dist/identifiers.h"

#include <functional>
#include <string_view>

namespace noded::dist {
namespace {

// Boost's way of putting two hashes together, with a 64-bit constant.
size_t Combine(size_t seed, size_t value) {
  return seed ^ (value + 0x9e3779b97f4a7c15ull + (seed << 6) + (seed >> 2));
}

size_t HashNode(const AtomName& node, uint32_t creation) {
  return Combine(std::hash<std::string_view>()(node.view()), creation);
}

}  // namespace

size_t IdentifierHash::operator()(const Pid& pid) const {
  return Combine(HashNode(pid.node, pid.creation), uint64_t{pid.serial} << 32 | pid.id);
}

size_t IdentifierHash::operator()(const Port& port) const {
  return Combine(HashNode(port.node, port.creation), port.id);
}

size_t IdentifierHash::operator()(const Reference& reference) const {
  size_t hash = HashNode(reference.node, reference.creation);
  for (uint32_t id : reference.ids()) hash = Combine(hash, id);
  return hash;
}

}  // namespace noded::dist
