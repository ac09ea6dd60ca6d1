#include "tls/ssl_runtime.h"

#include <utility>
#include <vector>

#include "base/log.h"
#include "base/status.h"

namespace noded::tls {

absl::Status SslRuntime::Register(SslSocketId id, std::function<void()> end) {
  std::lock_guard lock(mutex_);
  if (is_stopped_) {
    return base::Error(absl::StatusCode::kUnavailable, "ssl: the application is stopped",
                       "start it first", "closed");
  }
  ends_.emplace(id, std::move(end));
  return absl::OkStatus();
}

void SslRuntime::Forget(SslSocketId id) {
  std::lock_guard lock(mutex_);
  ends_.erase(id);
  if (ends_.empty()) forgotten_.notify_all();
}

bool SslRuntime::is_stopped() const {
  std::lock_guard lock(mutex_);
  return is_stopped_;
}

size_t SslRuntime::size() const {
  std::lock_guard lock(mutex_);
  return ends_.size();
}

void SslRuntime::WarnOnce(const std::vector<Warning>& warnings) {
  constexpr size_t kMaxWarned = 1000;  // texts name files and certificates, which change
  const std::lock_guard lock(mutex_);
  for (const Warning& warning : warnings) {
    if (warned_.size() >= kMaxWarned) warned_.clear();
    if (!warned_.insert(warning.what).second) continue;
    base::LogWarn("configuration").Add("cause", warning.what).Add("mend", warning.mend);
  }
}

void SslRuntime::Stop() {
  std::unique_lock lock(mutex_);
  is_stopped_ = true;
  std::vector<std::function<void()>> ends;
  for (const auto& [id, end] : ends_) ends.push_back(end);
  lock.unlock();
  for (const auto& end : ends) end();
  ends.clear();
  lock.lock();
  forgotten_.wait(lock, [this] { return ends_.empty(); });
}

}  // namespace noded::tls
