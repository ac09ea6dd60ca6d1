#include "node/handshake_pace.h"

#include <algorithm>

#include "asio/ip/address.hpp"

namespace noded::node {
namespace {

double Seconds(base::Duration duration) { return std::chrono::duration<double>(duration).count(); }

// The address, or the network of an IPv6 one.
std::string KeyOf(const std::string& text) {
  asio::error_code error;
  const asio::ip::address address = asio::ip::make_address(text, error);
  if (error || !address.is_v6()) return text;
  const auto bytes = address.to_v6().to_bytes();
  return std::string(bytes.begin(), bytes.begin() + 8);
}

}  // namespace

double HandshakePace::FailuresOf(const Address& address, base::TimePoint now) const {
  const double forgiven = Seconds(now - address.since) * options_.forgiven_per_second;
  return std::max(0.0, address.failures - std::max(0.0, forgiven));
}

void HandshakePace::Failed(const std::string& address, base::TimePoint now) {
  std::lock_guard lock(mutex_);
  std::string key = KeyOf(address);
  auto found = addresses_.find(key);
  if (found == addresses_.end()) {
    if (addresses_.size() >= options_.max_addresses) ForgetTheForgiven(now);
    if (addresses_.size() >= options_.max_addresses) return;
    found = addresses_.emplace(std::move(key), Address{.since = now}).first;
  }
  Address& known = found->second;
  // Twice the free ones at most: when the flood is over, so is its punishment, seconds later.
  known.failures = std::min(FailuresOf(known, now) + 1, 2 * options_.free_failures);
  known.since = now;
}

bool HandshakePace::IsSlowed(const std::string& address, base::TimePoint now) const {
  std::lock_guard lock(mutex_);
  const auto found = addresses_.find(KeyOf(address));
  return found != addresses_.end() && FailuresOf(found->second, now) > options_.free_failures;
}

std::optional<base::Duration> HandshakePace::TakeTurn(const std::string& address,
                                                      base::TimePoint now) {
  std::lock_guard lock(mutex_);
  const auto found = addresses_.find(KeyOf(address));
  if (found == addresses_.end()) return base::Duration::zero();
  Address& known = found->second;
  const base::TimePoint turn = std::max(known.next_turn, now);
  if (turn - now > options_.max_wait) {
    ++refused_;
    return std::nullopt;
  }
  known.next_turn = turn + std::chrono::duration_cast<base::Duration>(
                               std::chrono::duration<double>(1 / options_.turns_per_second));
  return turn - now;
}

uint64_t HandshakePace::refused() const {
  std::lock_guard lock(mutex_);
  return refused_;
}

void HandshakePace::ForgetTheForgiven(base::TimePoint now) {
  std::erase_if(addresses_, [&](const auto& entry) { return FailuresOf(entry.second, now) == 0; });
}

}  // namespace noded::node
