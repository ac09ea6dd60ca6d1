// Unpacks zlib data whose unpacked size is known, as compressed terms are.
//
//   ASSIGN_OR_RETURN(Inflated unpacked, Inflate(reader.Rest(), size));
//
// Never writes more than `size` bytes, and allocates them only when so much could come out of
// `packed`. Errors: DataLoss. Any thread. Source: RFC 1950.
#pragma once

#include <cstddef>

#include "absl/status/statusor.h"
#include "base/bytes.h"

namespace noded::dist {

struct Inflated {
  base::Slice bytes;       // exactly the size asked for
  size_t packed_size = 0;  // how much of the input it took
};

absl::StatusOr<Inflated> Inflate(base::ByteView packed, size_t size);

}  // namespace noded::dist
