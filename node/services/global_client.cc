#include "node/services/global_client.h"

#include <algorithm>

#include "base/random.h"

namespace noded::node {

using dist::AtomName;
using dist::Term;

namespace {

constexpr int kMaxDoublings = 5;

bool Contains(const GlobalClient::Nodes& nodes, const AtomName& node) {
  return std::find(nodes.begin(), nodes.end(), node) != nodes.end();
}

}  // namespace

AtomName GlobalClient::First(const Nodes& nodes) {
  return *std::max_element(nodes.begin(), nodes.end());
}

GlobalClient::Nodes GlobalClient::Without(Nodes nodes, const Nodes& others) {
  std::erase_if(nodes, [&others](const AtomName& node) { return Contains(others, node); });
  return nodes;
}

base::Task<bool> GlobalClient::TakeLock(GlobalLockId id, Nodes nodes) {
  if (nodes.empty()) co_return true;
  // Nobody else needs to be asked when this node will refuse.
  if (nodes.size() > 1 && Contains(nodes, this_node()) && !table_.CanLock(id)) co_return false;
  auto asked =
      MultiCall(std::move(nodes), kServer, Term::Tuple({Term::Atom("set_lock"), id.ToTerm()}));
  const Answers answers = co_await std::move(asked);
  Nodes given;
  for (const auto& [node, answer] : answers) {
    if (answer.IsAtom("true")) given.push_back(node);
  }
  if (given.size() == answers.size()) co_return true;
  auto giving = GiveLock(std::move(id), std::move(given));
  co_await std::move(giving);
  co_return false;
}

base::Task<bool> GlobalClient::GiveLock(GlobalLockId id, Nodes nodes) {
  if (nodes.empty()) co_return true;
  const Term request = Term::Tuple({Term::Atom("del_lock"), id.ToTerm()});
  Nodes last = {First(nodes)};
  auto giving = MultiCall(Without(std::move(nodes), last), kServer, request);
  co_await std::move(giving);
  auto giving_last = MultiCall(std::move(last), kServer, request);
  co_await std::move(giving_last);
  co_return true;
}

base::Duration GlobalClient::Pause(int count) {
  const int64_t most = (int64_t{1} << std::min(count, kMaxDoublings + 1)) * 1000 / 8;
  return std::chrono::milliseconds(
      1 + static_cast<int64_t>(base::Random32() % static_cast<uint32_t>(most)));
}

}  // namespace noded::node
