// noded: a node in the foreground, until SIGTERM or SIGINT.
#include <signal.h>

#include <iostream>

#include "base/log.h"
#include "base/status.h"
#include "cli/start.h"
#include "node/version.h"

namespace noded::cli {
namespace {

constexpr const char* kUsageText =
    "usage: noded -name NAME@HOST | -sname NAME  [FLAG VALUE ...]\n"
    "A node of an Erlang cluster, in the foreground. Flags, in the spelling of erl; also from\n"
    "ERL_AFLAGS, ERL_FLAGS, ERL_ZFLAGS and NODED_FLAGS, and -args_file FILE:\n\n";

// Waits for a signal that ends the node. SIGHUP is kept for reloading the configuration.
int WaitForEnd(const sigset_t& signals) {
  while (true) {
    int signal = 0;
    if (sigwait(&signals, &signal) != 0) continue;
    if (signal != SIGHUP) return signal;
    base::LogWarn("reload_ignored")
        .Add("cause", "SIGHUP is reserved: this version cannot reload its configuration")
        .Add("mend", "restart the node");
  }
}

int Main(int argc, char** argv) {
  absl::StatusOr<node::RawFlags> flags = ReadFlags(argc, argv, node::Grammar::kErl);
  if (!flags.ok()) return Fail("noded", flags.status());
  if (flags->wants_help) {
    std::cout << kUsageText << node::FlagHelp();
    return kAnswered;
  }
  if (flags->wants_version) {
    std::cout << "noded " << node::kVersion << "\n";
    return kAnswered;
  }
  if (!flags->plain.empty()) {
    return Fail("noded", base::Error(absl::StatusCode::kInvalidArgument,
                                     "'" + flags->plain.front().text + "' belongs to no flag (" +
                                         flags->plain.front().origin.ToString() + ")",
                                     "see noded -help for the flags and their values"));
  }
  absl::StatusOr<node::NodeConfig> config = ReadConfig(*flags, std::nullopt);
  if (!config.ok()) return Fail("noded", config.status());

  // Before any thread: they inherit it, and the signals come to this one alone.
  sigset_t signals;
  sigemptyset(&signals);
  for (int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  ::signal(SIGPIPE, SIG_IGN);

  absl::StatusOr<RunningNode> running = StartNode(*config);
  if (!running.ok()) {
    const int code = Fail("noded", running.status());
    return code == kUsage ? kUsage : kRaised;
  }
  const node::Node& node = *running->node;
  base::LogInfo("node_started")
      .Add("node", node.name().view())
      .Add("version", node::kVersion)
      .Add("carrier", node.carriers().ToString())
      .Add("port", node.port());
  const int signal = WaitForEnd(signals);
  base::LogInfo("node_stopping").Add("node", node.name().view()).Add("signal", strsignal(signal));
  running->node->Stop();
  base::LogInfo("node_stopped").Add("node", node.name().view());
  return kAnswered;
}

}  // namespace
}  // namespace noded::cli

int main(int argc, char** argv) { return noded::cli::Main(argc, argv); }
