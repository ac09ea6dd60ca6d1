#include "tests/testlib/log_events.h"

#include <algorithm>

#include "fmt/format.h"

#include "tests/testlib/wait.h"

namespace noded::testlib {
namespace {

std::string TakeWord(const std::string& line, size_t& at) {
  while (at < line.size() && line[at] == ' ') ++at;
  const size_t begin = at;
  at = std::min(line.find(' ', at), line.size());
  return line.substr(begin, at - begin);
}

// The word or the quoted text at `at`.
std::string TakeValue(const std::string& line, size_t& at) {
  if (at >= line.size() || line[at] != '"') return TakeWord(line, at);
  std::string value;
  for (++at; at < line.size() && line[at] != '"'; ++at) {
    if (line[at] == '\\' && at + 1 < line.size()) ++at;
    value += line[at];
  }
  ++at;
  return value;
}

// "TIME LEVEL EVENT key=value key="value with blanks" ..."
bool ReadLine(const std::string& line, LoggedEvent& event) {
  size_t at = 0;
  const std::string time = TakeWord(line, at);
  event.level = TakeWord(line, at);
  event.name = TakeWord(line, at);
  if (time.empty() || time.back() != 'Z' || event.name.empty()) return false;
  while (at < line.size()) {
    const size_t begin = line.find_first_not_of(' ', at);
    if (begin == std::string::npos) break;
    const size_t equals = line.find('=', begin);
    if (equals == std::string::npos) break;
    at = equals + 1;
    event.values[line.substr(begin, equals - begin)] = TakeValue(line, at);
  }
  return true;
}

}  // namespace

std::string LoggedEvent::Get(const std::string& key) const {
  const auto found = values.find(key);
  return found == values.end() ? "" : found->second;
}

std::vector<LoggedEvent> ReadLog(const std::string& text) {
  std::vector<LoggedEvent> events;
  size_t begin = 0;
  for (size_t end; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1) {
    LoggedEvent event;
    if (ReadLine(text.substr(begin, end - begin), event)) events.push_back(std::move(event));
  }
  return events;
}

std::vector<LoggedEvent> LogReader::All(const std::string& event) {
  const std::vector<LoggedEvent> every = ReadLog(node_.Log());
  std::vector<LoggedEvent> found;
  for (size_t i = mark_; i < every.size(); ++i) {
    if (every[i].name == event) found.push_back(every[i]);
  }
  return found;
}

void LogReader::Mark() { mark_ = ReadLog(node_.Log()).size(); }

absl::StatusOr<LoggedEvent> LogReader::WaitFor(const std::string& event, const Values& values,
                                               std::chrono::milliseconds timeout) {
  std::vector<LoggedEvent> fitting;
  Eventually(
      [&] {
        // Asked before the log is read: its last words are in there then.
        const bool has_ended = node_.process() == nullptr || node_.process()->HasExited();
        fitting = All(event);
        std::erase_if(fitting, [&values](const LoggedEvent& seen) {
          return !std::all_of(values.begin(), values.end(), [&seen](const auto& value) {
            return seen.Get(value.first) == value.second;
          });
        });
        return has_ended || !fitting.empty();
      },
      timeout);
  if (!fitting.empty()) return fitting.front();
  std::string what = event;
  for (const auto& [key, value] : values) what += fmt::format(" {}={}", key, value);
  return absl::NotFoundError(
      fmt::format("{} did not log {}; its log:\n{}", node_.name(), what, node_.Log()));
}

}  // namespace noded::testlib
