// Who is linked to whom and who watches whom: tables without behaviour. They say who has to be told
// when a process ends or a node goes down; node/signals.h tells them.
//
//   relations.AddLink(local, other);
//   relations.AddMonitor({.ref = ref, .watcher = pid, .target = Term::FromPid(other), ...});
//   Relations::Ended ended = relations.ProcessEnded(pid);
//   Relations::Ended down = relations.NodeDown("shop@host");
//
// Links are kept from the side of each process of this node. Confined to the node's home loop.
// Source: OTP "Distribution Protocol", links and monitors.
#pragma once

#include <optional>
#include <unordered_map>
#include <vector>

#include "dist/identifiers.h"
#include "dist/term.h"

namespace noded::node {

struct Monitor {
  dist::Reference ref;   // made by the watcher's node
  dist::Pid watcher;     // ours or a peer's
  dist::Term target;     // a pid, or an atom: the name that was asked for
  dist::AtomName node;   // where the target is
  dist::Pid target_pid;  // of a target on this node, resolved when the monitor was set
};

class Relations {
 public:
  struct BrokenLink {
    dist::Pid local;  // of this node
    dist::Pid other;
  };
  struct Ended {
    std::vector<BrokenLink> links;
    std::vector<Monitor> monitors;   // their target is gone: tell the watchers
    std::vector<Monitor> abandoned;  // their watcher is gone: tell the target's node
  };

  // False when they are linked already.
  bool AddLink(const dist::Pid& local, const dist::Pid& other);
  bool RemoveLink(const dist::Pid& local, const dist::Pid& other);
  bool IsLinked(const dist::Pid& local, const dist::Pid& other) const;

  void AddMonitor(Monitor monitor);
  std::optional<Monitor> RemoveMonitor(const dist::Reference& ref);

  // A process of this node has ended: all that concerns it leaves the tables.
  Ended ProcessEnded(const dist::Pid& pid);
  // The connection to `node` is lost: links to its processes and monitors of them are in `links`
  // and `monitors`; what its processes watched here is just forgotten.
  Ended NodeDown(const dist::AtomName& node);

  size_t link_count() const { return link_count_; }
  size_t monitor_count() const { return monitors_.size(); }
  size_t size() const { return link_count() + monitor_count(); }

 private:
  template <class Value>
  using ByPid = std::unordered_map<dist::Pid, std::vector<Value>, dist::IdentifierHash>;

  void Index(const dist::Pid& pid, const dist::Reference& ref);
  void Unindex(const dist::Pid& pid, const dist::Reference& ref);

  ByPid<dist::Pid> links_;
  size_t link_count_ = 0;
  std::unordered_map<dist::Reference, Monitor, dist::IdentifierHash> monitors_;
  ByPid<dist::Reference> monitors_of_;  // by watcher and by target
};

}  // namespace noded::node
