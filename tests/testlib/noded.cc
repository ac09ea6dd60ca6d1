#include "tests/testlib/noded.h"

#include <signal.h>

#include "fmt/format.h"
#include <gtest/gtest.h>

#include "base/status.h"
#include "tests/testlib/runfiles.h"

namespace noded::testlib {
namespace {

bool IsShort(const std::string& name) {
  const size_t at = name.find('@');
  return at == std::string::npos || name.find_first_of(".:", at) == std::string::npos;
}

}  // namespace

Command CommandOf(const std::string& program, const std::vector<std::string>& words,
                  const NodedOptions& options) {
  Command command;
  command.argv = {ProgramPath(program)};
  auto add = [&command](const std::vector<std::string>& more) {
    command.argv.insert(command.argv.end(), more.begin(), more.end());
  };
  add(words);
  if (!options.name.empty()) add({IsShort(options.name) ? "-sname" : "-name", options.name});
  if (!options.cookie.empty()) add({"-setcookie", options.cookie});
  if (!options.proto_dist.empty()) add({"-proto_dist", options.proto_dist});
  if (!options.ssl_dist_optfile.empty()) add({"-ssl_dist_optfile", options.ssl_dist_optfile});
  if (!options.ssl_dist_opt.empty()) {
    add({"-ssl_dist_opt"});
    add(options.ssl_dist_opt);
  }
  if (!options.start_epmd) add({"-start_epmd", "false"});
  add(options.arguments);
  if (options.epmd_port != 0) {
    command.environment.push_back(fmt::format("ERL_EPMD_PORT={}", options.epmd_port));
  }
  command.environment.insert(command.environment.end(), options.environment.begin(),
                             options.environment.end());
  return command;
}

NodedOptions NodedOptions::Named(std::string name) const {
  NodedOptions named = *this;
  named.name = std::move(name);
  return named;
}

NodedProcess::NodedProcess(const NodedOptions& options) : name_(options.name) {
  auto process = Process::Start(CommandOf(options.program, {}, options));
  start_ = process.status();
  if (process.ok()) process_ = *std::move(process);
  EXPECT_TRUE(start_.ok()) << start_;
}

absl::Status NodedProcess::WaitReady(std::chrono::milliseconds timeout) {
  RETURN_IF_ERROR(start_);
  return process_->WaitForOutput("node_started", timeout).status();
}

uint16_t NodedProcess::port() {
  if (!process_) return 0;
  auto match = process_->WaitForOutput("node_started .*port=([0-9]+)");
  EXPECT_TRUE(match.ok()) << match.status();
  return match.ok() ? static_cast<uint16_t>(std::stoi((*match)[1])) : 0;
}

int NodedProcess::WaitForExit() {
  if (!process_) return -1;
  auto code = process_->WaitForExit();
  EXPECT_TRUE(code.ok()) << name_ << ": " << code.status();
  return code.value_or(-1);
}

int NodedProcess::Stop() {
  if (process_) process_->Signal(SIGTERM);
  return WaitForExit();
}

void NodedProcess::Kill() {
  if (process_) process_->Kill();
  WaitForExit();
}

std::string NodedProcess::Log() { return process_ ? process_->Out() + process_->Err() : ""; }

bool NodedProcess::WaitForLog(const std::string& expression, std::chrono::milliseconds timeout) {
  return process_ && process_->WaitForOutput(expression, timeout).ok();
}

Finished Nodectl(const NodedOptions& options, const std::vector<std::string>& words,
                 std::chrono::milliseconds timeout) {
  auto done = RunProgram(CommandOf("cli/nodectl", words, options), "", timeout);
  EXPECT_TRUE(done.ok()) << done.status();
  return done.ok() ? *std::move(done) : Finished{.code = -1, .out = "", .err = ""};
}

}  // namespace noded::testlib
