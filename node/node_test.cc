// Nodes in one process, over the plain carrier, with an embedded epmd on a port of their own.
#include "node/node.h"

#include <algorithm>
#include <atomic>
#include <future>
#include <map>

#include <gtest/gtest.h>

#include "base/status.h"
#include "node/node_fixture.h"
#include "tests/testlib/ports.h"
#include "tests/testlib/wait.h"

namespace noded::node {
namespace {

using dist::Term;
using std::chrono::seconds;
using testlib::Eventually;

class NodeTest : public NodeFixture {};

TEST_F(NodeTest, PingsAndCallsANodeByName) {
  auto a = Start("a"), b = Start("b");
  EXPECT_TRUE(a->Ping("b@127.0.0.1", kSoon).ok());
  b->Export("math", "twice", 1, [](const CallContext&, std::span<const Term> args) {
    return CallOutcome::Return(Term::Int(2 * *args[0].AsInt()));
  });
  auto outcome = a->Call({"b@127.0.0.1", "math", "twice", Term::List({Term::Int(21)})});
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_TRUE(outcome->is_return());
  EXPECT_EQ(outcome->value, Term::Int(42));
  ASSERT_EQ(b->Peers().size(), 1u);
  EXPECT_EQ(b->Peers()[0].name, "a@127.0.0.1");
  EXPECT_TRUE(b->Peers()[0].is_incoming);
}

TEST_F(NodeTest, AnUnknownFunctionIsUndefWithItsArguments) {
  auto a = Start("a"), b = Start("b");
  const Term args = Term::List({Term::Int(1)});
  for (const std::string node : {"a@127.0.0.1", "b@127.0.0.1"}) {
    auto outcome = a->Call({node, "no", "such", args});
    ASSERT_TRUE(outcome.ok()) << outcome.status();
    EXPECT_EQ(outcome->kind, CallOutcome::Kind::kErrored);
    EXPECT_TRUE(outcome->value.IsAtom("undef"));
    EXPECT_EQ(outcome->stack,
              Term::List({Term::Tuple({Term::Atom("no"), Term::Atom("such"), args, Term::Nil()})}));
  }
}

TEST_F(NodeTest, CallsAreMadeInTypesOfTheirOwn) {
  auto a = Start("a"), b = Start("b");
  b->Export("shop", "total", Typed([](const std::map<std::string, double>& prices) {
              double total = 0;
              for (const auto& [name, price] : prices) total += price;
              return total;
            }));
  const auto total = [&](dist::Term args) {
    return ResultAs<double>(a->Call({"b@127.0.0.1", "shop", "total", std::move(args)}));
  };
  EXPECT_EQ(*total(Arguments(std::map<std::string, double>{{"tea", 1.5}, {"jam", 2}})), 3.5);
  const absl::Status wrong = total(Arguments(7)).status();
  EXPECT_NE(wrong.message().find("argument 1: found 7, expected a map"), std::string::npos)
      << wrong;
}

TEST_F(NodeTest, WhatAFunctionRaisesReachesTheCaller) {
  auto a = Start("a"), b = Start("b");
  b->Export("m", "raise", 1, [](const CallContext&, std::span<const Term> args) -> CallOutcome {
    if (args[0].IsAtom("throw")) return CallOutcome::Throw(Term::Int(1));
    if (args[0].IsAtom("exit")) return CallOutcome::Exit(Term::Atom("enough"));
    if (args[0].IsAtom("error")) return CallOutcome::Error(Term::Atom("badarg"));
    throw std::runtime_error("lost");
  });
  const auto call = [&](const char* how) {
    auto outcome = a->Call({"b@127.0.0.1", "m", "raise", Term::List({Term::Atom(how)})});
    EXPECT_TRUE(outcome.ok()) << outcome.status();
    return outcome.value_or(CallOutcome{});
  };
  EXPECT_EQ(call("throw").kind, CallOutcome::Kind::kThrown);
  EXPECT_EQ(call("exit").kind, CallOutcome::Kind::kExited);
  EXPECT_TRUE(call("exit").value.IsAtom("enough"));
  EXPECT_EQ(call("error").kind, CallOutcome::Kind::kErrored);
  EXPECT_TRUE(call("cxx").value.IsTagged("cxx_exception", 2));
}

TEST_F(NodeTest, AServiceAnswersCallsAndItsEndIsSeen) {
  auto a = Start("a"), b = Start("b");
  std::atomic<int> casts{0};
  auto pid = b->Serve("cart", {.call =
                                   [](const CallContext&, const Term& request) {
                                     if (request.IsAtom("stop")) {
                                       return CallOutcome::Exit(Term::Atom("asked"));
                                     }
                                     return CallOutcome::Return(Term::Tuple({request, request}));
                                   },
                               .cast = [&](const Term&) { ++casts; },
                               .info = {}});
  ASSERT_TRUE(pid.ok());
  const Destination cart = Destination::OfName("cart", "b@127.0.0.1");
  auto outcome = a->GenCall(cart, Term::Int(7), kSoon);
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_EQ(outcome->value, Term::Tuple({Term::Int(7), Term::Int(7)}));

  auto mailbox = a->OpenMailbox();
  ASSERT_TRUE(mailbox.ok());
  const dist::Reference monitor = a->Monitor((*mailbox)->pid(), cart);
  auto stopped = a->GenCall(cart, Term::Atom("stop"), kSoon);
  ASSERT_TRUE(stopped.ok()) << stopped.status();
  EXPECT_EQ(stopped->kind, CallOutcome::Kind::kExited);
  EXPECT_TRUE(stopped->value.IsAtom("asked"));
  auto down = (*mailbox)->Receive(kSoon);
  ASSERT_TRUE(down);
  EXPECT_EQ(*down,
            Term::Tuple({Term::Atom("DOWN"), Term::FromReference(monitor), Term::Atom("process"),
                         Term::Tuple({Term::Atom("cart"), Term::Atom("b@127.0.0.1")}),
                         Term::Atom("asked")}));
  auto gone = a->GenCall(cart, Term::Int(7), kSoon);
  ASSERT_TRUE(gone.ok()) << gone.status();
  EXPECT_TRUE(gone->value.IsAtom("noproc"));
}

TEST_F(NodeTest, MessagesArriveInOrderByNameAndByPid) {
  auto a = Start("a"), b = Start("b");
  auto here = a->OpenMailbox(), there = b->OpenMailbox("till");
  ASSERT_TRUE(here.ok() && there.ok());
  for (int i = 0; i < 1000; ++i) {
    a->Send((*here)->pid(), Destination::OfName("till", "b@127.0.0.1"), Term::Int(i));
  }
  for (int i = 0; i < 1000; ++i) {
    auto message = (*there)->Receive(kSoon);
    ASSERT_TRUE(message);
    ASSERT_EQ(*message, Term::Int(i));
  }
  b->Send((*there)->pid(), Destination::OfPid((*here)->pid()), Term::Atom("thanks"));
  EXPECT_EQ((*here)->Receive(kSoon), Term::Atom("thanks"));
}

TEST_F(NodeTest, ALargeMessageArrivesWhole) {
  auto a = Start("a"), b = Start("b");
  std::vector<uint8_t> bytes(20'000'000);
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<uint8_t>(i * 7919 >> 8);
  const Term payload = Term::Binary(base::Slice(bytes));
  auto outcome = a->Call({"b@127.0.0.1", "noded", "echo", Term::List({payload}), {}, kSoon});
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_EQ(outcome->value, payload);
}

TEST_F(NodeTest, LinksBreakWithTheReason) {
  auto a = Start("a"), b = Start("b");
  auto here = a->OpenMailbox(), there = b->OpenMailbox();
  ASSERT_TRUE(here.ok() && there.ok());
  const dist::Pid far = (*there)->pid();
  a->Link((*here)->pid(), far);
  a->SendExit((*here)->pid(), far, Term::Atom("kill"));
  auto exit = (*here)->Receive(kSoon);
  ASSERT_TRUE(exit);
  EXPECT_EQ(*exit, Term::Tuple({Term::Atom("EXIT"), Term::FromPid(far), Term::Atom("killed")}));
  EXPECT_TRUE(Eventually([&] { return !(*there)->is_alive(); }));
}

TEST_F(NodeTest, AWrongCookieIsRefusedWithTheReason) {
  auto a = Start("a", "one"), b = Start("b", "two");
  absl::Status ping = a->Ping("b@127.0.0.1", kSoon);
  EXPECT_FALSE(ping.ok());
  EXPECT_NE(std::string(ping.message()).find("cookie"), std::string::npos) << ping;
  EXPECT_TRUE(b->Peers().empty());
}

TEST_F(NodeTest, TheNameOfARunningNodeIsTaken) {
  auto a = Start("a");
  absl::Status again = TryStart("a").status();
  EXPECT_EQ(again.code(), absl::StatusCode::kAlreadyExists) << again;
}

TEST_F(NodeTest, AnUnknownNodeIsNotConnected) {
  auto a = Start("a");
  auto outcome = a->Call({"nobody@127.0.0.1", "erlang", "node", Term::Nil()});
  EXPECT_EQ(base::ReasonOf(outcome.status()), "noport") << outcome.status();
}

TEST_F(NodeTest, AStoppedPeerIsSeenAtOnceByMonitorsLinksAndWatchers) {
  auto a = Start("a"), b = Start("b");
  std::promise<std::string> up, down;
  a->WatchNodes([&](const NodeEvent& event) {
    (event.is_up ? up : down).set_value(event.peer.name.ToString());
  });
  auto mailbox = a->OpenMailbox();
  ASSERT_TRUE(mailbox.ok());
  auto there = b->OpenMailbox("till");
  a->Monitor((*mailbox)->pid(), Destination::OfName("till", "b@127.0.0.1"));
  EXPECT_EQ(up.get_future().get(), "b@127.0.0.1");
  ASSERT_TRUE(a->Ping("b@127.0.0.1", kSoon).ok());  // the monitor is set
  there->reset();
  auto ended = (*mailbox)->Receive(kSoon);
  ASSERT_TRUE(ended);
  EXPECT_TRUE(ended->tuple()[4].IsAtom("normal"));
  b->Stop();
  EXPECT_EQ(down.get_future().get(), "b@127.0.0.1");
  a->Monitor((*mailbox)->pid(), Destination::OfName("till", "b@127.0.0.1"));
  auto lost = (*mailbox)->Receive(kSoon);
  ASSERT_TRUE(lost);
  EXPECT_TRUE(lost->tuple()[4].IsAtom("noconnection"));
}

TEST_F(NodeTest, NamesAreGivenTakenAndFreed) {
  auto a = Start("a"), b = Start("b");
  auto mailbox = a->OpenMailbox();
  ASSERT_TRUE(mailbox.ok());
  const dist::Pid pid = (*mailbox)->pid();
  EXPECT_TRUE(a->RegisterName("till", pid).ok());
  EXPECT_EQ(a->RegisterName("rex", pid).code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(a->WhereIs("till"), pid);
  const auto remote = [&](const char* name) {
    return ResultAs<std::optional<dist::Pid>>(
        b->Call({"a@127.0.0.1", "erlang", "whereis", Arguments(dist::AtomName(name))}));
  };
  EXPECT_EQ(*remote("till"), pid);
  EXPECT_EQ(*remote("nobody"), std::nullopt);
  const auto names = ResultAs<std::vector<dist::AtomName>>(
      b->Call({"a@127.0.0.1", "erlang", "registered", Arguments()}));
  ASSERT_TRUE(names.ok()) << names.status();
  EXPECT_NE(std::find(names->begin(), names->end(), "till"), names->end());
  EXPECT_TRUE(a->UnregisterName("till"));
  EXPECT_FALSE(a->UnregisterName("till"));
  EXPECT_TRUE(a->RegisterName("again", pid).ok());
  mailbox->reset();
  EXPECT_TRUE(Eventually([&] { return !a->WhereIs("again"); })) << "with the process";
  EXPECT_EQ(a->RegisterName("late", pid).code(), absl::StatusCode::kNotFound);
}

TEST_F(NodeTest, ProcessGroupsAreKnownWhereverTheirScopeIsOpen) {
  auto a = Start("a"), b = Start("b");
  const Term carts = Term::Atom("carts");
  auto here = a->OpenScope(), there = b->OpenScope();
  ASSERT_TRUE(here.ok() && there.ok());
  auto first = a->OpenMailbox(), second = a->OpenMailbox();
  ASSERT_TRUE(first.ok() && second.ok());
  const dist::Pid one = (*first)->pid(), two = (*second)->pid();
  using Pids = ProcessGroups::Pids;
  const auto soon = [](const ProcessGroups& groups, const Term& group, size_t count) {
    return testlib::Eventually([&] { return groups.Members(group).size() == count; });
  };
  // What was joined before the nodes met, and after.
  EXPECT_TRUE(here->Join(carts, one).ok());
  ASSERT_TRUE(a->Connect("b@127.0.0.1").ok());
  EXPECT_TRUE(soon(*there, carts, 1));
  EXPECT_TRUE(here->Join(carts, Pids{one, two}).ok());
  EXPECT_TRUE(soon(*there, carts, 3));
  EXPECT_EQ(there->LocalMembers(carts), Pids());
  EXPECT_EQ(here->LocalMembers(carts).size(), 3u);
  EXPECT_EQ(there->Groups(), std::vector<Term>{carts});
  EXPECT_EQ(there->LocalGroups(), std::vector<Term>());
  // Only processes of the node itself, that are alive.
  EXPECT_EQ(base::ReasonOf(there->Join(carts, one)), "nolocal");
  EXPECT_EQ(base::ReasonOf(here->Leave(Term::Atom("other"), one)), "not_joined");
  // As often as it joined; and at its end.
  EXPECT_TRUE(here->Leave(carts, one).ok());
  EXPECT_TRUE(soon(*there, carts, 2));
  first->reset();
  EXPECT_TRUE(soon(*there, carts, 1));
  EXPECT_EQ(there->Members(carts), Pids{two});
  EXPECT_EQ(base::ReasonOf(here->Join(carts, one)), "noproc");
  // By name, as others call it; another scope is another world.
  const auto members = [&](const char* scope) {
    return ResultAs<Pids>(
        a->Call({"b@127.0.0.1", "pg", "get_members", Arguments(dist::AtomName(scope), carts)}));
  };
  EXPECT_EQ(*members("pg"), Pids{two});
  EXPECT_EQ(*members("elsewhere"), Pids());
  // With the connection all that came over it goes.
  EXPECT_TRUE(a->Disconnect("b@127.0.0.1"));
  EXPECT_TRUE(soon(*there, carts, 0));
  ASSERT_TRUE(b->Connect("a@127.0.0.1").ok());
  EXPECT_TRUE(soon(*there, carts, 1)) << "they meet again";
}

TEST_F(NodeTest, TwoNodesThatConnectAtOnceEndWithOneLink) {
  for (int round = 0; round < 10; ++round) {
    auto a = Start("a"), b = Start("b");
    auto left = std::async(std::launch::async, [&] { return a->Connect("b@127.0.0.1"); });
    auto right = std::async(std::launch::async, [&] { return b->Connect("a@127.0.0.1"); });
    EXPECT_TRUE(left.get().ok());
    EXPECT_TRUE(right.get().ok());
    EXPECT_TRUE(a->Ping("b@127.0.0.1", kSoon).ok());
    EXPECT_TRUE(b->Ping("a@127.0.0.1", kSoon).ok());
    EXPECT_EQ(a->Peers().size(), 1u);
    EXPECT_EQ(b->Peers().size(), 1u);
    b->Stop();
    a->Stop();
  }
}

TEST_F(NodeTest, AFixedPortNeedsNoEpmd) {
  const uint16_t port = testlib::FreePort();
  const auto fixed = [port](NodeOptions& options) { options.epmd.fixed_port = port; };
  auto b = Start("b", "secret", fixed);
  EXPECT_EQ(b->port(), port);
  auto a = Start("a", "secret", [&](NodeOptions& options) {
    options.epmd.fixed_port = port;
    options.does_listen = false;
    options.is_hidden = true;
  });
  EXPECT_TRUE(a->Ping("b@127.0.0.1", kSoon).ok());
  ASSERT_EQ(b->Peers().size(), 1u);
  EXPECT_TRUE(b->Peers()[0].is_hidden);
}

TEST_F(NodeTest, MailboxesHearOfNodesAsErlangProcessesDo) {
  auto a = Start("a"), b = Start("b");
  auto nodes = a->OpenMailbox(), one = a->OpenMailbox();
  ASSERT_TRUE(nodes.ok() && one.ok());
  NodeMonitorOptions options;
  options.info = NodeMonitorOptions::Info::kList;
  options.nodedown_reason = true;
  a->MonitorNodes((*nodes)->pid(), options);
  a->MonitorNode((*one)->pid(), "b@127.0.0.1");  // which connects
  const Term node = Term::Atom("b@127.0.0.1");
  EXPECT_EQ((*nodes)->Receive(kSoon), Term::Tuple({Term::Atom("nodeup"), node, Term::Nil()}));
  EXPECT_TRUE(a->Disconnect("b@127.0.0.1"));
  const Term reason = Term::Tuple({Term::Atom("nodedown_reason"), Term::Atom("disconnect")});
  EXPECT_EQ((*nodes)->Receive(kSoon),
            Term::Tuple({Term::Atom("nodedown"), node, Term::List({reason})}));
  const Term gone = Term::Tuple({Term::Atom("nodedown"), node});
  EXPECT_EQ((*one)->Receive(kSoon), gone);
  b->Stop();
  a->MonitorNode((*one)->pid(), "b@127.0.0.1");
  EXPECT_EQ((*one)->Receive(kSoon), gone) << "it cannot be reached";
}

TEST_F(NodeTest, ASilentPeerIsDroppedAfterTheTickTime) {
  auto b = Start("b", "secret", [](NodeOptions& options) {
    options.net_ticktime = std::chrono::milliseconds(400);
  });
  // This one ticks once a minute: to b it is silent.
  auto a = Start("a", "secret",
                 [](NodeOptions& options) { options.net_ticktime = std::chrono::minutes(4); });
  std::promise<absl::Status> down;
  b->WatchNodes([&](const NodeEvent& event) {
    if (!event.is_up) down.set_value(event.why);
  });
  ASSERT_TRUE(a->Connect("b@127.0.0.1").ok());
  EXPECT_EQ(base::ReasonOf(down.get_future().get()), "net_tick_timeout");
}

}  // namespace
}  // namespace noded::node
