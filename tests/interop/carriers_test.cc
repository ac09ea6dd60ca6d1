// A plain and a TLS carrier at once: nodes of OTP's that have moved to TLS and nodes that have not
// meet in one noded, and a cluster moves from one to the other while it works.
#include <optional>

#include "tests/interop/refusals.h"
#include "tests/testlib/wait.h"

namespace noded::interop {
namespace {

using testlib::LogReader;
using testlib::Nodectl;
using testlib::NodedOptions;
using testlib::NodedProcess;
using testlib::OtpEpmd;
using testlib::OtpNode;

class CarriersTest : public RefusalsTest {
 protected:
  // A noded with both, TLS first; everybody may be plain unless `plain_peers` are given.
  NodedOptions Both(const std::vector<std::string>& plain_peers = {"*"}) const {
    NodedOptions options = Good();
    options.proto_dist.clear();
    options.arguments = {"-proto_dist", "inet_tls", "inet_tcp"};
    if (!plain_peers.empty()) {
      options.arguments.push_back("-dist_plain_peers");
      options.arguments.insert(options.arguments.end(), plain_peers.begin(), plain_peers.end());
    }
    // BEAMs of the two kinds cannot meet, so it must not make them one mesh.
    options.arguments.insert(options.arguments.end(), {"-connect_all", "false"});
    return options;
  }
  NodedOptions PlainFirst() const {
    NodedOptions options = Both();
    options.arguments[1] = "inet_tcp";
    options.arguments[2] = "inet_tls";
    return options;
  }
  // The node has a link to `peer` of this direction over this carrier.
  static void ExpectLink(LogReader& log, const std::string& peer, const std::string& direction,
                         const std::string& carrier) {
    const auto up = log.WaitFor("link_up", {{"peer", peer}, {"direction", direction}});
    ASSERT_TRUE(up.ok()) << up.status();
    EXPECT_EQ(up->Get("carrier"), carrier);
    EXPECT_EQ(up->Get("tls").empty(), carrier == "inet_tcp");
  }
  // Has the node connect to `peer`: pong or pang.
  std::string Ping(const NodedProcess& node, const std::string& peer) const {
    const auto done = Nodectl(Good(), {"call", node.name(), "net_adm", "ping",
                                       fmt::format("'{}'", peer), "--timeout", "30"});
    EXPECT_EQ(done.code, 0) << done.err;
    return done.out.substr(0, done.out.find('\n'));
  }

  // `nodectl nodes` says this, once earlier clients are gone from the list.
  void ExpectNodes(const NodedProcess& node, const std::string& expected) const {
    std::string told;
    EXPECT_TRUE(testlib::Eventually([&] {
      told = Nodectl(Good(), {"nodes", node.name()}).out;
      return told == expected;
    })) << told;
  }

  OtpEpmd epmd_{epmd_port_};
};

TEST_F(CarriersTest, PlainAndTlsNodesOfOtpsMeetInOneNoded) {
  NodedProcess till(Both().Named("till@127.0.0.1"));
  ASSERT_TRUE(till.WaitReady().ok()) << till.Log();
  OtpNode old(Otp(Plain().Named("old@127.0.0.1"))), fresh(Otp(Good().Named("new@127.0.0.1")));
  ASSERT_TRUE(old.WaitReady().ok()) << old.Log();
  ASSERT_TRUE(fresh.WaitReady().ok()) << fresh.Log();
  LogReader log(till);
  EXPECT_TRUE(log.All("configuration").empty()) << till.Log();

  // They come to it.
  EXPECT_EQ(old.Eval("net_adm:ping('till@127.0.0.1')"), "pong") << till.Log();
  EXPECT_EQ(fresh.Eval("net_adm:ping('till@127.0.0.1')"), "pong") << till.Log();
  ExpectLink(log, old.name(), "in", "inet_tcp");
  ExpectLink(log, fresh.name(), "in", "inet_tls");
  ExpectNodes(till, "new@127.0.0.1 inet_tls\nold@127.0.0.1 inet_tcp\n");
  const std::string info =
      "lists:sort([{N, C} || #{node := N, carrier := C} <- maps:get(peers, "
      "rpc:call('till@127.0.0.1', noded, info, [])), lists:member(N, ['old@127.0.0.1', "
      "'new@127.0.0.1'])])";
  EXPECT_EQ(old.Eval(info), "[{'new@127.0.0.1',inet_tls},{'old@127.0.0.1',inet_tcp}]");
  EXPECT_EQ(old.Eval("[maps:get(K, rpc:call('till@127.0.0.1', noded, info, [])) || "
                     "K <- [carrier, carriers, secure]]"),
            "[inet_tls,[inet_tls,inet_tcp],false]");

  // It comes to them: TLS first, which a plain node of OTP's meets with silence.
  for (OtpNode* otp : {&old, &fresh}) {
    EXPECT_EQ(otp->Eval("erlang:disconnect_node('till@127.0.0.1')"), "true");
    ASSERT_TRUE(log.WaitFor("link_down", {{"peer", otp->name()}}).ok());
  }
  log.Mark();
  EXPECT_EQ(Ping(till, old.name()), "pong") << till.Log();
  EXPECT_EQ(Ping(till, fresh.name()), "pong") << till.Log();
  ExpectLink(log, old.name(), "out", "inet_tcp");
  ExpectLink(log, fresh.name(), "out", "inet_tls");
  const auto changed = log.WaitFor("carrier_changed", {{"peer", old.name()}});
  ASSERT_TRUE(changed.ok()) << changed.status();
  EXPECT_EQ(changed->Get("reason"), "not_tls");
  EXPECT_EQ(changed->Get("to"), "inet_tcp");
  EXPECT_EQ(old.Eval("rpc:call('till@127.0.0.1', erlang, node, [])"), "'till@127.0.0.1'");

  // nodectl of either kind.
  ExpectServes(till, Plain());
  ExpectServes(till, Good());
  ExpectServes(till, Both());
}

TEST_F(CarriersTest, OnlyThoseThatAreNamedMayBePlain) {
  NodedOptions options = Both({"old*@*", "nodectl*"});
  // For whom it may not call without TLS it waits to the end.
  options.arguments.insert(options.arguments.end(), {"-kernel", "net_setuptime", "2"});
  NodedProcess till(options.Named("till@127.0.0.1"));
  ASSERT_TRUE(till.WaitReady().ok()) << till.Log();
  OtpNode old(Otp(Plain().Named("old1@127.0.0.1"))), other(Otp(Plain().Named("shop@127.0.0.1")));
  ASSERT_TRUE(old.WaitReady().ok()) << old.Log();
  ASSERT_TRUE(other.WaitReady().ok()) << other.Log();
  LogReader log(till);
  EXPECT_EQ(old.Eval("net_adm:ping('till@127.0.0.1')"), "pong") << till.Log();
  ExpectPang(other, till.name());
  ExpectLogged(log, "not_allowed", {"shop@127.0.0.1", "without TLS", "-dist_plain_peers"});
  EXPECT_EQ(Ping(till, other.name()), "pang") << till.Log();
  const auto failed = log.WaitFor("connect_failed", {{"peer", other.name()}});
  ASSERT_TRUE(failed.ok()) << failed.status();
  EXPECT_EQ(failed->Get("reason"), "timeout");
  EXPECT_TRUE(log.All("carrier_changed").empty()) << till.Log();
  ExpectServes(till, Plain());

  // The same node with TLS.
  other.Stop();
  OtpNode moved(Otp(Good().Named("shop@127.0.0.1")));
  ASSERT_TRUE(moved.WaitReady().ok()) << moved.Log();
  EXPECT_EQ(moved.Eval("net_adm:ping('till@127.0.0.1')"), "pong") << till.Log();
}

TEST_F(CarriersTest, WithoutAListEveryoneMayBePlainAndAWarningSaysSo) {
  NodedProcess till(Both({}).Named("till@127.0.0.1"));
  ASSERT_TRUE(till.WaitReady().ok()) << till.Log();
  LogReader log(till);
  const auto told = log.WaitFor("configuration");
  ASSERT_TRUE(told.ok()) << told.status();
  EXPECT_NE(told->Get("cause").find("without TLS"), std::string::npos);
  EXPECT_NE(told->Get("mend").find("-dist_plain_peers"), std::string::npos);
  ExpectServes(till, Plain());
}

// What fails in TLS is not tried without.
TEST_F(CarriersTest, ARefusedCertificateIsTheEndOfAnAttempt) {
  const NodedOptions untrusted = Tls(certs_.OptFile(certs_.Untrusted("any@127.0.0.1")));
  NodedProcess till(Both().Named("till@127.0.0.1")), stranger(untrusted.Named("new@127.0.0.1"));
  OtpNode otp(Otp(untrusted.Named("otp@127.0.0.1")));
  ASSERT_TRUE(till.WaitReady().ok()) << till.Log();
  ASSERT_TRUE(stranger.WaitReady().ok()) << stranger.Log();
  ASSERT_TRUE(otp.WaitReady().ok()) << otp.Log();
  LogReader log(till);
  const auto expect_failed = [&](const std::string& peer) {
    EXPECT_EQ(Ping(till, peer), "pang");
    const auto failed = log.WaitFor("connect_failed", {{"peer", peer}});
    ASSERT_TRUE(failed.ok()) << failed.status();
    EXPECT_EQ(failed->Get("reason"), "unknown_ca");
  };
  expect_failed(stranger.name());
  EXPECT_TRUE(log.All("carrier_changed").empty()) << till.Log();
  // A BEAM may be too slow at its first handshake; it is tried with TLS again then.
  expect_failed(otp.name());
  ExpectPang(otp, till.name());
  ExpectLogged(log, "unknown_ca");
}

TEST_F(CarriersTest, PlainMayBePreferredAndTlsIsFoundAllTheSame) {
  NodedProcess plain(Plain().Named("plain@127.0.0.1")), secure(Good().Named("secure@127.0.0.1"));
  NodedProcess till(PlainFirst().Named("till@127.0.0.1"));
  OtpNode fresh(Otp(Good().Named("new@127.0.0.1")));
  for (NodedProcess* node : {&plain, &secure, &till}) {
    ASSERT_TRUE(node->WaitReady().ok()) << node->Log();
  }
  ASSERT_TRUE(fresh.WaitReady().ok()) << fresh.Log();
  LogReader log(till);
  for (const std::string& peer : {plain.name(), secure.name(), fresh.name()}) {
    EXPECT_EQ(Ping(till, peer), "pong") << peer << till.Log();
    ExpectLink(log, peer, "out", peer == plain.name() ? "inet_tcp" : "inet_tls");
  }
  EXPECT_EQ(log.All("carrier_changed").size(), 2u);
  // A noded without TLS says at once that it has none.
  NodedProcess both(Both().Named("both@127.0.0.1"));
  ASSERT_TRUE(both.WaitReady().ok()) << both.Log();
  EXPECT_EQ(Ping(both, plain.name()), "pong") << both.Log();
  LogReader boths(both);
  const auto changed = boths.WaitFor("carrier_changed", {{"reason", "not_tls"}});
  ASSERT_TRUE(changed.ok()) << changed.status();
  EXPECT_NE(changed->Get("cause").find("closed"), std::string::npos);
}

// Calls from `otp`, one after the other, until StopCalls().
void StartCalls(OtpNode& otp) {
  EXPECT_EQ(otp.Eval("Caller = spawn(fun() -> (fun Loop(Good, Bad) -> receive {stop, To} -> "
                     "To ! {calls, Good > 0, Bad} after 5 -> "
                     "case catch erpc:call('till@127.0.0.1', noded, echo, [Good], 5000) of "
                     "Good -> Loop(Good + 1, Bad); Other -> Loop(Good, [Other | Bad]) end end end)"
                     "(0, []) end), ok"),
            "ok");
}
std::string StopCalls(OtpNode& otp) {
  return otp.Eval("Caller ! {stop, self()}, receive {calls, Some, Bad} -> {Some, Bad} end");
}

TEST_F(CarriersTest, AClusterMovesFromPlainToTlsWithoutAnOutage) {
  NodedProcess till(Both({"a@*", "b@*"}).Named("till@127.0.0.1"));
  ASSERT_TRUE(till.WaitReady().ok()) << till.Log();
  LogReader log(till);
  std::optional<OtpNode> a(std::in_place, Otp(Plain().Named("a@127.0.0.1")));
  std::optional<OtpNode> b(std::in_place, Otp(Plain().Named("b@127.0.0.1")));
  for (OtpNode* otp : {&*a, &*b}) {
    ASSERT_TRUE(otp->WaitReady().ok()) << otp->Log();
    EXPECT_EQ(otp->Eval("net_adm:ping('till@127.0.0.1')"), "pong") << till.Log();
    ExpectLink(log, otp->name(), "in", "inet_tcp");
  }
  // One moves while the other one works.
  StartCalls(*b);
  a->Stop();
  a.emplace(Otp(Good().Named("a@127.0.0.1")));
  ASSERT_TRUE(a->WaitReady().ok()) << a->Log();
  log.Mark();
  EXPECT_EQ(a->Eval("net_adm:ping('till@127.0.0.1')"), "pong") << till.Log();
  ExpectLink(log, a->name(), "in", "inet_tls");
  EXPECT_EQ(StopCalls(*b), "{true,[]}") << till.Log();
  ExpectNodes(till, "a@127.0.0.1 inet_tls\nb@127.0.0.1 inet_tcp\n");
  // And then the other one.
  StartCalls(*a);
  b->Stop();
  b.emplace(Otp(Good().Named("b@127.0.0.1")));
  ASSERT_TRUE(b->WaitReady().ok()) << b->Log();
  EXPECT_EQ(Ping(till, b->name()), "pong") << till.Log();
  EXPECT_EQ(StopCalls(*a), "{true,[]}") << till.Log();
  ExpectNodes(till, "a@127.0.0.1 inet_tls\nb@127.0.0.1 inet_tls\n");
  for (const auto& down : log.All("link_down")) EXPECT_NE(down.Get("peer"), a->name());
}

TEST_F(CarriersTest, InIpv6ItIsTheSame) {
  const auto v6 = [&](NodedOptions options, std::vector<std::string> carriers) {
    options.proto_dist.clear();
    options.ssl_dist_optfile = certs_.OptFile(certs_.Node("any@::1"));
    options.arguments = {"-proto_dist"};
    options.arguments.insert(options.arguments.end(), carriers.begin(), carriers.end());
    return options;
  };
  NodedProcess till(v6(Good(), {"inet6_tls", "inet6_tcp"}).Named("till@::1"));
  ASSERT_TRUE(till.WaitReady().ok()) << till.Log();
  LogReader log(till);
  for (const char* carrier : {"inet6_tcp", "inet6_tls"}) {
    ExpectServes(till, v6(Good(), {carrier}));
    EXPECT_TRUE(log.WaitFor("link_up", {{"carrier", carrier}}).ok()) << till.Log();
  }
}

}  // namespace
}  // namespace noded::interop
