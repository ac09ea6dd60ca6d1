// Nodes that come and go, as a process of a noded hears of them: with the words that a BEAM has for
// the same.
#include <signal.h>

#include <optional>

#include "tests/interop/refusals.h"

namespace noded::interop {
namespace {

using testlib::Nodectl;
using testlib::NodedOptions;
using testlib::NodedProcess;
using testlib::OtpEpmd;
using testlib::OtpNode;
using testlib::OtpNodeOptions;

class NodeEventsTest : public RefusalsTest {
 protected:
  NodeEventsTest() {
    NodedOptions options = Plain().Named("till@127.0.0.1");
    options.program = "tests/testlib/test_node";
    options.arguments = {"-kernel", "net_ticktime", "4"};
    till_.emplace(options);
    EXPECT_TRUE(till_->WaitReady().ok()) << till_->Log();
  }
  std::string Ask(const std::string& function, const std::vector<std::string>& args = {}) {
    std::vector<std::string> words = {"call", till_->name(), "test", function, "--timeout", "60"};
    words.insert(words.end(), args.begin(), args.end());
    const auto done = Nodectl(Plain().Named("asker@127.0.0.1"), words);
    EXPECT_EQ(done.code, 0) << done.err;
    return done.out;
  }
  std::string NextOf(const std::string& node) {
    return Ask("node_event", {fmt::format("'{}'", node)});
  }

  OtpEpmd epmd_{epmd_port_};
  std::optional<NodedProcess> till_;
};

TEST_F(NodeEventsTest, OtpNodesThatComeAndGoAreToldInOtpsWords) {
  const auto down = [](const char* type, const char* reason) {
    return fmt::format("{{nodedown,'shop@127.0.0.1',#{{node_type => {},nodedown_reason => {}}}}}\n",
                       type, reason);
  };
  OtpNodeOptions options = Otp(Plain().Named("shop@127.0.0.1"));
  options.arguments = {"-kernel", "net_ticktime", "4"};
  {
    OtpNode shop(options);
    ASSERT_TRUE(shop.WaitReady().ok()) << shop.Log();
    ASSERT_EQ(shop.Eval("net_adm:ping('till@127.0.0.1')"), "pong");
    EXPECT_EQ(NextOf(shop.name()), "{nodeup,'shop@127.0.0.1',#{node_type => visible}}\n");
    EXPECT_EQ(shop.Eval("erlang:disconnect_node('till@127.0.0.1')"), "true");
    EXPECT_EQ(NextOf(shop.name()), down("visible", "connection_closed"));

    ASSERT_EQ(shop.Eval("net_adm:ping('till@127.0.0.1')"), "pong");
    EXPECT_EQ(NextOf(shop.name()).substr(0, 7), "{nodeup");
    // Told by both ends: who ends the connection calls it so.
    EXPECT_EQ(shop.Eval("net_kernel:monitor_nodes(true, [nodedown_reason])"), "ok");
    EXPECT_EQ(shop.Eval("rpc:cast('till@127.0.0.1', erlang, disconnect_node, [node()]), "
                        "receive {nodedown, 'till@127.0.0.1', Why} -> Why end"),
              "[{nodedown_reason,connection_closed}]");
    EXPECT_EQ(NextOf(shop.name()), down("visible", "disconnect"));

    ASSERT_EQ(shop.Eval("net_adm:ping('till@127.0.0.1')"), "pong");
    EXPECT_EQ(NextOf(shop.name()).substr(0, 7), "{nodeup");
    shop.process()->Signal(SIGSTOP);
    EXPECT_EQ(NextOf(shop.name()), down("visible", "net_tick_timeout"));
    shop.Kill();
  }
  options.is_hidden = true;
  OtpNode hidden(options);
  ASSERT_TRUE(hidden.WaitReady().ok()) << hidden.Log();
  ASSERT_EQ(hidden.Eval("net_adm:ping('till@127.0.0.1')"), "pong");
  EXPECT_EQ(NextOf(hidden.name()), "{nodeup,'shop@127.0.0.1',#{node_type => hidden}}\n");
  hidden.Kill();
  EXPECT_EQ(NextOf(hidden.name()), down("hidden", "connection_closed"));
}

TEST_F(NodeEventsTest, AMonitorOfANodeConnectsAndFiresOnce) {
  EXPECT_EQ(Ask("monitor_node", {"'nobody@127.0.0.1'"}), "{nodedown,'nobody@127.0.0.1'}\n");
  OtpNode shop(Otp(Plain().Named("shop@127.0.0.1")));
  ASSERT_TRUE(shop.WaitReady().ok()) << shop.Log();
  shop.Post(
      "(fun Wait() -> case nodes() of [] -> receive after 10 -> Wait() end; _ -> halt() end "
      "end)()");
  EXPECT_EQ(Ask("monitor_node", {"'shop@127.0.0.1'"}), "{nodedown,'shop@127.0.0.1'}\n");
}

}  // namespace
}  // namespace noded::interop
