#include "node/epmd_presence.h"

#include <algorithm>
#include <utility>

#include "asio/redirect_error.hpp"
#include "asio/use_awaitable.hpp"
#include "fmt/format.h"

#include "base/log.h"
#include "base/status.h"

namespace noded::node {

using base::Task;

namespace {

constexpr std::chrono::seconds kAttemptTime{5};
// Of failures in a row: some three minutes between two lines.
constexpr uint64_t kFailuresPerLine = 100;

}  // namespace

EpmdPresence::EpmdPresence(base::Loop& home, EpmdOptions options, dist::EpmdNode node,
                           dist::AddressFamily family, base::Limits limits)
    : home_(home),
      options_(std::move(options)),
      node_(std::move(node)),
      family_(family),
      limits_(limits),
      client_(home, {.port = options_.port, .limits = limits}),
      pause_(home.io()) {}

absl::Status EpmdPresence::BeEpmd() {
  dist::EpmdServer::Options options;
  options.port = options_.port;
  options.addresses = options_.addresses;
  options.relaxed_command_check = options_.relaxed_command_check;
  options.limits = limits_;
  options.killed = [weak = weak_from_this()] {
    if (auto self = weak.lock()) self->OnKilled();
  };
  absl::StatusOr<std::unique_ptr<dist::EpmdServer>> server =
      dist::EpmdServer::Start(home_, std::move(options));
  if (absl::IsAlreadyExists(server.status())) return absl::OkStatus();  // one has just come
  if (!server.ok()) return base::Annotate(server.status(), "starting an epmd in this process");
  server_ = *std::move(server);
  base::LogInfo("epmd_started").Add("port", options_.port);
  return absl::OkStatus();
}

void EpmdPresence::OnKilled() {
  is_killed_ = true;
  base::LogWarn("epmd_killed")
      .Add("port", options_.port)
      .Add("cause", "a client of this machine asked for it (epmd -kill)")
      .Add("mend", "start another (epmd -daemon): this process serves none any more");
}

Task<EpmdPresence::Creation> EpmdPresence::Ask(base::TimePoint deadline) {
  auto self = shared_from_this();
  absl::StatusOr<std::unique_ptr<dist::EpmdRegistration>> registration =
      co_await client_.Register(node_, family_, deadline);
  if (!registration.ok()) co_return registration.status();
  if (is_stopped_) {
    co_return base::Error(absl::StatusCode::kUnavailable, "the node has stopped", "", "closed");
  }
  registration_ = *std::move(registration);
  co_return registration_->creation();
}

Task<EpmdPresence::Creation> EpmdPresence::Register(base::TimePoint deadline) {
  auto self = shared_from_this();
  Creation creation = co_await Ask(deadline);
  if (is_stopped_ || !absl::IsUnavailable(creation.status())) co_return creation;
  if (!options_.may_start || is_killed_) {
    co_return base::Error(creation.status().code(),
                          fmt::format("no epmd at port {} of this machine", options_.port),
                          is_killed_ ? "start one (epmd -daemon): that of this process was killed"
                                     : "start one (epmd -daemon), or drop -start_epmd false",
                          "econnrefused");
  }
  CO_RETURN_IF_ERROR(BeEpmd());
  creation = co_await Ask(deadline);
  co_return creation;
}

Task<absl::Status> EpmdPresence::StayRegistered() {
  auto self = shared_from_this();
  while (!is_stopped_) {
    if (registration_ != nullptr) {
      absl::Status lost = co_await registration_->Lost();
      registration_.reset();
      if (is_stopped_) break;
      base::LogWarn("epmd_lost").Add("port", options_.port).Add(lost);
    }
    absl::Status done = co_await RegisterAgain();
    if (!done.ok()) break;
  }
  registration_.reset();
  co_return absl::OkStatus();
}

// Until the node is registered, or stopped.
Task<absl::Status> EpmdPresence::RegisterAgain() {
  auto self = shared_from_this();
  const base::TimePoint lost = home_.Now();
  std::chrono::milliseconds pause{0};
  for (failures_ = 0; !is_stopped_; ++failures_) {
    const base::TimePoint now = home_.Now();
    const bool may_take_over = now - lost >= options_.take_over_after;
    Task<Creation> attempt = may_take_over ? Register(now + kAttemptTime) : Ask(now + kAttemptTime);
    Creation creation = co_await std::move(attempt);
    if (is_stopped_) break;
    if (creation.ok()) {
      base::LogInfo("epmd_registered").Add("port", options_.port).Add("node", node_.name);
      failures_ = 0;
      co_return absl::OkStatus();
    }
    LogFailure(creation.status());
    pause = std::clamp(pause * 2, kFirstPause, kMaxPause);
    pause_.expires_after(pause);
    asio::error_code ignored;
    co_await pause_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
  co_return base::Error(absl::StatusCode::kUnavailable, "the node has stopped", "", "closed");
}

void EpmdPresence::LogFailure(const absl::Status& why) {
  if (failures_ % kFailuresPerLine != 0) return;
  base::LogWarn("epmd_registration_failed")
      .Add("port", options_.port)
      .Add("failures", failures_ + 1)
      .Add(why);
}

void EpmdPresence::Stop() {
  is_stopped_ = true;
  if (registration_ != nullptr) registration_->Release();
  pause_.cancel();
  server_.reset();
}

}  // namespace noded::node
