// A cluster of noded alone, over each carrier: no Erlang is installed, no epmd but their own.
#include <map>
#include <thread>

#include "fmt/format.h"
#include <gtest/gtest.h>

#include "tests/interop/carrier_case.h"
#include "tests/testlib/ports.h"
#include "tests/testlib/wait.h"

namespace noded::testlib {
namespace {

// till, shop: noded. cart: a program with functions, a gen_server and a mailbox. Their PATH is
// empty, so that nobody finds an Erlang.
struct Cluster {
  explicit Cluster(const CarrierCase& a_carrier) : carrier(a_carrier), till(Flags("till")) {
    EXPECT_TRUE(till.WaitReady().ok()) << till.Log();
    shop = std::make_unique<NodedProcess>(Flags("shop"));
    cart = std::make_unique<NodedProcess>(CartFlags("cart"));
    EXPECT_TRUE(shop->WaitReady().ok()) << shop->Log();
    EXPECT_TRUE(cart->WaitReady().ok()) << cart->Log();
    ctl_flags = Flags("nodectl");
  }

  NodedOptions Flags(const std::string& name) {
    NodedOptions options = OptionsFor(carrier, certs, carrier.Node(name));
    options.epmd_port = epmd_port;
    options.environment = {"PATH=/nowhere"};
    return options;
  }
  NodedOptions CartFlags(const std::string& name) {
    NodedOptions options = Flags(name);
    options.program = "tests/testlib/test_node";
    return options;
  }
  Finished Ctl(const std::vector<std::string>& words) {
    return Nodectl(ctl_flags.Named(""), words);
  }
  // What nodectl prints of a call to a node; why not, otherwise.
  std::string Ask(const std::string& node, std::vector<std::string> words) {
    words.insert(words.begin(), {"call", carrier.Node(node)});
    const Finished done = Ctl(words);
    return done.code == 0 ? done.out : fmt::format("exit {}: {}", done.code, done.err);
  }
  std::string Quoted(const std::string& node) const {
    return fmt::format("'{}'", carrier.Node(node));
  }

  const CarrierCase carrier;
  const uint16_t epmd_port = FreePort();
  TestCerts certs;
  NodedOptions ctl_flags;
  NodedProcess till;
  std::unique_ptr<NodedProcess> shop, cart;
};

std::map<std::string, std::unique_ptr<Cluster>>& Clusters() {
  static std::map<std::string, std::unique_ptr<Cluster>> clusters;
  return clusters;
}

class NodedNodedTest : public testing::TestWithParam<CarrierCase> {
 protected:
  static void TearDownTestSuite() { Clusters().clear(); }
  void SetUp() override {
    auto& cluster = Clusters()[GetParam().name];
    if (!cluster) cluster = std::make_unique<Cluster>(GetParam());
  }
  Cluster& cluster() { return *Clusters()[GetParam().name]; }
  std::string Ask(const std::string& node, const std::vector<std::string>& words) {
    return cluster().Ask(node, words);
  }
  std::string Quoted(const std::string& node) { return cluster().Quoted(node); }
  std::string Raised(const std::string& node, const std::string& what) {
    return fmt::format("exit 1: nodectl: {}: ** exception {}", GetParam().Node(node), what);
  }
};

INSTANTIATE_TEST_SUITE_P(Carriers, NodedNodedTest, testing::ValuesIn(AllCarriers()), CarrierName);

TEST_P(NodedNodedTest, EachPingsEachAndBothSeeIt) {
  for (const std::string from : {"till", "shop", "cart"}) {
    for (const std::string to : {"till", "shop", "cart"}) {
      EXPECT_EQ(Ask(from, {"net_adm", "ping", Quoted(to)}), "pong\n") << from << " to " << to;
    }
  }
  EXPECT_NE(Ask("till", {"erlang", "nodes"}).find(Quoted("shop")), std::string::npos);
  EXPECT_NE(Ask("shop", {"erlang", "nodes"}).find(Quoted("till")), std::string::npos);
  EXPECT_EQ(Ask("till", {"net_adm", "ping", "'nobody@127.0.0.1'"}), "pang\n");
}

TEST_P(NodedNodedTest, TheLinkIsWhatTheCarrierSays) {
  EXPECT_EQ(Ask("till", {"net_adm", "ping", Quoted("shop")}), "pong\n");
  for (const std::string node : {"till", "shop"}) {
    const Finished info = cluster().Ctl({"info", GetParam().Node(node)});
    EXPECT_EQ(info.code, 0) << info.err;
    EXPECT_NE(info.out.find("carrier: " + GetParam().proto_dist), std::string::npos) << info.out;
    const bool says_tls = info.out.find("cipher_suite") != std::string::npos;
    EXPECT_EQ(says_tls, GetParam().is_tls()) << info.out;
    EXPECT_NE(info.out.find(GetParam().tls_version), std::string::npos) << info.out;
  }
}

TEST_P(NodedNodedTest, CallsFunctionsOfEachOther) {
  EXPECT_EQ(Ask("till", {"rpc", "call", Quoted("shop"), "erlang", "node", "[]"}),
            Quoted("shop") + "\n");
  EXPECT_EQ(Ask("till", {"rpc", "call", Quoted("shop"), "no", "such", "[1]"}),
            "{badrpc,{'EXIT',{undef,[{no,such,[1],[]}]}}}\n");
  EXPECT_EQ(Ask("till", {"rpc", "call", Quoted("cart"), "test", "sleep", "[60000]", "50"}),
            "{badrpc,timeout}\n");
  EXPECT_EQ(Ask("shop", {"erpc", "call", Quoted("till"), "noded", "echo", "[#{a=>[1.5,\"b\"]}]"}),
            "#{a => [1.5,\"b\"]}\n");
  EXPECT_TRUE(Ask("till", {"erpc", "call", Quoted("cart"), "test", "throw", "[tea]"})
                  .starts_with(Raised("till", "throw: tea")));
  EXPECT_TRUE(Ask("till", {"erpc", "call", Quoted("cart"), "test", "exit", "[tea]"})
                  .starts_with(Raised("till", "exit: {exception,tea}")));
  EXPECT_TRUE(Ask("till", {"erpc", "call", Quoted("cart"), "test", "error", "[tea]"})
                  .starts_with(Raised("till", "error: {exception,tea,[{test,error,")));
  EXPECT_TRUE(Ask("till", {"erpc", "call", Quoted("cart"), "test", "sleep", "[60000]", "50"})
                  .starts_with(Raised("till", "error: {erpc,timeout}")));
  EXPECT_TRUE(Ask("till", {"erpc", "call", "'nobody@127.0.0.1'", "test", "exit", "[tea]"})
                  .starts_with(Raised("till", "error: {erpc,noconnection}")));
}

TEST_P(NodedNodedTest, CallsGenServersOfEachOther) {
  const std::string server = fmt::format("{{cart,{}}}", Quoted("cart"));
  EXPECT_EQ(Ask("till", {"gen_server", "call", server, "{add,{tea,2}}"}), "ok\n");
  EXPECT_EQ(Ask("shop", {"gen_server", "call", server, "items"}), "[{tea,2}]\n");
  EXPECT_TRUE(Ask("till", {"gen_server", "call", server, "{wait,300}", "20"})
                  .starts_with(Raised("till", "exit: {timeout,{gen_server,call,")));
  const std::string nobody = fmt::format("{{nobody,{}}}", Quoted("cart"));
  EXPECT_TRUE(Ask("till", {"gen_server", "call", nobody, "size"})
                  .starts_with(Raised("till", "exit: {noproc,{gen_server,call,")));
}

TEST_P(NodedNodedTest, BigTermsArriveWhole) {
  for (const char* size : {"1048576", "20971520"}) {
    EXPECT_EQ(Ask("cart", {"test", "round_trip", Quoted("till"), size, "--timeout", "60"}),
              "true\n");
  }
}

TEST_P(NodedNodedTest, TenThousandMessagesComeInOrder) {
  NodedProcess stall(cluster().CartFlags("stall"));
  ASSERT_TRUE(stall.WaitReady().ok()) << stall.Log();
  EXPECT_EQ(Ask("cart", {"test", "in_order", Quoted("stall"), "10000", "--timeout", "60"}),
            "true\n");
}

TEST_P(NodedNodedTest, TheEndOfANodeIsSeenByItsPeers) {
  NodedProcess stand(cluster().CartFlags("stand"));
  ASSERT_TRUE(stand.WaitReady().ok()) << stand.Log();
  EXPECT_EQ(Ask("cart", {"test", "watch", "nobody", Quoted("stand")}), "noproc\n");
  EXPECT_EQ(Ask("till", {"net_adm", "ping", Quoted("stand")}), "pong\n");
  EXPECT_EQ(stand.Stop(), 0) << stand.Log();
  EXPECT_TRUE(cluster().till.WaitForLog("link_down .*peer=" + GetParam().Node("stand")))
      << cluster().till.Log();
  EXPECT_EQ(Ask("cart", {"test", "watch", "echo", Quoted("stand")}), "noconnection\n");
  EXPECT_EQ(Ask("till", {"erlang", "nodes"}).find(Quoted("stand")), std::string::npos);
}

// Two calls at once, from one nodectl each; both sides connect, and end with one link.
TEST_P(NodedNodedTest, NodesThatConnectToEachOtherAtTheSameTimeMeet) {
  for (int round = 0; round < 8; ++round) {
    std::string ours, theirs;
    {
      std::jthread one([&] { ours = Ask("till", {"net_kernel", "connect_node", Quoted("shop")}); });
      std::jthread two([&] {
        theirs = Ask("shop", {"net_kernel", "connect_node", Quoted("till")});
      });
    }
    EXPECT_EQ(ours, "true\n") << cluster().till.Log();
    EXPECT_EQ(theirs, "true\n") << cluster().shop->Log();
    EXPECT_EQ(Ask("till", {"rpc", "call", Quoted("shop"), "noded", "echo", "[both]"}), "both\n");
    EXPECT_EQ(Ask("till", {"erlang", "disconnect_node", Quoted("shop")}), "true\n");
    EXPECT_TRUE(Eventually([&] {
      return Ask("shop", {"erlang", "nodes"}).find(Quoted("till")) == std::string::npos;
    })) << cluster().shop->Log();
  }
}

}  // namespace
}  // namespace noded::testlib
