// The processes of this node: who is a pid, who is a name.
//
//   ProcessTable table;
//   table.Add(pid, process);
//   RETURN_IF_ERROR(table.Register("cart", pid));
//   if (auto process = table.Find(pid)) process->Deliver(message);
//
// Confined to the node's home loop.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "absl/status/status.h"

#include "dist/identifiers.h"
#include "dist/term.h"

namespace noded::node {

// What has a pid. Called on the home loop; every call may end the process (Signals::Exit), which
// stays alive until the call returns.
class Process {
 public:
  virtual ~Process() = default;

  // The first call: the process has got its pid.
  virtual void Started(const dist::Pid& /*self*/) {}
  // An ordinary message.
  virtual void Deliver(dist::Term message) = 0;
  // A link broke or somebody sent an exit signal. True: the process traps it and lives on. False:
  // it ends with `reason`, as Erlang's do (a `normal` signal of another process is dropped before).
  virtual bool TrapExit(const dist::Pid& /*from*/, const dist::Term& /*reason*/) { return false; }
  // What a monitor watched has ended. `object` is a pid or {name, node}.
  virtual void MonitorDown(const dist::Reference& /*monitor*/, const dist::Term& /*object*/,
                           const dist::Term& /*reason*/) {}
  // The process has no pid any more; the last call.
  virtual void Ended() {}
  // An answer to Signals::SpawnRequest: the new process' pid, or an atom that says why not.
  virtual void SpawnReply(const dist::Reference& /*request*/, const dist::Term& /*result*/) {}

  // Kept by Signals: what is freed with the process.
  std::vector<dist::Reference> aliases;
};

class ProcessTable {
 public:
  void Add(const dist::Pid& pid, std::shared_ptr<Process> process);
  // Frees its names too. Null when there is none.
  std::shared_ptr<Process> Remove(const dist::Pid& pid);
  std::shared_ptr<Process> Find(const dist::Pid& pid) const;

  // AlreadyExists when the name is taken, NotFound when there is no such process.
  absl::Status Register(const dist::AtomName& name, const dist::Pid& pid);
  bool Unregister(const dist::AtomName& name);
  std::optional<dist::Pid> WhereIs(const dist::AtomName& name) const;
  std::vector<dist::AtomName> Names() const;
  size_t size() const { return processes_.size(); }

 private:
  std::unordered_map<dist::Pid, std::shared_ptr<Process>, dist::IdentifierHash> processes_;
  std::map<dist::AtomName, dist::Pid> names_;
};

}  // namespace noded::node
