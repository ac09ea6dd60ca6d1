// Services and functions of libnode as Erlang sees them, and calls from C++, over each carrier:
// sys, gen_server, erpc and rpc of a real OTP node.
#include <map>

#include "fmt/format.h"
#include <gtest/gtest.h>

#include "tests/interop/carrier_case.h"
#include "tests/testlib/otp_node.h"
#include "tests/testlib/wait.h"

namespace noded::testlib {
namespace {

// shop: OTP. till: noded. cart: a program with a service, see tests/testlib/cart_service.h.
struct Cluster {
  explicit Cluster(const CarrierCase& a_carrier)
      : carrier(a_carrier),
        shop({.name = carrier.Node("shop"),
              .proto_dist = carrier.proto_dist,
              .ssl_dist_optfile = Flags("shop").ssl_dist_optfile,
              .epmd_port = epmd.port()}),
        till(Flags("till")),
        cart(CartFlags()) {
    EXPECT_TRUE(till.WaitReady().ok()) << till.Log();
    EXPECT_TRUE(cart.WaitReady().ok()) << cart.Log();
    EXPECT_TRUE(shop.WaitReady().ok()) << shop.Log();
    shop.Eval(fmt::format(
        "Till = '{}', Cart = '{}', Nobody = '{}', Kart = {{cart, Cart}},"
        // A service of its own for each test.
        "Serve = fun(Name) -> erpc:call(Cart, test, serve, [Name]) end,"
        "Try = fun(F) -> try F() of V -> {{value, V}} catch C:R -> {{C, R}} end end,"
        "Soon = fun Soon(F, X) -> case F() of X -> ok; _ -> timer:sleep(20), Soon(F, X) end end,"
        "Down = fun(Ref) -> receive {{'DOWN', Ref, process, _, Why}} -> Why"
        "  after 20000 -> none end end",
        till.name(), cart.name(), carrier.Node("nobody")));
  }

  NodedOptions Flags(const std::string& name) {
    NodedOptions options = OptionsFor(carrier, certs, carrier.Node(name));
    options.epmd_port = epmd.port();
    return options;
  }
  NodedOptions CartFlags() {
    NodedOptions options = Flags("cart");
    options.program = "tests/testlib/test_node";
    options.arguments = {"-kernel", "start_pg", "true"};
    return options;
  }

  const CarrierCase carrier;
  TestCerts certs;
  OtpEpmd epmd;
  OtpNode shop;
  NodedProcess till, cart;
};

std::map<std::string, std::unique_ptr<Cluster>>& Clusters() {
  static std::map<std::string, std::unique_ptr<Cluster>> clusters;
  return clusters;
}

// One cluster a carrier, for all tests: an OTP node needs long to start.
class ServicesTest : public testing::TestWithParam<CarrierCase> {
 protected:
  static void TearDownTestSuite() { Clusters().clear(); }
  void SetUp() override {
    auto& cluster = Clusters()[GetParam().name];
    if (!cluster) cluster = std::make_unique<Cluster>(GetParam());
  }
  std::string Eval(const std::string& expressions) {
    return Clusters()[GetParam().name]->shop.Eval(expressions);
  }
};

INSTANTIATE_TEST_SUITE_P(Carriers, ServicesTest, testing::ValuesIn(AllCarriers()), CarrierName);

TEST_P(ServicesTest, SysSeesAServiceAsAGenServer) {
  Eval("Looked = Serve(looked), L = {looked, Cart}, gen_server:cast(L, {add, tea})");
  EXPECT_EQ(Eval("sys:get_state(L)"), "[tea]");
  EXPECT_EQ(Eval("sys:get_state(Looked, 5000)"), "[tea]");
  EXPECT_EQ(Eval("{status, Looked, {module, gen_server}, [[], running, Looked, [], _]} ="
                 "  sys:get_status(L), ok"),
            "ok");
  // What is below is named as in a gen_server of OTP's own.
  EXPECT_EQ(Eval("Shape = fun({status, Pid, Module, [_, How, Parent, [],"
                 "    [{header, Header}, {data, Facts}, {data, State}]]}) ->"
                 "  {is_pid(Pid), Module, How, is_pid(Parent),"
                 "   lists:sublist(Header, length(\"Status for generic server\")),"
                 "   [Title || {Title, _} <- Facts], [Title || {Title, _} <- State]} end,"
                 "Shape(sys:get_status(L)) =:= Shape(sys:get_status(rex))"),
            "true");
  EXPECT_EQ(Eval("{_, _, _, [_, _, _, _, [_, {data, _}, {data, [{\"State\", Shown}]}]]} ="
                 "  sys:get_status(L), Shown"),
            "[tea]");
  EXPECT_EQ(Eval("gen_server:stop(L)"), "ok");
}

TEST_P(ServicesTest, ASuspendedServiceAnswersOnlySys) {
  Eval("S = {suspended, Cart}, Serve(suspended)");
  EXPECT_EQ(Eval("sys:suspend(S)"), "ok");
  EXPECT_EQ(Eval("gen_server:cast(S, {add, tea}), Waiting = gen_server:send_request(S, items),"
                 "S ! {add, milk}, gen_server:wait_response(Waiting, 100)"),
            "timeout");
  EXPECT_EQ(Eval("lists:nth(2, element(4, sys:get_status(S)))"), "suspended");
  EXPECT_EQ(Eval("sys:get_state(S)"), "[]");
  EXPECT_EQ(Eval("sys:resume(S)"), "ok");
  EXPECT_EQ(Eval("gen_server:receive_response(Waiting, 5000)"), "{reply,[tea]}");
  EXPECT_EQ(Eval("gen_server:call(S, items)"), "[tea,milk]");
  EXPECT_EQ(Eval("sys:suspend(S), Watch = monitor(process, S), ok = gen_server:stop(S, tea, 5000),"
                 "Down(Watch)"),
            "tea");
}

TEST_P(ServicesTest, WhatSysCannotDoWithAServiceIsSaidAtOnce) {
  EXPECT_EQ(Eval("case Try(fun() -> sys:replace_state(Kart, fun(X) -> X end) end) of"
                 "  {error, {unknown_system_msg, {replace_state, _}}} -> refused; X -> X end"),
            "refused");
  EXPECT_EQ(Eval("sys:change_code(Kart, cart, undefined, [])"),
            "{error,{unknown_system_msg,{change_code,cart,undefined,[]}}}");
  EXPECT_EQ(Eval("[sys:no_debug(Kart), sys:trace(Kart, false), sys:log(Kart, get),"
                 " sys:statistics(Kart, get), sys:trace(Kart, true)]"),
            "[ok,ok,{ok,[]},{ok,no_statistics},unknown_debug]");
}

TEST_P(ServicesTest, TheProcessesOfEveryNodeAnswerSysAndGoOn) {
  EXPECT_EQ(Eval("[element(1, sys:get_status({Name, Node}, 5000)) || Node <- [Till, Cart],"
                 " Name <- [net_kernel, rex, user]]"),
            "[status,status,status,status,status,status]");
  EXPECT_EQ(Eval("element(1, sys:get_status({pg, Cart}, 5000))"), "status");
  EXPECT_EQ(Eval("case Try(fun() -> gen_server:stop({rex, Cart}, normal, 5000) end) of"
                 "  {value, _} -> stopped; {_, _} -> refused end"),
            "refused");
  EXPECT_EQ(Eval("is_pid(erpc:call(Cart, erlang, whereis, [rex]))"), "true");
}

TEST_P(ServicesTest, OtpStopsAServiceAndSeesWhy) {
  EXPECT_EQ(Eval("Serve(ended), E = {ended, Cart}, M1 = monitor(process, E),"
                 "[gen_server:stop(E), Down(M1)]"),
            "[ok,normal]");
  EXPECT_EQ(Eval("Ended = Serve(ended), M2 = monitor(process, Ended),"
                 "[gen_server:stop(Ended, {shutdown, tea}, 5000), Down(M2)]"),
            "[ok,{shutdown,tea}]");
  EXPECT_EQ(Eval("Serve(ended), M3 = monitor(process, E), [sys:terminate(E, tea), Down(M3)]"),
            "[ok,tea]");
  EXPECT_EQ(Eval("Try(fun() -> gen_server:stop(E) end)"), "{exit,noproc}");
  EXPECT_EQ(Eval("Serve(ended), M4 = monitor(process, E),"
                 "[gen_server:call(E, {stop, enough, bye}), Down(M4)]"),
            "[bye,enough]")
      << "{stop, Reason, Reply, State}";
  EXPECT_EQ(Eval("Serve(ended), Try(fun() -> gen_server:call(E, {fail, tea}) end) =:="
                 "  {exit, {tea, {gen_server, call, [E, {fail, tea}]}}}"),
            "true");
}

TEST_P(ServicesTest, ACallIsAnsweredLaterWhileOthersPass) {
  EXPECT_EQ(Eval("R1 = gen_server:send_request(Kart, {later, 300, slow}),"
                 "R2 = gen_server:send_request(Kart, {later, 10, quick}),"
                 "is_integer(gen_server:call(Kart, size))"),
            "true");
  EXPECT_EQ(Eval("[gen_server:receive_response(R, 5000) || R <- [R2, R1]]"),
            "[{reply,quick},{reply,slow}]");
  EXPECT_EQ(Eval("gen_server:call(Kart, {later, 20, tea})"), "tea");
  // Too late for its caller: nothing is left in the mailbox.
  EXPECT_EQ(Eval("Try(fun() -> gen_server:call(Kart, {later, 200, lost}, 20) end) =:="
                 "  {exit, {timeout, {gen_server, call, [Kart, {later, 200, lost}, 20]}}}"),
            "true");
  EXPECT_EQ(Eval("gen_server:call(Kart, {later, 400, there}),"
                 "receive Stray -> Stray after 0 -> nothing end"),
            "nothing");
  // A collection of requests, each with its label.
  EXPECT_EQ(Eval("C0 = gen_server:reqids_new(),"
                 "C1 = gen_server:send_request(Kart, {later, 60, one}, first, C0),"
                 "C2 = gen_server:send_request(Kart, {later, 20, two}, second, C1),"
                 "{{reply, A}, LA, C3} = gen_server:receive_response(C2, 5000, true),"
                 "{{reply, B}, LB, C4} = gen_server:receive_response(C3, 5000, true),"
                 "{A, LA, B, LB, gen_server:reqids_size(C4)}"),
            "{two,second,one,first,0}");
}

TEST_P(ServicesTest, MultiCallHasTheAnswersAndTheNodesThatGaveNone) {
  EXPECT_EQ(Eval("Serve(many), gen_server:multi_call([Till, Cart], many, size) =:="
                 "  {[{Cart, 0}], [Till]}"),
            "true");
  EXPECT_EQ(Eval("gen_server:multi_call([Cart], many, {later, 20, tea}) =:= {[{Cart, tea}], []}"),
            "true");
  EXPECT_EQ(Eval("gen_server:multi_call([Cart], many, {later, 60000, tea}, 50) =:= {[], [Cart]}"),
            "true");
  EXPECT_EQ(Eval("gen_server:abcast([Cart], many, {add, milk}),"
                 "Soon(fun() -> sys:get_state({many, Cart}) end, [milk])"),
            "ok");
  EXPECT_EQ(Eval("gen_server:stop({many, Cart})"), "ok");
}

TEST_P(ServicesTest, AServiceHearsOfWhatItWatchesAndIsLinkedTo) {
  Eval(
      "Serve(watching), W = {watching, Cart}, Worker = fun() -> spawn(fun() ->"
      "  receive Why -> exit(Why) end end) end");
  EXPECT_EQ(Eval("P = Worker(), ok = gen_server:call(W, {watch, P}), P ! tea,"
                 "Soon(fun() -> [{Tag, Object, Why} || {Tag, _, process, Object, Why}"
                 "  <- sys:get_state(W)] end, [{'DOWN', P, tea}])"),
            "ok");
  EXPECT_EQ(Eval("Q = Worker(), ok = gen_server:call(W, {link, Q}),"
                 "{links, Links} = process_info(Q, links), [Linked] = Links, Q ! tea,"
                 "Soon(fun() -> lists:last(sys:get_state(W)) end, {'EXIT', Q, tea})"),
            "ok");
  EXPECT_EQ(Eval("exit(Linked, milk), Self = self(),"
                 "Soon(fun() -> lists:last(sys:get_state(W)) end, {'EXIT', Self, milk})"),
            "ok");
  EXPECT_EQ(Eval("M5 = monitor(process, W), exit(Linked, kill), Down(M5)"), "killed");
}

// What a call to noded gives is what the same call gives between BEAMs.
TEST_P(ServicesTest, ExceptionsAreThoseOfABeam) {
  Eval(
      "Erpc = fun(N, M, F, A) -> Try(fun() -> erpc:call(N, M, F, A, 5000) end) end,"
      "Rpc = fun(N, M, F, A) -> Try(fun() -> rpc:call(N, M, F, A, 5000) end) end,"
      "Here = node()");
  for (const char* call : {"Erpc", "Rpc"}) {
    for (const char* raised : {"tea", "{shutdown, tea}", "{badrpc, tea}", "{'EXIT', tea}", "[]"}) {
      for (const char* how : {"throw", "exit"}) {
        EXPECT_EQ(Eval(fmt::format("{0}(Cart, test, {1}, [{2}]) =:= {0}(Here, erlang, {1}, [{2}])",
                                   call, how, raised)),
                  "true")
            << call << " " << how << " " << raised;
      }
    }
    EXPECT_EQ(Eval(fmt::format("{0}(Cart, no, such, [1]) =:= {0}(Here, no, such, [1])", call)),
              "true")
        << call;
    EXPECT_EQ(Eval(fmt::format("{}(Cart, noded, echo, [{{tea, [1]}}])", call)),
              "{value,{tea,[1]}}");
  }
  // Of an error the frames are each node's own.
  EXPECT_EQ(Eval("Frame = fun({error, {exception, R, [{M, F, A, _} | _]}}) -> {R, M, F, A} end,"
                 "Frame(Erpc(Cart, test, error, [tea]))"),
            "{tea,test,error,1}");
  EXPECT_EQ(Eval("Try(fun() -> erpc:call(Cart, test, sleep, [60000], 20) end) =:="
                 "  Try(fun() -> erpc:call(Here, timer, sleep, [60000], 20) end)"),
            "true");
  EXPECT_EQ(Eval("case Rpc(Cart, test, error, [tea]) of"
                 "  {value, {badrpc, {'EXIT', {tea, [{test, error, 1, _} | _]}}}} -> as_a_beam;"
                 "  Other -> Other end"),
            "as_a_beam");
}

TEST_P(ServicesTest, MulticallsGoBothWays) {
  EXPECT_EQ(Eval("All = [node(), Cart, Till, Nobody],"
                 "erpc:multicall(All, erlang, node, []) =:="
                 "  [{ok, node()}, {ok, Cart}, {ok, Till}, {error, {erpc, noconnection}}]"),
            "true");
  EXPECT_EQ(Eval("[erpc:multicall([Cart], test, How, [tea]) || How <- [throw, exit]]"),
            "[[{throw,tea}],[{exit,{exception,tea}}]]");
  EXPECT_EQ(Eval("erpc:multicall([Cart], test, sleep, [60000], 50)"), "[{error,{erpc,timeout}}]");
  EXPECT_EQ(Eval("rpc:multicall(All, erlang, node, []) =:= {[node(), Cart, Till], [Nobody]}"),
            "true");
  // The same, asked of noded: its own calls from C++ to OTP, itself and others.
  EXPECT_EQ(Eval("Known = [node(), Till, Cart, Nobody],"
                 "erpc:call(Till, erpc, multicall, [Known, erlang, node, []]) =:="
                 "  erpc:multicall(Known, erlang, node, [])"),
            "true");
  EXPECT_EQ(Eval("erpc:call(Till, rpc, multicall, [Known, erlang, node, []]) =:="
                 "  rpc:multicall(Known, erlang, node, [])"),
            "true");
  for (const char* mfa : {"erlang, throw, [tea]", "erlang, exit, [tea]", "no, such, [1]"}) {
    EXPECT_EQ(Eval(fmt::format("erpc:call(Till, erpc, multicall, [[node()], {0}]) =:="
                               "  erpc:multicall([node()], {0}, 5000)",
                               mfa)),
              "true")
        << mfa;
  }
  EXPECT_EQ(Eval("erpc:call(Till, erpc, multicall, [[node()], timer, sleep, [60000], 50])"),
            "[{error,{erpc,timeout}}]");
  EXPECT_EQ(Eval("Try(fun() -> erpc:call(Till, erpc, multicall, [rubbish, m, f, []]) end) =:="
                 "  {error, {exception, {erpc, badarg}, [{erpc, multicall, 4, []}]}}"),
            "true");
}

TEST_P(ServicesTest, ACallFromCxxThatIsCancelledIsNotWatchedAnyMore) {
  // What erpc runs here for somebody else, and who watches it.
  Eval(
      "Watched = fun() -> [By || P <- processes(),"
      "  process_info(P, initial_call) =:= {initial_call, {erpc, execute_call, 4}},"
      "  {monitored_by, By} <- [process_info(P, monitored_by)], By =/= []] end");
  EXPECT_EQ(Eval("erpc:call(Cart, test, begin_call, [node(), timer, sleep, [60000]])"), "ok");
  EXPECT_EQ(Eval("Soon(fun() -> length(Watched()) end, 1)"), "ok");
  EXPECT_EQ(Eval("erpc:call(Cart, test, cancel_call, [])"), "cancelled");
  EXPECT_EQ(Eval("Soon(Watched, [])"), "ok");
}

TEST_P(ServicesTest, NodedCallsAndCastsToGenServersOfOtp) {
  Eval("register(customer, self())");
  EXPECT_EQ(Eval("erpc:call(Till, gen_server, cast, [{customer, node()}, tea]),"
                 "receive {'$gen_cast', Heard} -> Heard after 20000 -> none end"),
            "tea");
  EXPECT_EQ(Eval("erpc:call(Till, gen_server, call, [{rex, node()},"
                 "  {call, erlang, node, [], group_leader()}]) =:= node()"),
            "true");
  EXPECT_EQ(Eval("unregister(customer)"), "true");
}

}  // namespace
}  // namespace noded::testlib
