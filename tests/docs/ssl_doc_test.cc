// docs/ssl.md says of every option that the command line knows what became of it, and leaves no row
// without a state.
#include <algorithm>
#include <string>
#include <vector>

#include "fmt/format.h"
#include <gtest/gtest.h>

#include "dist/carrier/tls_option_table.h"
#include "tests/testlib/runfiles.h"
#include "tests/testlib/temp_dir.h"

namespace noded {
namespace {

std::string Page() { return testlib::ReadFile(testlib::ProgramPath("docs/ssl.md")); }

// The rows of its tables, without headings and rules.
std::vector<std::vector<std::string>> Rows(const std::string& page) {
  std::vector<std::vector<std::string>> rows;
  size_t start = 0;
  while (start < page.size()) {
    const size_t end = std::min(page.find('\n', start), page.size());
    const std::string line = page.substr(start, end - start);
    start = end + 1;
    if (line.rfind("| ", 0) != 0 || line.rfind("| original", 0) == 0) continue;
    std::vector<std::string> cells;
    for (size_t at = 1; at < line.size();) {
      const size_t bar = std::min(line.find('|', at), line.size());
      cells.push_back(line.substr(at, bar - at));
      at = bar + 1;
    }
    rows.push_back(cells);
  }
  return rows;
}

TEST(SslDocTest, EveryOptionHasARow) {
  const auto rows = Rows(Page());
  for (const dist::TlsOptionEntry& option : dist::AllTlsOptions()) {
    const std::string name = fmt::format("`{}`", option.name);
    const bool is_there = std::any_of(rows.begin(), rows.end(), [&](const auto& row) {
      return row[0].find(name) != std::string::npos;
    });
    EXPECT_TRUE(is_there) << name;
  }
}

TEST(SslDocTest, NoRowIsWithoutAStateAndItsReason) {
  const auto rows = Rows(Page());
  EXPECT_GT(rows.size(), 100u);
  for (const auto& row : rows) {
    ASSERT_EQ(row.size(), 3u) << row[0];
    const std::string& state = row[2];
    const bool works = state.rfind(" works", 0) == 0;
    const bool says_why = state.rfind(" changed: ", 0) == 0 || state.rfind(" refused: ", 0) == 0;
    EXPECT_TRUE(works || says_why) << row[0] << ":" << state;
  }
}

}  // namespace
}  // namespace noded
