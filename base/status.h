// Errors are values: absl::Status whose message a person can act on, and which carries the reason
// atom that an Erlang user expects.
//
//   return base::Error(absl::StatusCode::kInvalidArgument,
//                      "option server_certfile: cannot open /etc/x.pem: no such file",
//                      "give the path of a PEM file that this user may read", "enoent");
//   ASSIGN_OR_RETURN(auto file, ReadFile(path));
//   RETURN_IF_ERROR(Check(file));
//
// The message reads "what failed: cause; mend". Meaning of the codes, the same everywhere:
//   InvalidArgument    our user's option or input        DataLoss            malformed bytes from a
//   peer PermissionDenied   cookie or policy                  Unauthenticated     certificate
//   ResourceExhausted  a limit of base/limits.h          DeadlineExceeded    it took too long
//   Unavailable        the peer is not there (any more)  Internal            our bug
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace noded::base {

// `mend` says what to do (may be empty); `reason` is the Erlang atom (empty: derived from the
// code).
absl::Status Error(absl::StatusCode code, std::string_view what, std::string_view mend = "",
                   std::string_view reason = "");

// The same error with "`where`: " before its message; code and reason are kept. OK stays OK.
absl::Status Annotate(const absl::Status& status, std::string_view where);

// The reason atom: the one given to Error(), else one that fits the code (timeout, noconnection,
// ...).
std::string ReasonOf(const absl::Status& status);

// The cause and the mend of a message made by Error(), apart, for structured logs.
std::string CauseOf(const absl::Status& status);
std::string MendOf(const absl::Status& status);

// The text of an errno value, thread-safe ("no such file or directory").
std::string ErrnoText(int error);
// Its Erlang atom ("enoent", "eacces", "econnrefused", ...).
std::string ErrnoAtom(int error);

}  // namespace noded::base

#define NODED_CONCAT_INNER(a, b) a##b
#define NODED_CONCAT(a, b) NODED_CONCAT_INNER(a, b)

#define RETURN_IF_ERROR(expression)                                                          \
  do {                                                                                       \
    if (::absl::Status noded_status = (expression); !noded_status.ok()) return noded_status; \
  } while (false)

#define ASSIGN_OR_RETURN(target, expression) \
  NODED_ASSIGN_OR_RETURN(NODED_CONCAT(noded_result_, __LINE__), return, target, expression)

// The same two inside a coroutine.
#define CO_RETURN_IF_ERROR(expression)                                                          \
  do {                                                                                          \
    if (::absl::Status noded_status = (expression); !noded_status.ok()) co_return noded_status; \
  } while (false)

#define CO_ASSIGN_OR_RETURN(target, expression) \
  NODED_ASSIGN_OR_RETURN(NODED_CONCAT(noded_result_, __LINE__), co_return, target, expression)

#define NODED_ASSIGN_OR_RETURN(result, ret, target, expression) \
  auto result = (expression);                                   \
  if (!result.ok()) ret std::move(result).status();             \
  target = *std::move(result)
