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
  options.limits = limits_;
  absl::StatusOr<std::unique_ptr<dist::EpmdServer>> server =
      dist::EpmdServer::Start(home_, std::move(options));
  if (absl::IsAlreadyExists(server.status())) return absl::OkStatus();  // one has just come
  if (!server.ok()) return base::Annotate(server.status(), "starting an epmd in this process");
  server_ = *std::move(server);
  base::LogInfo("epmd_started").Add("port", options_.port);
  return absl::OkStatus();
}

Task<absl::StatusOr<uint32_t>> EpmdPresence::Register(base::TimePoint deadline) {
  auto self = shared_from_this();
  absl::StatusOr<std::unique_ptr<dist::EpmdRegistration>> registration =
      co_await client_.Register(node_, family_, deadline);
  if (absl::IsUnavailable(registration.status())) {
    if (!options_.may_start) {
      co_return base::Error(registration.status().code(),
                            fmt::format("no epmd at port {} of this machine", options_.port),
                            "start one (epmd -daemon), or drop -start_epmd false", "econnrefused");
    }
    CO_RETURN_IF_ERROR(BeEpmd());
    registration = co_await client_.Register(node_, family_, deadline);
  }
  if (!registration.ok()) co_return registration.status();
  registration_ = *std::move(registration);
  co_return registration_->creation();
}

Task<absl::Status> EpmdPresence::StayRegistered() {
  auto self = shared_from_this();
  std::chrono::milliseconds pause{0};
  while (!is_stopped_) {
    if (registration_ != nullptr) {
      absl::Status lost = co_await registration_->Lost();
      registration_.reset();
      if (is_stopped_) break;
      base::LogWarn("epmd_lost").Add("port", options_.port).Add(lost);
      pause = std::chrono::milliseconds(0);
    }
    if (pause.count() > 0) {
      pause_.expires_after(pause);
      asio::error_code ignored;
      co_await pause_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
      if (is_stopped_) break;
    }
    const base::TimePoint deadline = home_.Now() + std::chrono::seconds(5);
    absl::StatusOr<uint32_t> creation = co_await Register(deadline);
    if (is_stopped_) break;
    if (creation.ok()) {
      base::LogInfo("epmd_registered").Add("port", options_.port).Add("node", node_.name);
      continue;
    }
    base::LogWarn("epmd_registration_failed").Add("port", options_.port).Add(creation.status());
    pause =
        std::clamp<std::chrono::milliseconds>(pause * 2, std::chrono::milliseconds(250), kMaxPause);
  }
  registration_.reset();
  co_return absl::OkStatus();
}

void EpmdPresence::Stop() {
  is_stopped_ = true;
  if (registration_ != nullptr) registration_->Release();
  pause_.cancel();
  server_.reset();
}

}  // namespace noded::node
