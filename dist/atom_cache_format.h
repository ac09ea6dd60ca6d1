// The half bytes of a distribution header's flags: one for each atom and one more for all of them.
// Private to dist/atom_cache.cc, which reads them, and dist/atom_cache_writer.cc.
//
// Constants. Source: OTP "External Term Format", Distribution Header.
#pragma once

#include <cstdint>

namespace noded::dist {

inline constexpr uint8_t kNewEntry = 8;   // of an atom: its text follows
inline constexpr uint8_t kSegment = 7;    // of an atom
inline constexpr uint8_t kLongAtoms = 1;  // of all: lengths have two bytes

}  // namespace noded::dist
