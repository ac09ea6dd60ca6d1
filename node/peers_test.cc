#include "node/peers.h"

#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/memory_stream.h"
#include "base/status.h"
#include "dist/flags.h"

namespace noded::node {
namespace {

using dist::AtomName;
using dist::Handshake;
using dist::Term;
using Verdict = Handshake::Verdict;
using std::chrono::seconds;

constexpr char kSelf[] = "m@host";
constexpr char kLess[] = "a@host";     // sorts before us
constexpr char kGreater[] = "z@host";  // and behind us

// A peers table on the test's thread, with links on a loop that nobody talks over.
class PeersTest : public testing::Test {
 protected:
  void SetUp() override { Make({}); }
  void Make(Peers::Options options) {
    peers_ = std::make_unique<Peers>(
        kSelf, options,
        Peers::Hooks{.connect = [this](const AtomName& n) { Note("connect", n); },
                     .up = [this](const Peers::Peer& p) { Note("up", p.name); },
                     .down =
                         [this](const AtomName& n, const absl::Status& why) {
                           Note("down", n);
                           last_why_ = why;
                         },
                     .unreachable =
                         [this](const AtomName& n, const absl::Status& why) {
                           Note("unreachable", n);
                           last_why_ = why;
                         }},
        clock_);
  }
  void TearDown() override {
    for (auto& [link, down] : links_) {
      link->Abort(absl::OkStatus());
      down.wait();
    }
    // Memory streams end on their loop.
    loop_.Run([this] {
      links_.clear();
      far_ends_.clear();
      peers_.reset();
      return true;
    });
  }

  void Note(const char* what, const AtomName& node) {
    events_.push_back(std::string(what) + " " + node.ToString());
  }
  std::vector<std::string> TakeEvents() { return std::exchange(events_, {}); }
  using Events = std::vector<std::string>;

  std::shared_ptr<dist::NodeLink> MakeLink(const char* node,
                                           uint64_t flags = dist::LocalFlags(true)) {
    std::promise<absl::Status> down;
    auto ended = down.get_future().share();
    auto link = loop_.Run([&] {
      auto [ours, theirs] = base::MakeMemoryStreams(loop_);
      far_ends_.push_back(std::move(theirs));
      Handshake::Done done;
      done.peer = node;
      done.flags = flags;
      done.version = 6;
      auto made = std::make_shared<dist::NodeLink>(std::move(ours), std::move(done),
                                                   dist::NodeLink::Options());
      made->Start([](dist::Channel::Event) {},
                  [told = std::make_shared<std::promise<absl::Status>>(std::move(down))](
                      absl::Status why) { told->set_value(std::move(why)); });
      return made;
    });
    links_.emplace_back(link, ended);
    return link;
  }
  bool HasEnded(const std::shared_ptr<dist::NodeLink>& link) {
    for (auto& [known, down] : links_) {
      if (known == link) return down.wait_for(seconds(30)) == std::future_status::ready;
    }
    return false;
  }
  uint64_t MessagesOut(const std::shared_ptr<dist::NodeLink>& link) {
    loop_.Run([] { return true; });  // what was sent is in the link now
    return link->counters().messages_out;
  }
  using Verdicts = std::shared_ptr<std::vector<Verdict>>;
  // Filled when it is given.
  Verdicts Ask(const char* node) {
    auto verdicts = std::make_shared<std::vector<Verdict>>();
    peers_->Judge({.name = node, .flags = 0, .creation = 1, .version = 6},
                  [verdicts](Verdict verdict) { verdicts->push_back(verdict); });
    return verdicts;
  }
  // One that is given at once.
  Verdict Judge(const char* node) {
    const Verdicts verdicts = Ask(node);
    EXPECT_EQ(verdicts->size(), 1u) << node;
    return verdicts->empty() ? Verdict::kNotAllowed : verdicts->front();
  }
  // A connect whose outcome is kept.
  std::shared_ptr<std::vector<absl::Status>> Connect(const char* node) {
    auto outcomes = std::make_shared<std::vector<absl::Status>>();
    peers_->Connect(node, [outcomes](absl::Status s) { outcomes->push_back(std::move(s)); });
    return outcomes;
  }
  void SendTo(const char* node) {
    peers_->SendTo(node, dist::RegSend{{}, "rex", {}}, Term::Atom("hello"));
  }
  static absl::Status Refused() {
    return base::Error(absl::StatusCode::kUnavailable, "refused", "", "econnrefused");
  }

  base::FakeClock clock_;
  base::Loop loop_;
  std::vector<std::string> events_;
  absl::Status last_why_;
  std::vector<std::unique_ptr<base::MemoryStream>> far_ends_;
  std::vector<std::pair<std::shared_ptr<dist::NodeLink>, std::shared_future<absl::Status>>> links_;
  std::unique_ptr<Peers> peers_;
};

// Who may connect, by what we have with that node already. With two attempts at once that of the
// greater name goes on.
TEST_F(PeersTest, JudgesAPeerByWhatThereIsWithIt) {
  for (const char* node : {kLess, kGreater}) EXPECT_EQ(Judge(node), Verdict::kOk);
  EXPECT_EQ(Judge(kSelf), Verdict::kNotAllowed);

  Connect(kLess);
  Connect(kGreater);
  const Verdicts held = Ask(kLess);
  EXPECT_TRUE(held->empty()) << "ours goes on, and the peer is to hear of it first";
  EXPECT_TRUE(peers_->Commit(kLess, Peers::Direction::kOutgoing));
  EXPECT_EQ(*held, std::vector{Verdict::kNok});
  EXPECT_EQ(Judge(kLess), Verdict::kNok);
  EXPECT_EQ(Judge(kGreater), Verdict::kOkSimultaneous) << "its goes on";
  EXPECT_EQ(Judge("other@host"), Verdict::kOk);

  // Ours was told nok: now its attempt is what we wait for.
  peers_->ConnectFailed(kGreater, Refused(), /*is_simultaneous=*/true);
  EXPECT_EQ(Judge(kGreater), Verdict::kOk);
  peers_->LinkUp(MakeLink(kGreater), Peers::Direction::kIncoming);
  EXPECT_EQ(Judge(kGreater), Verdict::kAlive);
  peers_->ConnectFailed(kLess, Refused(), false);
  EXPECT_EQ(Judge(kLess), Verdict::kOk);

  peers_->CloseAll();
  for (const char* node : {kLess, kGreater}) EXPECT_EQ(Judge(node), Verdict::kNotAllowed);
}

TEST_F(PeersTest, AnAnswerThatIsHeldBackComesHoweverOurAttemptEnds) {
  Connect(kLess);
  Verdicts held = Ask(kLess);
  const Verdicts second = Ask(kLess);
  peers_->ConnectFailed(kLess, Refused(), false);
  EXPECT_EQ(*held, std::vector{Verdict::kOk}) << "the peer's may go on";
  EXPECT_EQ(*second, std::vector{Verdict::kOk});

  Connect(kLess);
  held = Ask(kLess);
  peers_->ConnectFailed(kLess, Refused(), /*is_simultaneous=*/true);
  EXPECT_EQ(*held, std::vector{Verdict::kOk}) << "both sides said nok: somebody has to go on";

  held = Ask(kLess);
  EXPECT_EQ(*held, std::vector{Verdict::kOk});
  peers_->LinkUp(MakeLink(kLess), Peers::Direction::kIncoming);
  Connect("b@host");
  held = Ask("b@host");
  peers_->LinkUp(MakeLink("b@host"), Peers::Direction::kIncoming);
  EXPECT_EQ(*held, std::vector{Verdict::kAlive});

  Connect("c@host");
  held = Ask("c@host");
  peers_->CloseAll();
  EXPECT_EQ(*held, std::vector{Verdict::kNotAllowed});
}

TEST_F(PeersTest, ANameAloneEndsNothing) {
  Connect(kGreater);
  TakeEvents();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Judge(kGreater), Verdict::kOkSimultaneous);
  EXPECT_TRUE(TakeEvents().empty());
  EXPECT_TRUE(peers_->Connected().empty());
  EXPECT_TRUE(peers_->IsOldLinkGone(kGreater));
}

TEST_F(PeersTest, WhatIsSentConnectsOnceAndGoesOutWhenTheLinkIsUp) {
  SendTo(kLess);
  SendTo(kLess);
  const auto outcomes = Connect(kLess);
  EXPECT_EQ(TakeEvents(), Events{"connect a@host"});
  EXPECT_TRUE(outcomes->empty());
  auto link = MakeLink(kLess);
  peers_->LinkUp(link, Peers::Direction::kOutgoing);
  EXPECT_EQ(TakeEvents(), Events{"up a@host"});
  EXPECT_EQ(*outcomes, std::vector{absl::OkStatus()});
  EXPECT_EQ(MessagesOut(link), 2u);
  SendTo(kLess);
  EXPECT_EQ(MessagesOut(link), 3u);
  EXPECT_EQ(*Connect(kLess), std::vector{absl::OkStatus()}) << "it is there";
  EXPECT_EQ(*Connect(kSelf), std::vector{absl::OkStatus()});
  EXPECT_TRUE(TakeEvents().empty());
}

TEST_F(PeersTest, AFailureIsToldToAllThatWaitAndTheNextAttemptIsANewOne) {
  SendTo(kLess);
  const auto first = Connect(kLess), second = Connect(kLess);
  TakeEvents();
  peers_->ConnectFailed(kLess, Refused(), false);
  EXPECT_EQ(TakeEvents(), Events{"unreachable a@host"});
  ASSERT_EQ(first->size(), 1u);
  EXPECT_EQ(base::ReasonOf(first->front()), "econnrefused");
  EXPECT_EQ(second->size(), 1u);
  peers_->ConnectFailed(kLess, Refused(), false);  // there is none any more
  EXPECT_TRUE(TakeEvents().empty());

  const auto third = Connect(kLess);
  EXPECT_EQ(TakeEvents(), Events{"connect a@host"});
  auto link = MakeLink(kLess);
  peers_->LinkUp(link, Peers::Direction::kOutgoing);
  EXPECT_EQ(*third, std::vector{absl::OkStatus()});
  EXPECT_EQ(MessagesOut(link), 0u) << "what failed is not sent later";
}

TEST_F(PeersTest, AfterNokThePeersAttemptCarriesWhatWaits) {
  SendTo(kGreater);
  const auto outcomes = Connect(kGreater);
  peers_->ConnectFailed(kGreater, Refused(), /*is_simultaneous=*/true);
  SendTo(kGreater);
  EXPECT_EQ(TakeEvents(), Events{"connect z@host"}) << "and no second one";
  EXPECT_TRUE(outcomes->empty());
  auto link = MakeLink(kGreater);
  peers_->LinkUp(link, Peers::Direction::kIncoming);
  EXPECT_EQ(*outcomes, std::vector{absl::OkStatus()});
  EXPECT_EQ(MessagesOut(link), 2u);
  EXPECT_EQ(peers_->Find(kGreater)->direction, Peers::Direction::kIncoming);
}

// An attempt of ours that began while the peer's was half way: one of the two binds both nodes.
TEST_F(PeersTest, TheGreaterNodeTakesThePeersLinkUnlessItsOwnProofIsOut) {
  constexpr auto kOut = Peers::Direction::kOutgoing, kIn = Peers::Direction::kIncoming;
  const auto outcomes = Connect(kLess);
  EXPECT_TRUE(peers_->Commit(kLess, kIn));
  EXPECT_FALSE(peers_->Commit(kLess, kOut)) << "the peer's is taken";
  peers_->ConnectFailed(kLess, Refused(), true);
  EXPECT_TRUE(outcomes->empty()) << "it is to come up";
  peers_->LinkUp(MakeLink(kLess), kIn);
  EXPECT_EQ(*outcomes, std::vector{absl::OkStatus()});

  Make({});
  Connect(kLess);
  EXPECT_TRUE(peers_->Commit(kLess, kOut));
  EXPECT_FALSE(peers_->Commit(kLess, kIn)) << "ours may be up at the peer";
  peers_->ConnectFailed(kLess, Refused(), false);
  EXPECT_TRUE(peers_->Commit(kLess, kIn));
}

TEST_F(PeersTest, TheLesserNodeTakesWhatIsProvedToItAndWaitsForWhatOvertookIt) {
  constexpr auto kOut = Peers::Direction::kOutgoing, kIn = Peers::Direction::kIncoming;
  auto outcomes = Connect(kGreater);
  EXPECT_TRUE(peers_->Commit(kGreater, kOut));
  EXPECT_TRUE(peers_->Commit(kGreater, kIn));
  peers_->ConnectFailed(kGreater, Refused(), false);
  EXPECT_TRUE(outcomes->empty());
  peers_->LinkUp(MakeLink(kGreater), kIn);
  EXPECT_EQ(*outcomes, std::vector{absl::OkStatus()});

  // Its end of ours comes before its own proof: only its name told that it tries too.
  Make({});
  outcomes = Connect(kGreater);
  EXPECT_EQ(Judge(kGreater), Verdict::kOkSimultaneous);
  EXPECT_TRUE(peers_->Commit(kGreater, kOut));
  peers_->ConnectFailed(kGreater, Refused(), false);
  EXPECT_TRUE(outcomes->empty());
  EXPECT_TRUE(peers_->Commit(kGreater, kIn));
  peers_->LinkUp(MakeLink(kGreater), kIn);
  EXPECT_EQ(*outcomes, std::vector{absl::OkStatus()});
}

TEST_F(PeersTest, ANameThatNobodyProvesDelaysAFailureAndNoMore) {
  const auto outcomes = Connect(kGreater);
  EXPECT_EQ(Judge(kGreater), Verdict::kOkSimultaneous);
  peers_->ConnectFailed(kGreater, Refused(), false);
  ASSERT_EQ(outcomes->size(), 1u) << "before our proof it is our own failure";
  EXPECT_EQ(base::ReasonOf(outcomes->front()), "econnrefused");
  peers_->CloseAll();
  EXPECT_FALSE(peers_->Commit(kGreater, Peers::Direction::kIncoming));
}

TEST_F(PeersTest, APeerThatPromisedToConnectIsNotWaitedForForEver) {
  const auto outcomes = Connect(kGreater), ours = Connect(kLess);
  peers_->ConnectFailed(kGreater, Refused(), true);
  TakeEvents();
  peers_->ExpireWaiting();
  EXPECT_TRUE(outcomes->empty());
  clock_.Advance(base::Limits().handshake_timeout);
  peers_->ExpireWaiting();
  EXPECT_EQ(TakeEvents(), Events{"unreachable z@host"});
  ASSERT_EQ(outcomes->size(), 1u);
  EXPECT_EQ(outcomes->front().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_TRUE(ours->empty()) << "an attempt of ours has a deadline of its own";
  EXPECT_EQ(Judge(kGreater), Verdict::kOk);
}

TEST_F(PeersTest, TheSamePeersLinkThatCameFirstWinsOverALateFailure) {
  const auto outcomes = Connect(kGreater);
  peers_->LinkUp(MakeLink(kGreater), Peers::Direction::kIncoming);
  EXPECT_EQ(*outcomes, std::vector{absl::OkStatus()});
  TakeEvents();
  peers_->ConnectFailed(kGreater, Refused(), false);
  EXPECT_TRUE(TakeEvents().empty());
  EXPECT_NE(peers_->Find(kGreater), nullptr);
}

TEST_F(PeersTest, ANewLinkReplacesTheOldOneOfItsNode) {
  auto old = MakeLink(kLess), other = MakeLink(kGreater), fresh = MakeLink(kLess);
  peers_->LinkUp(old, Peers::Direction::kOutgoing);
  peers_->LinkUp(other, Peers::Direction::kOutgoing);
  TakeEvents();
  peers_->LinkUp(fresh, Peers::Direction::kIncoming);
  EXPECT_EQ(TakeEvents(), (Events{"down a@host", "up a@host"}));
  EXPECT_TRUE(HasEnded(old));
  EXPECT_FALSE(peers_->IsCurrent(old));
  EXPECT_TRUE(peers_->IsCurrent(fresh));
  // Its end comes late, and is no end of the new one.
  peers_->LinkDown(old, Refused());
  EXPECT_TRUE(TakeEvents().empty());
  EXPECT_EQ(peers_->Connected().size(), 2u);
}

TEST_F(PeersTest, ALostLinkIsToldWithItsReasonAndTheNodeMayComeBack) {
  auto link = MakeLink(kLess);
  peers_->LinkUp(link, Peers::Direction::kOutgoing);
  EXPECT_FALSE(peers_->IsOldLinkGone(kLess));
  TakeEvents();
  peers_->LinkDown(link,
                   base::Error(absl::StatusCode::kUnavailable, "silent", "", "net_tick_timeout"));
  EXPECT_EQ(TakeEvents(), Events{"down a@host"});
  EXPECT_EQ(base::ReasonOf(last_why_), "net_tick_timeout");
  EXPECT_TRUE(peers_->IsOldLinkGone(kLess));
  EXPECT_EQ(peers_->Find(kLess), nullptr);
  EXPECT_FALSE(peers_->Disconnect(kLess));
  SendTo(kLess);
  EXPECT_EQ(TakeEvents(), Events{"connect a@host"});
}

TEST_F(PeersTest, DisconnectEndsTheLink) {
  auto link = MakeLink(kLess);
  peers_->LinkUp(link, Peers::Direction::kOutgoing);
  EXPECT_TRUE(peers_->Disconnect(kLess));
  EXPECT_TRUE(HasEnded(link));
}

TEST_F(PeersTest, SendingToANodeThatIsDownConnectsWithGrowingPauses) {
  const base::Limits limits;
  const auto send = [&] {
    SendTo(kLess);
    const Events events = TakeEvents();
    if (events != Events{"connect a@host"}) return events;
    peers_->ConnectFailed(kLess, Refused(), false);
    return TakeEvents();
  };
  const Events at_once{"unreachable a@host"};
  for (int i = 0; i < limits.free_connect_failures + 1; ++i) {
    EXPECT_EQ(send(), at_once);
    EXPECT_EQ(base::ReasonOf(last_why_), "econnrefused") << "it was tried";
  }
  EXPECT_EQ(send(), at_once);
  EXPECT_EQ(base::ReasonOf(last_why_), "noconnection") << "and now it is not";
  EXPECT_NE(last_why_.message().find("waits a moment"), std::string::npos) << last_why_;

  // Who asks for a connection gets an attempt, which changes nothing.
  const auto outcomes = Connect(kLess);
  EXPECT_EQ(TakeEvents(), Events{"connect a@host"});
  SendTo(kLess);
  peers_->ConnectFailed(kLess, Refused(), false);
  EXPECT_EQ(outcomes->size(), 1u);
  EXPECT_EQ(TakeEvents(), at_once);
  SendTo(kLess);
  EXPECT_EQ(base::ReasonOf(last_why_), "noconnection");
  TakeEvents();

  // In a second of constant sending there are a few attempts, and another node has its own count.
  int attempts = 0;
  for (int i = 0; i < 1000; ++i) {
    clock_.Advance(std::chrono::milliseconds(1));
    send();
    attempts += base::ReasonOf(last_why_) == "econnrefused";
  }
  EXPECT_GE(attempts, 2);
  EXPECT_LE(attempts, 5);
  SendTo(kGreater);
  EXPECT_EQ(TakeEvents(), Events{"connect z@host"});

  // It is back, and when it goes again it is found at once.
  auto link = MakeLink(kLess);
  peers_->LinkUp(link, Peers::Direction::kIncoming);
  peers_->LinkDown(link, Refused());
  TakeEvents();
  EXPECT_EQ(send(), at_once);
  EXPECT_EQ(base::ReasonOf(last_why_), "econnrefused");
}

TEST_F(PeersTest, ReachingANodeIsAsSendingToIt) {
  std::vector<absl::Status> outcomes;
  const auto reach = [&](const char* node) {
    peers_->Reach(node, [&](absl::Status outcome) { outcomes.push_back(std::move(outcome)); });
  };
  reach(kLess);
  reach(kLess);
  EXPECT_EQ(TakeEvents(), Events{"connect a@host"});
  peers_->ConnectFailed(kLess, Refused(), false);
  EXPECT_EQ(outcomes.size(), 2u);
  for (int i = 0; i < base::Limits().free_connect_failures; ++i) {
    reach(kLess);
    peers_->ConnectFailed(kLess, Refused(), false);
  }
  TakeEvents();
  reach(kLess);
  EXPECT_TRUE(TakeEvents().empty()) << "it is held back";
  EXPECT_EQ(base::ReasonOf(outcomes.back()), "noconnection");

  peers_->LinkUp(MakeLink(kLess), Peers::Direction::kIncoming);
  outcomes.clear();
  reach(kLess);
  reach(kSelf);
  EXPECT_EQ(outcomes, (std::vector{absl::OkStatus(), absl::OkStatus()}));
  Make({.auto_connect = ConnectPolicy::kNever, .limits = {}});
  reach(kGreater);
  EXPECT_EQ(base::ReasonOf(outcomes.back()), "noconnection");
}

TEST_F(PeersTest, AHiddenPeerIsOneThatDidNotPublishItself) {
  peers_->LinkUp(MakeLink(kLess, dist::LocalFlags(true)), Peers::Direction::kOutgoing);
  peers_->LinkUp(MakeLink(kGreater, dist::LocalFlags(false)), Peers::Direction::kOutgoing);
  EXPECT_FALSE(peers_->Find(kLess)->is_hidden());
  EXPECT_TRUE(peers_->Find(kGreater)->is_hidden());
}

TEST_F(PeersTest, AutoConnectMayBeOnceOrNever) {
  Make({.auto_connect = ConnectPolicy::kNever, .limits = {}});
  SendTo(kLess);
  EXPECT_EQ(TakeEvents(), Events{"unreachable a@host"});
  EXPECT_EQ(base::ReasonOf(last_why_), "noconnection");
  Connect(kLess);
  EXPECT_EQ(TakeEvents(), Events{"connect a@host"}) << "who asks for it gets it";

  Make({.auto_connect = ConnectPolicy::kOnce, .limits = {}});
  SendTo(kLess);
  auto link = MakeLink(kLess);
  peers_->LinkUp(link, Peers::Direction::kOutgoing);
  peers_->LinkDown(link, Refused());
  EXPECT_EQ(TakeEvents(), (Events{"connect a@host", "up a@host", "down a@host"}));
  SendTo(kLess);
  EXPECT_EQ(TakeEvents(), Events{"unreachable a@host"});
}

TEST_F(PeersTest, CloseAllEndsEverythingAndBeginsNothing) {
  auto link = MakeLink(kLess);
  peers_->LinkUp(link, Peers::Direction::kOutgoing);
  const auto outcomes = Connect(kGreater);
  peers_->CloseAll();
  EXPECT_TRUE(HasEnded(link));
  ASSERT_EQ(outcomes->size(), 1u);
  EXPECT_EQ(base::ReasonOf(outcomes->front()), "noconnection");
  TakeEvents();
  const auto late = Connect("late@host");
  ASSERT_EQ(late->size(), 1u);
  EXPECT_FALSE(late->front().ok());
  SendTo("late@host");
  EXPECT_EQ(TakeEvents(), Events{"unreachable late@host"});
  // One whose handshake was done meanwhile.
  auto overtaken = MakeLink(kGreater);
  peers_->LinkUp(overtaken, Peers::Direction::kIncoming);
  EXPECT_TRUE(HasEnded(overtaken));
  EXPECT_EQ(peers_->Find(kGreater), nullptr);
}

}  // namespace
}  // namespace noded::node
