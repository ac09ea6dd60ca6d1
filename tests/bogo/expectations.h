// The -expect flags, held against what was agreed.
//
//   RETURN_IF_ERROR(CheckHandshake(flags, engine.info(), /*is_resume=*/false));
//
// Pure but for the file that -expect-peer-cert-file names. Errors: FailedPrecondition, "expected
// <flag> <value>, got <value>".
#pragma once

#include "absl/status/status.h"

#include "tests/bogo/flags.h"
#include "tls/connection_info.h"

namespace noded::bogo {

absl::Status CheckHandshake(const ConnectionFlags& flags, const tls::ConnectionInfo& info,
                            bool is_resume);
absl::Status CheckRenegotiations(const ConnectionFlags& flags, int count);

}  // namespace noded::bogo
