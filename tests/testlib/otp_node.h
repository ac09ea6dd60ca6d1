// A real Erlang node under test, in which a test evaluates Erlang.
//
//   OtpNode shop({.name = "shop@127.0.0.1", .proto_dist = "inet_tls", .ssl_dist_optfile = path});
//   ASSERT_TRUE(shop.WaitReady().ok()) << shop.Log();
//   EXPECT_EQ(shop.Eval("net_adm:ping('till@127.0.0.1')"), "pong");
//   shop.Eval("Self = self()");  shop.Eval("Self ! tea");              // variables stay bound
//   EXPECT_EQ(shop.Eval("receive X -> X after 5000 -> none end"), "tea");
//
// Expressions go in through the node's standard input, so none of it needs distribution. They run
// one after the other in one process of the node (a new one when it dies). Without OTP on PATH
// (NODED_TEST_ERL names another `erl`) every use is a test failure. The node is killed with this
// object, and halts by itself when the test dies. One thread at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"

#include "tests/testlib/process.h"
#include "tests/testlib/temp_dir.h"

namespace noded::testlib {

struct OtpNodeOptions {
  // Started with -sname when the host has neither dot nor colon ("a@localhost"), else with -name.
  // Empty: a node without distribution.
  std::string name;
  // Empty: the node makes a cookie file of its own.
  std::string cookie = "noded_test_cookie";
  // "inet_tls", ...; empty: OTP's default, inet_tcp.
  std::string proto_dist;
  std::string ssl_dist_optfile;
  // The words after -ssl_dist_opt.
  std::vector<std::string> ssl_dist_opt;
  // Where it looks for epmd; 0: 4369.
  uint16_t epmd_port = 0;
  // Off: an epmd must run, or -erl_epmd_port be among the arguments. On leaves a daemon behind that
  // only Bazel's sandbox ends.
  bool start_epmd = false;
  bool is_hidden = false;
  // More of the command line, and of the environment ("NAME=value").
  std::vector<std::string> arguments;
  std::vector<std::string> environment;
};

class OtpNode {
 public:
  explicit OtpNode(OtpNodeOptions options);
  ~OtpNode();
  OtpNode(const OtpNode&) = delete;
  OtpNode& operator=(const OtpNode&) = delete;

  const std::string& name() const { return name_; }

  // Until it is booted, with its distribution: then it is registered with epmd and listens.
  // Unavailable with its log when it ended instead.
  absl::Status WaitReady(std::chrono::milliseconds timeout = kPatience);

  // The value as io:format("~0tp") prints it, or "** exception error: Reason" (exit, throw). No
  // answer is a test failure and gives an empty text. The final dot may be left out.
  std::string Eval(const std::string& expressions, std::chrono::milliseconds timeout = kPatience);
  // Starts an evaluation; the next Eval() waits for its end.
  void Post(const std::string& expressions);

  // All that it printed, which is its log too.
  std::string Log();

  // Stops it in an orderly way and waits for its end.
  void Stop();
  // Ends it at once, as a crash of its machine would, but for the packets that its kernel sends.
  void Kill();
  // Null when it could not be started.
  Process* process() { return process_.get(); }

 private:
  TempDir home_;
  std::string name_;
  std::unique_ptr<Process> process_;
  absl::Status start_;
  int last_ = 0;  // number of the last expression
};

// An `epmd` of OTP's on a port of its own, for as long as this lives.
class OtpEpmd {
 public:
  OtpEpmd();  // on a free port; WaitReady() is done
  // `flags`: more of its command line.
  explicit OtpEpmd(uint16_t port, const std::vector<std::string>& flags = {});

  uint16_t port() const { return port_; }
  void Kill();

 private:
  uint16_t port_;
  std::unique_ptr<Process> process_;
};

// The `erl` to be tested against: NODED_TEST_ERL, else "erl".
std::string ErlProgram();

}  // namespace noded::testlib
