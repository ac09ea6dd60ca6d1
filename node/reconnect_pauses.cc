#include "node/reconnect_pauses.h"

#include <algorithm>
#include <chrono>

namespace noded::node {

using dist::AtomName;

bool ReconnectPauses::IsOld(const Pause& pause, base::TimePoint now) const {
  return now >= pause.until + limits_.max_reconnect_pause;
}

bool ReconnectPauses::MayTry(const AtomName& node, base::TimePoint now) const {
  const auto found = pauses_.find(node);
  return found == pauses_.end() || now >= found->second.until;
}

void ReconnectPauses::Failed(const AtomName& node, base::TimePoint now) {
  auto found = pauses_.find(node);
  if (found == pauses_.end()) {
    if (pauses_.size() >= limits_.max_reconnect_pauses) {
      std::erase_if(pauses_, [&](const auto& entry) { return IsOld(entry.second, now); });
    }
    if (pauses_.size() >= limits_.max_reconnect_pauses) return;
    found = pauses_.emplace(node, Pause{}).first;
  } else if (IsOld(found->second, now)) {
    found->second = {};
  }
  Pause& pause = found->second;
  ++pause.failures;
  pause.until = now + LengthAfter(pause.failures);
}

base::Duration ReconnectPauses::LengthAfter(int failures) const {
  if (failures <= limits_.free_connect_failures) return {};
  std::chrono::nanoseconds length = limits_.min_reconnect_pause;
  const std::chrono::nanoseconds longest = limits_.max_reconnect_pause;
  for (int i = limits_.free_connect_failures + 1; i < failures && length < longest; ++i) {
    length *= 2;
  }
  length = std::min(length, longest);
  const uint32_t jitter = random_() >> 22;  // of 1024
  return length - length / 4 / 1024 * jitter;
}

}  // namespace noded::node
