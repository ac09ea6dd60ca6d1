#include "tests/testlib/otp_node.h"

#include <signal.h>

#include <cstdlib>

#include "fmt/format.h"
#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/status.h"
#include "tests/testlib/ports.h"
#include "tests/testlib/wait.h"

namespace noded::testlib {
namespace {

// Reads hexadecimal lines, each an expression, and prints "=eval N HEX" for each. A worker process
// evaluates them, so that its death (a broken link, say) is an answer too.
constexpr char kEvaluator[] = R"erl(
Worker = fun Worker(Io, Bound) ->
  receive
    {Io, eval, Text} ->
      {Answer, Next} =
        try
          {ok, Tokens, _} = erl_scan:string(Text),
          {ok, Parsed} = erl_parse:parse_exprs(Tokens),
          {value, Value, New} = erl_eval:exprs(Parsed, Bound),
          {io_lib:format("~0tp", [Value]), New}
        catch Class:Reason ->
          {io_lib:format("** exception ~s: ~0tp", [Class, Reason]), Bound}
        end,
      Io ! {self(), Answer, Next},
      Worker(Io, Next)
  end
end,
Start = fun(Bound) ->
  Io = self(),
  {Pid, _} = spawn_monitor(fun() -> Worker(Io, Bound) end),
  Pid
end,
Loop = fun Loop(N, Pid, Bound) ->
  case io:get_line("") of
    Line when is_list(Line) ->
      Alive = receive {'DOWN', _, process, Pid, _} -> Start(Bound) after 0 -> Pid end,
      Text = unicode:characters_to_list(binary:decode_hex(list_to_binary(string:trim(Line)))),
      Alive ! {self(), eval, Text},
      {Answer, Next, Used} =
        receive
          {Alive, Printed, NewBound} -> {Printed, NewBound, Alive};
          {'DOWN', _, process, Alive, Reason} ->
            {io_lib:format("** exception exit: ~0tp", [Reason]), Bound, Start(Bound)}
        end,
      Hex = binary:encode_hex(unicode:characters_to_binary(Answer)),
      io:put_chars(["\n=eval ", integer_to_list(N), $\s, Hex, $\n]),
      Loop(N + 1, Used, Next);
    _ -> halt(0)
  end
end,
spawn(fun() -> io:put_chars("\n=ready\n"), Loop(1, Start([]), []) end).
)erl";

bool IsShort(const std::string& name) {
  const size_t at = name.find('@');
  return at == std::string::npos || name.find_first_of(".:", at) == std::string::npos;
}

Command NodeCommand(const OtpNodeOptions& options, const std::string& home) {
  Command command;
  command.has_input = true;
  command.working_directory = home;
  // Few threads that do not spin: tests run many nodes on few cores.
  command.argv = {ErlProgram(), "-noshell", "+S", "2:2", "+sbwt", "none"};
  auto add = [&command](std::initializer_list<std::string> words) {
    command.argv.insert(command.argv.end(), words);
  };
  if (!options.name.empty()) {
    add({IsShort(options.name) ? "-sname" : "-name", options.name});
    if (!options.start_epmd) add({"-start_epmd", "false"});
  }
  if (!options.cookie.empty()) add({"-setcookie", options.cookie});
  if (!options.proto_dist.empty()) add({"-proto_dist", options.proto_dist});
  if (!options.ssl_dist_optfile.empty()) add({"-ssl_dist_optfile", options.ssl_dist_optfile});
  if (!options.ssl_dist_opt.empty()) {
    add({"-ssl_dist_opt"});
    command.argv.insert(command.argv.end(), options.ssl_dist_opt.begin(),
                        options.ssl_dist_opt.end());
  }
  if (options.is_hidden) add({"-hidden"});
  command.argv.insert(command.argv.end(), options.arguments.begin(), options.arguments.end());
  add({"-eval", kEvaluator});

  command.environment = {fmt::format("HOME={}", home), "ERL_CRASH_DUMP_SECONDS=0"};
  if (options.epmd_port != 0) {
    command.environment.push_back(fmt::format("ERL_EPMD_PORT={}", options.epmd_port));
  }
  command.environment.insert(command.environment.end(), options.environment.begin(),
                             options.environment.end());
  return command;
}

}  // namespace

std::string ErlProgram() {
  const char* given = std::getenv("NODED_TEST_ERL");
  return given && *given ? given : "erl";
}

OtpNode::OtpNode(OtpNodeOptions options) : name_(options.name) {
  auto process = Process::Start(NodeCommand(options, home_.path()));
  start_ = process.status();
  if (process.ok()) process_ = *std::move(process);
  if (!start_.ok()) {
    ADD_FAILURE() << start_ << " (Erlang/OTP: the packages erlang-base and erlang-ssl)";
  }
}

OtpNode::~OtpNode() = default;

absl::Status OtpNode::WaitReady(std::chrono::milliseconds timeout) {
  RETURN_IF_ERROR(start_);
  return process_->WaitForLine("=ready", timeout).status();
}

void OtpNode::Post(const std::string& expressions) {
  ++last_;
  if (!process_) return;
  const size_t end = expressions.find_last_not_of(" \n");
  const bool has_dot = end != std::string::npos && expressions[end] == '.';
  const std::string text = expressions + (has_dot ? "\n" : "\n.\n");
  const absl::Status written =
      process_->Write(fmt::format("{}\n", base::ToHex(base::AsBytes(text))));
  if (!written.ok()) ADD_FAILURE() << name_ << " takes no expressions: " << written;
}

std::string OtpNode::Eval(const std::string& expressions, std::chrono::milliseconds timeout) {
  if (const absl::Status ready = WaitReady(timeout); !ready.ok()) {
    ADD_FAILURE() << name_ << " is not up: " << ready;
    return "";
  }
  Post(expressions);
  auto answer = process_->WaitForLine(fmt::format("=eval {} ", last_), timeout);
  if (!answer.ok()) {
    ADD_FAILURE() << name_ << " did not answer " << expressions << ": " << answer.status();
    return "";
  }
  return base::ToString(base::FromHex(*answer));
}

std::string OtpNode::Log() { return process_ ? process_->Out() + process_->Err() : ""; }

void OtpNode::Stop() {
  if (!process_) return;
  Post("init:stop()");
  auto code = process_->WaitForExit();
  EXPECT_TRUE(code.ok()) << name_ << ": " << code.status();
}

void OtpNode::Kill() {
  if (!process_) return;
  process_->Kill();
  auto code = process_->WaitForExit();
  EXPECT_TRUE(code.ok()) << name_ << ": " << code.status();
}

OtpEpmd::OtpEpmd() : OtpEpmd(FreePort()) {}

OtpEpmd::OtpEpmd(uint16_t port, const std::vector<std::string>& flags) : port_(port) {
  Command command{.argv = {"epmd", "-port", std::to_string(port)}};
  command.argv.insert(command.argv.end(), flags.begin(), flags.end());
  auto process = Process::Start(command);
  if (!process.ok()) {
    ADD_FAILURE() << process.status() << " (Erlang/OTP: the package erlang-base)";
    return;
  }
  process_ = *std::move(process);
  const bool answers = Eventually([&] {
    auto names = RunProgram({"epmd", "-port", std::to_string(port), "-names"});
    return process_->HasExited() || (names.ok() && names->code == 0);
  });
  EXPECT_TRUE(answers && !process_->HasExited())
      << "epmd does not run on port " << port << ": " << process_->Err();
}

void OtpEpmd::Kill() {
  if (!process_) return;
  process_->Kill();
  EXPECT_TRUE(process_->WaitForExit().ok());
}

}  // namespace noded::testlib
