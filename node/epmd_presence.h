// Keeps this node known to the epmd of its machine, and is that epmd when none runs.
//
//   auto presence = std::make_shared<EpmdPresence>(home, options, node, family, limits);
//   auto creation = co_await presence->Register(deadline);
//   base::Spawn(home, "epmd", presence->StayRegistered(), ...);     // until Stop()
//
// When epmd goes away the node registers with the next one: at first at once, then with growing
// pauses, kMaxPause apart as OTP's nodes do. An epmd that is started anew gets its port back: this
// process serves it only when nobody has for options.take_over_after. Who kills our own epmd
// (dist/epmd_server.h) ends that for as long as the process runs; the node then registers with
// whoever serves next.
// Confined to the home loop. A task keeps it alive.
// Errors of Register: AlreadyExists (the name is taken on this machine), Unavailable (no epmd and
// not allowed or not able to be one), DeadlineExceeded.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "asio/steady_timer.hpp"

#include "base/loop.h"
#include "base/task.h"
#include "dist/epmd_client.h"
#include "dist/epmd_server.h"
#include "node/options.h"

namespace noded::node {

class EpmdPresence : public std::enable_shared_from_this<EpmdPresence> {
 public:
  static constexpr std::chrono::milliseconds kFirstPause{250};
  static constexpr std::chrono::milliseconds kMaxPause{2000};

  EpmdPresence(base::Loop& home, EpmdOptions options, dist::EpmdNode node,
               dist::AddressFamily family, base::Limits limits);
  EpmdPresence(const EpmdPresence&) = delete;
  EpmdPresence& operator=(const EpmdPresence&) = delete;

  // The creation that epmd gave.
  base::Task<absl::StatusOr<uint32_t>> Register(base::TimePoint deadline);
  base::Task<absl::Status> StayRegistered();
  // Unregisters; the tasks end.
  void Stop();

  // Attempts to register again that failed, since the last that did not.
  uint64_t failures() const { return failures_; }

 private:
  using Creation = absl::StatusOr<uint32_t>;

  base::Task<Creation> Ask(base::TimePoint deadline);
  base::Task<absl::Status> RegisterAgain();
  absl::Status BeEpmd();
  void OnKilled();
  void LogFailure(const absl::Status& why);

  base::Loop& home_;
  const EpmdOptions options_;
  const dist::EpmdNode node_;
  const dist::AddressFamily family_;
  const base::Limits limits_;
  dist::EpmdClient client_;
  asio::steady_timer pause_;
  std::unique_ptr<dist::EpmdRegistration> registration_;
  std::unique_ptr<dist::EpmdServer> server_;
  uint64_t failures_ = 0;
  bool is_killed_ = false;  // our own epmd
  bool is_stopped_ = false;
};

}  // namespace noded::node
