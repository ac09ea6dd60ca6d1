#include "tls/host_contexts.h"

#include <algorithm>

#include "fmt/format.h"

#include "base/ascii.h"
#include "base/status.h"
#include "tls/refused.h"

namespace noded::tls {
namespace {

// Of a function that makes new Options each time, only so many contexts are kept.
constexpr size_t kMostMade = 256;

absl::StatusOr<std::shared_ptr<const Context>> Make(const Options& given, PemCache& cache) {
  Options options = given;
  // A host has no hosts; its Options may be a copy of the server's.
  options.server_names = {};
  return Context::Create(std::move(options), Role::kServer, cache);
}

}  // namespace

absl::StatusOr<std::unique_ptr<HostContexts>> HostContexts::Create(const ServerNames& names,
                                                                   PemCache& cache) {
  std::unique_ptr<HostContexts> contexts;
  if (names.hosts.empty() && names.fun == nullptr) return contexts;
  contexts.reset(new HostContexts(names.fun, cache));
  for (const auto& [host, options] : names.hosts) {
    auto made = Make(*options, cache);
    if (!made.ok()) {
      return base::Annotate(made.status(), fmt::format("option server_sni_hosts, {}", host));
    }
    contexts->hosts_[base::Lower(host)] = *std::move(made);
  }
  return contexts;
}

absl::StatusOr<std::shared_ptr<const Context>> HostContexts::Find(std::string_view name) const {
  if (fun_ != nullptr) return Ask(name);
  const auto found = hosts_.find(base::Lower(name));
  return found == hosts_.end() ? nullptr : found->second;
}

absl::StatusOr<std::shared_ptr<const Context>> HostContexts::Ask(std::string_view name) const {
  const std::string where = fmt::format("option server_sni_fun, {}", ShortText(name));
  std::shared_ptr<const Options> options;
  try {
    options = fun_(name);
  } catch (const std::exception& error) {
    return base::Error(absl::StatusCode::kInternal, fmt::format("{}: {}", where, error.what()),
                       "correct the function: it must not throw", "options");
  }
  if (options == nullptr) return nullptr;
  {
    const std::lock_guard lock(mutex_);
    for (const Made& made : made_) {
      if (made.first == options) return made.second;
    }
  }
  auto context = Make(*options, cache_);
  if (!context.ok()) return base::Annotate(context.status(), where);
  const std::lock_guard lock(mutex_);
  // Another connection may have been as fast: one of both stays.
  for (const Made& made : made_) {
    if (made.first == options) return made.second;
  }
  if (made_.size() >= kMostMade) made_.pop_front();
  made_.emplace_back(std::move(options), *context);
  return context;
}

std::vector<std::shared_ptr<const Context>> HostContexts::All() const {
  std::vector<std::shared_ptr<const Context>> all;
  for (const auto& [name, context] : hosts_) all.push_back(context);
  const std::lock_guard lock(mutex_);
  for (const Made& made : made_) all.push_back(made.second);
  return all;
}

}  // namespace noded::tls
