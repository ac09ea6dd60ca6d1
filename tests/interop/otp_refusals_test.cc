// noded, nodectl and OTP nodes refuse each other: the reason is in the log of the one that refuses
// and reaches the other one, and who refused lives on.
#include "tests/interop/refusals.h"

#include "tests/testlib/wait.h"

namespace noded::interop {
namespace {

using testlib::CertFiles;
using testlib::Eventually;
using testlib::LogReader;
using testlib::Nodectl;
using testlib::NodedOptions;
using testlib::NodedProcess;
using testlib::OtpEpmd;
using testlib::OtpNode;

class OtpRefusalsTest : public RefusalsTest {
 protected:
  // What OTP reports of a refusal comes after the other side has heard of it.
  static void ExpectOtpLogs(OtpNode& otp, const std::string& words) {
    EXPECT_TRUE(Eventually([&] { return otp.Log().find(words) != std::string::npos; },
                           std::chrono::seconds(20)))
        << "'" << words << "' is not in the log of " << otp.name() << ": " << otp.Log();
  }
  static void ExpectPong(OtpNode& otp, const std::string& node) {
    EXPECT_EQ(otp.Eval(fmt::format("net_adm:ping('{}')", node)), "pong") << otp.Log();
  }

  OtpEpmd epmd_{epmd_port_};
};

class OtpTlsRefusalsTest : public OtpRefusalsTest, public testing::WithParamInterface<const char*> {
 protected:
  std::string Version() const { return fmt::format("{{versions,['{}']}}", GetParam()); }
  bool is_tls13() const { return std::string(GetParam()) == "tlsv1.3"; }
  NodedOptions With(const CertFiles& files) { return With(files, files); }
  NodedOptions With(const CertFiles& server, const CertFiles& client) {
    return Tls(
        certs_.OptFile(files_, Identity(server, {Version()}), Identity(client, {Version()})));
  }
};

INSTANTIATE_TEST_SUITE_P(Versions, OtpTlsRefusalsTest, testing::Values("tlsv1.2", "tlsv1.3"),
                         [](const auto& info) {
                           return std::string(info.param) == "tlsv1.2" ? "Tls12" : "Tls13";
                         });

TEST_P(OtpTlsRefusalsTest, OtpRefusesUs) {
  const NodedOptions good = With(files_);
  OtpNode otp(Otp(good.Named("otp@127.0.0.1")));
  ASSERT_TRUE(otp.WaitReady().ok()) << otp.Log();

  // As clients of it.
  ExpectRefused(With(certs_.Untrusted("any@127.0.0.1")), otp.name(), {"unknown_ca"});
  ExpectOtpLogs(otp, "Unknown CA");
  ExpectRefused(With(certs_.Expired("any@127.0.0.1")), otp.name(), {"certificate_expired"});
  ExpectOtpLogs(otp, "Certificate Expired");
  NodedOptions nameless = Tls("");
  nameless.ssl_dist_opt = {"client_cacertfile", certs_.ca(),
                           "client_verify",     "verify_peer",
                           "client_versions",   fmt::format("['{}']", GetParam())};
  ExpectRefused(nameless, otp.name(),
                {is_tls13() ? "certificate_required" : "handshake_failure", "certificate"});
  ExpectOtpLogs(otp, is_tls13() ? "Certificate required" : "no_client_certificate_provided");
  ExpectRefused(Plain(), otp.name(), {"TLS", "-proto_dist"});
  NodedOptions stranger = good;
  stranger.cookie = "another_cookie";
  ExpectRefused(stranger, otp.name(), {"cookie", "-setcookie"});
  ExpectOtpLogs(otp, "Invalid challenge reply");

  // noded, asked to connect, says why in its own log.
  NodedProcess till(stranger.Named("till@127.0.0.1"));
  ASSERT_TRUE(till.WaitReady().ok()) << till.Log();
  const auto pang = Nodectl(stranger, {"call", till.name(), "net_adm", "ping", "'otp@127.0.0.1'"});
  EXPECT_EQ(pang.out, "pang\n") << pang.err;
  LogReader log(till);
  auto failed = log.WaitFor("connect_failed", {{"peer", otp.name()}, {"reason", "bad_cookie"}});
  ASSERT_TRUE(failed.ok()) << failed.status();
  ExpectWords(failed->Get("cause") + failed->Get("mend"), {"cookie", "-setcookie"});
  // The other way the digests differ too, and noded is the one that finds out.
  ExpectPang(otp, till.name());
  ExpectLogged(log, "bad_cookie", {otp.name(), "-setcookie"});
  ExpectServes(till, stranger);

  // As servers.
  struct Case {
    CertFiles files;
    std::string reason;
    std::string otp_says;
  };
  const std::vector<Case> cases = {
      {certs_.Untrusted("any@127.0.0.1"), "unknown_ca", "Unknown CA"},
      {certs_.Expired("any@127.0.0.1"), "certificate_expired", "Certificate Expired"},
      {certs_.Node("any@elsewhere.example"), "handshake_failure", "hostname_check_failed"},
  };
  for (const Case& one : cases) {
    SCOPED_TRACE(one.reason);
    NodedProcess shop(With(one.files, files_).Named("shop@127.0.0.1"));
    ASSERT_TRUE(shop.WaitReady().ok()) << shop.Log();
    ExpectPang(otp, shop.name());
    LogReader shops(shop);
    ExpectLogged(shops, one.reason);
    ExpectOtpLogs(otp, one.otp_says);
    EXPECT_EQ(shop.Stop(), 0);
  }

  NodedProcess plain(Plain().Named("plain@127.0.0.1"));
  ASSERT_TRUE(plain.WaitReady().ok()) << plain.Log();
  ExpectPang(otp, plain.name());
  LogReader plains(plain);
  ExpectLogged(plains, "tls_on_plain_port", {"TLS", "-proto_dist"});
  ExpectServes(plain, Plain());

  NodedProcess shop(good.Named("shop@127.0.0.1"));
  ASSERT_TRUE(shop.WaitReady().ok()) << shop.Log();
  ExpectPong(otp, shop.name());
  const auto pong = Nodectl(good, {"ping", otp.name()});
  EXPECT_EQ(pong.out, "pong\n") << pong.err << otp.Log();
}

TEST_P(OtpTlsRefusalsTest, WeRefuseOtpsCertificates) {
  const NodedOptions good = With(files_);
  NodedProcess shop(good.Named("shop@127.0.0.1"));
  ASSERT_TRUE(shop.WaitReady().ok()) << shop.Log();
  LogReader log(shop);
  OtpNode first(Otp(With(certs_.Untrusted("any@127.0.0.1"), certs_.Expired("any@127.0.0.1"))
                        .Named("first@127.0.0.1")));
  OtpNode second(Otp(With(certs_.Node("any@elsewhere.example"), certs_.Untrusted("any@127.0.0.1"))
                         .Named("second@127.0.0.1")));

  ExpectPang(first, shop.name());
  ExpectLogged(log, "certificate_expired", {"CN=any@127.0.0.1", "expired"});
  ExpectOtpLogs(first, "Certificate Expired");
  ExpectRefused(good, first.name(), {"CN=any@127.0.0.1", "cacertfile"});
  ExpectOtpLogs(first, "Unknown CA");

  ExpectPang(second, shop.name());
  ExpectLogged(log, "unknown_ca", {"CN=any@127.0.0.1"});
  ExpectOtpLogs(second, "Unknown CA");
  ExpectRefused(good, second.name(), {"elsewhere.example", "127.0.0.1"});
  ExpectOtpLogs(second, "Handshake Failure");

  const auto pang = Nodectl(good, {"call", shop.name(), "net_adm", "ping", "'first@127.0.0.1'"});
  EXPECT_EQ(pang.out, "pang\n") << pang.err;
  auto failed = log.WaitFor("connect_failed", {{"peer", first.name()}, {"reason", "unknown_ca"}});
  EXPECT_TRUE(failed.ok()) << failed.status();
  ExpectServes(shop, good);
}

TEST_F(OtpRefusalsTest, AnOtpNodeWithoutACertificateOrWithAnotherCookieIsRefused) {
  NodedProcess shop(Good().Named("shop@127.0.0.1"));
  ASSERT_TRUE(shop.WaitReady().ok()) << shop.Log();
  LogReader log(shop);
  NodedOptions nameless = Tls("");
  nameless.ssl_dist_opt = {"server_certfile",   files_.cert, "server_keyfile", files_.key,
                           "client_cacertfile", certs_.ca(), "client_verify",  "verify_peer"};
  OtpNode first(Otp(nameless.Named("first@127.0.0.1")));
  NodedOptions stranger = Good();
  stranger.cookie = "another_cookie";
  OtpNode second(Otp(stranger.Named("second@127.0.0.1")));

  ExpectPang(first, shop.name());
  ExpectLogged(log, "handshake_failure", {"no certificate", "fail_if_no_peer_cert"});
  ExpectPang(second, shop.name());
  ExpectLogged(log, "bad_cookie", {second.name(), "cookie"});
  ExpectRefused(Good(), second.name(), {"cookie", second.name()});
  ExpectOtpLogs(second, "Invalid challenge reply");
  ExpectServes(shop);
}

TEST_F(OtpRefusalsTest, APlainOtpNodeAndATlsNodeDoNotMeet) {
  NodedProcess shop(Good().Named("shop@127.0.0.1"));
  ASSERT_TRUE(shop.WaitReady().ok()) << shop.Log();
  LogReader log(shop);
  OtpNode plain(Otp(Plain().Named("plain@127.0.0.1")));
  ExpectPang(plain, shop.name());
  ExpectLogged(log, "plain_on_tls_port", {"plain distribution", "-proto_dist"});

  // OTP takes the first bytes of TLS for a length, and waits for the rest.
  NodedOptions hasty = Good();
  hasty.arguments = {"-kernel", "net_setuptime", "2"};
  ExpectRefused(hasty, plain.name(), {"TLS", "net_setuptime"}, /*code=*/4);
  const auto pong = Nodectl(Plain(), {"ping", plain.name()});
  EXPECT_EQ(pong.out, "pong\n") << pong.err << plain.Log();
  ExpectServes(shop);
}

TEST_F(OtpRefusalsTest, OtpAndNodedRespectTheNamesOfEachOther) {
  NodedProcess shop(Good().Named("shop@127.0.0.1"));
  ASSERT_TRUE(shop.WaitReady().ok()) << shop.Log();
  OtpNode second(Otp(Good().Named("shop@127.0.0.1")));
  auto code = second.process()->WaitForExit();
  ASSERT_TRUE(code.ok()) << code.status();
  EXPECT_NE(*code, 0);
  ExpectWords(second.Log(), {"in use"});

  OtpNode till(Otp(Good().Named("till@127.0.0.1")));
  ASSERT_TRUE(till.WaitReady().ok()) << till.Log();
  NodedProcess third(Good().Named("till@127.0.0.1"));
  EXPECT_EQ(third.WaitForExit(), 1);
  ExpectWords(third.Log(), {"till@127.0.0.1", "node of that name"});
  ExpectServes(shop);
}

}  // namespace
}  // namespace noded::interop
