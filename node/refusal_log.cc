#include "node/refusal_log.h"

#include <utility>

namespace noded::node {

std::optional<uint64_t> RefusalLog::Next(const std::string& address, base::TimePoint now) {
  if (all_lines_ == 0 || now - begin_ >= options_.window) {
    begin_ = now;
    lines_.clear();
    all_lines_ = 0;
  }
  const auto found = lines_.find(address);
  const int lines = found == lines_.end() ? 0 : found->second;
  if (all_lines_ >= options_.lines || lines >= options_.lines_per_address) {
    ++unlogged_;
    return std::nullopt;
  }
  lines_[address] = lines + 1;
  ++all_lines_;
  return std::exchange(unlogged_, 0);
}

}  // namespace noded::node
