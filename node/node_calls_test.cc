// Calls, casts, services and timers, of nodes in one process.
#include <future>

#include <gtest/gtest.h>

#include "base/status.h"
#include "node/node_fixture.h"

namespace noded::node {
namespace {

using dist::Term;

class NodeCallsTest : public NodeFixture {};

TEST_F(NodeCallsTest, ACallOfSeveralNodesHasAResultForEach) {
  auto a = Start("a"), b = Start("b"), c = Start("c");
  for (Node* node : {a.get(), b.get()}) {
    node->Export("shop", "name", Typed([node] { return node->name(); }));
  }
  c->Export("shop", "name", 0, [](const CallContext&, std::span<const Term>) {
    return CallOutcome::Throw(Term::Atom("closed"));
  });
  CallRequest request{.module = "shop", .function = "name", .timeout = kSoon};
  const std::vector<dist::AtomName> nodes{"b@127.0.0.1", "nobody@127.0.0.1", "a@127.0.0.1",
                                          "c@127.0.0.1", "b@127.0.0.1"};
  const std::vector<NodeOutcome> all = a->Multicall(nodes, request);
  ASSERT_EQ(all.size(), nodes.size());
  for (size_t i = 0; i < nodes.size(); ++i) EXPECT_EQ(all[i].node, nodes[i]);
  for (size_t i : {0, 2, 4}) EXPECT_EQ(*ResultAs<dist::AtomName>(all[i].outcome), nodes[i]);
  EXPECT_EQ(base::ReasonOf(all[1].outcome.status()), "noport") << all[1].outcome.status();
  ASSERT_TRUE(all[3].outcome.ok());
  EXPECT_EQ(all[3].outcome->kind, CallOutcome::Kind::kThrown);
  EXPECT_TRUE(a->Multicall({}, request).empty());
}

TEST_F(NodeCallsTest, AServiceOnSeveralNodesIsCalledOnEach) {
  auto a = Start("a"), b = Start("b");
  for (Node* node : {a.get(), b.get()}) {
    ASSERT_TRUE(
        node->Serve(
                "cart",
                {.call =
                     [node](const CallContext&, const Term& request) {
                       return CallOutcome::Return(Term::Tuple({request, Term::Atom(node->name())}));
                     }})
            .ok());
  }
  const auto all = a->GenMulticall({"a@127.0.0.1", "b@127.0.0.1"}, "cart", Term::Int(7), kSoon);
  ASSERT_EQ(all.size(), 2u);
  for (const NodeOutcome& one : all) {
    ASSERT_TRUE(one.outcome.ok()) << one.outcome.status();
    EXPECT_EQ(one.outcome->value, Term::Tuple({Term::Int(7), Term::Atom(one.node)}));
  }
  const auto none = a->GenMulticall({"b@127.0.0.1"}, "nobody", Term::Int(7), kSoon);
  ASSERT_TRUE(none.at(0).outcome.ok());
  EXPECT_EQ(none[0].outcome->value, Term::Atom("noproc"));
}

// What a call that does not end by itself was told, and where it is blocked.
struct Blocked {
  std::promise<void> entered, release;
  std::promise<absl::Status> told;

  Function Body() {
    return [this](const CallContext&, std::span<const Term>) {
      entered.set_value();
      release.get_future().wait();
      return CallOutcome::Return(Term::Atom("released"));
    };
  }
  Calls::Done Done() {
    return [this](absl::StatusOr<CallOutcome> outcome) { told.set_value(outcome.status()); };
  }
};

TEST_F(NodeCallsTest, ACallThatIsCancelledLeavesNothingBehind) {
  auto a = Start("a"), b = Start("b");
  for (const char* where : {"b@127.0.0.1", "a@127.0.0.1"}) {
    Blocked blocked;
    (where[0] == 'a' ? a : b)->Export("m", "block", 0, blocked.Body());
    const CallHandle call =
        a->CallAsync({where, "m", "block", Term::Nil(), {}, kSoon}, blocked.Done());
    blocked.entered.get_future().wait();
    call.Cancel();
    EXPECT_TRUE(absl::IsCancelled(blocked.told.get_future().get())) << where;
    call.Cancel();  // once is enough
    blocked.release.set_value();
    // Late answers find nobody; the next call is as good as the first.
    EXPECT_TRUE(a->Call({where, "noded", "echo", Arguments(1), {}, kSoon}).ok());
  }
  CallHandle().Cancel();  // of no call
}

TEST_F(NodeCallsTest, AServiceCallIsCancelledAndHasADeadline) {
  auto a = Start("a"), b = Start("b");
  ASSERT_TRUE(b->Serve("silent", {.call = [](const ServiceCall&,
                                             const Term&) { return std::optional<CallOutcome>(); }})
                  .ok());
  const Destination silent = Destination::OfName("silent", "b@127.0.0.1");
  std::promise<absl::Status> told;
  const CallHandle call = a->GenCallAsync(
      silent, Term::Int(1), kSoon,
      [&](absl::StatusOr<CallOutcome> outcome) { told.set_value(outcome.status()); });
  call.Cancel();
  EXPECT_TRUE(absl::IsCancelled(told.get_future().get()));
  const auto late = a->GenCall(silent, Term::Int(1), std::chrono::milliseconds(20));
  EXPECT_EQ(base::ReasonOf(late.status()), "timeout") << late.status();
}

TEST_F(NodeCallsTest, ACallOfThisNodeHasItsDeadlineToo) {
  auto a = Start("a");
  Blocked blocked;
  a->Export("m", "block", 0, blocked.Body());
  const auto late =
      a->Call({"a@127.0.0.1", "m", "block", Term::Nil(), {}, std::chrono::milliseconds(20)});
  EXPECT_EQ(base::ReasonOf(late.status()), "timeout") << late.status();
  blocked.entered.get_future().wait();
  blocked.release.set_value();
}

TEST_F(NodeCallsTest, CastsReachServicesAndFunctionsOfThisNodeAndOthers) {
  auto a = Start("a"), b = Start("b");
  auto mailbox = a->OpenMailbox();
  ASSERT_TRUE(mailbox.ok());
  const dist::Pid pid = (*mailbox)->pid();
  for (Node* node : {a.get(), b.get()}) {
    node->Export("m", "tell", Typed([node, pid](const Term& what) {
                   node->Send(node->group_leader(), Destination::OfPid(pid), what);
                 }));
    const auto tell = [node, pid](const Term& what) {
      node->Send(node->group_leader(), Destination::OfPid(pid), what);
    };
    ASSERT_TRUE(node->Serve("cart", {.cast = tell}).ok());
  }
  for (const char* node : {"a@127.0.0.1", "b@127.0.0.1"}) {
    a->GenCast(Destination::OfName("cart", node), Term::Atom("service"));
    EXPECT_EQ((*mailbox)->Receive(kSoon), Term::Atom("service")) << node;
    EXPECT_TRUE(a->Cast({node, "m", "tell", Arguments(dist::AtomName("function"))}).ok());
    EXPECT_EQ((*mailbox)->Receive(kSoon), Term::Atom("function")) << node;
  }
  a->GenCast(Destination::OfName("nobody", "b@127.0.0.1"), Term::Int(1));
}

TEST_F(NodeCallsTest, TimersReachMailboxesAndServices) {
  auto a = Start("a");
  auto mailbox = a->OpenMailbox();
  ASSERT_TRUE(mailbox.ok());
  const Destination here = Destination::OfPid((*mailbox)->pid());
  a->SendAfter(std::chrono::milliseconds(1), here, Term::Int(1));
  EXPECT_EQ((*mailbox)->Receive(kSoon), Term::Int(1));
  const dist::Reference timer = a->StartTimer(std::chrono::milliseconds(1), here, Term::Int(2));
  EXPECT_EQ((*mailbox)->Receive(kSoon),
            Term::Tuple({Term::Atom("timeout"), Term::FromReference(timer), Term::Int(2)}));
  EXPECT_FALSE(a->CancelTimer(timer));
  EXPECT_TRUE(a->CancelTimer(a->SendAfter(std::chrono::hours(1), here, Term::Int(3))));
  std::promise<Term> ticked;
  const auto service =
      a->Serve("", {.info = [&](const Term& message) { ticked.set_value(message); }});
  ASSERT_TRUE(service.ok());
  a->SendAfter(std::chrono::milliseconds(1), Destination::OfPid(*service), Term::Atom("tick"));
  EXPECT_EQ(ticked.get_future().get(), Term::Atom("tick"));
}

TEST_F(NodeCallsTest, AServiceWatchesProcessesOfOtherNodes) {
  auto a = Start("a"), b = Start("b");
  auto there = b->OpenMailbox("till");
  ASSERT_TRUE(there.ok());
  std::promise<Term> heard;
  const auto service =
      a->Serve("", {.init =
                        [&](const Service& self) {
                          a->Monitor(self.pid(), Destination::OfName("till", "b@127.0.0.1"));
                          return absl::OkStatus();
                        },
                    .info = [&](const Term& message) { heard.set_value(message); }});
  ASSERT_TRUE(service.ok()) << service.status();
  ASSERT_TRUE(a->Ping("b@127.0.0.1", kSoon).ok());  // the monitor is set
  there->reset();
  const Term down = heard.get_future().get();
  ASSERT_TRUE(down.IsTagged("DOWN", 5));
  EXPECT_EQ(down.tuple()[3], Term::Tuple({Term::Atom("till"), Term::Atom("b@127.0.0.1")}));
  EXPECT_EQ(down.tuple()[4], Term::Atom("normal"));
}

TEST_F(NodeCallsTest, TheProcessesOfEveryNodeAnswerSys) {
  auto a = Start("a", "secret", [](NodeOptions& options) { options.start_pg = true; });
  auto mailbox = a->OpenMailbox();
  ASSERT_TRUE(mailbox.ok());
  for (const char* name : {"net_kernel", "rex", "user", "pg"}) {
    const Term tag = Term::Atom(name);
    const Term from = Term::Tuple({Term::FromPid((*mailbox)->pid()), tag});
    a->Send((*mailbox)->pid(), Destination::OfName(name, "a@127.0.0.1"),
            Term::Tuple({Term::Atom("system"), from, Term::Atom("get_status")}));
    const auto answer = (*mailbox)->Receive(kSoon);
    ASSERT_TRUE(answer) << name;
    ASSERT_TRUE(answer->IsTuple(2)) << name;
    EXPECT_EQ(answer->tuple()[0], tag);
    EXPECT_TRUE(answer->tuple()[1].IsTagged("status", 4)) << name;
  }
}

TEST_F(NodeCallsTest, AVisitorsMulticallHasTheResultsOfErpcAndRpc) {
  auto a = Start("a"), b = Start("b"), c = Start("c");
  ASSERT_TRUE(b->Connect("c@127.0.0.1").ok());
  const std::vector<dist::AtomName> nodes{"b@127.0.0.1", "c@127.0.0.1", "nobody@127.0.0.1"};
  const auto ask = [&](const char* module, const Term& args) {
    return a->Call({"b@127.0.0.1", module, "multicall", args, {}, kSoon})->value;
  };
  const dist::AtomName erlang = "erlang", node = "node", no = "no", such = "such";
  const Term b_name = Term::Atom("b@127.0.0.1"), c_name = Term::Atom("c@127.0.0.1");
  const Term ok = Term::Atom("ok"), error = Term::Atom("error");
  EXPECT_EQ(
      ask("erpc", Arguments(nodes, erlang, node, Term::Nil())),
      Term::List(
          {Term::Tuple({ok, b_name}), Term::Tuple({ok, c_name}),
           Term::Tuple({error, Term::Tuple({Term::Atom("erpc"), Term::Atom("noconnection")})})}));
  EXPECT_EQ(
      ask("rpc", Arguments(nodes, erlang, node, Term::Nil())),
      Term::Tuple({Term::List({b_name, c_name}), Term::List({Term::Atom("nobody@127.0.0.1")})}));
  const Term frame = Term::Tuple({Term::Atom(no), Term::Atom(such), Term::Nil(), Term::Nil()});
  const Term undef =
      Term::Tuple({Term::Atom("exception"), Term::Atom("undef"), Term::List({frame})});
  EXPECT_EQ(ask("erpc",
                Arguments(std::vector<dist::AtomName>{"c@127.0.0.1"}, no, such, Term::Nil(), 5000)),
            Term::List({Term::Tuple({error, undef})}));
  // Everywhere: here, and where it is connected to.
  const Term everywhere = ask("rpc", Arguments(erlang, node, Term::Nil()));
  ASSERT_TRUE(everywhere.IsTuple(2));
  EXPECT_EQ(everywhere.tuple()[0].list().size(), 3u);
  EXPECT_EQ(everywhere.tuple()[0].list()[0], b_name);
}

}  // namespace
}  // namespace noded::node
