// docs/ciphers.md has every suite with its names, every refusal with its reason, and no others.
#include <string>

#include "fmt/format.h"
#include <gtest/gtest.h>

#include "tests/testlib/runfiles.h"
#include "tests/testlib/temp_dir.h"
#include "tls/ciphers.h"
#include "tls/refused.h"

namespace noded::tls {
namespace {

std::string Page() { return testlib::ReadFile(testlib::ProgramPath("docs/ciphers.md")); }

size_t Count(const std::string& text, std::string_view part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

TEST(CiphersDocTest, EverySuiteHasItsRow) {
  const std::string page = Page();
  for (const CipherSuite& suite : AllCipherSuites()) {
    const char* use = suite.use == CipherSuite::Use::kDefault      ? "default"
                      : suite.use == CipherSuite::Use::kPskDefault ? "default with keys"
                                                                   : "by name";
    const std::string row = fmt::format("| `0x{:04x}` | `{}` | `{}` | `{}` | {} |\n", suite.id,
                                        suite.iana, suite.openssl, ErlangText(suite), use);
    EXPECT_EQ(Count(page, row), 1u) << row;
  }
  EXPECT_EQ(Count(page, "\n| `0x"), AllCipherSuites().size());
}

TEST(CiphersDocTest, EveryRefusalHasItsReason) {
  const std::string page = Page();
  for (auto table : {AllRefusedVersions(), AllRefusedSuites(), AllRefusedOptions()}) {
    for (const Refusal& refusal : table) {
      const std::string row =
          fmt::format("| `{}` | {} | {} |\n", refusal.feature, refusal.why, refusal.instead);
      EXPECT_EQ(Count(page, row), 1u) << row;
    }
  }
}

}  // namespace
}  // namespace noded::tls
