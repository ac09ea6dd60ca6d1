#include "node/config_reader.h"

#include <algorithm>
#include <charconv>
#include <utility>
#include <vector>

#include "fmt/format.h"

#include "base/status.h"

namespace noded::node {
namespace {

bool HasSameValues(const RawFlag& a, const RawFlag& b) {
  return std::equal(a.values.begin(), a.values.end(), b.values.begin(), b.values.end(),
                    [](const Word& x, const Word& y) { return x.text == y.text; });
}

}  // namespace

std::string FlagText(const RawFlag& flag) {
  return fmt::format("-{} ({})", flag.name, flag.origin.ToString());
}

absl::Status RefuseFlag(const RawFlag& flag, std::string_view what, std::string_view mend) {
  return base::Error(absl::StatusCode::kInvalidArgument,
                     fmt::format("{}: {}", FlagText(flag), what), mend, "badarg");
}

absl::StatusOr<uint16_t> ParsePort(std::string_view text, std::string_view where) {
  uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error == std::errc() && end == text.data() + text.size() && port > 0) return port;
  return base::Error(absl::StatusCode::kInvalidArgument,
                     fmt::format("{}: '{}' is not a port", where, text),
                     "give a number from 1 to 65535", "badarg");
}

const RawFlag* ConfigReader::First(std::string_view name) {
  const std::vector<const RawFlag*> all = flags_.All(name);
  if (all.empty()) return nullptr;
  for (const RawFlag* other : all) {
    if (HasSameValues(*all[0], *other)) continue;
    Note(fmt::format("-{} is given more than once: the first counts ({}), not that of {}", name,
                     all[0]->origin.ToString(), other->origin.ToString()),
         "remove one");
    break;
  }
  return all[0];
}

absl::StatusOr<const RawFlag*> ConfigReader::Single(std::string_view name) {
  const std::vector<const RawFlag*> all = flags_.All(name);
  if (all.empty()) return nullptr;
  for (const RawFlag* other : all) {
    if (HasSameValues(*all[0], *other)) continue;
    return RefuseFlag(*other,
                      fmt::format("is given before, otherwise, in {}", all[0]->origin.ToString()),
                      "give it once");
  }
  return all[0];
}

absl::StatusOr<bool> ConfigReader::Bool(const RawFlag& flag) {
  const std::string& text = flag.values[0].text;
  if (text == "true") return true;
  if (text == "false") return false;
  return RefuseFlag(flag, fmt::format("found '{}'", text), "give true or false");
}

absl::StatusOr<uint16_t> ConfigReader::Port(const RawFlag& flag) {
  return ParsePort(flag.values[0].text, FlagText(flag));
}

std::string_view ConfigReader::Variable(std::string_view name) const {
  auto found = flags_.environment.find(name);
  return found == flags_.environment.end() ? std::string_view() : found->second;
}

bool ConfigReader::HasVariable(std::string_view name) const {
  return flags_.environment.contains(name);
}

void ConfigReader::SetOrigin(std::string_view setting, const Origin& origin) {
  config_.origins[std::string(setting)] = origin;
}

void ConfigReader::Note(std::string what, std::string mend) {
  config_.notices.push_back({std::move(what), std::move(mend)});
}

}  // namespace noded::node
