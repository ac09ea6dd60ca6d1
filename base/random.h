// Random bytes from the kernel, good enough for challenges, cookies and creations.
// Thread-safe. Ends the process when the kernel has no entropy source: nothing safe could follow.
#pragma once

#include <cstddef>
#include <cstdint>

namespace noded::base {

void RandomBytes(void* data, size_t size);
uint32_t Random32();
uint64_t Random64();

}  // namespace noded::base
