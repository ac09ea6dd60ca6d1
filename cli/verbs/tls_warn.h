// What `nodectl tls` says on stderr about options that work but are not as they should be.
//
//   Warn(*context, words);         // once, at the start
//
// Any thread.
#pragma once

#include "absl/status/status.h"

#include "cli/verbs/tls_words.h"
#include "tls/context.h"

namespace noded::cli {

void Warn(const tls::Context& context, const TlsWords& words);
// The ContextSource's report: files that were replaced by broken ones.
void WarnOfFiles(const absl::Status& status);

}  // namespace noded::cli
