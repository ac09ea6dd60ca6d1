// One connection as the runner wants it: shake hands, check what came of it, write what the flags
// ask for, then give back every byte with all its bits turned round until the peer ends.
//
//   for (int i = 0; i <= flags.resume_count; ++i) RETURN_IF_ERROR(RunConnection(flags, i));
//
// Each connection is a new one: the shim keeps no sessions. Blocks. Errors: what the engine says;
// FailedPrecondition, beginning with "expected", when a -expect flag does not hold; Unimplemented
// for what the engine has not.
#pragma once

#include "absl/status/status.h"

#include "tests/bogo/flags.h"

namespace noded::bogo {

absl::Status RunConnection(const Flags& flags, int index);

}  // namespace noded::bogo
