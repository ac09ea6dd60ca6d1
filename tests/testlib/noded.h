// noded and nodectl under test: the real programs, as a user starts them.
//
//   const NodedOptions cluster{.proto_dist = "inet_tls", .ssl_dist_optfile = certs.OptFile(files)};
//   NodedProcess till(cluster.Named("till@127.0.0.1"));
//   ASSERT_TRUE(till.WaitReady().ok()) << till.Log();
//   const Finished done = Nodectl(cluster, {"call", "till@127.0.0.1", "erlang", "node"});
//   EXPECT_EQ(done.out, "'till@127.0.0.1'\n") << done.err;
//
// The test names the programs in `data` ("//cli:noded"). noded is killed with its object.
// A program that cannot be started is a test failure. One thread at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "tests/testlib/process.h"

namespace noded::testlib {

struct NodedOptions {
  // Given with -sname when the host has neither dot nor colon, else with -name; empty: no such
  // flag.
  std::string name = {};
  // Empty: the cookie file's.
  std::string cookie = "noded_test_cookie";
  // "inet_tls", ...; empty: the default, inet_tcp.
  std::string proto_dist = {};
  std::string ssl_dist_optfile = {};
  // The words after -ssl_dist_opt.
  std::vector<std::string> ssl_dist_opt = {};
  // ERL_EPMD_PORT; 0: 4369.
  uint16_t epmd_port = 0;
  // Off: -start_epmd false.
  bool start_epmd = true;
  // More of the command line, and of the environment ("NAME=value").
  std::vector<std::string> arguments = {};
  std::vector<std::string> environment = {};
  // Another program with noded's flags, and that is in `data` too.
  std::string program = "cli/noded";

  // The same with this name.
  NodedOptions Named(std::string name) const;
};

class NodedProcess {
 public:
  explicit NodedProcess(const NodedOptions& options);
  NodedProcess(const NodedProcess&) = delete;
  NodedProcess& operator=(const NodedProcess&) = delete;

  const std::string& name() const { return name_; }
  // Until it listens and is registered. Unavailable with its log when it ended instead.
  absl::Status WaitReady(std::chrono::milliseconds timeout = kPatience);
  // Where it listens; 0 with a test failure when its log does not say.
  uint16_t port();
  // Until it ends by itself: its exit code; -1 with a test failure when it does not.
  int WaitForExit();
  // SIGTERM and WaitForExit().
  int Stop();
  // At once, as a crash of the program.
  void Kill();

  // All that it printed until now, which is its log too.
  std::string Log();
  // Until a line of it matches (POSIX extended).
  bool WaitForLog(const std::string& expression, std::chrono::milliseconds timeout = kPatience);
  // Null when it could not be started.
  Process* process() { return process_.get(); }

 private:
  std::string name_;
  std::unique_ptr<Process> process_;
  absl::Status start_;
};

// How a program of ours is started with these words and then the flags of `options`.
Command CommandOf(const std::string& program, const std::vector<std::string>& words,
                  const NodedOptions& options);

// nodectl with these words and then the flags of `options`, until its end. No end is a test failure
// and exit code -1.
Finished Nodectl(const NodedOptions& options, const std::vector<std::string>& words,
                 std::chrono::milliseconds timeout = kPatience);

}  // namespace noded::testlib
