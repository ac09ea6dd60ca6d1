// Which lost connections between other nodes this one has heard of: a report goes round the whole
// part of the cluster, and everybody acts on it, and passes it on, once.
//
//   GlobalLosses losses(creation);
//   Send(everybody, losses.Report(self, "shop@host"));          // we have lost shop@host
//   if (auto loss = losses.Hear(message, now)) ...              // none: known, or no such message
//
// A report is forgotten after an hour. Confined to the home loop. Source: OTP
// lib/kernel/src/global.erl, "Prevent Overlapping Partitions Algorithm".
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <utility>

#include "base/clock.h"
#include "dist/term.h"

namespace noded::node {

class GlobalLosses {
 public:
  struct Loss {
    dist::AtomName reporter;
    dist::AtomName lost;
  };

  explicit GlobalLosses(uint32_t creation);

  // {lost_connection, Self, Life, Number, Lost}.
  dist::Term Report(const dist::AtomName& self, const dist::AtomName& lost);
  std::optional<Loss> Hear(const dist::Term& message, base::TimePoint now);

 private:
  struct Heard {
    dist::Term life;  // of the reporter
    dist::Term number;
    base::TimePoint when;
  };

  const int64_t life_;
  int64_t next_number_ = 1;
  std::map<std::pair<dist::AtomName, dist::AtomName>, Heard> heard_;
};

}  // namespace noded::node
