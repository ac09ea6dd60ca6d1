#include "dist/cookie_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/random.h"
#include "base/status.h"
#include "fmt/format.h"

namespace noded::dist {
namespace {

constexpr size_t kNewCookieLetters = 20;
constexpr size_t kMaxCookieCharacters = 255;  // it is an atom
constexpr size_t kMaxFileBytes = 4096;

absl::Status BadFile(const std::string& path, std::string_view what, std::string_view mend,
                     std::string_view reason = "bad_cookie_file") {
  return base::Error(absl::StatusCode::kInvalidArgument,
                     fmt::format("cookie file {}: {}", path, what), mend, reason);
}

absl::Status BadFile(const std::string& path, std::string_view step, int error) {
  return BadFile(path, fmt::format("cannot {}: {}", step, base::ErrnoText(error)),
                 "make it a file of this user with mode 0400, or give the cookie with -setcookie",
                 base::ErrnoAtom(error));
}

// A file descriptor that is closed with its scope.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  const int fd_;
};

// The cookie that the text of a file holds: visible characters and spaces up to the first other
// one, behind which only ends of lines and spaces may follow.
absl::StatusOr<base::Secret> ParseCookie(const std::string& path, std::string_view text) {
  const auto is_cookie = [](char c) { return c >= ' ' && c <= '~'; };
  const auto is_blank = [](char c) { return c == '\n' || c == '\r' || c == ' '; };
  const auto end = std::find_if_not(text.begin(), text.end(), is_cookie);
  const size_t size = end - text.begin();
  if (!std::all_of(end, text.end(), is_blank)) {
    return BadFile(path, "bad characters in the cookie",
                   "write one line of ASCII characters into it");
  }
  if (size == 0) return BadFile(path, "the cookie is too short", "write a cookie into it");
  if (size > kMaxCookieCharacters) {
    return BadFile(
        path, fmt::format("a cookie of {} characters, more than {}", size, kMaxCookieCharacters),
        "write a shorter one into it");
  }
  return base::Secret(text.substr(0, size));
}

// None when there is no such file.
absl::StatusOr<std::optional<Cookie>> ReadCookie(const std::string& path) {
  // Without blocking: it might be a pipe.
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (file.get() < 0) {
    if (errno == ENOENT) return std::optional<Cookie>();
    return BadFile(path, "read it", errno);
  }
  struct stat info;
  if (fstat(file.get(), &info) != 0) return BadFile(path, "read its attributes", errno);
  if (!S_ISREG(info.st_mode)) {
    return BadFile(path, "it is not a regular file", "put a file in its place");
  }
  if ((info.st_mode & 077) != 0) {
    return BadFile(
        path, fmt::format("others than its owner may use it (mode {:04o})", info.st_mode & 07777),
        fmt::format("chmod 400 {}", path));
  }
  std::array<char, kMaxFileBytes + 1> bytes;
  size_t size = 0;
  while (size < bytes.size()) {
    const ssize_t count = read(file.get(), bytes.data() + size, bytes.size() - size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return BadFile(path, "read it", errno);
    if (count == 0) break;
    size += count;
  }
  absl::StatusOr<base::Secret> text =
      size > kMaxFileBytes ? BadFile(path, fmt::format("more than {} bytes", kMaxFileBytes),
                                     "write one line of ASCII characters into it")
                           : ParseCookie(path, std::string_view(bytes.data(), size));
  base::Wipe(bytes.data(), bytes.size());
  if (!text.ok()) return text.status();
  return std::optional(Cookie{*std::move(text), fmt::format("file {}", path)});
}

// 'A' to 'Z', each as likely.
std::string RandomLetters(size_t count) {
  constexpr int kLetters = 26;
  constexpr int kFair = 256 / kLetters * kLetters;
  std::string letters;
  letters.reserve(count);
  while (letters.size() < count) {
    uint8_t byte = 0;
    base::RandomBytes(&byte, 1);
    if (byte < kFair) letters += static_cast<char>('A' + byte % kLetters);
  }
  return letters;
}

absl::Status WriteAll(int fd, const std::string& path, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = write(fd, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return BadFile(path, "write it", errno);
    text.remove_prefix(count);
  }
  return absl::OkStatus();
}

// Whole or not at all, and never over one that another node has made meanwhile.
absl::Status CreateCookie(const std::string& path) {
  const std::string draft = fmt::format("{}.{:016x}", path, base::Random64());
  const Descriptor file(open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0400));
  if (file.get() < 0) return BadFile(path, "create it", errno);
  std::string letters = RandomLetters(kNewCookieLetters);
  absl::Status status = WriteAll(file.get(), path, letters);
  base::Wipe(letters.data(), letters.size());
  if (status.ok() && link(draft.c_str(), path.c_str()) != 0 && errno != EEXIST) {
    status = BadFile(path, "create it", errno);
  }
  unlink(draft.c_str());
  return status;
}

absl::StatusOr<Cookie> CreateAndRead(const std::string& path) {
  RETURN_IF_ERROR(CreateCookie(path));
  ASSIGN_OR_RETURN(std::optional<Cookie> cookie, ReadCookie(path));
  if (cookie) return *std::move(cookie);
  return BadFile(path, "it went away while it was created", "start again");
}

}  // namespace

absl::StatusOr<Cookie> LoadCookieFile(const CookiePlaces& places) {
  constexpr std::string_view kName = ".erlang.cookie";
  const std::string config_home = !places.config_home.empty() || places.home.empty()
                                      ? places.config_home
                                      : fmt::format("{}/.config", places.home);
  const std::string at_home = fmt::format("{}/{}", places.home, kName);
  const std::string at_config = fmt::format("{}/erlang/{}", config_home, kName);
  std::optional<Cookie> cookie;
  if (!places.home.empty()) {
    ASSIGN_OR_RETURN(cookie, ReadCookie(at_home));
  }
  if (!cookie && !config_home.empty()) {
    ASSIGN_OR_RETURN(cookie, ReadCookie(at_config));
  }
  if (cookie) return *std::move(cookie);
  if (!places.home.empty()) return CreateAndRead(at_home);
  if (config_home.empty()) {
    return base::Error(absl::StatusCode::kInvalidArgument,
                       "cookie file: neither HOME nor XDG_CONFIG_HOME is set",
                       "set HOME, or give the cookie with -setcookie", "bad_cookie_file");
  }
  std::error_code ignored;  // what failed shows when the file is created
  std::filesystem::create_directories(fmt::format("{}/erlang", config_home), ignored);
  return CreateAndRead(at_config);
}

}  // namespace noded::dist
