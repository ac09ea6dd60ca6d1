#include "cli/verbs/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "fmt/format.h"

#include "base/status.h"

namespace noded::cli {
namespace {

constexpr size_t kMaxFile = 1024 * 1024;

absl::StatusCode CodeOf(int error) {
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return absl::StatusCode::kNotFound;
    case EACCES:
    case EPERM:
    case EROFS:
      return absl::StatusCode::kPermissionDenied;
    case EEXIST:
      return absl::StatusCode::kAlreadyExists;
    case ENOSPC:
    case EDQUOT:
      return absl::StatusCode::kResourceExhausted;
    default:
      return absl::StatusCode::kInvalidArgument;
  }
}

absl::Status FileError(const char* action, const std::string& path, int error,
                       std::string_view mend) {
  return base::Error(CodeOf(error),
                     fmt::format("cannot {} {}: {}", action, path, base::ErrnoText(error)), mend,
                     base::ErrnoAtom(error));
}

struct Descriptor {
  explicit Descriptor(int number) : number(number) {}
  ~Descriptor() {
    if (number >= 0) close(number);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int number;
};

// 0 or an errno value.
int WriteAll(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(file, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    text.remove_prefix(static_cast<size_t>(written));
  }
  return fsync(file) == 0 ? 0 : errno;
}

}  // namespace

absl::StatusOr<std::string> ReadWholeFile(const std::string& path) {
  const char* mend = "give the path of a file that this user may read";
  Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.number < 0) return FileError("open", path, errno, mend);
  std::string text;
  char block[16384];
  while (true) {
    const ssize_t got = read(file.number, block, sizeof(block));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return FileError("read", path, errno, mend);
    if (got == 0) return text;
    text.append(block, static_cast<size_t>(got));
    if (text.size() > kMaxFile) {
      return base::Error(absl::StatusCode::kResourceExhausted,
                         fmt::format("cannot read {}: it is larger than {} bytes", path, kMaxFile),
                         mend, "efbig");
    }
  }
}

absl::Status WriteNewFile(const std::string& path, std::string_view text, mode_t mode) {
  const char* mend = "give a folder in which this user may write";
  std::string draft = path + ".XXXXXX";
  Descriptor file(mkostemp(draft.data(), O_CLOEXEC));  // of mode 0600
  if (file.number < 0) return FileError("write", path, errno, mend);
  int error = WriteAll(file.number, text);
  if (error == 0 && fchmod(file.number, mode) != 0) error = errno;
  // Unlike rename(), link() never replaces what is there.
  if (error == 0 && link(draft.c_str(), path.c_str()) != 0) error = errno;
  unlink(draft.c_str());
  if (error == EEXIST) return FileError("write", path, error, "move it away first");
  return error == 0 ? absl::OkStatus() : FileError("write", path, error, mend);
}

bool FileExists(const std::string& path) {
  struct stat ignored;
  return lstat(path.c_str(), &ignored) == 0;
}

}  // namespace noded::cli
