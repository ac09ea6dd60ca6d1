// Process groups of OTP's pg and of libnode, each seen from the other side.
#include <string>

#include "fmt/format.h"
#include <gtest/gtest.h>

#include "tests/interop/carrier_case.h"
#include "tests/testlib/otp_node.h"

namespace noded::testlib {
namespace {

class PgTest : public testing::TestWithParam<CarrierCase> {
 protected:
  // An OTP node that knows Till, the members that it sees (Here) and those that Till sees (There).
  std::unique_ptr<OtpNode> Shop(const std::string& short_name, bool is_hidden = false) {
    const std::string name = GetParam().Node(short_name);
    auto shop = std::make_unique<OtpNode>(
        OtpNodeOptions{.name = name,
                       .proto_dist = GetParam().proto_dist,
                       .ssl_dist_optfile = OptionsFor(GetParam(), certs_, name).ssl_dist_optfile,
                       .epmd_port = epmd_.port(),
                       .is_hidden = is_hidden});
    shop->Eval("{ok, _} = pg:start(pg)");
    shop->Eval(fmt::format(
        "Till = '{}',"
        "Here = fun(Group) -> lists:sort(pg:get_members(Group)) end,"
        "There = fun(Group) -> lists:sort(erpc:call(Till, pg, get_members, [Group])) end,"
        "Soon = fun Soon(F, X) -> case F() of X -> ok; _ -> timer:sleep(20), Soon(F, X) end end,"
        "Worker = fun() -> spawn(fun() -> receive stop -> ok end end) end",
        till_->name()));
    return shop;
  }
  void SetUp() override {
    NodedOptions flags = OptionsFor(GetParam(), certs_, GetParam().Node("till"));
    flags.epmd_port = epmd_.port();
    flags.program = "tests/testlib/test_node";
    flags.arguments = {"-kernel", "start_pg", "true"};
    till_ = std::make_unique<NodedProcess>(flags);
    ASSERT_TRUE(till_->WaitReady().ok()) << till_->Log();
  }

  TestCerts certs_;
  OtpEpmd epmd_;
  std::unique_ptr<NodedProcess> till_;
};

INSTANTIATE_TEST_SUITE_P(Carriers, PgTest, testing::ValuesIn(AllCarriers()), CarrierName);

TEST_P(PgTest, EachSideFindsTheOthersMembers) {
  auto shop = Shop("shop");
  // Ours joins before the nodes meet, theirs too.
  shop->Eval("A = Worker(), ok = pg:join(carts, A)");
  ASSERT_EQ(shop->Eval("net_adm:ping(Till)"), "pong") << till_->Log();
  EXPECT_EQ(shop->Eval("Soon(fun() -> There(carts) end, [A])"), "ok") << till_->Log();
  shop->Eval("Cart = erpc:call(Till, erlang, whereis, [cart])");
  EXPECT_EQ(shop->Eval("erpc:call(Till, pg, join, [carts, Cart])"), "ok");
  EXPECT_EQ(shop->Eval("Soon(fun() -> Here(carts) end, lists:sort([A, Cart]))"), "ok");
  EXPECT_EQ(shop->Eval("gen_server:call(hd(Here(carts) -- [A]), size)"), "0");
  EXPECT_EQ(shop->Eval("erpc:call(Till, pg, which_groups, [])"), "[carts]");
  EXPECT_EQ(shop->Eval("erpc:call(Till, pg, get_local_members, [carts]) =:= [Cart]"), "true");

  // Several at once, several times; any term is a name.
  shop->Eval("B = Worker(), ok = pg:join({#{a => 1}, \"b\"}, [A, B, B])");
  EXPECT_EQ(shop->Eval("Soon(fun() -> There({#{a => 1}, \"b\"}) end, lists:sort([A, B, B]))"),
            "ok");
  shop->Eval("ok = pg:leave({#{a => 1}, \"b\"}, B)");
  EXPECT_EQ(shop->Eval("Soon(fun() -> There({#{a => 1}, \"b\"}) end, lists:sort([A, B]))"), "ok");
  EXPECT_EQ(shop->Eval("erpc:call(Till, pg, join, [lots, [Cart, Cart]])"), "ok");
  EXPECT_EQ(shop->Eval("Soon(fun() -> Here(lots) end, [Cart, Cart])"), "ok");
  EXPECT_EQ(shop->Eval("erpc:call(Till, pg, leave, [lots, Cart])"), "ok");
  EXPECT_EQ(shop->Eval("Soon(fun() -> Here(lots) end, [Cart])"), "ok");
  EXPECT_EQ(shop->Eval("erpc:call(Till, pg, leave, [nothing, Cart])"), "not_joined");
  EXPECT_EQ(shop->Eval("catch erpc:call(Till, pg, join, [carts, A]), ok"), "ok");
  EXPECT_EQ(shop->Eval("Here(carts) =:= lists:sort([A, Cart])"), "true") << "no member twice";

  // Who ends leaves.
  shop->Eval("A ! stop");
  EXPECT_EQ(shop->Eval("Soon(fun() -> There(carts) end, [Cart])"), "ok");
  shop->Eval("catch gen_server:call(Cart, {fail, enough})");
  EXPECT_EQ(shop->Eval("Soon(fun() -> Here(carts) end, [])"), "ok");
  EXPECT_EQ(shop->Eval("Here(lots)"), "[]");
}

TEST_P(PgTest, MembershipGoesWithTheConnectionAndTheScope) {
  auto shop = Shop("shop");
  ASSERT_EQ(shop->Eval("net_adm:ping(Till)"), "pong") << till_->Log();
  shop->Eval("Cart = erpc:call(Till, erlang, whereis, [cart]), A = Worker()");
  shop->Eval("erpc:call(Till, pg, join, [carts, Cart]), pg:join(carts, A)");
  EXPECT_EQ(shop->Eval("Soon(fun() -> There(carts) end, lists:sort([A, Cart]))"), "ok");
  EXPECT_EQ(shop->Eval("Soon(fun() -> Here(carts) end, lists:sort([A, Cart]))"), "ok");
  shop->Eval("erlang:disconnect_node(Till)");
  EXPECT_EQ(shop->Eval("Soon(fun() -> Here(carts) end, [A])"), "ok");
  EXPECT_EQ(shop->Eval("Soon(fun() -> There(carts) end, lists:sort([A, Cart]))"), "ok")
      << "they met again";
  EXPECT_EQ(shop->Eval("Soon(fun() -> Here(carts) end, lists:sort([A, Cart]))"), "ok");
  // OTP's scope ends and begins anew, with nobody in it; ours is found by the new one.
  shop->Eval("gen_server:stop(pg)");
  EXPECT_EQ(shop->Eval("Soon(fun() -> There(carts) end, [Cart])"), "ok");
  shop->Eval("{ok, _} = pg:start(pg)");
  EXPECT_EQ(shop->Eval("Soon(fun() -> Here(carts) end, [Cart])"), "ok");
  EXPECT_EQ(till_->Stop(), 0);
  EXPECT_EQ(shop->Eval("Soon(fun() -> Here(carts) end, [])"), "ok");
}

TEST_P(PgTest, AHiddenNodeSharesNoGroups) {
  auto visible = Shop("visible"), hidden = Shop("hidden", /*is_hidden=*/true);
  hidden->Eval("ok = pg:join(carts, self())");
  ASSERT_EQ(hidden->Eval("net_adm:ping(Till)"), "pong") << till_->Log();
  // The visible one comes later: what was to come has come by then.
  visible->Eval("A = Worker(), ok = pg:join(carts, A)");
  ASSERT_EQ(visible->Eval("net_adm:ping(Till)"), "pong") << till_->Log();
  EXPECT_EQ(visible->Eval("Soon(fun() -> There(carts) end, [A])"), "ok");
}

}  // namespace
}  // namespace noded::testlib
