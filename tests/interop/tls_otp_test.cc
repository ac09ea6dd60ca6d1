// Our TLS and that of OTP's `ssl`, in all four combinations of role and version: connections, and
// what each side says when one refuses the other.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/status.h"
#include "tests/interop/tls_side.h"
#include "tests/testlib/otp_node.h"

namespace noded::interop {
namespace {

using base::ReasonOf;
using testlib::CertFiles;
using testlib::OtpNode;
using testlib::TestCerts;

class TlsOtpTest : public testing::TestWithParam<tls::Version> {
 protected:
  void SetUp() override {
    otp_.Eval("{ok, _} = application:ensure_all_started(ssl)");
    // Refusals are looked at through return values; OTP's notices of them only fill the log.
    otp_.Eval("logger:set_primary_config(level, error)");
  }

  tls::Options Ours(const CertFiles& files, tls::Role role) {
    tls::Options options = MutualOptions(certs_, files, role);
    options.versions.tls12 = GetParam() == tls::Version::kTls12;
    options.versions.tls13 = GetParam() == tls::Version::kTls13;
    return options;
  }
  TlsSide MakeOurs() { return TlsSide(Ours(b_, tls::Role::kServer), Ours(a_, tls::Role::kClient)); }

  // OTP's options for either role; as client it expects our server to be b.example.
  std::string Otp(const CertFiles& files, const std::string& more) {
    return fmt::format(
        "[binary, {{active, false}}, {{certfile, \"{}\"}}, {{keyfile, \"{}\"}}, "
        "{{cacertfile, \"{}\"}}, {{verify, verify_peer}}, {{versions, ['{}']}}, {}]",
        files.cert, files.key, certs_.ca(), tls::VersionName(GetParam()), more);
  }
  // Has OTP listen, and accept one connection; the outcome of its handshake is then Handshake.
  uint16_t OtpAccepts(const CertFiles& files) {
    const std::string port = otp_.Eval(fmt::format(
        "{{ok, L}} = ssl:listen(0, {}), {{ok, {{_, Port}}}} = ssl:sockname(L), Port",
        Otp(files, "{ip, {127,0,0,1}}, {fail_if_no_peer_cert, true}, {reuseaddr, true}")));
    otp_.Post(
        "Handshake = case ssl:transport_accept(L, 30000) of "
        "{ok, H} -> ssl:handshake(H, 30000); Error -> Error end");
    return static_cast<uint16_t>(std::stoi(port));
  }
  void OtpConnects(const CertFiles& files, uint16_t port) {
    otp_.Post(fmt::format("Handshake = ssl:connect({{127,0,0,1}}, {}, {}, 30000)", port,
                          Otp(files, "{server_name_indication, \"b.example\"}")));
  }
  // The alert that OTP got: from its handshake, or with TLS 1.3 from what it reads next.
  std::string OtpAlert() {
    return otp_.Eval(
        "case Handshake of {error, {tls_alert, {A, _}}} -> A; {ok, X} -> "
        "case ssl:recv(X, 0, 30000) of {error, {tls_alert, {B, _}}} -> B; Y -> Y end; Z -> Z end");
  }
  // The same on our side.
  absl::Status OurEnd(TlsSide& ours, StreamResult& stream) {
    if (!stream.ok()) return stream.status();
    return ours.Read(**stream, 1).status();
  }

  // Bytes there and back, and a goodbye from each side in turn.
  void Talk(TlsSide& ours, StreamResult& stream) {
    ASSERT_TRUE(stream.ok()) << stream.status() << otp_.Eval("Handshake");
    ASSERT_EQ(otp_.Eval("{ok, S} = Handshake, ok"), "ok");
    EXPECT_EQ((*stream)->peer().tls->version, tls::VersionName(GetParam()));
    EXPECT_EQ((*stream)->peer().tls->peer_dns_names, std::vector<std::string>{"otp.example"});
    EXPECT_EQ(otp_.Eval("{ok, [{protocol, V}]} = ssl:connection_information(S, [protocol]), V"),
              fmt::format("'{}'", tls::VersionName(GetParam())));
    const std::string big(200'000, 'x');
    otp_.Post("Big = ssl:recv(S, 200000, 30000)");
    EXPECT_TRUE(ours.Write(**stream, big).ok());
    EXPECT_EQ(otp_.Eval("Big =:= {ok, binary:copy(<<\"x\">>, 200000)}"), "true");
    EXPECT_EQ(otp_.Eval("ssl:send(S, binary:copy(<<\"y\">>, 100000))"), "ok");
    auto answer = ours.Read(**stream, 100'000);
    ASSERT_TRUE(answer.ok()) << answer.status();
    EXPECT_EQ(*answer, std::string(100'000, 'y'));
  }

  TestCerts certs_;
  CertFiles a_ = certs_.Node("a@a.example");
  CertFiles b_ = certs_.Node("b@b.example");
  CertFiles otp_files_ = certs_.Node("otp@otp.example");
  OtpNode otp_{{}};
};

INSTANTIATE_TEST_SUITE_P(Versions, TlsOtpTest,
                         testing::Values(tls::Version::kTls12, tls::Version::kTls13),
                         [](const auto& info) {
                           return info.param == tls::Version::kTls12 ? "Tls12" : "Tls13";
                         });

TEST_P(TlsOtpTest, WeConnectTalkAndOtpSaysGoodbye) {
  TlsSide ours = MakeOurs();
  StreamResult stream = ours.Connect(OtpAccepts(otp_files_), "otp.example");
  Talk(ours, stream);
  EXPECT_EQ(otp_.Eval("ssl:close(S)"), "ok");
  auto end = ours.Read(**stream, 1);
  ASSERT_TRUE(end.ok()) << end.status();
  EXPECT_EQ(*end, "");
  ours.Drop(stream);
}

TEST_P(TlsOtpTest, OtpConnectsTalksAndWeSayGoodbye) {
  TlsSide ours = MakeOurs();
  auto accepted = ours.Accept();
  OtpConnects(otp_files_, ours.port());
  StreamResult stream = accepted.get();
  Talk(ours, stream);
  EXPECT_TRUE(ours.Close(**stream).ok());
  EXPECT_EQ(otp_.Eval("ssl:recv(S, 0, 30000)"), "{error,closed}");
  ours.Drop(stream);
}

// A client that offers both versions offers RSA-PSS too, which mbedTLS cannot take in TLS 1.2.
TEST_P(TlsOtpTest, RsaKeysServeWhenBothSidesOfferBothVersionsOrOneOnly) {
  const CertFiles a = certs_.Node("a@a.example", tls::KeyType::kRsa2048);
  const CertFiles b = certs_.Node("b@b.example", tls::KeyType::kRsa2048);
  const CertFiles otp = certs_.Node("otp@otp.example", tls::KeyType::kRsa2048);
  TlsSide ours(MutualOptions(certs_, b, tls::Role::kServer),
               MutualOptions(certs_, a, tls::Role::kClient));
  StreamResult near = ours.Connect(OtpAccepts(otp), "otp.example");
  ASSERT_TRUE(near.ok()) << near.status() << otp_.Log();
  EXPECT_EQ((*near)->peer().tls->version, tls::VersionName(GetParam()));
  EXPECT_EQ(otp_.Eval("element(1, Handshake)"), "ok");

  auto accepted = ours.Accept();
  otp_.Post(fmt::format("Back = element(1, ssl:connect({{127,0,0,1}}, {}, {}, 30000))", ours.port(),
                        Otp(otp, "{server_name_indication, \"b.example\"}")));
  StreamResult far = accepted.get();
  ASSERT_TRUE(far.ok()) << far.status() << otp_.Log();
  EXPECT_EQ(otp_.Eval("Back"), "ok");
  ours.Drop(near);
  ours.Drop(far);
}

TEST_P(TlsOtpTest, WeRefuseAnOtpServerAndItHearsWhy) {
  TlsSide ours = MakeOurs();
  StreamResult untrusted =
      ours.Connect(OtpAccepts(certs_.Untrusted("otp@otp.example")), "otp.example");
  EXPECT_EQ(ReasonOf(untrusted.status()), "unknown_ca");
  EXPECT_EQ(OtpAlert(), "unknown_ca");
}

TEST_P(TlsOtpTest, WeRefuseAnOtpServerOfAnotherHost) {
  TlsSide ours = MakeOurs();
  StreamResult other = ours.Connect(OtpAccepts(otp_files_), "elsewhere.example");
  EXPECT_EQ(ReasonOf(other.status()), "handshake_failure");
  EXPECT_EQ(OtpAlert(), "handshake_failure");
}

TEST_P(TlsOtpTest, WeRefuseAnOtpClientAndItHearsWhy) {
  TlsSide ours = MakeOurs();
  auto accepted = ours.Accept();
  OtpConnects(certs_.Expired("otp@otp.example"), ours.port());
  // In TLS 1.3 OTP's connect is over before our alert comes. When it comes before the recv, the
  // recv finds the connection gone, and OTP has only logged the alert.
  if (const std::string heard = OtpAlert();
      GetParam() != tls::Version::kTls13 || heard != "{error,closed}") {
    EXPECT_EQ(heard, "certificate_expired");
  }
  EXPECT_EQ(ReasonOf(accepted.get().status()), "certificate_expired");
}

TEST_P(TlsOtpTest, OtpsServerRefusesUsAndWeHearWhy) {
  TlsSide ours(Ours(b_, tls::Role::kServer),
               Ours(certs_.Untrusted("a@a.example"), tls::Role::kClient));
  StreamResult stream = ours.Connect(OtpAccepts(otp_files_), "otp.example");
  const absl::Status told = OurEnd(ours, stream);
  EXPECT_EQ(ReasonOf(told), "unknown_ca") << told;
  EXPECT_EQ(told.code(), absl::StatusCode::kUnauthenticated);
  EXPECT_EQ(OtpAlert(), "unknown_ca");
  ours.Drop(stream);
}

TEST_P(TlsOtpTest, OtpsClientRefusesUsAndWeHearWhy) {
  TlsSide ours(Ours(certs_.Node("c@c.example"), tls::Role::kServer), Ours(a_, tls::Role::kClient));
  auto accepted = ours.Accept();
  OtpConnects(otp_files_, ours.port());
  StreamResult stream = accepted.get();
  const absl::Status told = OurEnd(ours, stream);
  EXPECT_EQ(ReasonOf(told), "handshake_failure") << told;
  EXPECT_EQ(OtpAlert(), "handshake_failure");
  ours.Drop(stream);
}

}  // namespace
}  // namespace noded::interop
