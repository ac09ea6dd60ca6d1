// A Context that follows its files: what a listener or a connector holds, so that new connections
// use a replaced certificate while old ones live on.
//
//   ASSIGN_OR_RETURN(auto source, ContextSource::Create(options, Role::kServer, report));
//   Engine engine(source->current(), {});            // for each connection
//
// current() looks whether the files that the context was made of are other ones by now, as often as
// the PEM cache does (tls/pem_cache.h; ClearPemCache() makes it look at once), and makes the
// context anew. When that fails, since a file is half-written or a key does not match, the last
// good context stays, and `report` is told once for each state of the files. It blocks on the disk
// for the time of a stat(), rarely a read. Thread-safe: `report` is called on the thread that found
// out.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "absl/status/statusor.h"

#include "tls/context.h"
#include "tls/pem_cache.h"

namespace noded::tls {

class ContextSource {
 public:
  using Report = std::function<void(const absl::Status&)>;

  // Keeps the options, secrets included, to read the files again. `report` may be null.
  static absl::StatusOr<std::shared_ptr<ContextSource>> Create(
      Options options, Role role, Report report, PemCache& cache = PemCache::Shared());
  // One that never changes.
  explicit ContextSource(std::shared_ptr<const Context> fixed)
      : role_(fixed->role()), cache_(PemCache::Shared()), context_(std::move(fixed)) {}
  ContextSource(const ContextSource&) = delete;
  ContextSource& operator=(const ContextSource&) = delete;

  Role role() const { return role_; }
  std::shared_ptr<const Context> current();

 private:
  using Files = Context::FileMap;

  ContextSource(Options options, Role role, Report report, PemCache& cache)
      : options_(std::move(options)), role_(role), report_(std::move(report)), cache_(cache) {}
  // The files as they are now; those that cannot be read are null, and `unreadable` says why.
  Files Look(const Files& known, absl::Status& unreadable) const;

  const std::optional<Options> options_;  // none: fixed
  const Role role_;
  const Report report_;
  PemCache& cache_;
  std::mutex making_;  // held by the one that looks
  std::mutex mutex_;   // guards what follows
  std::shared_ptr<const Context> context_;
  Files tried_;  // what the last attempt was made of
};

// `ssl:clear_pem_cache()`: files are looked at again when they are next needed.
void ClearPemCache();

}  // namespace noded::tls
