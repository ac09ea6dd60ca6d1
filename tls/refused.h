// What TLS once had and is refused here: old versions, broken suites, and options that make sense
// with them alone. Each with its reason and what to use instead.
//
//   if (const Refusal* refusal = RefusedOption("padding_check"); refusal != nullptr) {
//     return RefusedError(*refusal, "option server_padding_check");
//   }
//
// Constant tables; thread-safe. docs/ciphers.md has them as text. Source: the RFC or the attack
// that each entry names.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace noded::tls {

struct Refusal {
  std::string_view feature;  // as written, or the part of a name that tells it
  const char* why;           // with its source
  const char* instead;
  const char* reason;  // Erlang's
};

// Exactly this word, in any case: "sslv3", "tlsv1.1", "dtlsv1.2".
const Refusal* RefusedVersion(std::string_view name);
// A suite's name or a keyword of cipher strings, by what is in it: "RC4-SHA", "aNULL", "kSRP".
const Refusal* RefusedSuite(std::string_view name);
// An option of OTP's `ssl`, now or once: "srp_identity", "fallback".
const Refusal* RefusedOption(std::string_view name);

std::span<const Refusal> AllRefusedVersions();
std::span<const Refusal> AllRefusedSuites();
std::span<const Refusal> AllRefusedOptions();

// InvalidArgument: "`what` is refused: why; instead".
absl::Status RefusedError(const Refusal& refusal, std::string_view what);

// At most 80 bytes of what a user wrote, safe to print.
std::string ShortText(std::string_view text);

}  // namespace noded::tls
