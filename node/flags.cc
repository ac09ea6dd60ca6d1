#include "node/flags.h"

#include <algorithm>
#include <utility>

#include "fmt/format.h"

#include "base/nearest_name.h"
#include "base/status.h"

namespace noded::node {
namespace {

absl::Status Refuse(std::string_view what, std::string_view mend) {
  return base::Error(absl::StatusCode::kInvalidArgument, what, mend, "badarg");
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// A word of a verb's, where there are verbs: an option of its own, or a negative number.
bool BelongsToVerb(std::string_view text) {
  return text.size() > 1 && text[0] == '-' &&
         ((text.size() > 2 && text[1] == '-') || IsDigit(text[1]));
}

std::string AsWritten(const RawFlag& flag) {
  return fmt::format("-{} ({})", flag.name, flag.origin.ToString());
}

absl::Status RefuseUnknown(const RawFlag& flag) {
  std::vector<std::string> names;
  for (const FlagInfo& info : AllFlags()) {
    if (info.use != FlagUse::kRefused) names.push_back(fmt::format("-{}", info.name));
  }
  const std::vector<std::string_view> known(names.begin(), names.end());
  const std::string what =
      fmt::format("{}: unknown flag{}", AsWritten(flag), base::DidYouMean("-" + flag.name, known));
  if (flag.name.empty() || IsDigit(flag.name[0])) {
    return Refuse(what, "a word that begins with - is a flag for erl too; it cannot be a value");
  }
  return Refuse(what, "-help lists the flags");
}

absl::Status CheckValues(const RawFlag& flag, const FlagInfo& info) {
  const int count = static_cast<int>(flag.values.size());
  if (count < info.min_values) {
    return Refuse(fmt::format("{}: has {} of the values {}", AsWritten(flag), count, info.values),
                  fmt::format("write -{} {}", info.name, info.values));
  }
  if (info.max_values >= 0 && count > info.max_values) {
    // A surplus word may be a piece of the cookie.
    const std::string what =
        info.name == "setcookie"
            ? fmt::format("has {} values", count)
            : fmt::format("'{}' is one value too many", flag.values[info.max_values].text);
    return Refuse(fmt::format("{}: {}", AsWritten(flag), what),
                  info.values.empty() ? "it takes none"
                                      : fmt::format("write -{} {}; words that belong to no flag go "
                                                    "before the first flag or behind --",
                                                    info.name, info.values));
  }
  return absl::OkStatus();
}

class Sorter {
 public:
  explicit Sorter(RawFlags& result) : result_(result) {}

  absl::Status Take(RawFlag flag) {
    const FlagInfo* info = FindFlag(flag.name);
    if (flag.name == "-help" || flag.name == "-version") {
      (flag.name == "-help" ? result_.wants_help : result_.wants_version) = true;
      return absl::OkStatus();
    }
    if (info == nullptr) return RefuseUnknown(flag);
    switch (info->use) {
      case FlagUse::kRefused:
        return Refuse(fmt::format("{}: is not taken", AsWritten(flag)), info->meaning);
      case FlagUse::kBeam:
        Ignore(fmt::format("-{}", flag.name), flag.origin);
        return absl::OkStatus();
      case FlagUse::kUsed:
        break;
    }
    RETURN_IF_ERROR(CheckValues(flag, *info));
    if (flag.name == "help") {
      result_.wants_help = true;
    } else {
      result_.flags.push_back(std::move(flag));
    }
    return absl::OkStatus();
  }

  void Ignore(std::string flag, const Origin& origin) {
    const bool is_known = std::any_of(result_.ignored.begin(), result_.ignored.end(),
                                      [&](const Ignored& known) { return known.flag == flag; });
    if (!is_known) result_.ignored.push_back({std::move(flag), origin});
  }

 private:
  RawFlags& result_;
};

}  // namespace

const RawFlag* RawFlags::First(std::string_view name) const {
  for (const RawFlag& flag : flags) {
    if (flag.name == name) return &flag;
  }
  return nullptr;
}

const RawFlag* RawFlags::Last(std::string_view name) const {
  const RawFlag* last = nullptr;
  for (const RawFlag& flag : flags) {
    if (flag.name == name) last = &flag;
  }
  return last;
}

std::vector<const RawFlag*> RawFlags::All(std::string_view name) const {
  std::vector<const RawFlag*> found;
  for (const RawFlag& flag : flags) {
    if (flag.name == name) found.push_back(&flag);
  }
  return found;
}

InitArguments ReadInitArguments(std::vector<Word> words, Grammar grammar) {
  InitArguments result;
  bool is_in_flag = false;
  for (size_t i = 0; i < words.size(); ++i) {
    Word& word = words[i];
    if (word.text == "-extra") {
      for (++i; i < words.size(); ++i) result.plain.push_back(std::move(words[i]));
    } else if (word.text == "--") {
      is_in_flag = false;
    } else if (grammar == Grammar::kVerbs && BelongsToVerb(word.text)) {
      is_in_flag = false;
      result.plain.push_back(std::move(word));
    } else if (!word.text.empty() && word.text[0] == '-') {
      is_in_flag = true;
      result.flags.push_back({word.text.substr(1), word.origin, {}});
    } else if (is_in_flag) {
      result.flags.back().values.push_back(std::move(word));
    } else {
      result.plain.push_back(std::move(word));
    }
  }
  return result;
}

absl::StatusOr<RawFlags> ParseFlags(const FlagSources& sources, Grammar grammar) {
  ASSIGN_OR_RETURN(FlagWords words, ReadFlagWords(sources));
  RawFlags result;
  result.environment = std::move(words.environment);
  result.wants_version = words.wants_version;
  Sorter sorter(result);
  for (const Word& word : words.emulator) {
    if (!word.text.empty() && word.text[0] == '+' && word.text != "+V") {
      sorter.Ignore(word.text, word.origin);
    }
  }
  for (const Word& word : words.dropped) sorter.Ignore(word.text, word.origin);
  InitArguments arguments = ReadInitArguments(std::move(words.flags), grammar);
  for (RawFlag& flag : arguments.flags) RETURN_IF_ERROR(sorter.Take(std::move(flag)));
  result.plain = std::move(arguments.plain);
  return result;
}

}  // namespace noded::node
