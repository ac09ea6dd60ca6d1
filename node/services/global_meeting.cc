// The meetings of the GlobalServer: from the first message to one set of names.
#include <algorithm>
#include <utility>

#include "base/log.h"
#include "node/services/global_server.h"

namespace noded::node {

using dist::AtomName;
using dist::Pid;
using dist::Term;

namespace {

// `node` or `{node, Version}`, as nodes list those that they know.
std::optional<std::pair<AtomName, int64_t>> ReadKnown(const Term& entry) {
  if (entry.is_atom()) return std::pair(entry.atom_name(), int64_t{0});
  if (!entry.IsTuple(2) || !entry.tuple()[0].is_atom()) return std::nullopt;
  return std::pair(entry.tuple()[0].atom_name(), entry.tuple()[1].AsInt().value_or(0));
}

// The lock under which the sender of changes made them: {lock, Id} in its list of properties.
Term RequesterIn(const Term& properties) {
  for (const Term& property : properties.list()) {
    if (!property.IsTagged("lock", 2)) continue;
    const auto id = GlobalLockId::FromTerm(property.tuple()[1]);
    if (id) return id->requester;
  }
  return Term();
}

}  // namespace

// A meeting: both sides make themselves known.

void GlobalServer::OnInitConnect(const AtomName& node, Words words) {
  const Words his = words[1].tuple();
  const int64_t version = his.size() < 2 ? 0 : his[0].AsInt().value_or(0);
  const Words locker = words[3].tuple();
  if (version < kOldestVersion || locker.size() < 4 || !locker[3].is_pid()) return;
  if (pending_.contains(node)) {
    // A second request while we are at the first: one of them is stale, so begin anew.
    if (version < kConfirmsVersion) {
      peers_.Disconnect(node);
      return;
    }
    Tell(node, Term::Tuple({Term::Atom("cancel_connect"), Term::Atom(self_.node), his[1]}));
    Restart(node);
  }
  Meeting& meeting = meetings_[node];
  meeting.version = std::min(version, kVersion);
  meeting.his_tag = his[1];
  if (meeting.my_tag == 0) {
    meeting.early_request = Term::Tuple(std::vector<Term>(words.begin(), words.end()));
    return;
  }
  locker_->Meet({.node = node,
                 .pid = locker[3].pid(),
                 .version = meeting.version,
                 .my_tag = meeting.my_tag,
                 .his_tag = meeting.his_tag});
  if (version >= kConfirmsVersion) {
    Tell(node, Term::Tuple({Term::Atom("init_connect_ack"), Term::Atom(self_.node), meeting.his_tag,
                            Term::Int(meeting.my_tag)}));
  }
  pending_[node] = version;
}

void GlobalServer::OnInitConnectAck(const AtomName& node, Words words) {
  const auto meeting = meetings_.find(node);
  if (meeting != meetings_.end() && Term::Int(meeting->second.my_tag) == words[2] &&
      meeting->second.his_tag == words[3]) {
    return;
  }
  Tell(node, Term::Tuple({Term::Atom("cancel_connect"), Term::Atom(self_.node), words[3]}));
  Restart(node);
}

void GlobalServer::OnCancelConnect(const AtomName& node, Words words) {
  const auto meeting = meetings_.find(node);
  if (meeting == meetings_.end() || !(Term::Int(meeting->second.my_tag) == words[2])) return;
  Restart(node);
}

void GlobalServer::Restart(const AtomName& node) {
  const auto meeting = meetings_.find(node);
  const bool is_up = meeting != meetings_.end() && meeting->second.my_tag != 0;
  EndMeeting(node, /*tell_him=*/true);
  pending_.erase(node);
  if (is_up) Greet(node);
}

void GlobalServer::EndMeeting(const AtomName& node, bool tell_him, std::function<void()> last) {
  const auto meeting = meetings_.extract(node);
  if (meeting.empty() || meeting.mapped().my_tag == 0) return;
  locker_->Cancel(node, meeting.mapped().my_tag, std::move(last));
  const auto pending = pending_.find(node);
  if (!tell_him || pending == pending_.end() || pending->second < kConfirmsVersion) return;
  Tell(node, Term::Tuple(
                 {Term::Atom("cancel_connect"), Term::Atom(self_.node), meeting.mapped().his_tag}));
}

GlobalServer::Meeting* GlobalServer::Current(const AtomName& node, const Term& my_tag) {
  const auto meeting = meetings_.find(node);
  const auto tag = my_tag.AsInt();
  if (meeting != meetings_.end() && tag && *tag != 0 && meeting->second.my_tag == *tag) {
    return &meeting->second;
  }
  if (tag) locker_->Cancel(node, *tag);
  return nullptr;
}

// Both lockers have their locks: names are exchanged.

void GlobalServer::OnLockSet(Words words) {
  if (!words[1].is_pid()) return;
  const Pid& pid = words[1].pid();
  std::optional<int64_t> tag;
  if (words.size() > 4) {
    const auto meeting = meetings_.find(pid.node);
    tag = words[4].AsInt();
    if (!tag || meeting == meetings_.end() || meeting->second.my_tag != *tag) return;
  }
  locker_->PeerLocked(pid, words[2].IsAtom("true"), tag);
}

void GlobalServer::OnLocked(const AtomName& node, int64_t my_tag, const GlobalLockId& id) {
  Meeting* meeting = Current(node, Term::Int(my_tag));
  if (meeting == nullptr) return;
  Cast(node, Term::Tuple({Term::Atom("exchange"), Term::Atom(self_.node), table_.NamesTerm(),
                          Term::Nil(), meeting->his_tag}));
  meeting->lock = id;
  StartResolving(node);
}

void GlobalServer::OnExchange(const AtomName& node, Words words) {
  Meeting* meeting = Current(node, words[4]);
  if (meeting == nullptr || meeting->his_names) return;
  meeting->his_names = words[2];
  StartResolving(node);
}

void GlobalServer::StartResolving(const AtomName& node) {
  const Meeting& meeting = meetings_[node];
  if (!meeting.lock || !meeting.his_names) return;
  base::Spawn(
      home_, "global resolver", ResolveNames(*meeting.his_names, node),
      [self = shared_from_this(), node, tag = meeting.my_tag](absl::StatusOr<Resolution> result) {
        Meeting* meeting = self->Current(node, Term::Int(tag));
        if (meeting == nullptr || !result.ok()) return;
        self->Cast(node, Term::Tuple({Term::Atom("resolved"), Term::Atom(self->self_.node),
                                      ChangesTerm(result->for_him),
                                      self->KnownTerm(self->VersionOf(node).value_or(0)),
                                      Term::Atom("unused"), self->table_.ExternalNamesTerm(),
                                      meeting->his_tag}));
        meeting->changes = std::move(result->for_us);
        self->FinishMeeting(node);
      });
}

base::Task<absl::StatusOr<GlobalServer::Resolution>> GlobalServer::ResolveNames(Term his_names,
                                                                                AtomName node) {
  const auto alive = shared_from_this();
  Resolution resolution;
  for (const Term& entry : his_names.list()) {
    if (!entry.IsTuple(3) || !entry.tuple()[1].is_pid()) continue;
    const Term name = entry.tuple()[0];
    GlobalChange his{name, GlobalName{entry.tuple()[1].pid(), entry.tuple()[2], {}}};
    const GlobalName* found = table_.Find(name);
    if (found == nullptr) {
      resolution.for_us.push_back(std::move(his));
      continue;
    }
    // The lesser node resolves, so that all is resolved in one part.
    if (found->pid == his.insert->pid || !(self_.node < node)) continue;
    const GlobalName ours = *found;
    auto asking = AskOwner(ours.method, name, his.insert->pid, ours.pid);
    const Term kept = co_await std::move(asking);
    if (kept == Term::FromPid(his.insert->pid)) {
      resolution.for_us.push_back(std::move(his));
    } else if (kept == Term::FromPid(ours.pid)) {
      resolution.for_him.push_back({name, ours});
    } else {
      resolution.for_us.push_back({name, std::nullopt});
      resolution.for_him.push_back({name, std::nullopt});
    }
  }
  co_return resolution;
}

// Methods are called where our process is. When its node does not answer, his process stays.
base::Task<Term> GlobalServer::AskOwner(Term method, Term name, Pid his, Pid ours) {
  if (ours.node == self_.node) co_return Resolve(method, name, his, ours);
  using Outcome = absl::StatusOr<CallOutcome>;
  auto answer = std::make_shared<base::Awaited<Outcome>>(home_);
  CallRequest request{.node = ours.node,
                      .module = "global",
                      .function = "resolve_it",
                      .args = Term::List({method, name, Term::FromPid(his), Term::FromPid(ours)}),
                      .group_leader = {},
                      .timeout = std::chrono::hours(24)};
  calls_.Call(std::move(request), [answer](Outcome outcome) { answer->Set(std::move(outcome)); });
  auto waiting = answer->Get();
  const Outcome outcome = co_await std::move(waiting);
  if (outcome.ok() && outcome->is_return()) co_return outcome->value;
  base::LogWarn("global_conflict_unresolved")
      .Add("peer", ours.node.view())
      .Add("cause", "it did not say which process keeps a name");
  co_return Term::FromPid(his);
}

Term GlobalServer::Resolve(const Term& method, const Term& name, const Pid& one, const Pid& other) {
  return ResolveConflict(signals_, self_, method, name, one, other);
}

void GlobalServer::OnResolved(const AtomName& node, Words words) {
  Meeting* meeting = Current(node, words[6]);
  if (meeting == nullptr || meeting->his_answer) return;
  meeting->his_answer = Term::Tuple(std::vector<Term>(words.begin(), words.end()));
  FinishMeeting(node);
}

// Each has told the other what it made of the names: they are the same from here on.
void GlobalServer::FinishMeeting(const AtomName& node) {
  Meeting& meeting = meetings_[node];
  if (!meeting.changes || !meeting.his_answer) return;
  const Words answer = meeting.his_answer->tuple();
  const Term his_known = answer[3], external = answer[5];
  Changes changes = *std::move(meeting.changes);
  for (GlobalChange& change : ReadChanges(answer[2], external)) {
    changes.push_back(std::move(change));
  }
  const Term properties = Term::List({Term::Tuple({Term::Atom("vsn"), Term::Int(meeting.version)}),
                                      Term::Tuple({Term::Atom("lock"), meeting.lock->ToTerm()})});
  std::vector<Term> new_nodes = {
      Term::Tuple({Term::Atom(node), Term::Int(VersionOf(node).value_or(0))})};
  std::vector<AtomName> his_part;
  for (const Term& entry : his_known.list()) {
    const auto other = ReadKnown(entry);
    if (!other || other->first == self_.node) continue;
    const int64_t version =
        other->second != 0 ? other->second : VersionOf(other->first).value_or(0);
    new_nodes.push_back(Term::Tuple({Term::Atom(other->first), Term::Int(version)}));
    his_part.push_back(other->first);
  }
  MeetOthers(his_part);
  Apply(changes, meeting.lock->requester);
  Synced(node, /*is_synced=*/true);
  for (const AtomName& other : his_part) {
    pending_.erase(other);
    EndMeeting(other, /*tell_him=*/false);
  }
  // By the locker, so that our part hears of it before the lock is free.
  const auto tell_our_part = [this, known = known_, new_nodes, external, properties,
                              operations = ChangesTerm(changes)] {
    std::vector<Term> names;
    for (const Term& entry : new_nodes) names.push_back(entry.tuple()[0]);
    for (const auto& [other, version] : known) {
      const Term nodes = Term::List(version >= kVersionsVersion ? new_nodes : names);
      signals_.Send(locker_->self(), Destination::OfName(GlobalClient::kServer, other),
                    MakeGenCast(Term::Tuple({Term::Atom("new_nodes"), Term::Atom(self_.node),
                                             operations, external, nodes, properties})));
    }
  };
  pending_.erase(node);
  EndMeeting(node, /*tell_him=*/false, tell_our_part);
  AddKnown(Term::List(new_nodes));
}

void GlobalServer::OnNewNodes(const AtomName&, Words words) {
  MeetOthers(AddKnown(words[4]));
  Apply(ReadChanges(words[2], words[3]), RequesterIn(words[5]));
}

void GlobalServer::OnInSync(const AtomName& node, Words) {
  pending_.erase(node);
  EndMeeting(node, /*tell_him=*/false);
  Synced(node, /*is_synced=*/true);
}

void GlobalServer::Apply(const Changes& changes, const Term& requester) {
  for (const GlobalChange& change : changes) {
    if (change.insert && table_.IsNameLockFor(requester)) {
      table_.Insert(change.name, *change.insert);
    } else {
      table_.Remove(change.name);
    }
  }
}

// The nodes of the other part: a full mesh.
void GlobalServer::MeetOthers(const std::vector<AtomName>& nodes) {
  for (const AtomName& node : nodes) {
    peers_.Connect(node, [self = shared_from_this(), node](const absl::Status& connected) {
      if (connected.ok()) {
        return self->Cast(node, Term::Tuple({Term::Atom("in_sync"), Term::Atom(self->self_.node),
                                             Term::Bool(true)}));
      }
      self->Lost(node);
    });
  }
}

std::vector<AtomName> GlobalServer::AddKnown(const Term& nodes) {
  std::vector<AtomName> added;
  for (const Term& entry : nodes.list()) {
    const auto node = ReadKnown(entry);
    if (!node || node->first == self_.node) continue;
    const auto [known, is_new] = known_.try_emplace(node->first, node->second);
    if (is_new) added.push_back(node->first);
    if (known->second == 0) known->second = node->second;
  }
  return added;
}

Term GlobalServer::KnownTerm(int64_t for_version) const {
  std::vector<Term> nodes;
  for (const auto& [node, version] : known_) {
    nodes.push_back(for_version >= kVersionsVersion
                        ? Term::Tuple({Term::Atom(node), Term::Int(version)})
                        : Term::Atom(node));
  }
  return Term::List(std::move(nodes));
}

std::optional<int64_t> GlobalServer::VersionOf(const AtomName& node) const {
  if (const auto known = known_.find(node); known != known_.end()) return known->second;
  if (const auto pending = pending_.find(node); pending != pending_.end()) return pending->second;
  return std::nullopt;
}

}  // namespace noded::node
