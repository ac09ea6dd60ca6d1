#include "tls/context_source.h"

#include "base/status.h"

namespace noded::tls {

void ClearPemCache() { PemCache::Shared().Clear(); }

absl::StatusOr<std::shared_ptr<ContextSource>> ContextSource::Create(Options options, Role role,
                                                                     Report report,
                                                                     PemCache& cache) {
  std::shared_ptr<ContextSource> source(
      new ContextSource(std::move(options), role, std::move(report), cache));
  ASSIGN_OR_RETURN(source->context_, Context::Create(*source->options_, role, cache));
  source->tried_ = source->context_->Files();
  return source;
}

ContextSource::Files ContextSource::Look(const Files& known, absl::Status& unreadable) const {
  Files now;
  for (const auto& [path, file] : known) {
    absl::StatusOr<std::shared_ptr<const PemFile>> found = cache_.Get(path);
    if (!found.ok() && unreadable.ok()) unreadable = found.status();
    now[path] = found.ok() ? *std::move(found) : nullptr;
  }
  return now;
}

std::shared_ptr<const Context> ContextSource::current() {
  if (!options_) return context_;
  std::unique_lock one(making_, std::try_to_lock);
  std::shared_ptr<const Context> context;
  Files tried;
  {
    const std::lock_guard lock(mutex_);
    context = context_;
    tried = tried_;
  }
  if (!one.owns_lock()) return context;  // somebody looks already
  absl::Status status;
  // Hosts that a function named since the last attempt have files too.
  tried.merge(context->Files());
  Files now = Look(tried, status);
  if (now == tried) return context;
  if (status.ok()) {
    auto made = Context::Create(*options_, role_, cache_);
    status = made.status();
    if (made.ok()) {
      context = *std::move(made);
      now = context->Files();
    }
  }
  {
    const std::lock_guard lock(mutex_);
    context_ = context;
    tried_ = std::move(now);
  }
  one.unlock();  // the report may ask for the context
  if (!status.ok() && report_ != nullptr) report_(status);
  return context;
}

}  // namespace noded::tls
