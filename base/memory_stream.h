// Two joined Streams in memory, for tests of whatever drives a Stream; faults can be put between
// them.
//
//   auto [left, right] = MakeMemoryStreams(loop);
//   left->Inject({.max_read_bytes = 1});        // every Read gives one byte
//   left->Inject({.fail_after_bytes = 100});    // the 101st byte to be read is a reset instead
//
// Both ends live on the one loop. Nothing bounds what is written and not read.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>

#include "base/stream.h"

namespace noded::base {

struct StreamFaults {
  size_t max_read_bytes = SIZE_MAX;
  size_t fail_after_bytes = SIZE_MAX;
};

class MemoryStream : public Stream {
 public:
  // Applies to what this end reads from now on.
  virtual void Inject(StreamFaults faults) = 0;
};

std::pair<std::unique_ptr<MemoryStream>, std::unique_ptr<MemoryStream>> MakeMemoryStreams(
    Loop& loop);

}  // namespace noded::base
