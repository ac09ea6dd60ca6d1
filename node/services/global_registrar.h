// The registrar: changes global names on all nodes that this one knows, one change after the other,
// each under the lock of the names.
//
//   auto registrar = std::make_shared<GlobalRegistrar>(home, signals, table, known);
//   base::Spawn(home, "global registrar", registrar->Run(), ...);
//   registrar->Change({.name = name, .pid = pid, .method = method}, [](Outcome outcome) { ... });
//
// A process has one name: OTP's rule. Confined to the home loop; `known` outlives the task, which
// ends with the loop. Source: OTP lib/kernel/src/global.erl, the registrar.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "node/services/global_locker.h"

namespace noded::node {

class GlobalRegistrar : public GlobalClient, public std::enable_shared_from_this<GlobalRegistrar> {
 public:
  struct Request {
    dist::Term name;
    std::optional<dist::Pid> pid;  // none: the name is given up
    dist::Term method;
    bool may_replace = false;
  };
  enum class Outcome { kDone, kNameTaken, kHasOtherName };
  using Done = std::function<void(Outcome)>;

  GlobalRegistrar(base::Loop& home, Signals& signals, const GlobalTable& table,
                  const GlobalLocker::Known& known)
      : GlobalClient(home, signals, table),
        known_(known),
        asked_(home.io(), base::TimePoint::max()) {}

  base::Task<absl::Status> Run();
  void Change(Request request, Done done);

 private:
  base::Task<Nodes> LockAllKnown(GlobalLockId id);
  Nodes All() const;
  std::optional<Outcome> Refusal(const Request& request) const;

  const GlobalLocker::Known& known_;
  std::deque<std::pair<Request, Done>> requests_;
  asio::steady_timer asked_;
};

}  // namespace noded::node
