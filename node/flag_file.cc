#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "fmt/format.h"

#include "base/status.h"
#include "node/flag_words.h"

namespace noded::node {
namespace {

absl::Status CannotRead(const std::string& path, int error) {
  return base::Error(absl::StatusCode::kInvalidArgument,
                     fmt::format("cannot read {}: {}", path, base::ErrnoText(error)),
                     "give the path of a file that this user may read", base::ErrnoAtom(error));
}

}  // namespace

absl::StatusOr<std::string> ReadFlagFile(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return CannotRead(path, errno);
  std::string text;
  std::array<char, 16384> block;
  for (;;) {
    const ssize_t size = read(file, block.data(), block.size());
    if (size < 0 && errno == EINTR) continue;
    const int error = size < 0 ? errno : 0;
    if (size > 0) text.append(block.data(), static_cast<size_t>(size));
    if (size > 0 && text.size() <= kMaxArgsFileBytes) continue;
    close(file);
    if (error != 0) return CannotRead(path, error);
    if (text.size() > kMaxArgsFileBytes) return CannotRead(path, EFBIG);
    return text;
  }
}

}  // namespace noded::node
