#include "node/node_events.h"

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/status.h"
#include "dist/term_text.h"

namespace noded::node {
namespace {

using dist::AtomName;
using dist::Pid;
using dist::Term;
using Info = NodeMonitorOptions::Info;

class NoOutbound : public Outbound {
 public:
  void SendTo(const AtomName&, dist::Control, std::optional<Term>) override {}
};

class KeptProcess : public Process {
 public:
  void Deliver(Term message) override { messages.push_back(dist::PrintTerm(message)); }
  std::vector<std::string> Take() { return std::exchange(messages, {}); }
  std::vector<std::string> messages;
};

using Messages = std::vector<std::string>;

class NodeEventsTest : public testing::Test {
 protected:
  struct Started {
    std::shared_ptr<KeptProcess> process = std::make_shared<KeptProcess>();
    Pid pid;
  };
  Started Start() {
    Started started;
    started.pid = signals_.Start(started.process);
    return started;
  }
  void Up(const char* node, bool is_hidden = false) {
    PeerInfo peer;
    peer.name = node;
    peer.is_hidden = is_hidden;
    events_.Up(peer);
  }
  static absl::Status Because(absl::StatusCode code, std::string_view reason) {
    return base::Error(code, "it is over", "", reason);
  }
  static absl::Status Closed() {
    return Because(absl::StatusCode::kUnavailable, "connection_closed");
  }

  NoOutbound outbound_;
  Identity identity_{"till@host", 7};
  Signals signals_{identity_, outbound_};
  std::vector<std::pair<AtomName, std::function<void(absl::Status)>>> reached_;
  NodeEvents events_{signals_,
                     [this](const AtomName& node, std::function<void(absl::Status)> done) {
                       reached_.emplace_back(node, std::move(done));
                     }};
};

// The messages are those of a BEAM with the same options.
TEST_F(NodeEventsTest, AProcessIsToldAsItAsked) {
  struct Case {
    NodeMonitorOptions options;
    std::string up, down;
  };
  const std::vector<Case> cases = {
      {{}, "{nodeup,a@host}", "{nodedown,a@host}"},
      {{.info = Info::kList}, "{nodeup,a@host,[]}", "{nodedown,a@host,[]}"},
      {{.info = Info::kMap}, "{nodeup,a@host,#{}}", "{nodedown,a@host,#{}}"},
      {{.info = Info::kList, .nodedown_reason = true},
       "{nodeup,a@host,[]}",
       "{nodedown,a@host,[{nodedown_reason,connection_closed}]}"},
      {{.info = Info::kList,
        .type = NodeType::kAll,
        .node_type = true,
        .nodedown_reason = true,
        .connection_id = true},
       "{nodeup,a@host,[{connection_id,1},{node_type,visible}]}",
       "{nodedown,a@host,[{connection_id,1},{nodedown_reason,connection_closed},"
       "{node_type,visible}]}"},
      {{.info = Info::kMap, .node_type = true, .nodedown_reason = true},
       "{nodeup,a@host,#{node_type => visible}}",
       "{nodedown,a@host,#{node_type => visible,nodedown_reason => connection_closed}}"},
  };
  std::vector<Started> processes;
  for (const Case& one : cases) {
    processes.push_back(Start());
    events_.Subscribe(processes.back().pid, one.options);
  }
  Up("a@host");
  events_.Down("a@host", Closed(), false);
  for (size_t i = 0; i < cases.size(); ++i) {
    ASSERT_EQ(processes[i].process->messages.size(), 2u);
    EXPECT_EQ(processes[i].process->messages[0], cases[i].up);
    EXPECT_EQ(processes[i].process->messages[1], cases[i].down);
  }
}

TEST_F(NodeEventsTest, OnlyNodesOfItsTypeAreTold) {
  const Started visible = Start(), hidden = Start(), all = Start();
  events_.Subscribe(visible.pid, {});
  events_.Subscribe(hidden.pid, {.type = NodeType::kHidden});
  events_.Subscribe(all.pid, {.type = NodeType::kAll});
  std::vector<std::string> watched;
  events_.Watch(
      [&](const NodeEvent& event) {
        watched.push_back((event.is_up ? "up " : "down ") + event.peer.name.ToString());
      },
      NodeType::kHidden);
  Up("a@host");
  Up("h@host", /*is_hidden=*/true);
  EXPECT_EQ(visible.process->Take(), Messages{"{nodeup,a@host}"});
  EXPECT_EQ(hidden.process->Take(), Messages{"{nodeup,h@host}"});
  EXPECT_EQ(all.process->Take().size(), 2u);
  events_.Down("h@host", Closed(), false);
  EXPECT_TRUE(visible.process->Take().empty()) << "it is remembered who was hidden";
  EXPECT_EQ(hidden.process->Take(), Messages{"{nodedown,h@host}"});
  EXPECT_EQ(watched, (std::vector<std::string>{"up h@host", "down h@host"}));
  events_.Down("h@host", Closed(), false);
  EXPECT_TRUE(hidden.process->Take().empty()) << "it is gone already";
}

TEST_F(NodeEventsTest, SubscriptionsCountAndEndTogether) {
  const Started one = Start();
  const NodeMonitorOptions other{.info = Info::kList};
  events_.Subscribe(one.pid, {});
  events_.Subscribe(one.pid, {});
  events_.Subscribe(one.pid, other);
  Up("a@host");
  EXPECT_EQ(one.process->Take().size(), 3u);
  EXPECT_TRUE(events_.Unsubscribe(one.pid, {}));
  EXPECT_FALSE(events_.Unsubscribe(one.pid, {}));
  Up("b@host");
  EXPECT_EQ(one.process->Take(), Messages{"{nodeup,b@host,[]}"});
}

TEST_F(NodeEventsTest, TheEndOfAConnectionHasOtpsName) {
  using absl::StatusCode;
  EXPECT_EQ(NodedownReason(absl::OkStatus(), false), "disconnect");
  EXPECT_EQ(NodedownReason(absl::OkStatus(), true), "net_kernel_terminated");
  EXPECT_EQ(NodedownReason(Closed(), false), "connection_closed");
  EXPECT_EQ(NodedownReason(Because(StatusCode::kUnavailable, "econnreset"), false),
            "connection_closed");
  EXPECT_EQ(NodedownReason(Because(StatusCode::kUnavailable, "net_tick_timeout"), false),
            "net_tick_timeout");
  EXPECT_EQ(NodedownReason(Because(StatusCode::kDataLoss, ""), false), "shutdown");
  EXPECT_EQ(NodedownReason(Because(StatusCode::kResourceExhausted, "system_limit"), false),
            "shutdown");

  std::vector<std::string> reasons;
  events_.Watch([&](const NodeEvent& event) { reasons.push_back(event.nodedown_reason); },
                NodeType::kAll);
  Up("a@host");
  events_.Down("a@host", absl::OkStatus(), false);
  EXPECT_EQ(reasons, (std::vector<std::string>{"", "disconnect"}));
}

TEST_F(NodeEventsTest, AMonitorOfANodeFiresOnce) {
  const Started one = Start(), other = Start();
  Up("a@host");
  events_.MonitorNode(one.pid, "a@host");
  events_.MonitorNode(one.pid, "a@host");
  events_.MonitorNode(other.pid, "a@host");
  events_.MonitorNode(one.pid, "till@host");  // this node never goes
  EXPECT_TRUE(reached_.empty());
  EXPECT_TRUE(events_.DemonitorNode(other.pid, "a@host"));
  EXPECT_FALSE(events_.DemonitorNode(other.pid, "a@host"));
  events_.Down("a@host", Closed(), false);
  EXPECT_EQ(one.process->Take(), (Messages{"{nodedown,a@host}", "{nodedown,a@host}"}));
  EXPECT_TRUE(other.process->Take().empty());
  Up("a@host");
  events_.Down("a@host", Closed(), false);
  EXPECT_TRUE(one.process->Take().empty());
}

TEST_F(NodeEventsTest, ANodeThatIsMonitoredIsConnectedOrGone) {
  const Started one = Start();
  events_.MonitorNode(one.pid, "a@host");
  events_.MonitorNode(one.pid, "b@host");
  ASSERT_EQ(reached_.size(), 2u);
  EXPECT_EQ(reached_[0].first, "a@host");
  reached_[0].second(Because(absl::StatusCode::kUnavailable, "econnrefused"));
  EXPECT_EQ(one.process->Take(), Messages{"{nodedown,a@host}"});
  Up("b@host");
  reached_[1].second(absl::OkStatus());
  EXPECT_TRUE(one.process->Take().empty());
  events_.Down("b@host", Closed(), false);
  EXPECT_EQ(one.process->Take(), Messages{"{nodedown,b@host}"});
}

TEST_F(NodeEventsTest, WhatAProcessAskedForGoesWithIt) {
  const Started lasting = Start();
  events_.Subscribe(lasting.pid, {});
  Up("b@host");
  for (int i = 0; i < 1000; ++i) {
    const Started passing = Start();
    events_.Subscribe(passing.pid, {});
    events_.MonitorNode(passing.pid, "b@host");
    signals_.Exit(passing.pid, Term::Atom("normal"));
    EXPECT_LT(events_.size(), 200u);
  }
  Up("a@host");
  EXPECT_EQ(lasting.process->Take(), (Messages{"{nodeup,b@host}", "{nodeup,a@host}"}));
}

}  // namespace
}  // namespace noded::node
