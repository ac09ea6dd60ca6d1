// A program under test: started, watched, written to, and surely ended.
//
//   auto noded = Process::Start({.argv = {ProgramPath("cli/noded"), "-name", "a@127.0.0.1"}});
//   ASSERT_TRUE(noded.ok()) << noded.status();
//   auto port = (*noded)->WaitForOutput("listening on port ([0-9]+)");     // (*port)[1]
//   (*noded)->Signal(SIGTERM);
//   auto code = (*noded)->WaitForExit();                                   // 128 + n after signal
//   n
//
//   auto done = RunProgram({"openssl", "verify", "-CAfile", ca, cert});    // to its end
//   EXPECT_EQ(done->code, 0) << done->err;
//
// Both outputs are read all the time, so a program never waits for its reader. It leads a process
// group of its own; the destructor kills that group and reaps. Thread-safe but for destruction.
// Errors: NotFound (no such program), DeadlineExceeded and Unavailable (it ended first), both with
// what it printed.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace noded::testlib {

// Long enough for a loaded machine under a sanitizer: it only passes when a test fails.
inline constexpr std::chrono::seconds kPatience{60};

struct Command {
  // The program (looked up on PATH when it has no slash) and its arguments.
  std::vector<std::string> argv;
  // "NAME=value". The program sees these, PATH, the sanitizers' and Bazel's variables, and HOME and
  // TMPDIR in the test's own folder; nothing else.
  std::vector<std::string> environment;
  // Empty: the test's own.
  std::string working_directory;
  // With a standard input to Write() to; else it reads an empty one.
  bool has_input = false;
};

class Process {
 public:
  static absl::StatusOr<std::unique_ptr<Process>> Start(Command command);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const { return pid_; }

  // Until a whole line of either output matches the expression (POSIX extended: [0-9], not \d)
  // somewhere: the match and its groups. Lines that were there before count.
  absl::StatusOr<std::vector<std::string>> WaitForOutput(
      const std::string& expression, std::chrono::milliseconds timeout = kPatience);
  // Until there is a whole line with this beginning; gives the rest of it, without the end.
  absl::StatusOr<std::string> WaitForLine(const std::string& beginning,
                                          std::chrono::milliseconds timeout = kPatience);
  // The exit code, 128 + n when signal n ended it; all that it printed has been read by then.
  absl::StatusOr<int> WaitForExit(std::chrono::milliseconds timeout = kPatience);
  bool HasExited();

  // What has been printed until now.
  std::string Out();
  std::string Err();

  // All of it to its standard input; Unavailable when nobody reads there any more.
  absl::Status Write(std::string_view text);
  void CloseInput();

  // To the program itself; nothing when it has ended.
  void Signal(int signal);
  // To the whole group, now.
  void Kill();

 private:
  Process(std::string name, pid_t pid, int in, int out, int err, int ended, int stop);
  void Read();      // reader_'s thread
  void AwaitEnd();  // waiter_'s thread
  bool ReadSome(int descriptor, std::string& into);
  // Waits for find(text of one output) to give something. With the name of what is waited for.
  template <class Find>
  auto WaitUntil(const Find& find, const std::string& what, std::chrono::milliseconds timeout)
      -> absl::StatusOr<typename decltype(find(std::string()))::value_type>;
  std::string Story();  // for messages; with mutex_ held

  const std::string name_;
  const pid_t pid_;
  int in_;
  const int out_, err_;
  const int ended_;  // event: the program has ended
  const int stop_;   // event: the reader shall end

  std::mutex mutex_;
  std::condition_variable changed_;
  std::string out_text_, err_text_;
  int code_ = -1;
  bool is_drained_ = false;  // ended, and all its output read
  std::thread waiter_, reader_;
};

struct Finished {
  int code = 0;
  std::string out, err;
};

absl::StatusOr<Finished> RunProgram(Command command, std::string_view input = "",
                                    std::chrono::milliseconds timeout = kPatience);
absl::StatusOr<Finished> RunProgram(std::vector<std::string> argv);

}  // namespace noded::testlib
