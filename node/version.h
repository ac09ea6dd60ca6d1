// What this program calls itself, in `-version`, noded:info/0 and logs.
#pragma once

namespace noded::node {

inline constexpr const char* kVersion = "0.1.0";

}  // namespace noded::node
