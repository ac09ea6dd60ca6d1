#include "node/name_pattern.h"

#include "fmt/format.h"

#include "base/status.h"

namespace noded::node {

NamePattern::NamePattern(std::string_view pattern) {
  while (true) {
    const size_t star = pattern.find('*');
    pieces_.emplace_back(pattern.substr(0, star));
    if (star == std::string_view::npos) return;
    pattern.remove_prefix(star + 1);
  }
}

// The first and the last piece stand at the ends; those between are looked for in turn, each as far
// to the front as it can be, which leaves the most for the rest.
bool NamePattern::Fits(std::string_view text) const {
  if (pieces_.size() == 1) return text == pieces_[0];
  if (!text.starts_with(pieces_.front())) return false;
  text.remove_prefix(pieces_.front().size());
  if (!text.ends_with(pieces_.back())) return false;
  text.remove_suffix(pieces_.back().size());
  for (size_t i = 1; i + 1 < pieces_.size(); ++i) {
    const size_t found = text.find(pieces_[i]);
    if (found == std::string_view::npos) return false;
    text.remove_prefix(found + pieces_[i].size());
  }
  return true;
}

absl::Status CheckNodePattern(std::string_view pattern) {
  if (pattern.find_first_of("@*") != std::string_view::npos) return absl::OkStatus();
  return base::Error(absl::StatusCode::kInvalidArgument,
                     fmt::format("'{}' fits no node's name", pattern),
                     "write it as name@host, with * for any text: 'shop*@*'", "badarg");
}

}  // namespace noded::node
