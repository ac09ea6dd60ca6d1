#include "node/services/global_losses.h"

#include <chrono>

#include "base/random.h"

namespace noded::node {

using dist::AtomName;
using dist::Term;

namespace {

constexpr std::chrono::hours kRemembered{1};
// More than a cluster has pairs of nodes that lose each other in an hour.
constexpr size_t kMaxRemembered = 10'000;

}  // namespace

// The creation alone comes again after some restarts; what is drawn above it does not. It stays a
// small integer of a BEAM.
GlobalLosses::GlobalLosses(uint32_t creation)
    : life_((int64_t{base::Random32() >> 5} << 32) | creation) {}

Term GlobalLosses::Report(const AtomName& self, const AtomName& lost) {
  return Term::Tuple({Term::Atom("lost_connection"), Term::Atom(self), Term::Int(life_),
                      Term::Int(next_number_++), Term::Atom(lost)});
}

std::optional<GlobalLosses::Loss> GlobalLosses::Hear(const Term& message, base::TimePoint now) {
  if (!message.IsTagged("lost_connection", 5)) return std::nullopt;
  const auto words = message.tuple();
  if (!words[1].is_atom() || !words[4].is_atom()) return std::nullopt;
  std::erase_if(heard_, [now](const auto& entry) { return now - entry.second.when > kRemembered; });
  if (heard_.size() >= kMaxRemembered) heard_.clear();
  const Loss loss{words[1].atom_name(), words[4].atom_name()};
  Heard& heard = heard_[{loss.reporter, loss.lost}];
  if (heard.life == words[2] && Compare(words[3], heard.number) <= 0) return std::nullopt;
  heard = Heard{words[2], words[3], now};
  return loss;
}

}  // namespace noded::node
