// The contexts of a server's hosts: the options `sni_hosts` and `sni_fun`. Part of a Context; for
// tls/ alone.
//
//   ASSIGN_OR_RETURN(auto hosts, HostContexts::Create(options.server_names, cache));
//   ASSIGN_OR_RETURN(auto context, hosts->Find("shop.example"));      // null: the server's own
//
// Those of sni_hosts are made at once; those that sni_fun answers with when they are first asked
// for, on the connection's loop, and kept: as long as the function gives the same Options object it
// is one context. Thread-safe. Errors: InvalidArgument, "option server_sni_hosts, shop.example:
// ...". Source: OTP ssl(3), server_option sni_hosts, sni_fun.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

#include "tls/context.h"

namespace noded::tls {

class HostContexts {
 public:
  // Null when `names` has neither.
  static absl::StatusOr<std::unique_ptr<HostContexts>> Create(const ServerNames& names,
                                                              PemCache& cache);

  // Case does not matter in names.
  absl::StatusOr<std::shared_ptr<const Context>> Find(std::string_view name) const;

  // Every context that there is by now.
  std::vector<std::shared_ptr<const Context>> All() const;

 private:
  using Made = std::pair<std::shared_ptr<const Options>, std::shared_ptr<const Context>>;

  HostContexts(SniFun fun, PemCache& cache) : fun_(std::move(fun)), cache_(cache) {}
  absl::StatusOr<std::shared_ptr<const Context>> Ask(std::string_view name) const;

  std::map<std::string, std::shared_ptr<const Context>> hosts_;  // by lower-case name
  const SniFun fun_;
  PemCache& cache_;
  mutable std::mutex mutex_;
  mutable std::deque<Made> made_;  // by fun_, the oldest first
};

}  // namespace noded::tls
