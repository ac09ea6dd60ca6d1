// Revoked certificates with openssl and OTP: we refuse theirs and they hear why; they refuse ours.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/status.h"
#include "tests/interop/tls_side.h"
#include "tests/testlib/mint.h"
#include "tests/testlib/otp_node.h"
#include "tests/testlib/process.h"
#include "tests/testlib/temp_dir.h"
#include "tls/internal_crl_cache.h"

namespace noded::interop {
namespace {

using base::ReasonOf;
using testlib::Mint;
using testlib::Minted;
using testlib::OtpNode;
using testlib::Process;
using tls::Role;
using tls::Version;

class CrlInteropTest : public testing::TestWithParam<Version> {
 protected:
  CrlInteropTest() {
    for (const auto& [minted, name] :
         {std::pair(&root_, "ca"), std::pair(&good_, "good"), std::pair(&revoked_, "revoked")}) {
      dir_.Write(std::string(name) + ".pem", minted->pem());
      dir_.Write(std::string(name) + ".key", minted->key_pem());
    }
    const base::Slice list = MintCrl(root_, {.revoked = {{&revoked_, "keyCompromise"}}});
    dir_.Write("crl.pem", testlib::CrlPem(list));
    // openssl reads lists beside the anchors of one file.
    dir_.Write("ca_and_crl.pem", root_.pem() + testlib::CrlPem(list));
    EXPECT_TRUE(cache_->InsertFile(dir_.File("crl.pem")).ok());
  }

  tls::Options Ours(const std::string& name, Role role) {
    tls::Options options;
    options.identity = {.certfile = dir_.File(name + ".pem"), .keyfile = dir_.File(name + ".key")};
    options.trust.cacertfile = dir_.File("ca.pem");
    options.trust.verify = tls::Verify::kPeer;
    options.trust.fail_if_no_peer_cert = role == Role::kServer;
    options.trust.name_check = tls::NameCheck::kDisabled;
    options.revocation = {.check = tls::CrlCheck::kTrue, .cache = cache_};
    options.versions = {.tls12 = GetParam() == Version::kTls12,
                        .tls13 = GetParam() == Version::kTls13};
    return options;
  }
  TlsSide MakeOurs(const std::string& name) {
    return TlsSide(Ours(name, Role::kServer), Ours(name, Role::kClient));
  }
  std::unique_ptr<Process> Openssl(std::vector<std::string> argv, const std::string& name,
                                   bool looks_at_lists) {
    argv.insert(argv.begin(), "openssl");
    for (const std::string& word :
         {std::string("-cert"), dir_.File(name + ".pem"), std::string("-key"),
          dir_.File(name + ".key"), std::string("-CAfile"),
          dir_.File(looks_at_lists ? "ca_and_crl.pem" : "ca.pem"),
          std::string("-verify_return_error"),
          std::string(GetParam() == Version::kTls12 ? "-tls1_2" : "-tls1_3")}) {
      argv.push_back(word);
    }
    if (looks_at_lists) argv.push_back("-crl_check");
    auto process = Process::Start({.argv = argv, .has_input = true});
    EXPECT_TRUE(process.ok()) << process.status();
    return process.ok() ? *std::move(process) : nullptr;
  }
  std::unique_ptr<Process> OpensslServer(const std::string& name, bool looks_at_lists) {
    auto server = Openssl({"s_server", "-accept", "127.0.0.1:0", "-rev", "-Verify", "5"}, name,
                          looks_at_lists);
    auto line = server->WaitForOutput("ACCEPT 127.0.0.1:([0-9]+)");
    EXPECT_TRUE(line.ok()) << line.status();
    port_ = line.ok() ? static_cast<uint16_t>(std::stoi((*line)[1])) : 0;
    return server;
  }
  // The end of a connection at our side: with TLS 1.3 a client hears of its refusal after the
  // handshake.
  absl::Status OurEnd(TlsSide& ours, StreamResult& stream) {
    if (!stream.ok()) return stream.status();
    return ours.Read(**stream, 1).status();
  }
  void StartOtp(OtpNode& otp, const std::string& name, bool looks_at_lists) {
    otp.Eval("{ok, _} = application:ensure_all_started(ssl)");
    otp.Eval("logger:set_primary_config(level, error)");
    EXPECT_EQ(otp.Eval(fmt::format("ssl_crl_cache:insert({{file, \"{}\"}})", dir_.File("crl.pem"))),
              "ok");
    otp.Eval(fmt::format(
        "Own = [binary, {{active, false}}, {{certfile, \"{}\"}}, {{keyfile, \"{}\"}}, "
        "{{cacertfile, \"{}\"}}, {{verify, verify_peer}}, {{versions, ['{}']}}, {{crl_check, {}}}, "
        "{{crl_cache, {{ssl_crl_cache, {{internal, []}}}}}}]",
        dir_.File(name + ".pem"), dir_.File(name + ".key"), dir_.File("ca.pem"),
        tls::VersionName(GetParam()), looks_at_lists));
  }
  uint16_t OtpAccepts(OtpNode& otp) {
    const std::string port = otp.Eval(
        "{ok, L} = ssl:listen(0, [{ip, {127,0,0,1}}, {fail_if_no_peer_cert, true} | Own]), "
        "{ok, {_, Port}} = ssl:sockname(L), Port");
    otp.Post(
        "Handshake = case ssl:transport_accept(L, 30000) of "
        "{ok, H} -> ssl:handshake(H, 30000); Error -> Error end");
    return static_cast<uint16_t>(std::stoi(port));
  }
  void OtpConnects(OtpNode& otp, uint16_t port) {
    otp.Post(
        fmt::format("Handshake = ssl:connect({{127,0,0,1}}, {}, [{{server_name_indication, "
                    "disable}} | Own], 30000)",
                    port));
  }
  std::string OtpAlert(OtpNode& otp) {
    return otp.Eval(
        "case Handshake of {error, {tls_alert, {A, _}}} -> A; {ok, X} -> "
        "case ssl:recv(X, 0, 30000) of {error, {tls_alert, {B, _}}} -> B; Y -> Y end; Z -> Z end");
  }

  testlib::TempDir dir_;
  // OTP's client looks for the purpose, and its check of lists for the key identifiers.
  Minted root_ = Mint({.name = "Root", .extensions = testlib::kAuthority});
  Minted good_ = Mint({.name = "good", .extensions = "authorityKeyIdentifier=keyid\n"}, &root_);
  Minted revoked_ =
      Mint({.name = "revoked", .extensions = "authorityKeyIdentifier=keyid\n"}, &root_);
  std::shared_ptr<tls::InternalCrlCache> cache_ = std::make_shared<tls::InternalCrlCache>();
  uint16_t port_ = 0;
};

INSTANTIATE_TEST_SUITE_P(Versions, CrlInteropTest,
                         testing::Values(Version::kTls12, Version::kTls13), [](const auto& info) {
                           return info.param == Version::kTls12 ? "Tls12" : "Tls13";
                         });

TEST_P(CrlInteropTest, WeRefuseARevokedServerOfOpensslsAndItHearsWhy) {
  TlsSide ours = MakeOurs("good");
  auto server = OpensslServer("revoked", false);
  StreamResult stream = ours.Connect(port_, "peer.example");
  EXPECT_EQ(ReasonOf(OurEnd(ours, stream)), "certificate_revoked") << stream.status();
  auto heard = server->WaitForOutput("alert certificate revoked");
  EXPECT_TRUE(heard.ok()) << heard.status();
}

TEST_P(CrlInteropTest, WeRefuseARevokedClientOfOpensslsAndItHearsWhy) {
  TlsSide ours = MakeOurs("good");
  auto accepted = ours.Accept();
  auto client =
      Openssl({"s_client", "-connect", fmt::format("127.0.0.1:{}", ours.port())}, "revoked", false);
  StreamResult stream = accepted.get();
  EXPECT_EQ(ReasonOf(stream.status()), "certificate_revoked") << stream.status();
  auto heard = client->WaitForOutput("alert certificate revoked");
  EXPECT_TRUE(heard.ok()) << heard.status();
}

TEST_P(CrlInteropTest, OpensslRefusesUsWhenWeAreRevokedAndTakesUsWhenNot) {
  for (const char* name : {"good", "revoked"}) {
    const bool is_good = std::string(name) == "good";
    TlsSide ours = MakeOurs(name);
    auto server = OpensslServer("good", true);
    StreamResult stream = ours.Connect(port_, "peer.example");
    if (!is_good) {
      EXPECT_EQ(ReasonOf(OurEnd(ours, stream)), "certificate_revoked") << stream.status();
      continue;
    }
    ASSERT_TRUE(stream.ok()) << stream.status() << server->Err();
    EXPECT_TRUE(ours.Write(**stream, "hello\n").ok());
    auto answer = ours.Read(**stream, 6);
    ASSERT_TRUE(answer.ok()) << answer.status();
    EXPECT_EQ(*answer, "olleh\n");
    ours.Drop(stream);
  }
}

TEST_P(CrlInteropTest, WeRefuseOtpWhenItIsRevokedAndItHearsWhy) {
  OtpNode otp{{}};
  StartOtp(otp, "revoked", false);
  TlsSide ours = MakeOurs("good");
  StreamResult stream = ours.Connect(OtpAccepts(otp), "peer.example");
  EXPECT_EQ(ReasonOf(OurEnd(ours, stream)), "certificate_revoked") << stream.status();
  EXPECT_EQ(OtpAlert(otp), "certificate_revoked");
  auto accepted = ours.Accept();
  OtpConnects(otp, ours.port());
  EXPECT_EQ(ReasonOf(accepted.get().status()), "certificate_revoked");
  EXPECT_EQ(OtpAlert(otp), "certificate_revoked");
}

TEST_P(CrlInteropTest, OtpRefusesUsWhenWeAreRevokedAndTakesUsWhenNot) {
  for (const char* name : {"good", "revoked"}) {
    const bool is_good = std::string(name) == "good";
    TlsSide ours = MakeOurs(name);
    OtpNode otp{{}};
    StartOtp(otp, "good", true);
    StreamResult stream = ours.Connect(OtpAccepts(otp), "peer.example");
    if (!is_good) {
      EXPECT_EQ(ReasonOf(OurEnd(ours, stream)), "certificate_revoked") << stream.status();
      continue;
    }
    ASSERT_TRUE(stream.ok()) << stream.status() << otp.Log();
    EXPECT_TRUE(ours.Write(**stream, "tea").ok());
    EXPECT_EQ(otp.Eval("{ok, S} = Handshake, ssl:recv(S, 3, 30000)"), "{ok,<<\"tea\">>}");
    ours.Drop(stream);
  }
}

}  // namespace
}  // namespace noded::interop
