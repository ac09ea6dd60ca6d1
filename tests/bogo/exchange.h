// Connections as the runner wants them, one after the other: shake hands, check what came of it,
// write what the flags ask for, then give back every byte with all its bits turned round until the
// peer ends.
//
//   Exchanges exchanges(flags);
//   for (int i = 0; i <= flags.resume_count; ++i) RETURN_IF_ERROR(exchanges.Run(i));
//
// Sessions go from one connection to the next. Blocks. Errors: what the engine says;
// FailedPrecondition, beginning with "expected", when a -expect flag does not hold; Unimplemented
// for what the engine has not.
#pragma once

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "tests/bogo/flags.h"
#include "tls/context.h"
#include "tls/session_cache.h"

namespace noded::bogo {

class Exchanges {
 public:
  explicit Exchanges(Flags flags);
  absl::Status Run(int index);

 private:
  // The one of the connection before, if nothing else is offered.
  absl::StatusOr<std::shared_ptr<const tls::Context>> ContextFor(const ConnectionFlags& flags);

  const Flags flags_;
  const std::shared_ptr<tls::SessionCache> sessions_;
  OfferFlags offered_;
  std::shared_ptr<const tls::Context> context_;
};

}  // namespace noded::bogo
