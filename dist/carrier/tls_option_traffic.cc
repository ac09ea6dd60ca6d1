#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <limits>
#include <memory>
#include <optional>
#include <utility>

#include "fmt/format.h"

#include "base/status.h"
#include "dist/carrier/tls_option_apply.h"
#include "dist/carrier/tls_option_values.h"

namespace noded::dist {
namespace {

using Call = TlsOptionCall;

absl::Status TakeCount(const Call& call, const Term& value, uint64_t& field) {
  const std::optional<int64_t> count = value.AsInt();
  if (!count || *count < 1) return call.WrongValue(value, "a whole number from 1 on");
  field = static_cast<uint64_t>(*count);
  return absl::OkStatus();
}

// Lines appended to a file that its owner alone may read. A line is one write(), so that the
// connections of several loops, and several programs, share a file.
class KeylogFile {
 public:
  explicit KeylogFile(const std::string& path)
      : descriptor_(open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) {}
  ~KeylogFile() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  KeylogFile(const KeylogFile&) = delete;
  KeylogFile& operator=(const KeylogFile&) = delete;

  bool is_open() const { return descriptor_ >= 0; }
  void Append(std::string_view line) const {
    const std::string text = fmt::format("{}\n", line);
    // A full disk costs the log, not the connection.
    [[maybe_unused]] const ssize_t written = write(descriptor_, text.data(), text.size());
  }

 private:
  const int descriptor_;
};

}  // namespace

absl::Status ApplyKeyUpdateAt(const Call& call, const Term& value) {
  return TakeCount(call, value, call.options.traffic.key_update_at);
}
absl::Status ApplyLogAlert(const Call& call, const Term& value) {
  return TakeBool(call, value, call.options.traffic.log_alert);
}
absl::Status ApplyRenegotiateAt(const Call& call, const Term& value) {
  return TakeCount(call, value, call.options.traffic.renegotiate_at);
}

absl::Status ApplyMaxFragmentLength(const Call& call, const Term& value) {
  const std::optional<int64_t> length = value.AsInt();
  if (value.IsAtom("undefined")) {
    call.options.traffic.max_fragment_length = 0;
  } else if (length == 512 || length == 1024 || length == 2048 || length == 4096) {
    call.options.traffic.max_fragment_length = static_cast<size_t>(*length);
  } else {
    return call.WrongValue(value, "undefined, 512, 1024, 2048 or 4096 (RFC 6066)");
  }
  return absl::OkStatus();
}

absl::Status ApplyHibernateAfter(const Call& call, const Term& value) {
  const std::optional<int64_t> after = value.AsInt();
  if (value.IsAtom("undefined") || value.IsAtom("infinity")) {
    call.options.traffic.hibernate_after.reset();
  } else if (after && *after >= 0 && *after <= std::numeric_limits<int32_t>::max()) {
    call.options.traffic.hibernate_after = std::chrono::milliseconds(*after);
  } else {
    return call.WrongValue(value, "milliseconds, infinity or undefined");
  }
  return absl::OkStatus();
}

absl::Status ApplyKeylog(const Call& call, const Term& value) {
  std::string path;
  RETURN_IF_ERROR(TakePath(call, value, path));
  auto file = std::make_shared<const KeylogFile>(path);
  if (!file->is_open()) {
    const int error = errno;
    return base::Error(
        absl::StatusCode::kInvalidArgument,
        fmt::format("{}: cannot append to {}: {}", call.Where(), path, base::ErrnoText(error)),
        "name a file that this user may write, or remove the option", base::ErrnoAtom(error));
  }
  call.options.traffic.keylog = [file](std::string_view line) { file->Append(line); };
  return absl::OkStatus();
}

}  // namespace noded::dist
