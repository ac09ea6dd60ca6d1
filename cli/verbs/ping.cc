// nodectl ping NODE [--wait SECONDS]
#include <iostream>
#include <thread>

#include "base/status.h"
#include "cli/verb.h"

namespace noded::cli {

namespace {

constexpr std::chrono::milliseconds kPause{200};

// Waiting helps where the node may still be starting; not where it refuses us.
bool MayPass(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsNotFound(status) ||
         absl::IsDeadlineExceeded(status);
}

}  // namespace

int Ping(VerbContext& context) {
  absl::StatusOr<node::Node*> self = context.Join();
  if (!self.ok()) return context.Fail(self.status());
  const auto wait = std::chrono::duration<double>(context.arguments().wait_seconds);
  const auto give_up = std::chrono::steady_clock::now() + wait;
  while (true) {
    const absl::Status pong = (*self)->Ping(context.arguments().node, context.timeout());
    if (pong.ok()) {
      context.Print(dist::Term::Atom("pong"));
      return kAnswered;
    }
    const auto next = std::chrono::steady_clock::now() + kPause;
    if (!MayPass(pong) || next > give_up) return context.Fail(pong);
    std::this_thread::sleep_until(next);
  }
}

}  // namespace noded::cli
