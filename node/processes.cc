#include "node/processes.h"

#include "fmt/format.h"

#include "base/status.h"

namespace noded::node {

using dist::AtomName;
using dist::Pid;

void ProcessTable::Add(const Pid& pid, std::shared_ptr<Process> process) {
  processes_[pid] = std::move(process);
}

std::shared_ptr<Process> ProcessTable::Remove(const Pid& pid) {
  auto found = processes_.find(pid);
  if (found == processes_.end()) return nullptr;
  std::shared_ptr<Process> process = std::move(found->second);
  processes_.erase(found);
  std::erase_if(names_, [&](const auto& entry) { return entry.second == pid; });
  return process;
}

std::shared_ptr<Process> ProcessTable::Find(const Pid& pid) const {
  auto found = processes_.find(pid);
  return found == processes_.end() ? nullptr : found->second;
}

absl::Status ProcessTable::Register(const AtomName& name, const Pid& pid) {
  if (!processes_.contains(pid)) {
    return base::Error(absl::StatusCode::kNotFound,
                       fmt::format("register {}: the process is not alive", name.view()), "",
                       "badarg");
  }
  if (!names_.try_emplace(name, pid).second) {
    return base::Error(absl::StatusCode::kAlreadyExists,
                       fmt::format("register {}: the name is taken", name.view()),
                       "unregister the process that has it, or choose another name", "badarg");
  }
  return absl::OkStatus();
}

bool ProcessTable::Unregister(const AtomName& name) { return names_.erase(name) > 0; }

std::optional<Pid> ProcessTable::WhereIs(const AtomName& name) const {
  auto found = names_.find(name);
  if (found == names_.end()) return std::nullopt;
  return found->second;
}

std::vector<AtomName> ProcessTable::Names() const {
  std::vector<AtomName> names;
  for (const auto& [name, pid] : names_) names.push_back(name);
  return names;
}

}  // namespace noded::node
