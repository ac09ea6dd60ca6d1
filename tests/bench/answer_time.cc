// answer_time COMMAND [ARGS]: runs a command once, and prints how long a person waits for it: the
// microseconds from its start to the end of its first line of output, and to its exit. It starts
// the command as posix_spawn does, without a shell's fork. A command that fails or prints nothing
// ends it.
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstring>

int main(int argc, char** argv) {
  if (argc < 2) return std::fprintf(stderr, "usage: answer_time COMMAND [ARGS]\n"), 2;
  int ends[2];
  if (pipe(ends) != 0) return std::perror("answer_time: pipe"), 1;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_addclose(&actions, ends[0]);
  posix_spawn_file_actions_addclose(&actions, ends[1]);

  const auto begin = std::chrono::steady_clock::now();
  auto microseconds = [&] {
    return static_cast<long long>(std::chrono::duration_cast<std::chrono::microseconds>(
                                      std::chrono::steady_clock::now() - begin)
                                      .count());
  };
  pid_t child = 0;
  if (int error = posix_spawnp(&child, argv[1], &actions, nullptr, argv + 1, environ); error != 0) {
    return std::fprintf(stderr, "answer_time: %s: %s\n", argv[1], std::strerror(error)), 1;
  }
  close(ends[1]);
  long long answered = 0;
  char text[4096];
  for (ssize_t size; (size = read(ends[0], text, sizeof(text))) > 0;) {
    if (answered == 0 && std::memchr(text, '\n', static_cast<size_t>(size)) != nullptr) {
      answered = microseconds();
    }
  }
  int status = 0;
  waitpid(child, &status, 0);
  const long long gone = microseconds();
  if (answered == 0 || status != 0) {
    return std::fprintf(stderr, "answer_time: %s printed no line or failed\n", argv[1]), 1;
  }
  std::printf("%lld %lld\n", answered, gone);
  return 0;
}
