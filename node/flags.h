// The flags of noded and nodectl, as `erl` spells and reads them: words to flags with their values,
// each with its origin; unknown ones refused, those for a BEAM alone set aside.
//
//   ASSIGN_OR_RETURN(RawFlags flags, ParseFlags(sources));       // flag_words.h
//   if (flags.wants_version) ...
//   if (const RawFlag* name = flags.First("sname")) Use(name->values[0].text);
//   for (const Ignored& ignored : flags.ignored) LogInfo("flag_ignored").Add("flag", ignored.flag);
//   ASSIGN_OR_RETURN(NodeConfig config, BuildConfig(flags, inputs));   // config.h
//
// A flag's values are the words up to the next word that begins with '-' or '+'. Which of several
// counts when a flag is given again is each flag's own affair, as in OTP: see docs/flags.md.
//
// Pure functions: any thread. Errors: InvalidArgument, naming flag, place and mend (a flag that
// nobody knows: the nearest right one). Source: OTP, erl(1), init(3).
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

#include "node/flag_words.h"

namespace noded::node {

struct RawFlag {
  std::string name;  // without '-'
  Origin origin;
  std::vector<Word> values;
};

// A flag that has a meaning for a BEAM only.
struct Ignored {
  std::string flag;  // as written, without values: "-noshell", "+S"
  Origin origin;
  friend bool operator==(const Ignored&, const Ignored&) = default;
};

struct RawFlags {
  std::vector<RawFlag> flags;    // in the order of reading
  std::vector<Word> plain;       // words that belong to no flag, and all behind -extra
  std::vector<Ignored> ignored;  // each name once, where it came first
  Environment environment;       // with `-env` applied
  bool wants_version = false;
  bool wants_help = false;

  const RawFlag* First(std::string_view name) const;
  const RawFlag* Last(std::string_view name) const;
  std::vector<const RawFlag*> All(std::string_view name) const;
};

// Whose command line it is.
enum class Grammar {
  // Exactly erl's.
  kErl,
  // With verbs and their options besides: "--json", "-5" and whatever follows them up to the next
  // flag are plain words.
  kVerbs,
};

absl::StatusOr<RawFlags> ParseFlags(const FlagSources& sources, Grammar grammar = Grammar::kErl);

// What init makes of the words, before anybody asks which flags exist: for tests against erl.
struct InitArguments {
  std::vector<RawFlag> flags;
  std::vector<Word> plain;
};
InitArguments ReadInitArguments(std::vector<Word> words, Grammar grammar = Grammar::kErl);

enum class FlagUse {
  kUsed,     // noded reads it
  kBeam,     // ignored, with all its values
  kRefused,  // known, and there is a reason not to go on
};

struct FlagInfo {
  std::string_view name;
  FlagUse use = FlagUse::kUsed;
  // How many values it takes; max_values < 0: any number.
  int min_values = 0;
  int max_values = 0;
  // kUsed: its values and meaning, for -help. kRefused: why and what to do.
  std::string_view values = "";
  std::string_view meaning = "";
};

std::span<const FlagInfo> AllFlags();
const FlagInfo* FindFlag(std::string_view name);

// The text of -help: every flag that is used, one a line.
std::string FlagHelp();

}  // namespace noded::node
