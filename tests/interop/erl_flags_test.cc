// Our reading of command lines against erl's own: its -emu_args_exit prints what erlexec made of
// the words, init:get_arguments() what init did. Needs `erl` on the path; a missing one is a
// failure.
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "fmt/format.h"
#include <gtest/gtest.h>

#include "dist/term_text.h"
#include "node/config.h"
#include "node/flags.h"
#include "tests/testlib/process.h"
#include "tests/testlib/temp_dir.h"

namespace noded::node {
namespace {

using dist::Term;
using testlib::Command;
using testlib::TempDir;

struct Line {
  std::vector<std::string> arguments;
  Environment environment;
};

std::vector<std::string> Settings(const Environment& environment, const std::string& home) {
  std::vector<std::string> settings = {fmt::format("HOME={}", home)};
  for (const auto& [name, value] : environment)
    settings.push_back(fmt::format("{}={}", name, value));
  return settings;
}

FlagSources Sources(const Line& line) {
  return {.arguments = line.arguments, .environment = line.environment, .read_file = ReadFlagFile};
}

std::string Join(const std::vector<Word>& words) {
  std::string text;
  for (const Word& word : words) text += word.text + "\n";
  return text;
}

std::string Show(const Line& line) {
  std::string text = fmt::format("[{}]", fmt::join(line.arguments, "]["));
  for (const auto& [name, value] : line.environment) text += fmt::format(" {}={}", name, value);
  return text;
}

class ErlFlagsTest : public ::testing::Test {
 protected:
  // Both must make the same words of the line.
  void ExpectSameWords(const Line& line) {
    SCOPED_TRACE(Show(line));
    Command command{.argv = {"erl", "-emu_args_exit"},
                    .environment = Settings(line.environment, home_)};
    command.argv.insert(command.argv.end(), line.arguments.begin(), line.arguments.end());
    auto theirs = testlib::RunProgram(command);
    ASSERT_TRUE(theirs.ok()) << theirs.status();
    ASSERT_EQ(theirs->code, 0) << theirs->err;

    FlagSources sources = Sources(line);
    sources.arguments.insert(sources.arguments.begin(), "-emu_args_exit");
    auto ours = ReadFlagWords(sources);
    ASSERT_TRUE(ours.ok()) << ours.status();
    for (Word& word : ours->emulator) {
      if (word.text[0] == '+') word.text[0] = '-';
    }
    const std::string before = Join(ours->emulator) + "--\n-root\n";
    const std::string after = fmt::format("\n-home\n{}\n--\n", home_) + Join(ours->flags);
    EXPECT_EQ(theirs->out.substr(0, before.size()), before);
    std::string end = theirs->out;
    // Where nothing but the command line is given, erl adds no "--" behind it.
    if (!end.ends_with("--\n") && after.ends_with("--\n")) end += "--\n";
    ASSERT_GE(end.size(), after.size()) << end;
    EXPECT_EQ(end.substr(end.size() - after.size()), after);
  }

  // Both must see the same flags and plain words.
  void ExpectSameFlags(Line line) {
    SCOPED_TRACE(Show(line));
    constexpr std::string_view kShow =
        "io:format(\"~0tp~n\", [{[F || {K, _} = F <- init:get_arguments(), not lists:member(K, "
        "[root, bindir, progname, home])], init:get_plain_arguments()}]), halt().";
    line.arguments.insert(line.arguments.begin(), {"-noshell", "-eval", std::string(kShow)});
    Command command{.argv = {"erl"}, .environment = Settings(line.environment, home_)};
    command.argv.insert(command.argv.end(), line.arguments.begin(), line.arguments.end());
    auto theirs = testlib::RunProgram(command);
    ASSERT_TRUE(theirs.ok()) << theirs.status();
    auto shown = dist::ParseTerm(theirs->out);
    ASSERT_TRUE(shown.ok()) << shown.status() << theirs->out << theirs->err;

    auto words = ReadFlagWords(Sources(line));
    ASSERT_TRUE(words.ok()) << words.status();
    InitArguments ours = ReadInitArguments(std::move(words->flags));
    std::vector<Term> flags, plain;
    for (const RawFlag& flag : ours.flags) {
      if (flag.name == "eval" || flag.name == "s" || flag.name == "run") continue;  // init's own
      std::vector<Term> values;
      for (const Word& word : flag.values) values.push_back(Term::String(word.text));
      flags.push_back(Term::Tuple({Term::Atom(flag.name), Term::List(std::move(values))}));
    }
    for (const Word& word : ours.plain) plain.push_back(Term::String(word.text));
    const Term expected = Term::Tuple({Term::List(std::move(flags)), Term::List(std::move(plain))});
    EXPECT_EQ(dist::PrintTerm(expected), dist::PrintTerm(*shown));
  }

  TempDir dir_;
  const std::string home_ = dir_.path();
};

TEST_F(ErlFlagsTest, TheCommandLineIsTakenAsTheShellGaveIt) {
  ExpectSameWords({{"-foo", "a b", "\"c\"", "'d'", "\\e", "#f", ""}, {}});
  ExpectSameWords({{"plain", "-x", "--", "y", "-z"}, {}});
}

TEST_F(ErlFlagsTest, VariablesAreSplitByErlsQuotingRules) {
  for (const char* text : {"-a b",
                           "  -a\tb\n\f\v\r c ",
                           "-a \"b c\"",
                           "-a 'b c'",
                           "-a \"b 'c' d\"",
                           "-a 'b \"c\" d'",
                           "-a b\\ c",
                           "-a \\\"b\\\"",
                           "-a \\\\",
                           "-a \"b\\\"",
                           "-a '\\'",
                           "-a b\"c d\"e'f g'h",
                           "-a \"\" ''",
                           "-a \"open",
                           "-a 'open",
                           "-a trailing\\",
                           "-a # no comment",
                           "-a b#c",
                           "",
                           "   ",
                           "-kernel inet_dist_use_interface '{127,0,0,1}'",
                           "-a \"{x,\\\"y\\\"}\""}) {
    ExpectSameWords({{"-first"}, {{"ERL_FLAGS", text}}});
  }
}

TEST_F(ErlFlagsTest, SourcesComeInErlsOrderWithASeparatorBehindEach) {
  ExpectSameWords(
      {{"-w", "0"}, {{"ERL_AFLAGS", "-w 1"}, {"ERL_FLAGS", "v -w 2"}, {"ERL_ZFLAGS", "-w 3"}}});
  ExpectSameWords({{"-w", "0", "-extra", "p", "-q"},
                   {{"ERL_AFLAGS", "-w 1 -extra a"}, {"ERL_ZFLAGS", "-w 3 -extra z"}}});
}

TEST_F(ErlFlagsTest, FilesOfArgumentsReadAsErlReadsThem) {
  const std::string inner = dir_.Write("inner", "-inner n # c\n-extra 7 8\n");
  const std::string empty = dir_.Write("empty", "# nothing\n\n");
  const std::string outer = dir_.Write(
      "outer", fmt::format("# a comment\n-foo a#b c # d \"e\n-bar \"x # y\" \\# z\n-args_file {}\n"
                           "-args_file {} q\n-two 'lines\nof text' \\\n-extra 1 2",
                           empty, inner));
  ExpectSameWords({{"-m", "1", "-args_file", outer, "tail"}, {}});
  ExpectSameWords({{"-m"}, {{"ERL_FLAGS", fmt::format("-x y -args_file {} z", outer)}}});
  ExpectSameWords({{"-args_file", empty, "-m"}, {}});
}

TEST_F(ErlFlagsTest, RandomTextIsSplitAlike) {
  constexpr std::string_view kAlphabet = "ab-#\"'\\  \n\t";
  std::mt19937 random(20250101);
  for (int i = 0; i < 40; ++i) {
    std::string variable, file = "-f ";
    for (unsigned size = random() % 40; size > 0; --size) {
      variable.push_back(kAlphabet[random() % kAlphabet.size()]);
      file.push_back(kAlphabet[random() % kAlphabet.size()]);
    }
    ExpectSameWords({{"-x", "-args_file", dir_.Write("random", file)}, {{"ERL_FLAGS", variable}}});
  }
}

TEST_F(ErlFlagsTest, EmulatorFlagsTakeTheirValuesAndNoMore) {
  ExpectSameWords({{"-foo", "-1", "+S", "1", "b"}, {}});
  for (const char* flag :
       {"+a",       "+A",     "+C",    "+e",      "+i",        "+n",     "+P",       "+Q",
        "+t",       "+T",     "+R",    "+W",      "+K",        "+S",     "+SP",      "+SDcpu",
        "+SDPcpu",  "+SDio",  "+IOt",  "+IOp",    "+IOPt",     "+IOPp",  "+pc",      "+d",
        "+dcg",     "+l",     "+r",    "+rg",     "+v",        "+B",     "+Bi",      "+Bc",
        "+Bd",      "+c",     "+fnu",  "+hms",    "+hmbs",     "+hpds",  "+hmax",    "+hmaxk",
        "+hmaxel",  "+hmqd",  "+h",    "+JPperf", "+JMsingle", "+MBe",   "+Mea",     "+Mummc",
        "+MMscs",   "+MIscs", "+MYe",  "+MHas",   "+sbt",      "+sbwt",  "+sbwtdio", "+scl",
        "+sct",     "+secio", "+sfwi", "+stbt",   "+swct",     "+swt",   "+sws",     "+sss",
        "+sssdcpu", "+spp",   "+sub",  "+zdbbl",  "+zdntgc",   "+zebwt", "+zosrl",   "+A4",
        "+S4"}) {
    ExpectSameWords({{"-x", flag, "i", "-y"}, {}});
  }
  ExpectSameWords({{"-x", "+c", "true", "+c", "maybe", "+B", "-y"}, {}});
}

TEST_F(ErlFlagsTest, TheLauncherTakesItsOwnFlagsOut) {
  ExpectSameWords({{"-foo", "a", "-env", "A", "B", "c"}, {}});
  ExpectSameWords({{"-name", "+x", "-sname", "-y", "-start_epmd", "false"}, {}});
  ExpectSameWords({{"-noinput", "-nohup", "-smp", "enable", "-emu_flavor", "x"}, {}});
  ExpectSameWords({{"-epmd", "prog", "-keep_window", "-emu_args", "-detached"}, {}});
}

TEST_F(ErlFlagsTest, InitSeesTheSameFlagsAndPlainWords) {
  const std::string file = dir_.Write("args", "-baz 'q r' # c\n-extra e f");
  ExpectSameFlags({{"-foo", "-1", "b", "--", "c", "-", "d", "-extra", "-x", "--", "+y"},
                   {{"ERL_AFLAGS", "before -a \"\" 1"}, {"ERL_FLAGS", "loose -z \"a b\""}}});
  ExpectSameFlags(
      {{"-run", "erlang", "abs", "-args_file", file, "loose", "-kernel", "a", "{b,\"c\"}"},
       {{"ERL_ZFLAGS", "-hidden -s lists"}}});
}

// What the configuration takes of parameters given again.
TEST_F(ErlFlagsTest, OfParametersGivenAgainTheSameOneCounts) {
  const std::vector<std::string> flags = {"-kernel",
                                          "net_ticktime",
                                          "1",
                                          "net_ticktime",
                                          "2",
                                          "net_setuptime",
                                          "11",
                                          "net_setuptime",
                                          "12",
                                          "-kernel",
                                          "net_ticktime",
                                          "3",
                                          "net_ticktime",
                                          "4",
                                          "net_setuptime",
                                          "13",
                                          "net_setuptime",
                                          "14"};
  Command command{.argv = {"erl", "-noshell"}, .environment = Settings({}, home_)};
  command.argv.insert(command.argv.end(), flags.begin(), flags.end());
  command.argv.insert(command.argv.end(),
                      {"-eval",
                       "[{ok, T}, {ok, S}] = [application:get_env(kernel, K) || K <- "
                       "[net_ticktime, net_setuptime]], io:format(\"~p ~p\", [T, S]), halt()."});
  auto theirs = testlib::RunProgram(command);
  ASSERT_TRUE(theirs.ok()) << theirs.status();

  FlagSources sources{.arguments = flags, .environment = {}, .read_file = nullptr};
  sources.arguments.insert(sources.arguments.end(), {"-sname", "a@host"});
  auto parsed = ParseFlags(sources);
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  auto ours = BuildConfig(*parsed, {});
  ASSERT_TRUE(ours.ok()) << ours.status();
  EXPECT_EQ(theirs->out, fmt::format("{} {}", ours->time.net_ticktime.count(),
                                     ours->time.net_setuptime.count() / 1000));
  EXPECT_EQ(theirs->out, "3 12");
  EXPECT_EQ(ours->notices.size(), 6u) << "each contradiction is told";
}

}  // namespace
}  // namespace noded::node
