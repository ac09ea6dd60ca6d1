#include "node/flags.h"

#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/status.h"

namespace noded::node {
namespace {

using Files = std::map<std::string, std::string>;

FlagSources Sources(std::vector<std::string> arguments, Environment environment = {},
                    Files files = {}) {
  return {std::move(arguments), std::move(environment),
          [files](const std::string& path) -> absl::StatusOr<std::string> {
            auto found = files.find(path);
            if (found != files.end()) return found->second;
            return base::Error(absl::StatusCode::kInvalidArgument, "cannot read " + path, "",
                               "enoent");
          }};
}

RawFlags Parse(const FlagSources& sources, Grammar grammar = Grammar::kErl) {
  auto flags = ParseFlags(sources, grammar);
  EXPECT_TRUE(flags.ok()) << flags.status();
  return flags.ok() ? *flags : RawFlags();
}

std::string Refusal(const FlagSources& sources) {
  auto flags = ParseFlags(sources);
  EXPECT_EQ(flags.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(flags.status().message());
}

bool Has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

std::string Shown(const RawFlags& flags) {
  std::string text;
  for (const RawFlag& flag : flags.flags) {
    text += "-" + flag.name;
    for (const Word& value : flag.values) text += " " + value.text;
    text += ";";
  }
  return text;
}

std::vector<std::string> Plain(const RawFlags& flags) {
  std::vector<std::string> words;
  for (const Word& word : flags.plain) words.push_back(word.text);
  return words;
}

TEST(FlagsTest, SourcesAreReadInTheirOrderAndOursLast) {
  const RawFlags flags = Parse(Sources({"-sname", "argv"}, {{"NODED_FLAGS", "-sname ours"},
                                                            {"ERL_ZFLAGS", "-sname z"},
                                                            {"ERL_FLAGS", "-sname flags"},
                                                            {"ERL_AFLAGS", "-sname a"}}));
  EXPECT_EQ(Shown(flags), "-sname a;-sname argv;-sname flags;-sname z;-sname ours;");
  EXPECT_EQ(flags.First("sname")->values[0].text, "a");
  EXPECT_EQ(flags.Last("sname")->values[0].text, "ours");
  EXPECT_EQ(flags.All("sname").size(), 5u);
  EXPECT_EQ(flags.First("name"), nullptr);
}

TEST(FlagsTest, EachValueKnowsWhereItWasGiven) {
  const RawFlags flags =
      Parse(Sources({"-sname", "a", "-args_file", "node.args"}, {{"ERL_FLAGS", "-hidden"}},
                    {{"node.args", "# first\n\n-setcookie \\\n'x\ny'\n-kernel a 1\n"}}));
  EXPECT_EQ(flags.First("sname")->values[0].origin.ToString(), "the command line");
  EXPECT_EQ(flags.First("hidden")->origin.ToString(), "ERL_FLAGS");
  EXPECT_EQ(flags.First("setcookie")->origin.ToString(), "node.args:3");
  EXPECT_EQ(flags.First("kernel")->values[1].origin.ToString(), "node.args:6");
  EXPECT_EQ(Origin().ToString(), "the default");
}

TEST(FlagsTest, FlagsOfABeamAreSetAsideOnce) {
  const RawFlags flags =
      Parse(Sources({"-noshell", "-pa", "x", "y", "+S", "4", "-sname", "a", "-eval", "b()"},
                    {{"ERL_FLAGS", "-noshell +S 2 -epmd x -s mod fun -boot_var A B"}}));
  EXPECT_EQ(Shown(flags), "-sname a;");
  std::vector<std::string> names;
  for (const Ignored& ignored : flags.ignored) names.push_back(ignored.flag);
  EXPECT_EQ(names, (std::vector<std::string>{"+S", "-epmd", "-noshell", "-pa", "-eval", "-s",
                                             "-boot_var"}));
  EXPECT_EQ(flags.ignored[0].origin.ToString(), "the command line");
  EXPECT_TRUE(flags.plain.empty());
}

TEST(FlagsTest, AMisspeltFlagIsRefusedWithTheNearestRightOne) {
  const std::string why = Refusal(Sources({}, {{"ERL_FLAGS", "-setcokie x"}}));
  EXPECT_TRUE(Has(why, "-setcokie (ERL_FLAGS)") && Has(why, "did you mean '-setcookie'?")) << why;
  EXPECT_TRUE(Has(Refusal(Sources({"-frobnicate"})), "unknown flag; -help lists"));
  EXPECT_TRUE(Has(Refusal(Sources({"-kernel", "a", "b", "c", "-5"})), "-5 (the command line)"));
}

TEST(FlagsTest, AFlagThatWouldMeanSomethingElseIsRefusedWithTheReason) {
  EXPECT_TRUE(Has(Refusal(Sources({"-cookie", "x"})), "write -setcookie"));
  EXPECT_TRUE(Has(Refusal(Sources({"-nocookie"})), "write -setcookie"));
  EXPECT_TRUE(Has(Refusal(Sources({"-epmd_module", "x"})), "-erl_epmd_port"));
}

TEST(FlagsTest, MissingAndSurplusValuesAreRefused) {
  EXPECT_TRUE(Has(Refusal(Sources({"-name"})), "NAME is missing"));
  EXPECT_TRUE(Has(Refusal(Sources({"b"}, {{"ERL_AFLAGS", "-sname"}})), "-sname (ERL_AFLAGS)"));
  EXPECT_TRUE(Has(Refusal(Sources({"-setcookie"})), "write -setcookie [NODE] COOKIE"));
  EXPECT_TRUE(Has(Refusal(Sources({"-proto_dist", "inet_tls", "inet_tcp", "inet6_tls"})),
                  "'inet6_tls' is one value too many"));
  EXPECT_TRUE(Has(Refusal(Sources({"-env", "A"})), "VARIABLE VALUE"));
  EXPECT_TRUE(Has(Refusal(Sources({"-env", "A=B", "c"})), "is not the name of a variable"));
  EXPECT_TRUE(Has(Refusal(Sources({"-args_file"})), "FILE is missing"));
}

TEST(FlagsTest, EnvSetsVariables) {
  const RawFlags flags = Parse(Sources({"-env", "A", "1", "-kernel", "a", "-env", "B", "-2", "b"},
                                       {{"A", "0"}, {"C", "3"}}));
  EXPECT_EQ(flags.environment, (Environment{{"A", "1"}, {"B", "-2"}, {"C", "3"}}));
  EXPECT_EQ(Shown(flags), "-kernel a b;");
}

TEST(FlagsTest, FilesMayNameFilesButNotForEver) {
  const RawFlags flags =
      Parse(Sources({"-args_file", "1"}, {}, {{"1", "-args_file 2 -hidden"}, {"2", "-sname two"}}));
  EXPECT_EQ(Shown(flags), "-sname two;-hidden;");
  const std::string why = Refusal(Sources({"-args_file", "x"}, {}, {{"x", "-args_file x"}}));
  EXPECT_TRUE(Has(why, "-args_file x (x:1)") && Has(why, "more than 16 deep")) << why;
  // Wide instead of deep.
  Files files = {{"leaf", std::string(4000, 'x')}};
  for (size_t i = 0; i < files["leaf"].size(); i += 2) files["leaf"][i] = ' ';
  std::string wide;
  for (int i = 0; i < 100; ++i) wide += "-args_file leaf ";
  files["wide"] = wide;
  EXPECT_TRUE(Has(Refusal(Sources({"-args_file", "wide"}, {}, files)), "more than 65536 words"));
}

TEST(FlagsTest, AFileThatCannotBeReadIsNamedWithItsFlag) {
  const std::string why = Refusal(Sources({}, {{"NODED_FLAGS", "-args_file gone"}}));
  EXPECT_TRUE(Has(why, "-args_file gone (NODED_FLAGS)")) << why;
  EXPECT_TRUE(
      Has(Refusal(Sources({"-args_file", "z"}, {}, {{"z", std::string("a\0b", 3)}})), "zero byte"));
  EXPECT_TRUE(Has(Refusal(Sources({"-args_file", "big"}, {},
                                  {{"big", std::string(kMaxArgsFileBytes + 1, ' ')}})),
                  "at most 1048576"));
  auto gone = ReadFlagFile("/nonexistent/file");
  EXPECT_EQ(base::ReasonOf(gone.status()), "enoent");
  EXPECT_EQ(base::ReasonOf(ReadFlagFile("/").status()), "eisdir");
  EXPECT_EQ(base::ReasonOf(ReadFlagFile("/dev/zero").status()), "eunknown");
}

TEST(FlagsTest, VersionAndHelpAreAskedForInAnySpelling) {
  EXPECT_TRUE(Parse(Sources({"-version"})).wants_version);
  EXPECT_TRUE(Parse(Sources({"--version"})).wants_version);
  EXPECT_TRUE(Parse(Sources({"+V"})).wants_version);
  EXPECT_TRUE(Parse(Sources({"-help"})).wants_help);
  EXPECT_TRUE(Parse(Sources({"--help"})).wants_help);
  const RawFlags none = Parse(Sources({"-sname", "a"}));
  EXPECT_FALSE(none.wants_help || none.wants_version);
  EXPECT_TRUE(Has(FlagHelp(), "-setcookie [NODE] COOKIE"));
  EXPECT_FALSE(Has(FlagHelp(), "-noshell"));
}

TEST(FlagsTest, VerbsKeepTheirOwnOptionsAndNegativeNumbers) {
  const FlagSources sources =
      Sources({"call", "b@host", "--wait", "5", "m", "f", "-7", "-setcookie", "x", "--json"},
              {{"ERL_FLAGS", "-hidden"}});
  const RawFlags flags = Parse(sources, Grammar::kVerbs);
  EXPECT_EQ(Plain(flags),
            (std::vector<std::string>{"call", "b@host", "--wait", "5", "m", "f", "-7", "--json"}));
  EXPECT_EQ(Shown(flags), "-setcookie x;-hidden;");
}

TEST(FlagsTest, WhatFollowsExtraIsNoFlag) {
  const RawFlags flags = Parse(Sources({"-hidden", "-extra", "-sname", "--", "+x"}));
  EXPECT_EQ(Shown(flags), "-hidden;");
  EXPECT_EQ(Plain(flags), (std::vector<std::string>{"-sname", "--", "+x"}));
}

TEST(FlagsTest, TheTableNamesEachFlagOnce) {
  for (const FlagInfo& flag : AllFlags()) {
    EXPECT_EQ(FindFlag(flag.name), &flag) << flag.name << " is there twice";
  }
}

}  // namespace
}  // namespace noded::node
