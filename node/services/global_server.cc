#include "node/services/global_server.h"

#include <utility>

#include "base/log.h"
#include "dist/convert.h"
#include "node/services/sys_protocol.h"

namespace noded::node {

using dist::AtomName;
using dist::Pid;
using dist::Term;

GlobalServer::GlobalServer(base::Loop& home, Signals& signals, Peers& peers, Calls& calls,
                           Options options)
    : home_(home),
      signals_(signals),
      peers_(peers),
      calls_(calls),
      options_(options),
      table_(signals),
      losses_(signals.identity().creation()) {}

void GlobalServer::Started(const Pid& self) {
  self_ = self;
  table_.SetOwner(self);
  locker_ = std::make_shared<GlobalLocker>(
      home_, signals_, table_, known_,
      [this](const AtomName& node, int64_t my_tag, const GlobalLockId& id) {
        OnLocked(node, my_tag, id);
      });
  registrar_ = std::make_shared<GlobalRegistrar>(home_, signals_, table_, known_);
  signals_.Start(locker_);
  signals_.Start(registrar_);
  base::Spawn(home_, "global locker", locker_->Run(), [](absl::Status) {});
  base::Spawn(home_, "global registrar", registrar_->Run(), [](absl::Status) {});
}

// What comes in.

struct GlobalServer::Handler {
  std::string_view tag;
  size_t arity;
  size_t node;  // which word names the sender's node
  Handle handle;
};

void GlobalServer::Deliver(Term message) {
  if (AnswerSystemMessage(signals_, {self_, GlobalClient::kServer}, message)) return;
  // Those that nodes cast, and those that they just send.
  static constexpr Handler kCasts[] = {
      {"init_connect", 4, 2, &GlobalServer::OnInitConnect},
      {"exchange", 5, 1, &GlobalServer::OnExchange},
      {"resolved", 7, 1, &GlobalServer::OnResolved},
      {"new_nodes", 6, 1, &GlobalServer::OnNewNodes},
      {"in_sync", 3, 1, &GlobalServer::OnInSync},
  };
  static constexpr Handler kMessages[] = {
      {"init_connect_ack", 4, 1, &GlobalServer::OnInitConnectAck},
      {"cancel_connect", 3, 1, &GlobalServer::OnCancelConnect},
      {"remove_connection", 2, 1, &GlobalServer::OnRemoveConnection},
  };
  const auto handle = [this](std::span<const Handler> handlers, const Term& term) {
    for (const Handler& handler : handlers) {
      if (!term.IsTagged(handler.tag, handler.arity)) continue;
      const Words words = term.tuple();
      if (!words[handler.node].is_atom()) return;
      const AtomName node = words[handler.node].atom_name();
      if (node != self_.node) (this->*handler.handle)(node, words);
    }
  };
  if (const auto call = ParseGenCall(message)) {
    return Reply(signals_, self_, call->from, Answer(*call));
  }
  if (const auto cast = ParseGenCast(message)) {
    if (cast->IsTagged("lock_set", 4) || cast->IsTagged("lock_set", 5)) {
      return OnLockSet(cast->tuple());
    }
    return handle(kCasts, *cast);
  }
  if (message.IsTagged("lost_connection", 5)) return OnLostConnection(message);
  handle(kMessages, message);
}

Term GlobalServer::Answer(const GenCall& call) {
  const Term& request = call.request;
  const Words words = request.tuple();
  const bool is_external = request.IsTagged("register_ext", 5);
  if ((request.IsTagged("register", 4) || is_external) && words[2].is_pid()) {
    GlobalName entry{words[2].pid(), words[3], {}};
    if (is_external) entry.external = words[4].atom_name();
    // One that has lost its lock meanwhile must not change names.
    if (table_.IsNameLockOf(call.from.pid)) {
      table_.Insert(words[1], std::move(entry));
    } else {
      table_.Remove(words[1]);
    }
    return Term::Atom("yes");
  }
  if (request.IsTagged("unregister", 2)) {
    table_.Remove(words[1]);
    return Term::Atom("ok");
  }
  if (request.IsTagged("set_lock", 2)) {
    const auto id = GlobalLockId::FromTerm(words[1]);
    return Term::Bool(id && table_.Lock(*id, call.from.pid));
  }
  if (request.IsTagged("del_lock", 2)) {
    if (const auto id = GlobalLockId::FromTerm(words[1])) table_.Unlock(*id, call.from.pid);
    return Term::Bool(true);
  }
  if (request.IsAtom("get_known")) return KnownTerm(0);
  if (request.IsAtom("get_synced")) {
    return dist::ToTerm(std::vector<AtomName>(synced_.begin(), synced_.end()));
  }
  if (request.IsAtom("get_protocol_version")) return Term::Int(kVersion);
  if (request.IsAtom("get_names_ext")) return table_.ExternalNamesTerm();
  return Term::Tuple({Term::Atom("error"), Term::Atom("not_supported")});
}

// Nodes come and go.

void GlobalServer::NodeUp(const AtomName& node) {
  up_.insert(node);
  Greet(node);
}

void GlobalServer::NodeDown(const AtomName& node) {
  if (up_.erase(node) > 0) Lost(node);
}

void GlobalServer::Greet(const AtomName& node) {
  if (!options_.connect_all || known_.contains(node)) return;
  Meeting& meeting = meetings_[node];
  if (meeting.my_tag != 0) return;
  meeting.my_tag = next_tag_++;
  const Term locker = Term::Tuple({Term::Atom("locker"), Term::Atom("no_longer_a_pid"),
                                   KnownTerm(kVersion), Term::FromPid(locker_->self())});
  Cast(node, Term::Tuple({Term::Atom("init_connect"),
                          Term::Tuple({Term::Int(kVersion), Term::Int(meeting.my_tag)}),
                          Term::Atom(self_.node), locker}));
  if (const auto early = std::exchange(meeting.early_request, std::nullopt)) {
    OnInitConnect(node, early->tuple());
  }
}

void GlobalServer::Lost(const AtomName& node) {
  const bool is_told = leaving_.erase(node) > 0;
  Forget(node);
  if (is_told || !options_.connect_all || !options_.prevent_overlapping_partitions) return;
  TellAll(losses_.Report(self_.node, node), node);
}

void GlobalServer::Forget(const AtomName& node) {
  EndMeeting(node, /*tell_him=*/true);
  pending_.erase(node);
  known_.erase(node);
  synced_.erase(node);
  Synced(node, /*is_synced=*/false);
}

// Ends what there is with a node so that the parts of the cluster do not overlap.
void GlobalServer::Leave(const AtomName& node) {
  Forget(node);
  leaving_.insert(node);
  base::LogWarn("global_left_node")
      .Add("peer", node.view())
      .Add("cause", "a node of this part of the cluster has lost its connection to it")
      .Add("mend",
           "mend the network; they meet again with the next connection. See "
           "prevent_overlapping_partitions");
}

void GlobalServer::OnLostConnection(const Term& message) {
  if (!options_.connect_all || !options_.prevent_overlapping_partitions) return;
  const auto loss = losses_.Hear(message, home_.Now());
  if (!loss) return;
  TellAll(message, loss->reporter);
  // When we are the one that was lost, whoever lost us is the one to leave.
  const AtomName node = loss->lost == self_.node ? loss->reporter : loss->lost;
  const auto version = VersionOf(node);
  if (!version) return;
  if (*version < kLossesVersion) {
    peers_.Disconnect(node);
  } else {
    Tell(node, Term::Tuple({Term::Atom("remove_connection"), Term::Atom(self_.node)}));
  }
  Leave(node);
}

void GlobalServer::OnRemoveConnection(const AtomName& node, Words) {
  if (!VersionOf(node)) return;
  peers_.Disconnect(node);
  Leave(node);
}

// Who waits for it.

void GlobalServer::Sync(std::set<AtomName> nodes, std::function<void()> done) {
  std::erase_if(nodes, [this](const AtomName& node) {
    return synced_.contains(node) || peers_.Find(node) == nullptr;
  });
  if (nodes.empty()) return done();
  waiters_.push_back({std::move(nodes), std::move(done)});
}

void GlobalServer::Synced(const AtomName& node, bool is_synced) {
  if (is_synced) synced_.insert(node);
  std::vector<std::function<void()>> ready;
  std::erase_if(waiters_, [&](Waiter& waiter) {
    waiter.nodes.erase(node);
    if (!waiter.nodes.empty()) return false;
    ready.push_back(std::move(waiter.done));
    return true;
  });
  for (const auto& done : ready) done();
}

// What goes out.

void GlobalServer::Cast(const AtomName& node, Term message) {
  signals_.Send(self_, Destination::OfName(GlobalClient::kServer, node),
                MakeGenCast(std::move(message)));
}

void GlobalServer::Tell(const AtomName& node, Term message) {
  if (peers_.Find(node) == nullptr) return;
  signals_.Send(self_, Destination::OfName(GlobalClient::kServer, node), std::move(message));
}

void GlobalServer::TellAll(const Term& message, const AtomName& besides) {
  std::map<AtomName, int64_t> nodes = known_;
  nodes.insert(pending_.begin(), pending_.end());
  for (const auto& [node, version] : nodes) {
    if (node != besides && version >= kLossesVersion) Tell(node, message);
  }
}

}  // namespace noded::node
