// The process that holds a global lock for C++ code, as an Erlang process would hold its own.
//
//   auto holder = std::make_shared<GlobalLockHolder>(home, signals, table, resource, requester, nodes);
//   signals.Start(holder);
//   base::Spawn(home, "global lock", holder->Take(deadline), done);
//   base::Spawn(home, "global unlock", holder->Give(), ...);       // it ends
//
// Confined to the home loop. Source: OTP global(3), set_lock/3 and del_lock/2.
#pragma once

#include <memory>
#include <optional>

#include "node/services/global_client.h"

namespace noded::node {

class GlobalLockHolder : public GlobalClient,
                         public std::enable_shared_from_this<GlobalLockHolder> {
 public:
  // `requester`: those that name the same one share the lock; none: nobody else.
  GlobalLockHolder(base::Loop& home, Signals& signals, const GlobalTable& table,
                   dist::Term resource, std::optional<dist::Term> requester, Nodes nodes)
      : GlobalClient(home, signals, table),
        resource_(std::move(resource)),
        requester_(std::move(requester)),
        nodes_(std::move(nodes)) {}

  // Tries again until the deadline, at least once. DeadlineExceeded: it ends.
  base::Task<absl::Status> Take(base::TimePoint deadline);
  base::Task<absl::Status> Give();

 private:
  GlobalLockId id() const {
    return {resource_, requester_ ? *requester_ : dist::Term::FromPid(self())};
  }

  const dist::Term resource_;
  const std::optional<dist::Term> requester_;
  const Nodes nodes_;
};

}  // namespace noded::node
