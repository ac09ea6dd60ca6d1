#include "node/services/global_registrar.h"

#include "asio/redirect_error.hpp"
#include "asio/use_awaitable.hpp"

namespace noded::node {

using base::Task;
using dist::Term;

void GlobalRegistrar::Change(Request request, Done done) {
  requests_.emplace_back(std::move(request), std::move(done));
  asked_.cancel();
}

Task<absl::Status> GlobalRegistrar::Run() {
  const auto alive = shared_from_this();
  const GlobalLockId id{Term::Atom(GlobalLockId::kNames), Term::FromPid(self())};
  while (true) {
    while (requests_.empty()) {
      asio::error_code ignored;
      co_await asked_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
    auto [request, done] = std::move(requests_.front());
    requests_.pop_front();
    auto locking = LockAllKnown(id);
    const Nodes nodes = co_await std::move(locking);
    const std::optional<Outcome> refusal = Refusal(request);
    if (!refusal) {
      Term change = request.pid ? Term::Tuple({Term::Atom("register"), request.name,
                                               Term::FromPid(*request.pid), request.method})
                                : Term::Tuple({Term::Atom("unregister"), request.name});
      auto changing = MultiCall(nodes, kServer, std::move(change));
      co_await std::move(changing);
    }
    auto giving = GiveLock(id, nodes);
    co_await std::move(giving);
    done(refusal.value_or(Outcome::kDone));
  }
}

std::optional<GlobalRegistrar::Outcome> GlobalRegistrar::Refusal(const Request& request) const {
  if (!request.pid || request.may_replace) return std::nullopt;
  if (table_.Find(request.name) != nullptr) return Outcome::kNameTaken;
  if (table_.NameOf(*request.pid)) return Outcome::kHasOtherName;
  return std::nullopt;
}

GlobalClient::Nodes GlobalRegistrar::All() const {
  Nodes nodes = {this_node()};
  for (const auto& [node, version] : known_) nodes.push_back(node);
  return nodes;
}

// Those that became known while the lock was taken must have it, too.
Task<GlobalClient::Nodes> GlobalRegistrar::LockAllKnown(GlobalLockId id) {
  for (int count = 0;; ++count) {
    const Nodes nodes = All();
    const Nodes first = {First(nodes)};
    auto locking_first = TakeLock(id, first);
    const bool has_first = co_await std::move(locking_first);
    if (has_first) {
      auto locking = TakeLock(id, nodes);
      const bool has_all = co_await std::move(locking);
      if (has_all && Without(All(), nodes).empty()) co_return nodes;
      auto giving = GiveLock(id, has_all ? nodes : first);
      co_await std::move(giving);
    }
    auto pausing = Sleep(Pause(count));
    co_await std::move(pausing);
  }
}

}  // namespace noded::node
