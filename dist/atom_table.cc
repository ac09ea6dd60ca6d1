#include "dist/atom_table.h"

#include <algorithm>

namespace noded::dist {
namespace {

// So many are found by looking at each.
constexpr size_t kFewAtoms = 12;

}  // namespace

std::optional<uint8_t> AtomTable::NumberOf(const AtomName& name) {
  if (atoms_.size() <= kFewAtoms) {
    const auto found = std::find(atoms_.begin(), atoms_.end(), name);
    if (found != atoms_.end()) return static_cast<uint8_t>(found - atoms_.begin());
  } else {
    if (numbers_.empty()) {
      for (size_t i = 0; i < atoms_.size(); ++i) numbers_[atoms_[i]] = static_cast<uint8_t>(i);
    }
    if (const auto found = numbers_.find(name); found != numbers_.end()) return found->second;
  }
  if (atoms_.size() == kMaxAtoms) return std::nullopt;
  const auto number = static_cast<uint8_t>(atoms_.size());
  atoms_.push_back(name);
  if (!numbers_.empty()) numbers_[name] = number;
  return number;
}

}  // namespace noded::dist
