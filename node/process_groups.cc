#include "node/process_groups.h"

#include <utility>

#include "node/services/pg_scope.h"

namespace noded::node {

using dist::Term;

ProcessGroups::ProcessGroups(base::Loop& home, std::shared_ptr<PgScope> scope)
    : home_(&home), scope_(std::move(scope)) {}

absl::Status ProcessGroups::Join(const Term& group, const dist::Pid& pid) {
  return Join(group, Pids{pid});
}
absl::Status ProcessGroups::Join(const Term& group, const Pids& pids) {
  return home_->Run([&] { return scope_->Join(group, pids); });
}
absl::Status ProcessGroups::Leave(const Term& group, const dist::Pid& pid) {
  return Leave(group, Pids{pid});
}
absl::Status ProcessGroups::Leave(const Term& group, const Pids& pids) {
  return home_->Run([&] { return scope_->Leave(group, pids); });
}

ProcessGroups::Pids ProcessGroups::Members(const Term& group) const {
  return home_->Run([&] { return scope_->Members(group); });
}
ProcessGroups::Pids ProcessGroups::LocalMembers(const Term& group) const {
  return home_->Run([&] { return scope_->LocalMembers(group); });
}
std::vector<Term> ProcessGroups::Groups() const {
  return home_->Run([&] { return scope_->Groups(/*are_local=*/false); });
}
std::vector<Term> ProcessGroups::LocalGroups() const {
  return home_->Run([&] { return scope_->Groups(/*are_local=*/true); });
}

void ProcessGroups::Watch(
    std::function<void(bool is_join, const Term& group, const Pids& pids)> watcher) {
  home_->Run([&] {
    scope_->Watch(std::move(watcher));
    return true;
  });
}

}  // namespace noded::node
