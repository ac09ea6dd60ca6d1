// Nodes in one process that share global names, over the plain carrier.
#include "node/global_names.h"

#include <thread>

#include <gtest/gtest.h>

#include "node/node_fixture.h"
#include "tests/testlib/wait.h"

namespace noded::node {
namespace {

using dist::AtomName;
using dist::Pid;
using dist::Term;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testlib::Eventually;
using Conflict = GlobalNames::Conflict;

const Term kTill = Term::Atom("till");

class GlobalNamesTest : public NodeFixture {
 protected:
  static std::unique_ptr<Mailbox> Open(Node& node) { return *node.OpenMailbox(); }

  // Until all nodes have met all others, and have the same names.
  static bool AreAMesh(std::initializer_list<Node*> nodes) {
    return Eventually([&] {
      for (Node* node : nodes) {
        if (node->Peers().size() + 1 != nodes.size() || !node->Global().Sync().ok()) return false;
      }
      return true;
    });
  }

  static bool Knows(Node& node, const Term& name, std::optional<Pid> pid) {
    return Eventually([&] { return node.Global().WhereIs(name) == pid; });
  }
};

TEST_F(GlobalNamesTest, ANodeAloneHasNames) {
  auto a = Start("a");
  auto till = Open(*a), other = Open(*a);
  GlobalNames global = a->Global();
  EXPECT_TRUE(global.Register(kTill, till->pid()).ok());
  EXPECT_TRUE(absl::IsAlreadyExists(global.Register(kTill, other->pid())));
  EXPECT_TRUE(absl::IsAlreadyExists(global.Register(Term::Int(7), till->pid())))
      << "a process has one name";
  EXPECT_EQ(global.WhereIs(kTill), till->pid());
  EXPECT_TRUE(global.ReRegister(kTill, other->pid()).ok());
  EXPECT_EQ(global.WhereIs(kTill), other->pid());
  EXPECT_TRUE(global.Register(Term::Int(7), till->pid()).ok()) << "it has none any more";
  EXPECT_EQ(global.Names().size(), 2u);
  EXPECT_TRUE(global.Unregister(Term::Int(7)).ok());
  EXPECT_TRUE(global.Unregister(Term::Int(7)).ok()) << "of nobody";
  other.reset();
  EXPECT_EQ(global.Names().size(), 0u) << "a name goes with its process";
}

TEST_F(GlobalNamesTest, NamesAreThoseOfTheMesh) {
  auto a = Start("a"), b = Start("b"), c = Start("c");
  auto till = Open(*a), stock = Open(*c);
  ASSERT_TRUE(a->Global().Register(kTill, till->pid()).ok());
  ASSERT_TRUE(c->Global().Register(Term::Binary("stock"), stock->pid()).ok());
  ASSERT_TRUE(b->Connect("a@127.0.0.1").ok());
  ASSERT_TRUE(b->Connect("c@127.0.0.1").ok());
  EXPECT_TRUE(AreAMesh({a.get(), b.get(), c.get()})) << "a and c meet by themselves";
  for (Node* node : {a.get(), b.get(), c.get()}) {
    EXPECT_TRUE(Knows(*node, kTill, till->pid())) << node->name().view();
    EXPECT_TRUE(Knows(*node, Term::Binary("stock"), stock->pid())) << node->name().view();
  }
  auto desk = Open(*b);
  EXPECT_TRUE(absl::IsAlreadyExists(b->Global().Register(kTill, desk->pid())));
  EXPECT_TRUE(b->Global().ReRegister(kTill, desk->pid()).ok());
  EXPECT_EQ(a->Global().WhereIs(kTill), desk->pid()) << "all know of it when it is done";
  EXPECT_EQ(c->Global().WhereIs(kTill), desk->pid());
  // A name goes with its process, and with its node.
  desk.reset();
  EXPECT_TRUE(Knows(*c, kTill, std::nullopt));
  c->Stop();
  EXPECT_TRUE(Knows(*a, Term::Binary("stock"), std::nullopt));
  EXPECT_TRUE(AreAMesh({a.get(), b.get()})) << "a node that stops takes nobody with it";
}

TEST_F(GlobalNamesTest, OfTwoProcessesWithOneNameTheLesserNodesStays) {
  auto a = Start("a"), b = Start("b");
  auto ours = Open(*a), theirs = Open(*b);
  ASSERT_TRUE(a->Global().Register(kTill, ours->pid()).ok());
  ASSERT_TRUE(b->Global().Register(kTill, theirs->pid()).ok());
  ASSERT_TRUE(b->Connect("a@127.0.0.1").ok());
  ASSERT_TRUE(AreAMesh({a.get(), b.get()}));
  EXPECT_TRUE(Knows(*a, kTill, ours->pid()));
  EXPECT_TRUE(Knows(*b, kTill, ours->pid()));
  EXPECT_TRUE(Eventually([&] { return !theirs->is_alive(); })) << "it is killed";
  EXPECT_TRUE(ours->is_alive());
}

TEST_F(GlobalNamesTest, ConflictsMayBeToldInstead) {
  auto a = Start("a"), b = Start("b");
  auto ours = Open(*a), theirs = Open(*b), both_a = Open(*a), both_b = Open(*b);
  const Term both = Term::Atom("both");
  ASSERT_TRUE(a->Global().Register(kTill, ours->pid(), Conflict::kTellOther).ok());
  ASSERT_TRUE(b->Global().Register(kTill, theirs->pid(), Conflict::kTellOther).ok());
  ASSERT_TRUE(a->Global().Register(both, both_a->pid(), Conflict::kTellBoth).ok());
  ASSERT_TRUE(b->Global().Register(both, both_b->pid(), Conflict::kTellBoth).ok());
  ASSERT_TRUE(a->Connect("b@127.0.0.1").ok());
  const Term conflict = Term::Atom("global_name_conflict");
  EXPECT_EQ(theirs->Receive(seconds(60)), Term::Tuple({conflict, kTill}));
  EXPECT_EQ(both_a->Receive(seconds(60)),
            Term::Tuple({conflict, both, Term::FromPid(both_b->pid())}));
  EXPECT_EQ(both_b->Receive(seconds(60)),
            Term::Tuple({conflict, both, Term::FromPid(both_a->pid())}));
  EXPECT_TRUE(Knows(*b, kTill, ours->pid()));
  EXPECT_TRUE(Knows(*a, both, std::nullopt));
  EXPECT_TRUE(Knows(*b, both, std::nullopt));
  EXPECT_TRUE(theirs->is_alive());
}

TEST_F(GlobalNamesTest, LocksAreOfTheWholeCluster) {
  auto a = Start("a"), b = Start("b");
  ASSERT_TRUE(a->Connect("b@127.0.0.1").ok());
  const Term ledger = Term::Atom("ledger"), team = Term::Atom("team");
  auto first = a->Global().Lock(ledger, seconds(60), team);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_TRUE(absl::IsDeadlineExceeded(b->Global().Lock(ledger, milliseconds(50)).status()));
  auto shared = b->Global().Lock(ledger, seconds(60), team);
  ASSERT_TRUE(shared.ok()) << "holders that name the same requester share it";
  first->reset();
  EXPECT_TRUE(absl::IsDeadlineExceeded(a->Global().Lock(ledger, milliseconds(50)).status()));
  shared->reset();
  EXPECT_TRUE(a->Global().Lock(ledger, seconds(60)).ok());
  // A lock goes with the node of its holder.
  auto held = b->Global().Lock(ledger, seconds(60));
  ASSERT_TRUE(held.ok()) << held.status();
  b->Stop();
  EXPECT_TRUE(a->Global().Lock(ledger, seconds(60)).ok());
}

TEST_F(GlobalNamesTest, PartsOfAClusterDoNotOverlap) {
  auto a = Start("a"), b = Start("b"), c = Start("c");
  ASSERT_TRUE(a->Connect("b@127.0.0.1").ok());
  ASSERT_TRUE(a->Connect("c@127.0.0.1").ok());
  ASSERT_TRUE(AreAMesh({a.get(), b.get(), c.get()}));
  // a and b have lost each other, so c leaves whoever of them is reported first, and the other one
  // too when that hears of it in time.
  ASSERT_TRUE(a->Disconnect("b@127.0.0.1"));
  EXPECT_TRUE(Eventually([&] { return a->Peers().empty() || b->Peers().empty(); }));
  EXPECT_TRUE(Eventually([&] { return c->Peers().size() < 2; }));
  ASSERT_TRUE(c->Connect("b@127.0.0.1").ok());
  ASSERT_TRUE(c->Connect("a@127.0.0.1").ok());
  EXPECT_TRUE(AreAMesh({a.get(), b.get(), c.get()})) << "they meet again";
}

TEST_F(GlobalNamesTest, OverlapMayBeAllowed) {
  const auto allow = [](NodeOptions& options) { options.prevent_overlapping_partitions = false; };
  auto a = Start("a", "secret", allow), b = Start("b", "secret", allow),
       c = Start("c", "secret", allow);
  ASSERT_TRUE(a->Connect("b@127.0.0.1").ok());
  ASSERT_TRUE(a->Connect("c@127.0.0.1").ok());
  ASSERT_TRUE(AreAMesh({a.get(), b.get(), c.get()}));
  auto till = Open(*c);
  ASSERT_TRUE(a->Disconnect("b@127.0.0.1"));
  // Made after the loss, so that a c that was to leave would have left.
  ASSERT_TRUE(c->Global().Register(kTill, till->pid()).ok());
  EXPECT_EQ(a->Global().WhereIs(kTill), till->pid());
  EXPECT_EQ(b->Global().WhereIs(kTill), till->pid());
}

TEST_F(GlobalNamesTest, WithoutConnectAllThereIsNoMesh) {
  const auto apart = [](NodeOptions& options) { options.connect_all = false; };
  auto a = Start("a", "secret", apart), b = Start("b", "secret", apart),
       c = Start("c", "secret", apart);
  auto till = Open(*a);
  ASSERT_TRUE(a->Global().Register(kTill, till->pid()).ok());
  ASSERT_TRUE(b->Connect("a@127.0.0.1").ok());
  ASSERT_TRUE(b->Connect("c@127.0.0.1").ok());
  ASSERT_TRUE(b->Ping("a@127.0.0.1", seconds(60)).ok());
  ASSERT_TRUE(b->Ping("c@127.0.0.1", seconds(60)).ok());
  EXPECT_EQ(a->Peers().size(), 1u);
  EXPECT_EQ(c->Peers().size(), 1u);
  EXPECT_EQ(b->Global().WhereIs(kTill), std::nullopt);
}

TEST_F(GlobalNamesTest, AHiddenNodeHasItsOwnNames) {
  auto a = Start("a"), b = Start("b"),
       hidden = Start("hidden", "secret", [](NodeOptions&options) { options.is_hidden = true; });
  auto till = Open(*a), secret = Open(*hidden);
  ASSERT_TRUE(hidden->Global().Register(kTill, secret->pid()).ok());
  ASSERT_TRUE(hidden->Connect("a@127.0.0.1").ok());
  ASSERT_TRUE(a->Global().Register(kTill, till->pid()).ok());
  ASSERT_TRUE(b->Connect("a@127.0.0.1").ok());
  ASSERT_TRUE(b->Global().Sync().ok());
  EXPECT_EQ(b->Global().WhereIs(kTill), till->pid());
  EXPECT_EQ(hidden->Global().WhereIs(kTill), secret->pid());
  EXPECT_EQ(b->Peers().size(), 1u) << "nobody connects a mesh with it";
}

// Who begins, which lock is taken first, and what arrives when: never the same twice.
TEST_F(GlobalNamesTest, ManyNodesThatMeetAtOnceEndWithOneSetOfNames) {
  std::vector<std::unique_ptr<Node>> nodes;
  std::vector<std::unique_ptr<Mailbox>> boxes;
  for (int i = 0; i < 6; ++i) {
    nodes.push_back(Start("n" + std::to_string(i)));
    boxes.push_back(Open(*nodes[i]));
    ASSERT_TRUE(nodes[i]->Global().Register(Term::Int(i), boxes[i]->pid()).ok());
  }
  std::vector<std::thread> threads;
  for (size_t i = 0; i < nodes.size(); ++i) {
    threads.emplace_back(
        [&, i] { EXPECT_TRUE(nodes[i]->Connect(nodes[(i + 1) % nodes.size()]->name()).ok()); });
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& node : nodes) {
    EXPECT_TRUE(Eventually([&] { return node->Peers().size() == nodes.size() - 1; }));
    for (size_t i = 0; i < boxes.size(); ++i) {
      EXPECT_TRUE(Knows(*node, Term::Int(static_cast<int64_t>(i)), boxes[i]->pid()))
          << node->name().view() << " " << i;
    }
  }
}

}  // namespace
}  // namespace noded::node
