// The words of a command line as `erl` reads them: those of ERL_AFLAGS, the command line,
// ERL_FLAGS, ERL_ZFLAGS and NODED_FLAGS, in this order, with every `-args_file FILE` replaced by
// the words of the file, and each word with the place it comes from.
//
//   FlagSources sources{.arguments = {"-sname", "a"}, .environment = {{"ERL_FLAGS", "-hidden"}}};
//   ASSIGN_OR_RETURN(FlagWords words, ReadFlagWords(sources));
//   words.flags[0].text;                    // "-sname"
//   words.flags[0].origin.ToString();       // "the command line"
//
// Quoting, in variables and files: words are split at white space; "..." and '...' keep what they
// enclose as it is, a backslash outside them keeps the next character; parts without white space
// between them are one word. In files alone, # outside quotes starts a comment that ends with the
// line. Words of the command line are taken as the shell gave them. "--" stands between sources.
//
// Functions of their arguments, but for the file reader: any thread. Errors: InvalidArgument,
// naming flag, place and mend; those of the file reader. Source: OTP, erl(1) and init(3);
// erts/etc/common, erlexec.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace noded::node {

// More is a mistake or a circle of -args_file, not a configuration.
inline constexpr size_t kMaxArgsFileBytes = 1 << 20;
inline constexpr size_t kMaxFlagWords = 1 << 16;
inline constexpr int kMaxArgsFileDepth = 16;

// Where a value was given.
struct Origin {
  enum class Kind { kDefault, kCommandLine, kEnvironment, kFile };
  Kind kind = Kind::kDefault;
  std::string name;  // of the variable or the file
  int line = 0;      // in the file, from 1

  // "the default", "the command line", "ERL_FLAGS", "/etc/noded/node.args:12".
  std::string ToString() const;
  friend bool operator==(const Origin&, const Origin&) = default;
};

struct Word {
  std::string text;
  Origin origin;
  friend bool operator==(const Word&, const Word&) = default;
};

using Environment = std::map<std::string, std::string, std::less<>>;
// The whole text of a file, or why not (the message names the file and the cause).
using FileReader = std::function<absl::StatusOr<std::string>(const std::string& path)>;

struct FlagSources {
  std::vector<std::string> arguments;  // without the program's name
  Environment environment;
  FileReader read_file;  // none: -args_file and option files are refused
};

struct FlagWords {
  // Flags, their values and "--", as erlexec hands them to init.
  std::vector<Word> flags;
  // Emulator flags, each with its value if it has one: "+S", "4".
  std::vector<Word> emulator;
  // Flags that erlexec itself obeys, without their values: "-epmd", "-emu_args".
  std::vector<Word> dropped;
  // FlagSources::environment with the `-env` flags applied.
  Environment environment;
  // `+V` or `-version`: print it and go.
  bool wants_version = false;
};

// Text of a variable (or, with `is_file`, of a file) to words. `origin.line` counts up in a file.
absl::StatusOr<std::vector<Word>> SplitFlagText(std::string_view text, Origin origin, bool is_file);

absl::StatusOr<FlagWords> ReadFlagWords(const FlagSources& sources);

// Whether emulator flag `word` ("+S") takes `next` as its value (null: there is no next word).
bool EmulatorFlagTakes(std::string_view word, const std::string* next);

// A FileReader of the real file system: regular files and pipes of at most kMaxArgsFileBytes.
absl::StatusOr<std::string> ReadFlagFile(const std::string& path);

}  // namespace noded::node
