// OTP's global with noded as a member: names, conflicts, locks, and parts that do not overlap.
#include <string>

#include "fmt/format.h"
#include <gtest/gtest.h>

#include "tests/interop/carrier_case.h"
#include "tests/testlib/otp_node.h"
#include "tests/testlib/wait.h"

namespace noded::testlib {
namespace {

class GlobalTest : public testing::TestWithParam<CarrierCase> {
 protected:
  // An OTP node that knows Till, and some words for it.
  std::unique_ptr<OtpNode> Otp(const std::string& short_name) {
    const std::string name = GetParam().Node(short_name);
    auto node = std::make_unique<OtpNode>(
        OtpNodeOptions{.name = name,
                       .proto_dist = GetParam().proto_dist,
                       .ssl_dist_optfile = OptionsFor(GetParam(), certs_, name).ssl_dist_optfile,
                       .epmd_port = epmd_.port()});
    node->Eval(fmt::format(
        "Till = '{}',"
        "There = fun(F, A) -> erpc:call(Till, global, F, A) end,"
        "Soon = fun Soon(F, X) -> case F() of X -> ok; _ -> timer:sleep(20), Soon(F, X) end end,"
        "Nodes = fun(N) -> lists:sort([N | erpc:call(N, erlang, nodes, [])]) end,"
        "Worker = fun() -> spawn(fun() -> receive stop -> ok end end) end",
        GetParam().Node("till")));
    return node;
  }

  std::unique_ptr<NodedProcess> Noded(const std::string& short_name) {
    NodedOptions flags = OptionsFor(GetParam(), certs_, GetParam().Node(short_name));
    flags.epmd_port = epmd_.port();
    flags.program = "tests/testlib/test_node";
    auto node = std::make_unique<NodedProcess>(flags);
    EXPECT_TRUE(node->WaitReady().ok()) << node->Log();
    return node;
  }

  TestCerts certs_;
  OtpEpmd epmd_;
};

INSTANTIATE_TEST_SUITE_P(Carriers, GlobalTest, testing::ValuesIn(AllCarriers()), CarrierName);

TEST_P(GlobalTest, EachSideFindsTheOthersProcesses) {
  auto till = Noded("till");
  auto shop = Otp("shop");
  // Both have a name before they meet.
  shop->Eval("A = Worker(), yes = global:register_name(desk, A)");
  ASSERT_EQ(shop->Eval("net_adm:ping(Till)"), "pong") << till->Log();
  EXPECT_EQ(shop->Eval("global:sync()"), "ok") << "it waits for noded";
  shop->Eval("Cart = erpc:call(Till, erlang, whereis, [cart])");
  EXPECT_EQ(shop->Eval("There(whereis_name, [desk]) =:= A"), "true") << till->Log();
  EXPECT_EQ(shop->Eval("There(register_name, [{cart, \"of\", #{till => 1}}, Cart])"), "yes");
  EXPECT_EQ(shop->Eval("global:whereis_name({cart, \"of\", #{till => 1}}) =:= Cart"), "true")
      << "known everywhere when it is done";
  EXPECT_EQ(shop->Eval("gen_server:call({global, {cart, \"of\", #{till => 1}}}, size)"), "0");
  EXPECT_EQ(shop->Eval("lists:sort(There(registered_names, [])) =:= "
                       "lists:sort(global:registered_names())"),
            "true");
  EXPECT_EQ(shop->Eval("There(register_name, [desk, Cart])"), "no");
  EXPECT_EQ(shop->Eval("global:register_name({cart, \"of\", #{till => 1}}, A)"), "no");

  // Erlang's own register a process of ours, and the reverse.
  shop->Eval("Echo = erpc:call(Till, erlang, whereis, [echo]), B = Worker()");
  EXPECT_EQ(shop->Eval("global:register_name(echo, Echo)"), "yes");
  EXPECT_EQ(shop->Eval("global:send(echo, {self(), hello}), receive hello -> ok end"), "ok");
  EXPECT_EQ(shop->Eval("There(register_name, [b, B])"), "yes");
  EXPECT_EQ(shop->Eval("There(send, [b, stop]) =:= B"), "true");

  // Who ends has no name.
  EXPECT_EQ(shop->Eval("Soon(fun() -> There(whereis_name, [b]) end, undefined)"), "ok");
  shop->Eval("catch gen_server:call(Cart, {fail, enough})");
  EXPECT_EQ(shop->Eval("Soon(fun() -> global:whereis_name({cart, \"of\", #{till => 1}}) end, "
                       "undefined)"),
            "ok");
  EXPECT_EQ(shop->Eval("There(unregister_name, [echo])"), "ok");
  EXPECT_EQ(shop->Eval("global:registered_names()"), "[desk]");
  EXPECT_EQ(shop->Eval("global:re_register_name(desk, Echo)"), "yes");
  EXPECT_EQ(shop->Eval("There(whereis_name, [desk]) =:= Echo"), "true");
  EXPECT_EQ(till->Stop(), 0);
  EXPECT_EQ(shop->Eval("Soon(fun() -> global:registered_names() end, [])"), "ok");
}

// till > shop and till < vault: each side resolves once.
TEST_P(GlobalTest, ConflictsAreResolvedOnEitherSide) {
  for (const std::string other : {"shop", "vault"}) {
    SCOPED_TRACE(other);
    auto till = Noded("till");
    auto otp = Otp(other);
    // Erlang's process cannot be asked to name ours before they meet: ours is named by a visitor
    // that no mesh is made with.
    NodedOptions flags = OptionsFor(GetParam(), certs_, GetParam().Node("visitor"));
    flags.epmd_port = epmd_.port();
    for (const std::string name : {"one", "both", "told"}) {
      const Finished named = Nodectl(flags, {"call", till->name(), "test", "name_a_process", name});
      EXPECT_EQ(named.out, "yes\n") << named.err;
    }
    otp->Eval(
        "One = Worker(), yes = global:register_name(one, One),"
        "Me = self(), Teller = fun() -> spawn(fun() -> receive M -> Me ! M end end) end,"
        "Both = Teller(),"
        "yes = global:register_name(both, Both, fun global:notify_all_name/3),"
        "Told = Teller(),"
        "yes = global:register_name(told, Told, fun global:random_notify_name/3)");
    ASSERT_EQ(otp->Eval("net_adm:ping(Till)"), "pong") << till->Log();
    EXPECT_EQ(otp->Eval("global:sync()"), "ok");
    const bool is_otp_less = other < "till";
    // The process on the greater node has lost its name, and its life.
    EXPECT_EQ(otp->Eval("Kept = global:whereis_name(one), node(Kept)"),
              fmt::format("'{}'", is_otp_less ? otp->name() : till->name()))
        << till->Log();
    EXPECT_EQ(otp->Eval("There(whereis_name, [one]) =:= Kept"), "true");
    EXPECT_EQ(otp->Eval(fmt::format("Soon(fun() -> is_process_alive(One) end, {})", is_otp_less)),
              "ok");
    // Whose method counts: that of the part which resolves, the lesser node's. Ours is to kill.
    if (is_otp_less) {
      EXPECT_EQ(otp->Eval("receive {global_name_conflict, both, P} -> node(P) =:= Till end"),
                "true");
      EXPECT_EQ(otp->Eval("global:whereis_name(both)"), "undefined");
      EXPECT_EQ(otp->Eval("There(whereis_name, [both])"), "undefined");
      EXPECT_EQ(otp->Eval("global:whereis_name(told) =:= Told"), "true");
    } else {
      EXPECT_EQ(otp->Eval("node(global:whereis_name(both)) =:= Till"), "true");
      EXPECT_EQ(otp->Eval("node(global:whereis_name(told)) =:= Till"), "true");
      EXPECT_EQ(otp->Eval("Soon(fun() -> is_process_alive(Told) end, false)"), "ok");
    }
    otp->Stop();
    EXPECT_EQ(till->Stop(), 0);
  }
}

TEST_P(GlobalTest, LocksExcludeEachOther) {
  auto till = Noded("till");
  auto shop = Otp("shop");
  ASSERT_EQ(shop->Eval("net_adm:ping(Till)"), "pong") << till->Log();
  shop->Eval(
      "Nodes2 = [node(), Till], ThereLock = fun(Wait, Hold) -> "
      "erpc:call(Till, test, lock, [ledger, Wait, Hold]) end");
  EXPECT_EQ(shop->Eval("global:set_lock({ledger, self()}, Nodes2)"), "true");
  EXPECT_EQ(shop->Eval("ThereLock(0, 0)"), "false") << "ours does not get it";
  EXPECT_EQ(shop->Eval("global:del_lock({ledger, self()}, Nodes2)"), "true");
  EXPECT_EQ(shop->Eval("ThereLock(60000, 0)"), "true");
  // Ours holds it for a while.
  shop->Eval(
      "spawn(fun() -> Me2 = ThereLock(60000, 600), held = Me2 end), Held = fun() -> "
      "R = global:set_lock({ledger, self()}, Nodes2, 0), "
      "R andalso global:del_lock({ledger, self()}, Nodes2), R end");
  EXPECT_EQ(shop->Eval("Soon(Held, false), Soon(Held, true)"), "ok") << till->Log();
  // A lock goes with its holder.
  shop->Eval("spawn(fun() -> true = global:set_lock({ledger, self()}, Nodes2) end)");
  EXPECT_EQ(shop->Eval("ThereLock(60000, 0)"), "true");
}

TEST_P(GlobalTest, AMeshIsMade) {
  auto till = Noded("till"), desk = Noded("desk");
  auto shop = Otp("shop"), stock = Otp("stock");
  shop->Eval("yes = global:register_name(shop, self())");
  stock->Eval("yes = global:register_name(stock, self())");
  ASSERT_EQ(shop->Eval("net_adm:ping(Till)"), "pong") << till->Log();
  ASSERT_EQ(stock->Eval("net_adm:ping(Till)"), "pong") << till->Log();
  ASSERT_EQ(shop->Eval(fmt::format("Desk = '{}', net_adm:ping(Desk)", desk->name())), "pong");
  shop->Eval(
      fmt::format("Stock = '{}', All = lists:sort([node(), Till, Desk, Stock])", stock->name()));
  for (const char* node : {"node()", "Till", "Desk", "Stock"}) {
    EXPECT_EQ(shop->Eval(fmt::format("Soon(fun() -> Nodes({}) end, All)", node)), "ok")
        << node << till->Log() << desk->Log();
    EXPECT_EQ(shop->Eval(fmt::format("Soon(fun() -> lists:sort(erpc:call({}, global, "
                                     "registered_names, [])) end, [shop, stock])",
                                     node)),
              "ok")
        << node;
  }
}

TEST_P(GlobalTest, PartsDoNotOverlap) {
  auto till = Noded("till");
  auto shop = Otp("shop"), stock = Otp("stock");
  ASSERT_EQ(shop->Eval("net_adm:ping(Till)"), "pong") << till->Log();
  ASSERT_EQ(stock->Eval("net_adm:ping(Till)"), "pong") << till->Log();
  shop->Eval(fmt::format("Stock = '{}', All = lists:sort([node(), Till, Stock])", stock->name()));
  for (const char* node : {"node()", "Till", "Stock"}) {
    ASSERT_EQ(shop->Eval(fmt::format("Soon(fun() -> Nodes({}) end, All)", node)), "ok") << node;
  }
  ASSERT_EQ(shop->Eval("global:sync()"), "ok");
  ASSERT_EQ(stock->Eval("global:sync()"), "ok");
  // shop and stock lose each other: noded leaves whoever of them is reported first, and the other
  // one too when that hears of it in time.
  shop->Eval("erlang:disconnect_node(Stock)");
  EXPECT_TRUE(till->WaitForLog("global_left_node")) << till->Log();
  EXPECT_TRUE(Eventually([&] {
    return shop->Eval("nodes()") == "[]" || stock->Eval("nodes()") == "[]";
  })) << till->Log();
  // noded loses one of them: the other one keeps one at most.
  ASSERT_EQ(shop->Eval("net_adm:ping(Till)"), "pong") << till->Log();
  ASSERT_EQ(shop->Eval("net_adm:ping(Stock)"), "pong");
  for (const char* node : {"node()", "Till", "Stock"}) {
    ASSERT_EQ(shop->Eval(fmt::format("Soon(fun() -> Nodes({}) end, All)", node)), "ok") << node;
  }
  ASSERT_EQ(shop->Eval("global:sync()"), "ok");
  ASSERT_EQ(stock->Eval("global:sync()"), "ok");
  shop->Eval("erpc:cast(Till, erlang, disconnect_node, [Stock])");
  EXPECT_EQ(shop->Eval("Soon(fun() -> length(nodes()) < 2 end, true)"), "ok") << till->Log();
}

}  // namespace
}  // namespace noded::testlib
