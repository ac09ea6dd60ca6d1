// A process of this node that takes global's locks: on this node, and by asking the
// global_name_server of each of the others.
//
//   class Registrar : public GlobalClient {
//     auto attempt = TakeLock(id, nodes);               // once, on all of them or on none
//     if (co_await std::move(attempt)) ...
//
// Servers watch the process that holds a lock: when it ends, or its node is lost, the lock is free.
// Confined to the home loop. Source: OTP lib/kernel/src/global.erl, set_lock/3 and del_lock/2.
#pragma once

#include <vector>

#include "node/services/calling_process.h"
#include "node/services/global_table.h"

namespace noded::node {

class GlobalClient : public CallingProcess {
 public:
  using Nodes = std::vector<dist::AtomName>;
  static constexpr char kServer[] = "global_name_server";

  GlobalClient(base::Loop& home, Signals& signals, const GlobalTable& table)
      : CallingProcess(home, signals), table_(table) {}

  bool TrapExit(const dist::Pid&, const dist::Term&) override { return true; }

 protected:
  // True when all nodes that answer have given it; else none of them keeps it.
  base::Task<bool> TakeLock(GlobalLockId id, Nodes nodes);
  // The greatest node last: whoever wants them all begins there.
  base::Task<bool> GiveLock(GlobalLockId id, Nodes nodes);
  // How long to wait before the next attempt after `count` failed ones: at random, the more there
  // were the longer, at most 8 s.
  static base::Duration Pause(int count);
  // The node at which those who want all of them begin.
  static dist::AtomName First(const Nodes& nodes);
  static Nodes Without(Nodes nodes, const Nodes& others);

  const dist::AtomName& this_node() const { return self().node; }

  const GlobalTable& table_;
};

}  // namespace noded::node
