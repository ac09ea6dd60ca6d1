#include "node/signals.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace noded::node {
namespace {

using dist::AtomName;
using dist::Control;
using dist::Pid;
using dist::Reference;
using dist::Term;

constexpr char kHere[] = "till@host";
constexpr char kShop[] = "shop@host";

// Keeps what would have gone to other nodes.
class KeptOutbound : public Outbound {
 public:
  struct Sent {
    AtomName node;
    Control control;
    std::optional<Term> payload;
  };
  void SendTo(const AtomName& node, Control control, std::optional<Term> payload) override {
    sent.push_back({node, std::move(control), std::move(payload)});
  }
  std::vector<Sent> sent;
};

// Keeps what happens to it.
class KeptProcess : public Process {
 public:
  void Started(const Pid& self) override { pid = self; }
  void Deliver(Term message) override { messages.push_back(std::move(message)); }
  bool TrapExit(const Pid& from, const Term& reason) override {
    if (!is_trapping) return false;
    exits.emplace_back(from, reason);
    return true;
  }
  void MonitorDown(const Reference& monitor, const Term& object, const Term& reason) override {
    downs.push_back({monitor, object, reason});
  }
  void SpawnReply(const Reference& request, const Term& result) override {
    replies.emplace_back(request, result);
  }
  void Ended() override { has_ended = true; }

  struct Down {
    Reference ref;
    Term object, reason;
  };
  Pid pid;
  bool is_trapping = false;
  bool has_ended = false;
  std::vector<Term> messages;
  std::vector<std::pair<Pid, Term>> exits;
  std::vector<Down> downs;
  std::vector<std::pair<Reference, Term>> replies;
};

class SignalsTest : public testing::Test {
 protected:
  std::shared_ptr<KeptProcess> Start(bool is_trapping = false) {
    auto process = std::make_shared<KeptProcess>();
    process->is_trapping = is_trapping;
    signals_.Start(process);
    return process;
  }
  std::shared_ptr<KeptProcess> StartNamed(const char* name) {
    auto process = Start();
    EXPECT_TRUE(signals_.processes().Register(name, process->pid).ok());
    return process;
  }
  // The only message that went out since the last call.
  Control TakeSent(const char* node = kShop) {
    EXPECT_EQ(outbound_.sent.size(), 1u);
    if (outbound_.sent.empty()) return {};
    EXPECT_EQ(outbound_.sent[0].node, node);
    Control control = std::move(outbound_.sent[0].control);
    outbound_.sent.clear();
    return control;
  }
  static Reference Theirs(uint32_t id) { return Reference(kShop, 9, {id, 0, 0}); }

  Identity identity_{kHere, 7};
  KeptOutbound outbound_;
  Signals signals_{identity_, outbound_};
  const Pid other_{.node = kShop, .id = 5, .serial = 0, .creation = 9};
  const Term tea_ = Term::Atom("tea");
};

TEST_F(SignalsTest, AMessageReachesAProcessByPidByNameAndByAlias) {
  auto a = StartNamed("a");
  const Reference alias = signals_.MakeAlias(a->pid);
  signals_.Send(other_, Destination::OfPid(a->pid), Term::Int(1));
  signals_.Send(other_, Destination::OfName("a", kHere), Term::Int(2));
  signals_.Send(other_, Destination::OfAlias(alias), Term::Int(3));
  EXPECT_EQ(a->messages, (std::vector<Term>{Term::Int(1), Term::Int(2), Term::Int(3)}));
  EXPECT_TRUE(outbound_.sent.empty());

  signals_.DropAlias(alias);
  signals_.Send(other_, Destination::OfAlias(alias), tea_);
  signals_.Send(other_, Destination::OfName("nobody", kHere), tea_);
  EXPECT_EQ(a->messages.size(), 3u);
}

TEST_F(SignalsTest, NothingReachesAProcessOfAnEarlierLifeOfThisNode) {
  auto a = Start();
  Pid earlier = a->pid;
  earlier.creation = 6;
  signals_.Send(other_, Destination::OfPid(earlier), tea_);
  EXPECT_TRUE(a->messages.empty());
}

TEST_F(SignalsTest, AMessageToAnotherNodeIsOfTheKindOfItsDestination) {
  auto a = Start();
  const Reference alias = Theirs(1);
  signals_.Send(a->pid, Destination::OfPid(other_), tea_);
  EXPECT_EQ(outbound_.sent.at(0).payload, tea_);
  EXPECT_EQ(TakeSent(), Control(dist::SendSender{a->pid, other_, {}}));
  signals_.Send(a->pid, Destination::OfName("rex", kShop), tea_);
  EXPECT_EQ(TakeSent(), Control(dist::RegSend{a->pid, "rex", {}}));
  signals_.Send(a->pid, Destination::OfAlias(alias), tea_);
  EXPECT_EQ(TakeSent(), Control(dist::AliasSend{a->pid, alias, {}}));
}

TEST_F(SignalsTest, AnEndFreesNamesAndAliases) {
  auto a = StartNamed("a");
  const Reference alias = signals_.MakeAlias(a->pid);
  signals_.Exit(a->pid, Term::Atom("normal"));
  EXPECT_TRUE(a->has_ended);
  EXPECT_EQ(signals_.processes().size(), 0u);
  signals_.Exit(a->pid, Term::Atom("normal"));  // once is enough
  auto b = StartNamed("a");
  signals_.Send(other_, Destination::OfAlias(alias), tea_);
  EXPECT_TRUE(a->messages.empty());
  EXPECT_TRUE(b->messages.empty());
}

TEST_F(SignalsTest, LinkedProcessesEndTogetherUnlessTheyTrap) {
  auto a = Start(), b = Start(), c = Start(/*is_trapping=*/true);
  signals_.Link(a->pid, b->pid);
  signals_.Link(c->pid, b->pid);
  signals_.Exit(a->pid, Term::Atom("broken"));
  EXPECT_TRUE(b->has_ended);
  EXPECT_FALSE(c->has_ended);
  ASSERT_EQ(c->exits.size(), 1u);
  EXPECT_EQ(c->exits[0].first, b->pid);
  EXPECT_EQ(c->exits[0].second, Term::Atom("broken"));
  EXPECT_EQ(signals_.relations().link_count(), 0u);
}

TEST_F(SignalsTest, ANormalEndSparesTheLinkedOnes) {
  auto a = Start(), b = Start(), c = Start(true);
  signals_.Link(a->pid, b->pid);
  signals_.Link(a->pid, c->pid);
  signals_.Exit(a->pid, Term::Atom("normal"));
  EXPECT_FALSE(b->has_ended);
  ASSERT_EQ(c->exits.size(), 1u);
  EXPECT_EQ(c->exits[0].second, Term::Atom("normal"));
}

TEST_F(SignalsTest, ALinkToNobodyIsTold) {
  auto a = Start(true), b = Start();
  signals_.Exit(b->pid, Term::Atom("normal"));
  signals_.Link(a->pid, b->pid);
  ASSERT_EQ(a->exits.size(), 1u);
  EXPECT_EQ(a->exits[0].second, Term::Atom("noproc"));
  EXPECT_EQ(signals_.relations().link_count(), 0u);

  signals_.LinkFromPeer(other_, b->pid);
  EXPECT_EQ(TakeSent(), Control(dist::Exit{b->pid, other_, Term::Atom("noproc"), false, {}}));
}

TEST_F(SignalsTest, LinksAcrossNodes) {
  auto a = Start(), b = Start();
  signals_.Link(a->pid, other_);
  EXPECT_EQ(TakeSent(), Control(dist::Link{a->pid, other_}));
  signals_.Link(a->pid, other_);  // it is there
  EXPECT_TRUE(outbound_.sent.empty());
  signals_.LinkFromPeer(other_, b->pid);

  // Ours ends: the other side hears of it. The other side's ends: ours goes with it.
  signals_.Exit(a->pid, Term::Atom("broken"));
  EXPECT_EQ(TakeSent(), Control(dist::Exit{a->pid, other_, Term::Atom("broken"), false, {}}));
  signals_.ExitFromPeer(other_, b->pid, Term::Atom("broken"), /*is_link=*/true);
  EXPECT_TRUE(b->has_ended);
  EXPECT_TRUE(outbound_.sent.empty()) << "the link that broke is not broken back";
}

TEST_F(SignalsTest, AfterAnUnlinkTheOtherSidesEndIsNoMatter) {
  auto a = Start(true);
  signals_.Link(a->pid, other_);
  TakeSent();
  signals_.Unlink(a->pid, other_);
  const Control unlink = TakeSent();
  ASSERT_TRUE(std::holds_alternative<dist::UnlinkId>(unlink));
  EXPECT_NE(std::get<dist::UnlinkId>(unlink).id, 0u) << "zero is no identifier";
  // Its end was on the way already.
  signals_.ExitFromPeer(other_, a->pid, Term::Atom("broken"), true);
  EXPECT_TRUE(a->exits.empty());
  signals_.Unlink(a->pid, other_);
  EXPECT_TRUE(outbound_.sent.empty());

  signals_.LinkFromPeer(other_, a->pid);
  EXPECT_TRUE(signals_.UnlinkFromPeer(other_, a->pid));
  EXPECT_FALSE(signals_.UnlinkFromPeer(other_, a->pid));
}

TEST_F(SignalsTest, ExitSignalsEndWhoDoesNotTrapAndKillEndsEverybody) {
  auto plain = Start(), trapping = Start(true), spared = Start();
  signals_.ExitFromPeer(other_, plain->pid, Term::Atom("broken"), /*is_link=*/false);
  EXPECT_TRUE(plain->has_ended);
  signals_.ExitFromPeer(other_, spared->pid, Term::Atom("normal"), false);
  EXPECT_FALSE(spared->has_ended);
  signals_.ExitFromPeer(other_, trapping->pid, Term::Atom("broken"), false);
  EXPECT_EQ(trapping->exits.size(), 1u);

  auto watcher = Start();
  signals_.Monitor(watcher->pid, Destination::OfPid(trapping->pid));
  signals_.SendExit(watcher->pid, trapping->pid, Term::Atom("kill"));
  EXPECT_TRUE(trapping->has_ended);
  ASSERT_EQ(watcher->downs.size(), 1u);
  EXPECT_EQ(watcher->downs[0].reason, Term::Atom("killed"));

  // Over a broken link it is a reason like any other.
  auto linked = Start(true);
  signals_.LinkFromPeer(other_, linked->pid);
  signals_.ExitFromPeer(other_, linked->pid, Term::Atom("kill"), /*is_link=*/true);
  EXPECT_FALSE(linked->has_ended);
  EXPECT_EQ(linked->exits.size(), 1u);

  signals_.SendExit(watcher->pid, other_, Term::Atom("stop"));
  EXPECT_EQ(TakeSent(), Control(dist::Exit2{watcher->pid, other_, Term::Atom("stop"), false, {}}));
}

TEST_F(SignalsTest, AMonitorIsToldOnceByWhatWasAskedFor) {
  auto watcher = Start(), a = StartNamed("a");
  const Reference by_pid = signals_.Monitor(watcher->pid, Destination::OfPid(a->pid));
  const Reference by_name = signals_.Monitor(watcher->pid, Destination::OfName("a", kHere));
  signals_.Exit(a->pid, Term::Atom("broken"));
  ASSERT_EQ(watcher->downs.size(), 2u);
  for (const KeptProcess::Down& down : watcher->downs) {
    EXPECT_EQ(down.reason, Term::Atom("broken"));
    if (down.ref == by_pid) {
      EXPECT_EQ(down.object, Term::FromPid(a->pid));
    } else {
      EXPECT_EQ(down.ref, by_name);
      EXPECT_EQ(down.object, Term::Tuple({Term::Atom("a"), Term::Atom(kHere)}));
    }
  }
  signals_.Monitor(watcher->pid, Destination::OfPid(a->pid));
  signals_.Monitor(watcher->pid, Destination::OfName("a", kHere));
  ASSERT_EQ(watcher->downs.size(), 4u);
  EXPECT_EQ(watcher->downs[2].reason, Term::Atom("noproc"));
  EXPECT_EQ(watcher->downs[3].reason, Term::Atom("noproc"));
  EXPECT_EQ(signals_.relations().monitor_count(), 0u);
}

TEST_F(SignalsTest, ADroppedMonitorSaysNothing) {
  auto watcher = Start(), a = Start();
  const Reference ref = signals_.Monitor(watcher->pid, Destination::OfPid(a->pid));
  signals_.Demonitor(watcher->pid, ref);
  signals_.Exit(a->pid, Term::Atom("broken"));
  EXPECT_TRUE(watcher->downs.empty());

  const Reference far = signals_.Monitor(watcher->pid, Destination::OfPid(other_));
  EXPECT_EQ(TakeSent(), Control(dist::MonitorP{watcher->pid, Term::FromPid(other_), far}));
  signals_.Demonitor(watcher->pid, far);
  EXPECT_EQ(TakeSent(), Control(dist::DemonitorP{watcher->pid, Term::FromPid(other_), far}));
  signals_.MonitorExitFromPeer(watcher->pid, far, Term::Atom("broken"));
  EXPECT_TRUE(watcher->downs.empty());
}

TEST_F(SignalsTest, MonitorsOfPeersAreAnsweredAsTheyWereAsked) {
  auto a = StartNamed("a");
  signals_.MonitorFromPeer(other_, Term::Atom("a"), Theirs(1));
  signals_.MonitorFromPeer(other_, Term::FromPid(a->pid), Theirs(2));
  signals_.DemonitorFromPeer(other_, Theirs(2));
  signals_.Exit(a->pid, Term::Atom("broken"));
  EXPECT_EQ(TakeSent(),
            Control(dist::MonitorPExit{Term::Atom("a"), other_, Theirs(1), Term::Atom("broken")}));
  signals_.MonitorFromPeer(other_, Term::Atom("a"), Theirs(3));
  EXPECT_EQ(TakeSent(),
            Control(dist::MonitorPExit{Term::Atom("a"), other_, Theirs(3), Term::Atom("noproc")}));
}

TEST_F(SignalsTest, TheEndOfAWatcherEndsItsMonitorsElsewhere) {
  auto watcher = Start();
  const Reference ref = signals_.Monitor(watcher->pid, Destination::OfName("rex", kShop));
  TakeSent();
  signals_.Exit(watcher->pid, Term::Atom("normal"));
  EXPECT_EQ(TakeSent(), Control(dist::DemonitorP{watcher->pid, Term::Atom("rex"), ref}));
}

TEST_F(SignalsTest, ALostNodeIsNoconnectionToAllThatHadToDoWithIt) {
  const Term gone = Term::Atom("noconnection");
  auto plain = Start(), trapping = Start(true), watcher = Start(), asking = Start(true),
       bystander = Start();
  signals_.Link(plain->pid, other_);
  signals_.LinkFromPeer(other_, trapping->pid);
  const Reference by_pid = signals_.Monitor(watcher->pid, Destination::OfPid(other_));
  const Reference by_name = signals_.Monitor(watcher->pid, Destination::OfName("rex", kShop));
  signals_.MonitorFromPeer(other_, Term::FromPid(bystander->pid), Theirs(1));
  const Reference request = signals_.SpawnRequest(asking->pid, kShop, "m", "f", Term::Nil(), {});
  outbound_.sent.clear();

  signals_.NodeDown(kShop, gone);
  EXPECT_TRUE(plain->has_ended);
  ASSERT_EQ(trapping->exits.size(), 1u);
  EXPECT_EQ(trapping->exits[0], std::pair(other_, gone));
  ASSERT_EQ(watcher->downs.size(), 2u);
  for (const KeptProcess::Down& down : watcher->downs) {
    EXPECT_EQ(down.reason, gone);
    const bool is_by_pid = down.ref == by_pid;
    EXPECT_TRUE(is_by_pid || down.ref == by_name);
    EXPECT_EQ(down.object, is_by_pid ? Term::FromPid(other_)
                                     : Term::Tuple({Term::Atom("rex"), Term::Atom(kShop)}));
  }
  ASSERT_EQ(asking->replies.size(), 1u);
  EXPECT_EQ(asking->replies[0], std::pair(request, gone));
  EXPECT_FALSE(bystander->has_ended);

  // Nobody is there to be told of what happens here, now and later.
  signals_.Exit(bystander->pid, Term::Atom("normal"));
  EXPECT_TRUE(outbound_.sent.empty());
  signals_.NodeDown(kShop, gone);
  EXPECT_EQ(watcher->downs.size(), 2u);
  EXPECT_EQ(asking->replies.size(), 1u);
}

TEST_F(SignalsTest, ASpawnedProcessIsLinkedAndWatchedWhenTheReplySaysSo) {
  auto a = Start(true);
  SpawnOptions options;
  options.monitor = options.link = true;
  const Reference ref =
      signals_.SpawnRequest(a->pid, kShop, "lists", "sum", Term::List({Term::Nil()}), options);
  EXPECT_EQ(outbound_.sent.at(0).payload, Term::List({Term::Nil()}));
  const Control sent = TakeSent();
  ASSERT_TRUE(std::holds_alternative<dist::SpawnRequest>(sent));
  const auto& request = std::get<dist::SpawnRequest>(sent);
  EXPECT_EQ(request.request, ref);
  EXPECT_EQ(request.group_leader, a->pid);
  EXPECT_EQ(request.arity, 1);
  EXPECT_EQ(request.options, Term::List({Term::Atom("monitor"), Term::Atom("link")}));

  signals_.SpawnReplyFromPeer(a->pid, ref, dist::SpawnReply::kLinked | dist::SpawnReply::kMonitored,
                              Term::FromPid(other_));
  ASSERT_EQ(a->replies.size(), 1u);
  EXPECT_EQ(a->replies[0].second, Term::FromPid(other_));
  EXPECT_TRUE(signals_.relations().IsLinked(a->pid, other_));
  signals_.MonitorExitFromPeer(a->pid, ref, Term::Atom("normal"));
  ASSERT_EQ(a->downs.size(), 1u);
  EXPECT_EQ(a->downs[0].ref, ref);

  // A second reply to the same request, or to none, is nothing.
  signals_.SpawnReplyFromPeer(a->pid, ref, 0, Term::Atom("badopt"));
  signals_.SpawnReplyFromPeer(a->pid, Theirs(1), 0, Term::Atom("badopt"));
  EXPECT_EQ(a->replies.size(), 1u);
}

TEST_F(SignalsTest, WhatWasSpawnedForADeadProcessEndsWhenItIsLinked) {
  auto a = Start();
  SpawnOptions options;
  options.link = true;
  const Reference ref = signals_.SpawnRequest(a->pid, kShop, "m", "f", Term::Nil(), options);
  signals_.Exit(a->pid, Term::Atom("normal"));
  outbound_.sent.clear();
  signals_.SpawnReplyFromPeer(a->pid, ref, dist::SpawnReply::kLinked, Term::FromPid(other_));
  const Control sent = TakeSent();
  ASSERT_TRUE(std::holds_alternative<dist::Exit>(sent));
  EXPECT_EQ(std::get<dist::Exit>(sent).to, other_);
  EXPECT_TRUE(a->replies.empty());
}

TEST_F(SignalsTest, WhatWasSpawnedForADeadProcessIsNotWatchedAnyMore) {
  auto a = Start();
  SpawnOptions options;
  options.monitor = true;
  const Reference ref = signals_.SpawnRequest(a->pid, kShop, "m", "f", Term::Nil(), options);
  signals_.Exit(a->pid, Term::Atom("normal"));
  outbound_.sent.clear();
  signals_.SpawnReplyFromPeer(a->pid, ref, dist::SpawnReply::kMonitored, Term::FromPid(other_));
  EXPECT_EQ(TakeSent(), Control(dist::DemonitorP{a->pid, Term::FromPid(other_), ref}));
  EXPECT_EQ(signals_.relations().monitor_count(), 0u);
}

// A process that ends others, itself included, from within its calls.
class Avenger : public KeptProcess {
 public:
  explicit Avenger(Signals& signals) : signals_(signals) {}
  void MonitorDown(const Reference&, const Term&, const Term& reason) override {
    signals_.Exit(pid, reason);
  }
  void Deliver(Term) override { signals_.Exit(pid, Term::Atom("enough")); }

 private:
  Signals& signals_;
};

TEST_F(SignalsTest, ProcessesMayEndInTheMiddleOfACall) {
  std::vector<std::shared_ptr<Avenger>> ring;
  for (int i = 0; i < 50; ++i) {
    ring.push_back(std::make_shared<Avenger>(signals_));
    signals_.Start(ring.back());
  }
  for (size_t i = 0; i < ring.size(); ++i) {
    const Pid& next = ring[(i + 1) % ring.size()]->pid;
    signals_.Monitor(ring[i]->pid, Destination::OfPid(next));
    signals_.Link(ring[i]->pid, next);
  }
  signals_.Send(other_, Destination::OfPid(ring[0]->pid), tea_);
  for (const auto& process : ring) EXPECT_TRUE(process->has_ended);
  EXPECT_EQ(signals_.processes().size(), 0u);
  EXPECT_EQ(signals_.relations().link_count(), 0u);
  EXPECT_EQ(signals_.relations().monitor_count(), 0u);
}

}  // namespace
}  // namespace noded::node
