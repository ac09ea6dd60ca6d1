// -dist_allow and net_kernel:allow: whose certificate may be which node, among nodes of ours and
// OTP's, in both directions.
#include "tests/interop/refusals.h"

namespace noded::interop {
namespace {

using testlib::CertFiles;
using testlib::LogReader;
using testlib::Nodectl;
using testlib::NodedOptions;
using testlib::NodedProcess;
using testlib::OtpEpmd;
using testlib::OtpNode;

// Over both versions of TLS.
class AdmissionTest : public RefusalsTest, public testing::WithParamInterface<const char*> {
 protected:
  // For this host, with a SPIFFE id.
  CertFiles With(const std::string& name, const std::string& uri) {
    tls::CertificateRequest request = certs_.Request(name);
    request.uris = {uri};
    return certs_.Sign(request);
  }
  NodedOptions As(const CertFiles& files) {
    const std::string version = fmt::format("{{versions,['{}']}}", GetParam());
    return Tls(certs_.OptFile(files, {version}, {version}));
  }
  static NodedOptions Allowing(NodedOptions options, std::vector<std::string> rules) {
    options.arguments.push_back("-dist_allow");
    options.arguments.insert(options.arguments.end(), rules.begin(), rules.end());
    return options;
  }

  const CertFiles shop_files_ = With("shop@127.0.0.1", "spiffe://example.net/shop");
  const CertFiles till_files_ = With("till@127.0.0.1", "spiffe://example.net/till");
  OtpEpmd epmd_{epmd_port_};
};

INSTANTIATE_TEST_SUITE_P(Versions, AdmissionTest, testing::Values("tlsv1.2", "tlsv1.3"),
                         [](const auto& info) {
                           return std::string(info.param) == "tlsv1.2" ? "Tls12" : "Tls13";
                         });

TEST_P(AdmissionTest, ANameIsOnlyForItsCertificate) {
  NodedProcess shop(
      Allowing(As(shop_files_).Named("shop@127.0.0.1"), {"uri:spiffe://example.net/{name}", "*"}));
  ASSERT_TRUE(shop.WaitReady().ok()) << shop.Log();
  LogReader log(shop);
  const NodedOptions till = As(till_files_).Named("till@127.0.0.1");
  ExpectServes(shop, till);

  // The same certificate under another name, from ours and from OTP.
  ExpectRefused(As(till_files_).Named("shop2@127.0.0.1"), shop.name(),
                {"it does not allow shop2@127.0.0.1"});
  ExpectLogged(log, "not_allowed", {"shop2@127.0.0.1", "spiffe://example.net/till", "-dist_allow"});
  OtpNode impostor(Otp(As(till_files_).Named("bank@127.0.0.1")));
  ASSERT_TRUE(impostor.WaitReady().ok()) << impostor.Log();
  ExpectPang(impostor, shop.name());
  ExpectLogged(log, "not_allowed", {"bank@127.0.0.1", "CN=till@127.0.0.1"});

  OtpNode otp(Otp(till));
  ASSERT_TRUE(otp.WaitReady().ok()) << otp.Log();
  EXPECT_EQ(otp.Eval("net_adm:ping('shop@127.0.0.1')"), "pong") << otp.Log() << shop.Log();
}

TEST_P(AdmissionTest, WhomWeCallMustBeWhoHeIs) {
  OtpNode shop(Otp(As(shop_files_).Named("shop@127.0.0.1")));
  ASSERT_TRUE(shop.WaitReady().ok()) << shop.Log();
  const NodedOptions till = As(till_files_).Named("till@127.0.0.1");
  const auto pong =
      Nodectl(Allowing(till, {"uri:spiffe://*/shop", "shop@*"}), {"ping", shop.name()});
  EXPECT_EQ(pong.out, "pong\n") << pong.err;
  // Before he hears who calls.
  const NodedOptions stranger = As(till_files_).Named("stranger@127.0.0.1");
  ExpectRefused(Allowing(stranger, {"uri:spiffe://*/till", "*"}), shop.name(),
                {"cannot connect to shop@127.0.0.1", "spiffe://example.net/shop", "-dist_allow",
                 "add a rule"});
  EXPECT_EQ(shop.Eval("lists:member('stranger@127.0.0.1', nodes(known))"), "false");
}

TEST_P(AdmissionTest, TheAllowListOfNetKernelIsKept) {
  NodedProcess shop(As(shop_files_).Named("shop@127.0.0.1"));
  ASSERT_TRUE(shop.WaitReady().ok()) << shop.Log();
  OtpNode till(Otp(As(till_files_).Named("till@127.0.0.1")));
  ASSERT_TRUE(till.WaitReady().ok()) << till.Log();
  EXPECT_EQ(till.Eval("rpc:call('shop@127.0.0.1', net_kernel, allowed, [])"), "{ok,[]}");
  EXPECT_EQ(till.Eval("rpc:call('shop@127.0.0.1', net_kernel, allow, [[1]])"), "error");
  EXPECT_EQ(till.Eval("gen_server:call({net_kernel,'shop@127.0.0.1'}, "
                      "{allow, ['till@127.0.0.1']})"),
            "ok");
  EXPECT_EQ(till.Eval("gen_server:call({net_kernel,'shop@127.0.0.1'}, allowed)"),
            "{ok,['till@127.0.0.1']}");

  LogReader log(shop);
  log.Mark();
  ExpectRefused(As(till_files_).Named("bank@127.0.0.1"), shop.name(),
                {"it does not allow bank@127.0.0.1"});
  ExpectLogged(log, "not_allowed", {"bank@127.0.0.1", "net_kernel:allow/1"});
  // What there is stays, and may come again.
  EXPECT_EQ(till.Eval("nodes()"), "['shop@127.0.0.1']");
  EXPECT_EQ(till.Eval("erlang:disconnect_node('shop@127.0.0.1')"), "true");
  EXPECT_EQ(till.Eval("net_adm:ping('shop@127.0.0.1')"), "pong") << till.Log();
  // Nor do we connect to others.
  EXPECT_EQ(till.Eval("rpc:call('shop@127.0.0.1', net_adm, ping, ['bank@127.0.0.1'])"), "pang");
  const auto refused = log.WaitFor("connect_failed", {{"reason", "not_allowed"}});
  EXPECT_TRUE(refused.ok()) << refused.status();
}

}  // namespace
}  // namespace noded::interop
