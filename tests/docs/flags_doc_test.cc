// docs/flags.md names every flag, parameter and option that there is, and the samples in configs/
// start a node.
#include <cctype>
#include <string>

#include "fmt/format.h"
#include <gtest/gtest.h>

#include "dist/carrier/tls_option_table.h"
#include "node/config.h"
#include "node/flags.h"
#include "tests/testlib/runfiles.h"
#include "tests/testlib/temp_dir.h"

namespace noded::node {
namespace {

std::string Text(std::string_view path) { return testlib::ReadFile(testlib::ProgramPath(path)); }

bool Has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(FlagsDocTest, EveryFlagIsDescribed) {
  const std::string page = Text("docs/flags.md");
  for (const FlagInfo& flag : AllFlags()) {
    if (flag.use == FlagUse::kBeam) continue;
    const std::string start = fmt::format("`-{}", flag.name);
    EXPECT_TRUE(Has(page, start + "`") || Has(page, start + " ")) << "no " << flag.name;
  }
}

TEST(FlagsDocTest, EveryTlsOptionHasItsStatus) {
  const std::string page = Text("docs/flags.md");
  const size_t none = page.find("Accepted without"), never = page.find("Refused for good");
  ASSERT_NE(never, std::string::npos);
  for (const dist::TlsOptionEntry& option : dist::AllTlsOptions()) {
    const std::string name = fmt::format("`{}`", option.name);
    switch (option.use) {
      case dist::TlsOptionUse::kApplied:
        EXPECT_LT(page.find(name), none) << name;
        break;
      case dist::TlsOptionUse::kNoEffect:
        EXPECT_TRUE(Has(page.substr(none, never - none), name)) << name;
        break;
      case dist::TlsOptionUse::kRefused:
        if (option.why.find("sockets") == std::string_view::npos) {
          EXPECT_TRUE(Has(page.substr(never), name)) << name;
        }
        break;
    }
  }
}

TEST(FlagsDocTest, TheSamplesStartANode) {
  FlagSources sources;
  sources.arguments = {"-args_file", "/etc/noded/node.args"};
  sources.read_file = [](const std::string& path) -> absl::StatusOr<std::string> {
    return Text("configs/" + path.substr(path.rfind('/') + 1));
  };
  auto flags = ParseFlags(sources);
  ASSERT_TRUE(flags.ok()) << flags.status();
  ConfigInputs inputs;
  inputs.read_file = sources.read_file;
  auto config = BuildConfig(*flags, inputs);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->name, "noded@node1.example.net");
  EXPECT_EQ(config->carrier, "inet_tls");
  EXPECT_EQ(config->tls.client.trust.verify, tls::Verify::kPeer);
  EXPECT_TRUE(config->notices.empty() && config->ignored.empty());
}

}  // namespace
}  // namespace noded::node
