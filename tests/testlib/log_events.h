// The log of a noded under test as events (base/log.h), not as text.
//
//   LogReader log(till);
//   auto up = log.WaitFor("link_up", {{"peer", "shop@127.0.0.1"}});
//   ASSERT_TRUE(up.ok()) << up.status();                  // has the whole log
//   EXPECT_EQ(up->Get("tls"), "tlsv1.3");
//   log.Mark();                                           // what is older counts no more
//
// The process outlives its reader. One thread at a time.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

#include "tests/testlib/noded.h"

namespace noded::testlib {

struct LoggedEvent {
  std::string level;
  std::string name;
  std::map<std::string, std::string> values;

  // Empty when there is no such key.
  std::string Get(const std::string& key) const;
};

// Lines that are no events are left out, as is a last one without its end.
std::vector<LoggedEvent> ReadLog(const std::string& text);

class LogReader {
 public:
  using Values = std::vector<std::pair<std::string, std::string>>;

  explicit LogReader(NodedProcess& node) : node_(node) {}

  // Until there is an event of this name with all these values; NotFound with the whole log when
  // the time is up or the program has ended.
  absl::StatusOr<LoggedEvent> WaitFor(const std::string& event, const Values& values = {},
                                      std::chrono::milliseconds timeout = kPatience);
  // Those of this name until now.
  std::vector<LoggedEvent> All(const std::string& event);
  void Mark();

 private:
  NodedProcess& node_;
  size_t mark_ = 0;  // events before it are old
};

}  // namespace noded::testlib
