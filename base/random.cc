#include "base/random.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <sys/random.h>

namespace noded::base {

void RandomBytes(void* data, size_t size) {
  auto* out = static_cast<uint8_t*>(data);
  while (size > 0) {
    ssize_t got = getrandom(out, size, 0);
    if (got < 0) {
      if (errno == EINTR) continue;
      std::perror("getrandom");
      std::abort();
    }
    out += got;
    size -= static_cast<size_t>(got);
  }
}

uint32_t Random32() {
  uint32_t value;
  RandomBytes(&value, sizeof value);
  return value;
}

uint64_t Random64() {
  uint64_t value;
  RandomBytes(&value, sizeof value);
  return value;
}

}  // namespace noded::base
