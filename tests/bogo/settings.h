// A connection's flags as options of our TLS.
//
//   auto options = ToOptions(flags.ForConnection(0));
//   if (absl::IsUnimplemented(options.status())) return 89;   // asks for what the engine has not
//   auto context = tls::Context::Create(*options, tls::Role::kServer);
//
// Pure. Errors: Unimplemented for versions, groups,
// suites and signature schemes that tls/ciphers.h does not know; InvalidArgument for a malformed
// value.
#pragma once

#include "absl/status/statusor.h"

#include "tests/bogo/flags.h"
#include "tls/options.h"

namespace noded::bogo {

absl::StatusOr<tls::Options> ToOptions(const ConnectionFlags& flags);

// IANA names of numbers that flags give; empty: unknown.
std::string GroupName(int number);
std::string SignatureName(int number);

}  // namespace noded::bogo
