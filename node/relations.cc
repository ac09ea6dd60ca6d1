#include "node/relations.h"

#include <algorithm>

namespace noded::node {

using dist::Pid;
using dist::Reference;

bool Relations::AddLink(const Pid& local, const Pid& other) {
  std::vector<Pid>& others = links_[local];
  if (std::find(others.begin(), others.end(), other) != others.end()) return false;
  others.push_back(other);
  ++link_count_;
  return true;
}

bool Relations::RemoveLink(const Pid& local, const Pid& other) {
  auto found = links_.find(local);
  if (found == links_.end()) return false;
  const bool was_linked = std::erase(found->second, other) > 0;
  if (was_linked) --link_count_;
  if (found->second.empty()) links_.erase(found);
  return was_linked;
}

bool Relations::IsLinked(const Pid& local, const Pid& other) const {
  auto found = links_.find(local);
  return found != links_.end() &&
         std::find(found->second.begin(), found->second.end(), other) != found->second.end();
}

void Relations::Index(const Pid& pid, const Reference& ref) { monitors_of_[pid].push_back(ref); }

void Relations::Unindex(const Pid& pid, const Reference& ref) {
  auto found = monitors_of_.find(pid);
  if (found == monitors_of_.end()) return;
  std::erase(found->second, ref);
  if (found->second.empty()) monitors_of_.erase(found);
}

void Relations::AddMonitor(Monitor monitor) {
  const Reference ref = monitor.ref;
  if (monitors_.contains(ref)) return;
  Index(monitor.watcher, ref);
  if (!monitor.target_pid.node.empty()) Index(monitor.target_pid, ref);
  monitors_.emplace(ref, std::move(monitor));
}

std::optional<Monitor> Relations::RemoveMonitor(const Reference& ref) {
  auto found = monitors_.find(ref);
  if (found == monitors_.end()) return std::nullopt;
  Monitor monitor = std::move(found->second);
  monitors_.erase(found);
  Unindex(monitor.watcher, ref);
  if (!monitor.target_pid.node.empty()) Unindex(monitor.target_pid, ref);
  return monitor;
}

Relations::Ended Relations::ProcessEnded(const Pid& pid) {
  Ended ended;
  if (auto found = links_.find(pid); found != links_.end()) {
    for (const Pid& other : found->second) ended.links.push_back({pid, other});
    link_count_ -= found->second.size();
    links_.erase(found);
  }
  auto found = monitors_of_.find(pid);
  if (found == monitors_of_.end()) return ended;
  const std::vector<Reference> refs = found->second;
  for (const Reference& ref : refs) {
    std::optional<Monitor> monitor = RemoveMonitor(ref);
    if (!monitor) continue;
    auto& concerned = monitor->watcher == pid ? ended.abandoned : ended.monitors;
    concerned.push_back(*std::move(monitor));
  }
  return ended;
}

Relations::Ended Relations::NodeDown(const dist::AtomName& node) {
  Ended ended;
  for (const auto& [local, others] : links_) {
    for (const Pid& other : others) {
      if (other.node == node) ended.links.push_back({local, other});
    }
  }
  for (const BrokenLink& link : ended.links) RemoveLink(link.local, link.other);
  std::vector<Reference> lost_targets, lost_watchers;
  for (const auto& [ref, monitor] : monitors_) {
    if (monitor.node == node) lost_targets.push_back(ref);
    if (monitor.watcher.node == node) lost_watchers.push_back(ref);
  }
  for (const Reference& ref : lost_watchers) RemoveMonitor(ref);
  for (const Reference& ref : lost_targets) {
    if (auto monitor = RemoveMonitor(ref)) ended.monitors.push_back(*std::move(monitor));
  }
  return ended;
}

}  // namespace noded::node
