// Whole files, for verbs.
//
//   ASSIGN_OR_RETURN(std::string text, ReadWholeFile("ca.pem"));
//   RETURN_IF_ERROR(WriteNewFile("ca-key.pem", pem, 0600));
//
// Errors carry the path and the reason atom of the system ("enoent", "eacces").
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace noded::cli {

// At most 1 MiB: a larger file is not one that a verb reads whole (ResourceExhausted).
absl::StatusOr<std::string> ReadWholeFile(const std::string& path);

// Appears at once with all of its text and this mode, or not at all; AlreadyExists when something
// of that name is there.
absl::Status WriteNewFile(const std::string& path, std::string_view text, mode_t mode);

bool FileExists(const std::string& path);

}  // namespace noded::cli
