#include "node/global_names.h"

#include <set>
#include <utility>

#include "fmt/format.h"

#include "base/awaited.h"
#include "base/status.h"
#include "base/task.h"
#include "dist/term_text.h"
#include "node/services/global_lock_holder.h"
#include "node/services/global_server.h"

namespace noded::node {

using dist::AtomName;
using dist::Pid;
using dist::Term;

namespace {

using Outcome = GlobalRegistrar::Outcome;

Term MethodOf(GlobalNames::Conflict conflict) {
  switch (conflict) {
    case GlobalNames::Conflict::kKillOther:
      return KillOneMethod();
    case GlobalNames::Conflict::kTellOther:
      return TellOneMethod();
    case GlobalNames::Conflict::kTellBoth:
      return TellBothMethod();
  }
  return KillOneMethod();
}

base::Task<absl::StatusOr<Outcome>> ChangeName(base::Loop& home,
                                               std::shared_ptr<GlobalServer> server,
                                               GlobalRegistrar::Request request) {
  auto outcome = std::make_shared<base::Awaited<Outcome>>(home);
  server->registrar().Change(std::move(request), [outcome](Outcome value) { outcome->Set(value); });
  auto waiting = outcome->Get();
  const Outcome value = co_await std::move(waiting);
  co_return value;
}

base::Task<absl::Status> SyncWith(base::Loop& home, std::shared_ptr<GlobalServer> server,
                                  std::vector<AtomName> nodes) {
  auto synced = std::make_shared<base::Awaited<bool>>(home);
  server->Sync({nodes.begin(), nodes.end()}, [synced] { synced->Set(true); });
  auto waiting = synced->Get();
  co_await std::move(waiting);
  co_return absl::OkStatus();
}

}  // namespace

GlobalLock::GlobalLock(base::Loop& home, std::shared_ptr<GlobalLockHolder> holder)
    : home_(home), holder_(std::move(holder)) {}

GlobalLock::~GlobalLock() {
  home_.Post([&home = home_, holder = std::move(holder_)] {
    base::Spawn(home, "global unlock", holder->Give(), [](absl::Status) {});
  });
}

GlobalNames::GlobalNames(base::Loop& home, Signals& signals, std::shared_ptr<GlobalServer> server,
                         std::function<std::vector<AtomName>()> connected)
    : home_(&home),
      signals_(&signals),
      server_(std::move(server)),
      connected_(std::move(connected)) {}

absl::Status GlobalNames::Register(const Term& name, const Pid& pid, Conflict conflict) {
  return Change(name, pid, conflict, /*may_replace=*/false);
}

absl::Status GlobalNames::ReRegister(const Term& name, const Pid& pid, Conflict conflict) {
  return Change(name, pid, conflict, /*may_replace=*/true);
}

absl::Status GlobalNames::Unregister(const Term& name) {
  if (!WhereIs(name)) return absl::OkStatus();
  return Change(name, std::nullopt, Conflict::kKillOther, /*may_replace=*/true);
}

absl::Status GlobalNames::Change(const Term& name, std::optional<Pid> pid, Conflict conflict,
                                 bool may_replace) {
  GlobalRegistrar::Request request{name, std::move(pid), MethodOf(conflict), may_replace};
  ASSIGN_OR_RETURN(const Outcome outcome,
                   base::Await(*home_, ChangeName(*home_, server_, std::move(request))));
  if (outcome == Outcome::kDone) return absl::OkStatus();
  return base::Error(
      absl::StatusCode::kAlreadyExists,
      fmt::format("global: {} {}", dist::PrintTerm(name),
                  outcome == Outcome::kNameTaken ? "is the name of another process already"
                                                 : "is for a process that has another global name"),
      outcome == Outcome::kNameTaken ? "give it up there first" : "one is enough", "no");
}

std::optional<Pid> GlobalNames::WhereIs(const Term& name) const {
  return home_->Run([&]() -> std::optional<Pid> {
    const GlobalName* found = server_->table().Find(name);
    if (found == nullptr) return std::nullopt;
    return found->pid;
  });
}

std::vector<Term> GlobalNames::Names() const {
  return home_->Run([&] { return server_->table().Names(); });
}

absl::Status GlobalNames::Sync() {
  std::vector<AtomName> nodes = home_->Run([&] { return connected_(); });
  return base::Await(*home_, SyncWith(*home_, server_, std::move(nodes)));
}

absl::StatusOr<std::unique_ptr<GlobalLock>> GlobalNames::Lock(
    const Term& resource, base::Duration timeout, const std::optional<Term>& requester) {
  const base::TimePoint deadline = home_->Now() + timeout;
  auto holder = home_->Run([&] {
    std::vector<AtomName> nodes = connected_();
    nodes.push_back(signals_->identity().name());
    auto made = std::make_shared<GlobalLockHolder>(*home_, *signals_, server_->table(), resource,
                                                   requester, std::move(nodes));
    signals_->Start(made);
    return made;
  });
  RETURN_IF_ERROR(base::Await(*home_, holder->Take(deadline)));
  return std::make_unique<GlobalLock>(*home_, std::move(holder));
}

Term GlobalNames::Resolve(const Term& method, const Term& name, const Pid& one, const Pid& other) {
  return home_->Run([&] { return server_->Resolve(method, name, one, other); });
}

}  // namespace noded::node
