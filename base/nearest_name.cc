#include "base/nearest_name.h"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "fmt/format.h"

#include "base/ascii.h"

namespace noded::base {
namespace {

// Optimal string alignment: Levenshtein's distance, and two swapped neighbours are one edit.
size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> before(b.size() + 1), above(b.size() + 1), row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) above[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const bool is_same = Lower(a[i - 1]) == Lower(b[j - 1]);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (is_same ? 0 : 1)});
      if (i > 1 && j > 1 && Lower(a[i - 1]) == Lower(b[j - 2]) &&
          Lower(a[i - 2]) == Lower(b[j - 1])) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    std::swap(before, above);
    std::swap(above, row);
  }
  return above[b.size()];
}

}  // namespace

std::string_view NearestName(std::string_view name, std::span<const std::string_view> known) {
  // A third of the letters may be wrong, at most three: beyond that, it is another word.
  const size_t allowed = std::min<size_t>(3, std::max<size_t>(1, name.size() / 3));
  std::string_view nearest;
  size_t fewest = allowed + 1;
  for (std::string_view candidate : known) {
    const size_t longer = std::max(candidate.size(), name.size());
    if (longer - std::min(candidate.size(), name.size()) >= fewest) continue;
    const size_t distance = EditDistance(name, candidate);
    // One-letter names are near to everything.
    if (distance < fewest && distance < longer) {
      fewest = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

std::string DidYouMean(std::string_view name, std::span<const std::string_view> known) {
  const std::string_view nearest = NearestName(name, known);
  return nearest.empty() ? std::string() : fmt::format("; did you mean '{}'?", nearest);
}

}  // namespace noded::base
