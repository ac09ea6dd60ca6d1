#include "base/status.h"

#include <cerrno>
#include <system_error>

#include "absl/strings/cord.h"
#include "fmt/format.h"

namespace noded::base {
namespace {

constexpr char kReasonUrl[] = "noded/reason";
constexpr char kMendUrl[] = "noded/mend";

std::string Payload(const absl::Status& status, const char* url) {
  auto payload = status.GetPayload(url);
  return payload ? std::string(*payload) : std::string();
}

}  // namespace

absl::Status Error(absl::StatusCode code, std::string_view what, std::string_view mend,
                   std::string_view reason) {
  absl::Status status(code, mend.empty() ? std::string(what) : fmt::format("{}; {}", what, mend));
  if (!mend.empty()) status.SetPayload(kMendUrl, absl::Cord(std::string(mend)));
  if (!reason.empty()) status.SetPayload(kReasonUrl, absl::Cord(std::string(reason)));
  return status;
}

absl::Status Annotate(const absl::Status& status, std::string_view where) {
  if (status.ok()) return status;
  absl::Status annotated(status.code(),
                         fmt::format("{}: {}", where, std::string(status.message())));
  status.ForEachPayload([&annotated](absl::string_view url, const absl::Cord& payload) {
    annotated.SetPayload(url, payload);
  });
  return annotated;
}

std::string ReasonOf(const absl::Status& status) {
  std::string reason = Payload(status, kReasonUrl);
  if (!reason.empty()) return reason;
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return "ok";
    case absl::StatusCode::kInvalidArgument:
      return "badarg";
    case absl::StatusCode::kNotFound:
      return "noproc";
    case absl::StatusCode::kAlreadyExists:
      return "already_exists";
    case absl::StatusCode::kPermissionDenied:
      return "not_allowed";
    case absl::StatusCode::kUnauthenticated:
      return "bad_certificate";
    case absl::StatusCode::kResourceExhausted:
      return "system_limit";
    case absl::StatusCode::kDeadlineExceeded:
      return "timeout";
    case absl::StatusCode::kUnavailable:
      return "noconnection";
    case absl::StatusCode::kDataLoss:
      return "bad_message";
    case absl::StatusCode::kUnimplemented:
      return "notsup";
    default:
      return "internal_error";
  }
}

std::string MendOf(const absl::Status& status) { return Payload(status, kMendUrl); }

std::string CauseOf(const absl::Status& status) {
  std::string_view message(status.message().data(), status.message().size());
  std::string mend = MendOf(status);
  if (!mend.empty() && message.size() >= mend.size() + 2 && message.ends_with(mend)) {
    message.remove_suffix(mend.size() + 2);
  }
  return std::string(message);
}

std::string ErrnoText(int error) {
  std::string text = std::generic_category().message(error);
  if (text.size() > 1 && text[1] >= 'a' && text[0] >= 'A' && text[0] <= 'Z') text[0] += 'a' - 'A';
  return text;
}

std::string ErrnoAtom(int error) {
  switch (error) {
    case ENOENT:
      return "enoent";
    case EACCES:
      return "eacces";
    case EPERM:
      return "eperm";
    case EISDIR:
      return "eisdir";
    case ENOTDIR:
      return "enotdir";
    case EEXIST:
      return "eexist";
    case EADDRINUSE:
      return "eaddrinuse";
    case EADDRNOTAVAIL:
      return "eaddrnotavail";
    case EAFNOSUPPORT:
      return "eafnosupport";
    case ECONNREFUSED:
      return "econnrefused";
    case ECONNRESET:
      return "econnreset";
    case ECONNABORTED:
      return "econnaborted";
    case EPIPE:
      return "epipe";
    case ETIMEDOUT:
      return "etimedout";
    case EHOSTUNREACH:
      return "ehostunreach";
    case ENETUNREACH:
      return "enetunreach";
    case EMFILE:
      return "emfile";
    case ENFILE:
      return "enfile";
    case ENOSPC:
      return "enospc";
    case EROFS:
      return "erofs";
    case EINVAL:
      return "einval";
    default:
      return "eunknown";
  }
}

}  // namespace noded::base

#if defined(__SANITIZE_THREAD__)
// Debian's libabsl is not instrumented: ThreadSanitizer sees a shared Status being freed and not
// the atomic counter that makes it safe.
extern "C" const char* __tsan_default_suppressions() {
  return "race:Status::Unref\nrace:Status::~Status\n";
}
#endif
