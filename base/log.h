// Structured log: one line an event, a snake_case name and fixed keys, written by spdlog to stderr.
//
//   LogInfo("link_up").Add("node", self).Add("peer", name).Add("cipher", suite);
//   LogWarn("handshake_refused").Add("peer", address).Add(status);     // reason, cause and mend
//
//   2026-01-02T03:04:05.678Z warn  handshake_refused peer=127.0.0.1:4711 reason=bad_cookie ...
//
// Levels: error = the operator must act, warn = a peer misbehaved, info = state changed, debug =
// per message. Never cookies, keys or payload. The line is written when the temporary dies.
// Thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <type_traits>

#include "absl/status/status.h"
#include "fmt/format.h"

namespace noded::base {

enum class LogLevel { kDebug, kInfo, kWarn, kError, kOff };

// Where log lines go and from which level on. Without a call: stderr, info.
void StartLog(LogLevel level);
// "debug", "info", "warn", "error", "off"; false for anything else.
bool ParseLogLevel(std::string_view text, LogLevel& level);
bool LogsAt(LogLevel level);

class LogEvent {
 public:
  LogEvent(LogLevel level, std::string_view event);
  LogEvent(LogEvent&&) = delete;
  ~LogEvent();

  // Text with blanks or quotes in it is quoted; control characters are escaped, so one event stays
  // one line.
  LogEvent& Add(std::string_view key, std::string_view value);
  template <class T>
  requires std::is_arithmetic_v<T> LogEvent& Add(std::string_view key, T value) {
    return Add(key, std::string_view(fmt::format("{}", value)));
  }
  // Adds reason, cause and (if there is one) mend.
  LogEvent& Add(const absl::Status& status);

 private:
  LogLevel level_;
  bool is_on_;
  std::string line_;
};

inline LogEvent LogDebug(std::string_view event) { return LogEvent(LogLevel::kDebug, event); }
inline LogEvent LogInfo(std::string_view event) { return LogEvent(LogLevel::kInfo, event); }
inline LogEvent LogWarn(std::string_view event) { return LogEvent(LogLevel::kWarn, event); }
inline LogEvent LogError(std::string_view event) { return LogEvent(LogLevel::kError, event); }

}  // namespace noded::base
