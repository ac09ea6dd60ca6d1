// noded and real OTP nodes in one cluster, over each carrier: what OTP asks of noded, and what
// noded asks of OTP.
#include <map>

#include "fmt/format.h"
#include <gtest/gtest.h>

#include "tests/interop/carrier_case.h"
#include "tests/testlib/otp_node.h"
#include "tests/testlib/wait.h"

namespace noded::testlib {
namespace {

// shop: OTP. till: noded. cart: a program with functions, a gen_server and a mailbox.
struct Cluster {
  explicit Cluster(const CarrierCase& a_carrier)
      : carrier(a_carrier),
        flags(Flags(carrier.Node("till"))),
        shop({.name = carrier.Node("shop"),
              .proto_dist = carrier.proto_dist,
              .ssl_dist_optfile = Flags(carrier.Node("shop")).ssl_dist_optfile,
              .epmd_port = epmd.port()}),
        till(flags),
        cart(CartFlags("cart")) {
    EXPECT_TRUE(till.WaitReady().ok()) << till.Log();
    EXPECT_TRUE(cart.WaitReady().ok()) << cart.Log();
    EXPECT_TRUE(shop.WaitReady().ok()) << shop.Log();
    shop.Eval(fmt::format("Till = '{}', Cart = '{}'", till.name(), cart.name()));
  }

  NodedOptions Flags(const std::string& name) {
    NodedOptions options = OptionsFor(carrier, certs, name);
    options.epmd_port = epmd.port();
    return options;
  }
  NodedOptions CartFlags(const std::string& name) {
    NodedOptions options = Flags(carrier.Node(name));
    options.program = "tests/testlib/test_node";
    return options;
  }
  // nodectl with the flags of a node of the cluster, but no name.
  Finished Ctl(const std::vector<std::string>& words) { return Nodectl(flags.Named(""), words); }
  // What it prints when it asks noded to do something with OTP; why not, otherwise.
  std::string AskTill(std::vector<std::string> words) {
    words.insert(words.begin(), {"call", till.name()});
    const Finished done = Ctl(words);
    return done.code == 0 ? done.out : fmt::format("exit {}: {}", done.code, done.err);
  }

  const CarrierCase carrier;
  TestCerts certs;
  OtpEpmd epmd;
  const NodedOptions flags;
  OtpNode shop;
  NodedProcess till, cart;
};

std::map<std::string, std::unique_ptr<Cluster>>& Clusters() {
  static std::map<std::string, std::unique_ptr<Cluster>> clusters;
  return clusters;
}

// One cluster a carrier, for all tests: an OTP node needs long to start.
class NodedOtpTest : public testing::TestWithParam<CarrierCase> {
 protected:
  static void TearDownTestSuite() { Clusters().clear(); }
  void SetUp() override {
    auto& cluster = Clusters()[GetParam().name];
    if (!cluster) cluster = std::make_unique<Cluster>(GetParam());
  }
  Cluster& cluster() { return *Clusters()[GetParam().name]; }
  OtpNode& shop() { return cluster().shop; }
  std::string Eval(const std::string& expressions) { return shop().Eval(expressions); }
  std::string Shop() { return fmt::format("'{}'", shop().name()); }
};

INSTANTIATE_TEST_SUITE_P(Carriers, NodedOtpTest, testing::ValuesIn(AllCarriers()), CarrierName);

TEST_P(NodedOtpTest, OtpPingsNodedAndSeesItAmongItsNodes) {
  EXPECT_EQ(Eval("[net_adm:ping(Till), net_adm:ping(Cart)]"), "[pong,pong]")
      << cluster().till.Log();
  EXPECT_EQ(Eval("[lists:member(N, nodes()) || N <- [Till, Cart]]"), "[true,true]");
  EXPECT_EQ(Eval("rpc:call(Till, erlang, nodes, []) =:= [node()]"), "true");
  EXPECT_EQ(Eval("net_kernel:connect_node(Till)"), "true");
  EXPECT_EQ(Eval("[proplists:get_value(type, I) || {N, I} <- element(2, net_kernel:nodes_info()),"
                 " N =:= Till]"),
            "[normal]");
}

TEST_P(NodedOtpTest, TheLinkIsWhatTheCarrierSays) {
  ASSERT_EQ(Eval("net_adm:ping(Till)"), "pong");
  const std::string version = Eval(
      "[maps:get(version, maps:get(tls, P, #{version => none})) ||"
      " #{node := N} = P <- maps:get(peers, rpc:call(Till, noded, info, [])), N =:= node()]");
  if (GetParam().is_tls()) {
    EXPECT_EQ(version, fmt::format("['{}']", GetParam().tls_version));
  } else {
    EXPECT_EQ(version, "[none]");
  }
}

TEST_P(NodedOtpTest, OtpCallsWithRpc) {
  EXPECT_EQ(Eval("rpc:call(Till, erlang, node, []) =:= Till"), "true");
  EXPECT_EQ(Eval("rpc:call(Till, noded, echo, [{tea, [1, 2.5], #{a => <<\"b\">>}}], 5000)"),
            "{tea,[1,2.5],#{a => <<\"b\">>}}");
  EXPECT_EQ(Eval("case rpc:call(Till, no, such, [1]) of"
                 "  {badrpc, {'EXIT', {undef, [{no, such, [1], []} | _]}}} -> as_a_beam;"
                 "  X -> X end"),
            "as_a_beam");
  EXPECT_EQ(Eval("case rpc:call(Till, erlang, nodes, [rubbish]) of"
                 "  {badrpc, {'EXIT', {badarg, [_ | _]}}} -> as_a_beam; X -> X end"),
            "as_a_beam");
  EXPECT_EQ(Eval("rpc:call(Cart, test, throw, [tea])"), "tea");
  EXPECT_EQ(Eval("rpc:call(Cart, test, exit, [tea])"), "{badrpc,{'EXIT',tea}}");
  EXPECT_EQ(Eval("rpc:call(Cart, test, sleep, [60000], 50)"), "{badrpc,timeout}");
  EXPECT_EQ(Eval("rpc:multicall([node(), Till, Cart], erlang, node, []) =:="
                 " {[node(), Till, Cart], []}"),
            "true");
  EXPECT_EQ(Eval("Key = rpc:async_call(Till, noded, echo, [late]), rpc:yield(Key)"), "late");
  EXPECT_EQ(Eval("rpc:block_call(Till, noded, echo, [blocked])"), "blocked");
}

TEST_P(NodedOtpTest, OtpCastsWithRpcAndErpc) {
  const char* kCasts =
      "Self = self(), register(customer, Self),"
      "true = rpc:cast(Cart, gen_server, call, [{cart, Cart}, {add, rpc_cast}]),"
      "ok = erpc:cast(Cart, gen_server, call, [{cart, Cart}, {add, erpc_cast}]),"
      "unregister(customer), ok";
  EXPECT_EQ(Eval(kCasts), "ok");
  EXPECT_TRUE(Eventually([&] {
    return Eval("[rpc_cast, erpc_cast] -- gen_server:call({cart, Cart}, items)") == "[]";
  }));
}

TEST_P(NodedOtpTest, OtpCallsWithErpcAndGetsExceptionsAsFromABeam) {
  EXPECT_EQ(Eval("erpc:call(Till, noded, echo, [<<1, 2, 3:7>>])"), "<<1,2,3:7>>");
  EXPECT_EQ(Eval("try erpc:call(Cart, test, throw, [tea]) catch throw:tea -> thrown end"),
            "thrown");
  EXPECT_EQ(
      Eval("try erpc:call(Cart, test, exit, [tea]) catch exit:{exception, tea} -> exited end"),
      "exited");
  EXPECT_EQ(Eval("try erpc:call(Cart, test, error, [tea])"
                 " catch error:{exception, tea, [{test, error, _, _} | _]} -> raised end"),
            "raised");
  EXPECT_EQ(Eval("try erpc:call(Till, no, such, [1])"
                 " catch error:{exception, undef, [{no, such, [1], []} | _]} -> undef end"),
            "undef");
  EXPECT_EQ(Eval("try erpc:call(Cart, test, sleep, [60000], 50)"
                 " catch error:{erpc, timeout} -> timeout end"),
            "timeout");
  EXPECT_EQ(Eval("[{ok, A}, {ok, B}, {throw, C}, {error, D}] ="
                 "   erpc:multicall([node(), Till], erlang, node, []) ++"
                 "   erpc:multicall([Cart], test, throw, [tea]) ++"
                 "   erpc:multicall([nobody@nowhere], test, throw, [tea]),"
                 "{A =:= node(), B =:= Till, C, D}"),
            "{true,true,tea,{erpc,noconnection}}");
  EXPECT_EQ(
      Eval("R = erpc:send_request(Till, noded, echo, [slow]), erpc:receive_response(R, 5000)"),
      "slow");
}

TEST_P(NodedOtpTest, OtpCallsGenServersOfNoded) {
  Eval("Kart = {cart, Cart}");
  EXPECT_EQ(Eval("gen_server:call(Kart, {add, tea})"), "ok");
  EXPECT_EQ(Eval("gen_server:cast(Kart, {add, coffee}), Kart ! {add, <<\"milk\">>}, "
                 "[tea, coffee, <<\"milk\">>] -- gen_server:call(Kart, items)"),
            "[]");
  EXPECT_EQ(Eval("gen_server:call({net_kernel, Till}, {is_auth, node()})"), "yes");
  EXPECT_EQ(Eval("try gen_server:call({nobody, Cart}, size) catch exit:{noproc, _} -> noproc end"),
            "noproc");
  EXPECT_EQ(Eval("try gen_server:call(Kart, {wait, 300}, 20) catch exit:{timeout, _} -> late end"),
            "late");
  EXPECT_EQ(Eval("{Replies, []} = gen_server:multi_call([Cart], cart, {add, sugar}),"
                 "Replies =:= [{Cart, ok}]"),
            "true");
  EXPECT_EQ(Eval("Request = gen_server:send_request(Kart, size),"
                 "{reply, N} = gen_server:receive_response(Request, 5000), N >= 4"),
            "true");
}

TEST_P(NodedOtpTest, OtpTalksToProcessesOfNoded) {
  EXPECT_EQ(Eval("Tell = fun(X) -> {echo, Cart} ! X, ok end,"
                 "Hear = fun() -> receive Heard -> Heard after 20000 -> silence end end, ok"),
            "ok");
  EXPECT_EQ(Eval("Tell({self(), {hello, self()}}), Hear() =:= {hello, self()}"), "true");
  // Terms that name processes and functions come back as they were.
  EXPECT_EQ(Eval("Odd = [make_ref(), self(), hd(erlang:ports()), fun lists:map/2,"
                 "  fun(X) -> X end, 1 bsl 100, -(1 bsl 64), 1.5e300, <<5:3>>, 'caf\xc3\xa9',"
                 "  [a | b], #{ {} => [] }, list_to_tuple(lists:seq(1, 300)), \"text\"],"
                 "Tell({self(), Odd}), Hear() =:= Odd"),
            "true");
  // Linked both ways: the process there traps exits, ours here does as well.
  EXPECT_EQ(Eval("process_flag(trap_exit, true), Tell({link, self()}), Tell({exit, self(), tea}),"
                 "case Hear() of {'EXIT', From, tea} -> node(From) =:= Cart; Other -> Other end"),
            "true");
  EXPECT_EQ(Eval("process_flag(trap_exit, false)"), "true");
}

TEST_P(NodedOtpTest, BigTermsArriveWhole) {
  EXPECT_EQ(Eval("Echoes = fun(Size) -> Bin = crypto:strong_rand_bytes(Size),"
                 "  Bin =:= erpc:call(Till, noded, echo, [Bin]) end, ok"),
            "ok");
  EXPECT_EQ(Eval("Echoes(1 bsl 20)"), "true");
  EXPECT_EQ(Eval("Echoes(20 bsl 20)"), "true");
  EXPECT_EQ(Eval("(fun(Big) -> Big =:= rpc:call(Till, noded, echo, [Big]) end)("
                 "[{I, integer_to_binary(I), [I | a]} || I <- lists:seq(1, 50000)])"),
            "true");
  EXPECT_EQ(Eval("erpc:call(Till, noded, echo, [still_there])"), "still_there");
}

TEST_P(NodedOtpTest, TenThousandMessagesComeInOrder) {
  EXPECT_EQ(Eval("[{echo, Cart} ! {self(), {nr, I}} || I <- lists:seq(1, 10000)],"
                 "Collect = fun C(10001) -> all;"
                 "              C(I) -> receive {nr, I} -> C(I + 1); {nr, J} -> {I, J}"
                 "                      after 20000 -> {lost, I} end end,"
                 "Collect(1)"),
            "all");
}

TEST_P(NodedOtpTest, OtpSeesTheEndOfANodeItMonitors) {
  NodedProcess stand(cluster().CartFlags("stand"));
  ASSERT_TRUE(stand.WaitReady().ok()) << stand.Log();
  EXPECT_EQ(Eval(fmt::format("Stand = '{}', net_adm:ping(Stand)", stand.name())), "pong");
  EXPECT_EQ(Eval("None = erlang:monitor(process, {nobody, Stand}),"
                 "receive {'DOWN', None, process, {nobody, Stand}, noproc} -> noproc"
                 " after 20000 -> none end"),
            "noproc");
  // A service that crashes tells its caller and its monitors why.
  EXPECT_EQ(Eval("Frail = erlang:monitor(process, {cart, Stand}),"
                 "try gen_server:call({cart, Stand}, {fail, tea})"
                 " catch exit:{tea, {gen_server, call, _}} -> crashed end"),
            "crashed");
  EXPECT_EQ(
      Eval("receive {'DOWN', Frail, process, {cart, Stand}, Why} -> Why after 20000 -> none end"),
      "tea");
  EXPECT_EQ(Eval("true = erlang:monitor_node(Stand, true),"
                 "Mon = erlang:monitor(process, {echo, Stand}),"
                 "receive Early -> Early after 0 -> ok end"),
            "ok");
  EXPECT_EQ(stand.Stop(), 0) << stand.Log();
  EXPECT_EQ(Eval("receive {'DOWN', Mon, process, {echo, Stand}, Reason} -> Reason"
                 " after 20000 -> none end"),
            "noconnection");
  EXPECT_EQ(Eval("receive {nodedown, Stand} -> gone after 20000 -> none end"), "gone");
  EXPECT_EQ(Eval("net_adm:ping(Stand)"), "pang");
}

TEST_P(NodedOtpTest, NodedPingsAndCallsOtp) {
  EXPECT_EQ(cluster().AskTill({"net_adm", "ping", Shop()}), "pong\n");
  EXPECT_EQ(cluster().AskTill({"rpc", "call", Shop(), "erlang", "node", "[]"}), Shop() + "\n");
  EXPECT_EQ(cluster().AskTill({"rpc", "call", Shop(), "lists", "reverse", "[[1,2,3]]"}),
            "[3,2,1]\n");
  EXPECT_TRUE(cluster()
                  .AskTill({"rpc", "call", Shop(), "no", "such", "[1]"})
                  .starts_with("{badrpc,{'EXIT',{undef,[{no,such,[1],[]}"));
  EXPECT_EQ(cluster().AskTill({"erpc", "call", Shop(), "erlang", "abs", "[-7]"}), "7\n");
  EXPECT_EQ(cluster().AskTill({"erpc", "call", Shop(), "erlang", "throw", "[tea]"}),
            fmt::format("exit 1: nodectl: {}: ** exception throw: tea\n", cluster().till.name()));
  EXPECT_TRUE(cluster()
                  .AskTill({"erpc", "call", Shop(), "timer", "sleep", "[60000]", "50"})
                  .find("** exception error: {erpc,timeout}") != std::string::npos);
  EXPECT_EQ(cluster()
                .AskTill({"gen_server", "call", fmt::format("{{kernel_sup,{}}}", Shop()),
                          "which_children"})
                .find("exit"),
            std::string::npos);
  EXPECT_TRUE(cluster()
                  .AskTill({"gen_server", "call", fmt::format("{{nobody,{}}}", Shop()), "x"})
                  .starts_with("exit 1: nodectl: " + cluster().till.name() +
                               ": ** exception exit: {noproc,{gen_server,call,"));
  EXPECT_EQ(cluster().AskTill({"net_adm", "ping", "'nobody@127.0.0.1'"}), "pang\n");
}

TEST_P(NodedOtpTest, NodedConnectsToOtpByItself) {
  // Whoever connects first, the other direction is tried as well.
  EXPECT_EQ(cluster().AskTill({"net_kernel", "connect_node", Shop()}), "true\n");
  EXPECT_EQ(cluster().AskTill({"erlang", "disconnect_node", Shop()}), "true\n");
  EXPECT_TRUE(Eventually([&] { return Eval("lists:member(Till, nodes())") == "false"; }));
  EXPECT_EQ(cluster().AskTill({"net_kernel", "connect_node", Shop()}), "true\n");
  EXPECT_EQ(Eval("[proplists:get_value(state, I) || {N, I} <- element(2, net_kernel:nodes_info()),"
                 " N =:= Till]"),
            "[up]");
  EXPECT_EQ(cluster().AskTill({"rpc", "call", Shop(), "erlang", "nodes", "[]"}).find("till") !=
                std::string::npos,
            true);
  EXPECT_EQ(Eval("erpc:call(Till, noded, echo, [both_ways])"), "both_ways");
}

}  // namespace
}  // namespace noded::testlib
