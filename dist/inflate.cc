#include "dist/inflate.h"

#include <zlib.h>

#include <limits>
#include <utility>
#include <vector>

#include "base/status.h"
#include "fmt/format.h"

namespace noded::dist {
namespace {

// Deflate packs 258 bytes into no less than two bits: zlib's documentation gives 1032:1 as the
// limit.
constexpr size_t kMaxRatio = 1032;

absl::Status Malformed(std::string_view what) {
  return base::Error(absl::StatusCode::kDataLoss, fmt::format("compressed term: {}", what));
}

}  // namespace

absl::StatusOr<Inflated> Inflate(base::ByteView packed, size_t size) {
  constexpr size_t kMost = std::numeric_limits<uInt>::max();
  if (size / kMaxRatio > packed.size() || size > kMost || packed.size() > kMost) {
    return Malformed(
        fmt::format("{} bytes cannot unpack to the {} it claims", packed.size(), size));
  }
  std::vector<uint8_t> bytes(size);
  z_stream stream{};
  if (inflateInit(&stream) != Z_OK) return Malformed("zlib did not start");
  stream.next_in = const_cast<Bytef*>(packed.data());  // zlib only reads it
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = bytes.data();
  stream.avail_out = static_cast<uInt>(size);
  const int result = inflate(&stream, Z_FINISH);
  const size_t taken = packed.size() - stream.avail_in;
  const size_t made = size - stream.avail_out;
  inflateEnd(&stream);
  if (result != Z_STREAM_END)
    return Malformed("its zlib data is damaged or unpacks to more than it claims");
  if (made != size) return Malformed(fmt::format("unpacks to {} bytes, claims {}", made, size));
  return Inflated{base::Slice(std::move(bytes)), taken};
}

}  // namespace noded::dist
