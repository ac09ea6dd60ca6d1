#include "tests/testlib/process.h"

#include <signal.h>

#include <fstream>

#include <gtest/gtest.h>

#include "tests/testlib/wait.h"

namespace noded::testlib {
namespace {

std::unique_ptr<Process> Shell(const std::string& script) {
  auto process = Process::Start({.argv = {"sh", "-c", script}, .has_input = true});
  EXPECT_TRUE(process.ok()) << process.status();
  return process.ok() ? *std::move(process) : nullptr;
}

TEST(ProcessTest, ReadsBothOutputsHoweverMuchThereIs) {
  auto done =
      RunProgram({"sh", "-c", "head -c 1000000 /dev/zero | tr '\\0' x >&2; seq 100000; exit 3"});
  ASSERT_TRUE(done.ok()) << done.status();
  EXPECT_EQ(done->code, 3);
  EXPECT_EQ(done->err.size(), 1000000u);
  EXPECT_TRUE(done->out.ends_with("\n100000\n"));
}

TEST(ProcessTest, WaitsForALineAndGivesItsGroups) {
  auto shell = Shell("read word; echo got $word on port 4711; read end");
  ASSERT_TRUE(shell->Write("tea\n").ok());
  auto match = shell->WaitForOutput("got ([a-z]+) on port ([0-9]+)$");
  ASSERT_TRUE(match.ok()) << match.status();
  EXPECT_EQ((*match)[1], "tea");
  EXPECT_EQ((*match)[2], "4711");
  EXPECT_FALSE(shell->HasExited());
  EXPECT_EQ(shell->WaitForOutput("(").status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(ProcessTest, WaitsForTheWholeLine) {
  auto shell = Shell("printf 'port 47'; read rest; echo 11; read end");
  auto half = shell->WaitForLine("port ", std::chrono::milliseconds(50));
  EXPECT_EQ(half.status().code(), absl::StatusCode::kDeadlineExceeded);
  ASSERT_TRUE(shell->Write("\n").ok());
  auto whole = shell->WaitForLine("port ");
  ASSERT_TRUE(whole.ok()) << whole.status();
  EXPECT_EQ(*whole, "4711");
}

TEST(ProcessTest, SaysWhatWasPrintedWhenTheLineDoesNotCome) {
  auto shell = Shell("echo something else; read end");
  ASSERT_TRUE(shell->WaitForOutput("else").ok());
  auto late = shell->WaitForOutput("never", std::chrono::milliseconds(1));
  EXPECT_EQ(late.status().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_NE(late.status().ToString().find("something else"), std::string::npos);
  shell->CloseInput();
  auto ended = shell->WaitForOutput("never");
  EXPECT_EQ(ended.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_NE(ended.status().ToString().find("ended with code 1"), std::string::npos);
}

TEST(ProcessTest, TellsASignalFromAnExit) {
  auto shell = Shell("read end");
  shell->Signal(SIGTERM);
  auto code = shell->WaitForExit();
  ASSERT_TRUE(code.ok()) << code.status();
  EXPECT_EQ(*code, 128 + SIGTERM);
}

TEST(ProcessTest, KillsTheWholeGroup) {
  auto shell = Shell("(echo child; exec sleep 1000) & echo pid $!; wait");
  auto child = shell->WaitForOutput("pid ([0-9]+)");
  ASSERT_TRUE(child.ok()) << child.status();
  const pid_t pid = std::stoi((*child)[1]);
  EXPECT_EQ(kill(pid, 0), 0);
  shell.reset();
  // A dead process is gone, or a zombie ("Z" after the name) until its new parent reaps it.
  EXPECT_TRUE(Eventually([pid] {
    std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
    std::string line;
    return !std::getline(file, line) || line.find(") Z ") != std::string::npos;
  }));
}

TEST(ProcessTest, SaysHowToGetAMissingProgram) {
  auto none = Process::Start({.argv = {"noded-no-such-program"}});
  EXPECT_EQ(none.status().code(), absl::StatusCode::kNotFound);
  EXPECT_NE(none.status().ToString().find("./dev setup"), std::string::npos);
}

TEST(ProcessTest, GivesOnlyTheEnvironmentItWasTold) {
  setenv("NODED_TEST_STRAY", "1", 1);
  auto done = RunProgram(Command{.argv = {"env"}, .environment = {"A=b=c", "HOME=/nowhere"}});
  ASSERT_TRUE(done.ok()) << done.status();
  EXPECT_NE(done->out.find("A=b=c\n"), std::string::npos);
  EXPECT_NE(done->out.find("HOME=/nowhere\n"), std::string::npos);
  EXPECT_EQ(done->out.find("NODED_TEST_STRAY"), std::string::npos);
}

}  // namespace
}  // namespace noded::testlib
