#include "node/flag_words.h"

#include <array>
#include <iterator>
#include <utility>

#include "fmt/format.h"

#include "base/status.h"

namespace noded::node {
namespace {

absl::Status Refuse(std::string_view what, std::string_view mend) {
  return base::Error(absl::StatusCode::kInvalidArgument, what, mend, "badarg");
}

bool IsBlank(char c) {
  return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

absl::Status Missing(const Word& flag, std::string_view what) {
  return Refuse(fmt::format("{} ({}): {} is missing", flag.text, flag.origin.ToString(), what),
                fmt::format("write {} {}", flag.text, what));
}

// The words of all sources, before flags are looked at; those after -extra apart.
class Gatherer {
 public:
  explicit Gatherer(const FlagSources& sources) : sources_(sources) {}

  absl::Status Take(std::vector<Word> words, int depth) {
    for (size_t i = 0; i < words.size(); ++i) {
      if (words[i].text == "-args_file") {
        if (i + 1 >= words.size()) return Missing(words[i], "FILE");
        RETURN_IF_ERROR(TakeFile(words[i], words[i + 1].text, depth + 1));
        ++i;
      } else if (words[i].text == "-extra") {
        for (++i; i < words.size(); ++i) RETURN_IF_ERROR(Add(extra_, std::move(words[i])));
      } else {
        RETURN_IF_ERROR(Add(words_, std::move(words[i])));
      }
    }
    return absl::OkStatus();
  }

  absl::Status TakeVariable(const char* name) {
    auto found = sources_.environment.find(name);
    if (found == sources_.environment.end()) return absl::OkStatus();
    Origin origin{Origin::Kind::kEnvironment, name, 0};
    ASSIGN_OR_RETURN(std::vector<Word> words, SplitFlagText(found->second, origin, false));
    if (words.empty()) return absl::OkStatus();
    words.push_back({"--", origin});
    return Take(std::move(words), 0);
  }

  std::vector<Word> Finish() {
    if (!extra_.empty()) {
      words_.push_back({"-extra", extra_.front().origin});
      words_.insert(words_.end(), std::make_move_iterator(extra_.begin()),
                    std::make_move_iterator(extra_.end()));
    }
    return std::move(words_);
  }

 private:
  absl::Status Add(std::vector<Word>& words, Word word) {
    if (words_.size() + extra_.size() >= kMaxFlagWords) {
      return Refuse(
          fmt::format("flags: more than {} words, at {}", kMaxFlagWords, word.origin.ToString()),
          "look for an -args_file that is read again and again");
    }
    words.push_back(std::move(word));
    return absl::OkStatus();
  }

  absl::Status TakeFile(const Word& flag, const std::string& path, int depth) {
    const std::string where = fmt::format("-args_file {} ({})", path, flag.origin.ToString());
    if (depth > kMaxArgsFileDepth) {
      return Refuse(
          fmt::format("{}: files name each other more than {} deep", where, kMaxArgsFileDepth),
          "take -args_file out of a file that is read by itself");
    }
    if (!sources_.read_file) return Refuse(fmt::format("{}: files cannot be read here", where), "");
    auto text = sources_.read_file(path);
    if (!text.ok()) return base::Annotate(text.status(), where);
    Origin origin{Origin::Kind::kFile, path, 1};
    ASSIGN_OR_RETURN(std::vector<Word> words, SplitFlagText(*text, origin, true));
    if (words.empty()) return absl::OkStatus();
    words.push_back({"--", words.back().origin});
    return Take(std::move(words), depth);
  }

  const FlagSources& sources_;
  std::vector<Word> words_, extra_;
};

absl::StatusOr<std::vector<Word>> Gather(const FlagSources& sources) {
  Gatherer gatherer(sources);
  RETURN_IF_ERROR(gatherer.TakeVariable("ERL_AFLAGS"));
  const Origin here{Origin::Kind::kCommandLine, "", 0};
  std::vector<Word> words;
  words.reserve(sources.arguments.size());
  for (const std::string& text : sources.arguments) words.push_back({text, here});
  RETURN_IF_ERROR(gatherer.Take(std::move(words), 0));
  if (!sources.arguments.empty()) RETURN_IF_ERROR(gatherer.Take({{"--", here}}, 0));
  for (const char* name : {"ERL_FLAGS", "ERL_ZFLAGS", "NODED_FLAGS"}) {
    RETURN_IF_ERROR(gatherer.TakeVariable(name));
  }
  return gatherer.Finish();
}

// What erlexec itself does with flags before init sees them.
class Launcher {
 public:
  Launcher(std::vector<Word> words, FlagWords& result)
      : words_(std::move(words)), result_(result) {}

  absl::Status Run() {
    while (at_ < words_.size()) {
      const std::string& text = words_[at_].text;
      if (text == "-extra") {
        while (at_ < words_.size()) Keep();
      } else if (!text.empty() && text[0] == '+') {
        TakeEmulatorFlag();
      } else {
        RETURN_IF_ERROR(TakeFlag());
      }
    }
    return absl::OkStatus();
  }

 private:
  void Keep() { result_.flags.push_back(std::move(words_[at_++])); }

  void TakeEmulatorFlag() {
    if (words_[at_].text == "+V") result_.wants_version = true;
    const bool takes = EmulatorFlagTakes(words_[at_].text,
                                         at_ + 1 < words_.size() ? &words_[at_ + 1].text : nullptr);
    result_.emulator.push_back(std::move(words_[at_++]));
    if (takes) result_.emulator.push_back(std::move(words_[at_++]));
  }

  absl::Status TakeFlag() {
    const Word& flag = words_[at_];
    const size_t left = words_.size() - at_ - 1;
    if (flag.text == "-env") {
      if (left < 2 || words_[at_ + 1].text == "--" || words_[at_ + 2].text == "--") {
        return Missing(flag, "VARIABLE VALUE");
      }
      const std::string& name = words_[at_ + 1].text;
      if (name.empty() || name.find('=') != std::string::npos) {
        return Refuse(fmt::format("-env ({}): '{}' is not the name of a variable",
                                  flag.origin.ToString(), name),
                      "write -env VARIABLE VALUE");
      }
      result_.environment[name] = words_[at_ + 2].text;
      at_ += 3;
    } else if (flag.text == "-name" || flag.text == "-sname" || flag.text == "-start_epmd") {
      if (left < 1 || words_[at_ + 1].text == "--") {
        return Missing(flag, flag.text == "-start_epmd" ? "true|false" : "NAME");
      }
      Keep();
      Keep();  // whatever it begins with
    } else if (flag.text == "-version") {
      result_.wants_version = true;
      ++at_;
    } else if (flag.text == "-noinput" || flag.text == "-detached") {
      result_.flags.push_back({"-noshell", flag.origin});
      result_.flags.push_back({"-noinput", flag.origin});
      ++at_;
    } else if (flag.text == "-epmd") {
      if (left < 1 || words_[at_ + 1].text == "--") return Missing(flag, "PROGRAM");
      result_.dropped.push_back(flag);
      at_ += 2;
    } else if (flag.text == "-emu_args" || flag.text == "-emu_args_exit" ||
               flag.text == "-emu_name_exit" || flag.text == "-emu_qouted_cmd_exit" ||
               flag.text == "-keep_window") {
      result_.dropped.push_back(flag);
      ++at_;
    } else {
      Keep();
    }
    return absl::OkStatus();
  }

  std::vector<Word> words_;
  FlagWords& result_;
  size_t at_ = 0;
};

// Adds `c` to the word under way, or says that it ends there.
class Splitter {
 public:
  Splitter(Origin origin, bool is_file) : origin_(std::move(origin)), is_file_(is_file) {}

  std::vector<Word> Split(std::string_view text) {
    for (size_t i = 0; i < text.size(); ++i) {
      i = Step(text, i);
      if (i < text.size() && text[i] == '\n' && is_file_) ++origin_.line;
    }
    EndWord();
    return std::move(words_);
  }

 private:
  // Returns the index of the last character it used.
  size_t Step(std::string_view text, size_t i) {
    const char c = text[i];
    if (quote_ != 0) {
      if (c == quote_) {
        quote_ = 0;
      } else {
        word_.text.push_back(c);
      }
    } else if (IsBlank(c)) {
      EndWord();
    } else if (c == '#' && is_file_) {
      EndWord();
      while (i + 1 < text.size() && text[i + 1] != '\n') ++i;
    } else {
      StartWord();
      if (c == '"' || c == '\'') {
        quote_ = c;
      } else if (c == '\\') {
        if (i + 1 < text.size()) word_.text.push_back(text[++i]);
      } else {
        word_.text.push_back(c);
      }
    }
    return i;
  }

  void StartWord() {
    if (is_in_word_) return;
    is_in_word_ = true;
    word_ = {"", origin_};
  }

  void EndWord() {
    if (is_in_word_) words_.push_back(std::move(word_));
    is_in_word_ = false;
    word_ = {};
  }

  Origin origin_;
  const bool is_file_;
  char quote_ = 0;
  bool is_in_word_ = false;
  Word word_;
  std::vector<Word> words_;
};

}  // namespace

std::string Origin::ToString() const {
  switch (kind) {
    case Kind::kDefault:
      return "the default";
    case Kind::kCommandLine:
      return "the command line";
    case Kind::kEnvironment:
      return name;
    case Kind::kFile:
      return line > 0 ? fmt::format("{}:{}", name, line) : name;
  }
  return "";
}

absl::StatusOr<std::vector<Word>> SplitFlagText(std::string_view text, Origin origin,
                                                bool is_file) {
  if (text.size() > kMaxArgsFileBytes) {
    return Refuse(fmt::format("{}: {} bytes of flags, at most {} are read", origin.ToString(),
                              text.size(), kMaxArgsFileBytes),
                  "name the right file");
  }
  if (text.find('\0') != std::string_view::npos) {
    return Refuse(fmt::format("{}: holds a zero byte, so it is no text", origin.ToString()),
                  "name the right file");
  }
  return Splitter(std::move(origin), is_file).Split(text);
}

absl::StatusOr<FlagWords> ReadFlagWords(const FlagSources& sources) {
  FlagWords result;
  result.environment = sources.environment;
  ASSIGN_OR_RETURN(std::vector<Word> words, Gather(sources));
  RETURN_IF_ERROR(Launcher(std::move(words), result).Run());
  return result;
}

}  // namespace noded::node
