#include "tests/testlib/process.h"

#include <fcntl.h>
#include <poll.h>
#include <regex.h>
#include <signal.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <optional>

#include "fmt/format.h"

#include "base/status.h"

namespace noded::testlib {
namespace {

std::vector<std::string> Environment(const std::vector<std::string>& given) {
  std::map<std::string, std::string> variables;
  static constexpr const char* kPassed[] = {
      "PATH",        "ASAN_OPTIONS",   "UBSAN_OPTIONS", "TSAN_OPTIONS",   "LSAN_OPTIONS",
      "TEST_TMPDIR", "TEST_WORKSPACE", "TEST_SRCDIR",   "NODED_TEST_ERL",
  };
  for (const char* name : kPassed) {
    if (const char* value = std::getenv(name)) variables[name] = value;
  }
  const char* folder = std::getenv("TEST_TMPDIR");
  variables["HOME"] = variables["TMPDIR"] = folder ? folder : "/tmp";
  for (const std::string& entry : given) {
    const size_t equals = entry.find('=');
    if (equals != std::string::npos) variables[entry.substr(0, equals)] = entry.substr(equals + 1);
  }
  std::vector<std::string> all;
  for (const auto& [name, value] : variables) all.push_back(fmt::format("{}={}", name, value));
  return all;
}

std::vector<char*> Pointers(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

// Two ends of a pipe, closed when this goes unless taken.
struct Pipe {
  Pipe() {
    if (pipe2(ends, O_CLOEXEC) != 0) ends[0] = ends[1] = -1;
  }
  ~Pipe() {
    for (int end : ends) {
      if (end >= 0) close(end);
    }
  }
  int Take(int which) { return std::exchange(ends[which], -1); }
  int ends[2];
};

// What posix_spawn is told, freed when this goes.
struct Plan {
  Plan() {
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    sigset_t all, none;
    sigfillset(&all);
    sigemptyset(&none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(
        &attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  }
  ~Plan() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
};

class Expression {
 public:
  explicit Expression(const std::string& text) {
    is_good_ = regcomp(&compiled_, text.c_str(), REG_EXTENDED | REG_NEWLINE) == 0;
  }
  ~Expression() {
    if (is_good_) regfree(&compiled_);
  }
  Expression(const Expression&) = delete;
  Expression& operator=(const Expression&) = delete;

  bool is_good() const { return is_good_; }
  // The match in `line` and its groups; a group that took no part is empty.
  std::optional<std::vector<std::string>> Search(const std::string& line) const {
    std::vector<regmatch_t> places(compiled_.re_nsub + 1);
    if (regexec(&compiled_, line.c_str(), places.size(), places.data(), 0) != 0) {
      return std::nullopt;
    }
    std::vector<std::string> groups;
    for (const regmatch_t& place : places) {
      groups.push_back(place.rm_so < 0 ? "" : line.substr(place.rm_so, place.rm_eo - place.rm_so));
    }
    return groups;
  }

 private:
  regex_t compiled_;
  bool is_good_;
};

void Notify(int event) {
  const uint64_t one = 1;
  while (write(event, &one, sizeof(one)) < 0 && errno == EINTR) {
  }
}

// Gives `look` each whole line of `text` until it returns something.
template <class Look>
auto FindLine(const std::string& text, const Look& look) -> decltype(look(std::string())) {
  for (size_t begin = 0, end; (end = text.find('\n', begin)) != std::string::npos;
       begin = end + 1) {
    if (auto found = look(text.substr(begin, end - begin))) return found;
  }
  return std::nullopt;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Process>> Process::Start(Command command) {
  signal(SIGPIPE, SIG_IGN);  // Write() then gets EPIPE; the program starts with the default
  const std::string name = command.argv.at(0);
  Pipe in, out, err;
  Plan plan;
  if (command.has_input) {
    posix_spawn_file_actions_adddup2(&plan.actions, in.ends[0], 0);
  } else {
    posix_spawn_file_actions_addopen(&plan.actions, 0, "/dev/null", O_RDONLY, 0);
  }
  posix_spawn_file_actions_adddup2(&plan.actions, out.ends[1], 1);
  posix_spawn_file_actions_adddup2(&plan.actions, err.ends[1], 2);
  posix_spawn_file_actions_addclosefrom_np(&plan.actions, 3);
  if (!command.working_directory.empty()) {
    posix_spawn_file_actions_addchdir_np(&plan.actions, command.working_directory.c_str());
  }
  std::vector<std::string> environment = Environment(command.environment);
  std::vector<char*> words = Pointers(command.argv), variables = Pointers(environment);
  pid_t pid = -1;
  const int error =
      posix_spawnp(&pid, words[0], &plan.actions, &plan.attributes, words.data(), variables.data());
  if (error == ENOENT) {
    return base::Error(absl::StatusCode::kNotFound, fmt::format("cannot run {}: not found", name),
                       "install it (./dev setup does) or put its folder on PATH");
  }
  if (error != 0) {
    return base::Error(absl::StatusCode::kInternal,
                       fmt::format("cannot run {}: {}", name, base::ErrnoText(error)));
  }
  fcntl(out.ends[0], F_SETFL, O_NONBLOCK);
  fcntl(err.ends[0], F_SETFL, O_NONBLOCK);
  return std::unique_ptr<Process>(
      new Process(name, pid, command.has_input ? in.Take(1) : -1, out.Take(0), err.Take(0),
                  eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)));
}

Process::Process(std::string name, pid_t pid, int in, int out, int err, int ended, int stop)
    : name_(std::move(name)), pid_(pid), in_(in), out_(out), err_(err), ended_(ended), stop_(stop) {
  waiter_ = std::thread([this] { AwaitEnd(); });
  reader_ = std::thread([this] { Read(); });
}

Process::~Process() {
  // The program is not reaped before this point, so that its id stays its own.
  Kill();
  waiter_.join();
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
  Notify(stop_);
  reader_.join();
  CloseInput();
  for (int descriptor : {out_, err_, ended_, stop_}) close(descriptor);
}

void Process::AwaitEnd() {
  siginfo_t info = {};
  while (waitid(P_PID, pid_, &info, WEXITED | WNOWAIT) != 0 && errno == EINTR) {
  }
  {
    std::lock_guard lock(mutex_);
    code_ = info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
  }
  Notify(ended_);
}

bool Process::ReadSome(int descriptor, std::string& into) {
  char block[16384];
  while (true) {
    const ssize_t got = read(descriptor, block, sizeof(block));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return true;  // nothing there now
    if (got == 0) return false;
    std::lock_guard lock(mutex_);
    into.append(block, got);
    changed_.notify_all();
  }
}

void Process::Read() {
  pollfd watched[] = {
      {out_, POLLIN, 0}, {err_, POLLIN, 0}, {ended_, POLLIN, 0}, {stop_, POLLIN, 0}};
  while (true) {
    if (poll(watched, 4, -1) < 0) continue;
    if (watched[3].revents) return;
    // Looked at before reading: what the program printed is in the pipes by then.
    const bool has_ended = watched[2].revents != 0;
    if (!ReadSome(out_, out_text_)) watched[0].fd = -1;
    if (!ReadSome(err_, err_text_)) watched[1].fd = -1;
    if (has_ended) {
      watched[2].fd = -1;
      std::lock_guard lock(mutex_);
      is_drained_ = true;
      changed_.notify_all();
    }
  }
}

std::string Process::Story() {
  return fmt::format("; it {}; stdout:\n{}\nstderr:\n{}",
                     is_drained_ ? fmt::format("ended with code {}", code_) : "still runs",
                     out_text_, err_text_);
}

template <class Find>
auto Process::WaitUntil(const Find& find, const std::string& what,
                        std::chrono::milliseconds timeout)
    -> absl::StatusOr<typename decltype(find(std::string()))::value_type> {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  std::unique_lock lock(mutex_);
  while (true) {
    if (auto found = find(out_text_)) return *std::move(found);
    if (auto found = find(err_text_)) return *std::move(found);
    if (is_drained_) {
      return base::Error(absl::StatusCode::kUnavailable,
                         fmt::format("{} printed no line {}{}", name_, what, Story()));
    }
    if (std::chrono::steady_clock::now() >= deadline) {
      return base::Error(absl::StatusCode::kDeadlineExceeded,
                         fmt::format("{} printed no line {} within {} ms{}", name_, what,
                                     timeout.count(), Story()));
    }
    changed_.wait_until(lock, deadline);
  }
}

absl::StatusOr<std::vector<std::string>> Process::WaitForOutput(const std::string& expression,
                                                                std::chrono::milliseconds timeout) {
  const Expression compiled(expression);
  if (!compiled.is_good()) {
    return base::Error(absl::StatusCode::kInvalidArgument,
                       fmt::format("\"{}\" is not a POSIX extended expression", expression));
  }
  auto matches = [&compiled](const std::string& line) { return compiled.Search(line); };
  return WaitUntil([&](const std::string& text) { return FindLine(text, matches); },
                   fmt::format("like \"{}\"", expression), timeout);
}

absl::StatusOr<std::string> Process::WaitForLine(const std::string& beginning,
                                                 std::chrono::milliseconds timeout) {
  auto rest = [&beginning](const std::string& line) -> std::optional<std::string> {
    if (!line.starts_with(beginning)) return std::nullopt;
    return line.substr(beginning.size());
  };
  return WaitUntil([&](const std::string& text) { return FindLine(text, rest); },
                   fmt::format("beginning with \"{}\"", beginning), timeout);
}

absl::StatusOr<int> Process::WaitForExit(std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  if (changed_.wait_for(lock, timeout, [this] { return is_drained_; })) return code_;
  return base::Error(absl::StatusCode::kDeadlineExceeded,
                     fmt::format("{} did not end within {} ms{}", name_, timeout.count(), Story()));
}

bool Process::HasExited() {
  std::lock_guard lock(mutex_);
  return is_drained_;
}

std::string Process::Out() {
  std::lock_guard lock(mutex_);
  return out_text_;
}

std::string Process::Err() {
  std::lock_guard lock(mutex_);
  return err_text_;
}

absl::Status Process::Write(std::string_view text) {
  while (!text.empty()) {
    const ssize_t sent = write(in_, text.data(), text.size());
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) {
      const int error = errno;
      std::lock_guard lock(mutex_);
      return base::Error(
          absl::StatusCode::kUnavailable,
          fmt::format("cannot write to {}: {}{}", name_, base::ErrnoText(error), Story()));
    }
    text.remove_prefix(sent);
  }
  return absl::OkStatus();
}

void Process::CloseInput() {
  if (in_ >= 0) close(std::exchange(in_, -1));
}

void Process::Signal(int signal) { kill(pid_, signal); }

void Process::Kill() { kill(-pid_, SIGKILL); }

absl::StatusOr<Finished> RunProgram(Command command, std::string_view input,
                                    std::chrono::milliseconds timeout) {
  command.has_input = !input.empty();
  ASSIGN_OR_RETURN(auto process, Process::Start(std::move(command)));
  if (!input.empty()) {
    // A program may end without reading all of it; its exit code tells then.
    process->Write(input).IgnoreError();
    process->CloseInput();
  }
  ASSIGN_OR_RETURN(const int code, process->WaitForExit(timeout));
  return Finished{.code = code, .out = process->Out(), .err = process->Err()};
}

absl::StatusOr<Finished> RunProgram(std::vector<std::string> argv) {
  return RunProgram(Command{.argv = std::move(argv)});
}

}  // namespace noded::testlib
