// The atoms of one message, by number: what a term encoder writes instead of their text.
//
//   AtomTable atoms;
//   EncodeBareTerm(term, out, &atoms);              // then atoms.atoms() goes before it
//
// Not thread-safe. Source: OTP "External Term Format", ATOM_CACHE_REF.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "dist/atom_name.h"

namespace noded::dist {

class AtomTable {
 public:
  static constexpr size_t kMaxAtoms = 255;

  // Of an atom of the message; none when there are too many: it is written where it stands.
  std::optional<uint8_t> NumberOf(const AtomName& name);
  const std::vector<AtomName>& atoms() const { return atoms_; }

 private:
  struct Hash {
    size_t operator()(const AtomName& name) const {
      return std::hash<std::string_view>()(name.view());
    }
  };

  std::vector<AtomName> atoms_;
  std::unordered_map<AtomName, uint8_t, Hash> numbers_;  // once there are many
};

}  // namespace noded::dist
