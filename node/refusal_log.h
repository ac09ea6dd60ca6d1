// Which of many refusals get a line of the log: the first ones of each address and of all together
// in a while; the rest is counted and told with the next line. A flood of them must not become one
// of the log.
//
//   if (auto unlogged = refusal_log.Next(address, now)) {
//     base::LogWarn("handshake_refused")....Add("unlogged", *unlogged);
//   }
//
// Not thread-safe; nothing fails. Time comes in.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/clock.h"

namespace noded::node {

class RefusalLog {
 public:
  struct Options {
    base::Duration window = std::chrono::seconds(10);
    int lines_per_address = 20;
    int lines = 100;
  };

  RefusalLog() : RefusalLog(Options()) {}
  explicit RefusalLog(const Options& options) : options_(options) {}

  // None: no line for this one. Else how many had none since the last line.
  std::optional<uint64_t> Next(const std::string& address, base::TimePoint now);

 private:
  const Options options_;
  base::TimePoint begin_;             // of the present window
  std::map<std::string, int> lines_;  // in it; of no more addresses than lines
  int all_lines_ = 0;
  uint64_t unlogged_ = 0;
};

}  // namespace noded::node
