// Pre-shared keys with openssl, gnutls and OTP: both roles, each key exchange of TLS 1.2, and
// external keys of TLS 1.3 (OTP has none).
#include <span>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/status.h"
#include "tests/interop/tls_side.h"
#include "tests/testlib/otp_node.h"
#include "tests/testlib/ports.h"
#include "tests/testlib/process.h"
#include "tests/testlib/temp_dir.h"
#include "tls/ciphers.h"

namespace noded::interop {
namespace {

using base::ReasonOf;
using testlib::CertFiles;
using testlib::OtpNode;
using testlib::Process;
using testlib::TestCerts;

// "0123456789abcdef" and its hexadecimal form.
constexpr char kKey[] = "0123456789abcdef";
constexpr char kHexKey[] = "30313233343536373839616263646566";

// A way to exchange keys: our suite, and openssl's, gnutls's and OTP's words for it.
struct Exchange {
  const char* name;
  tls::Version version;
  const char* suite;
  const char* gnutls;
  const char* otp;  // null: it has none
};
constexpr Exchange kExchanges[] = {
    {"Psk", tls::Version::kTls12, "TLS_PSK_WITH_AES_256_GCM_SHA384", "PSK",
     "#{key_exchange => psk, cipher => aes_256_gcm, mac => aead, prf => sha384}"},
    {"DhePsk", tls::Version::kTls12, "TLS_DHE_PSK_WITH_AES_128_GCM_SHA256", "DHE-PSK",
     "#{key_exchange => dhe_psk, cipher => aes_128_gcm, mac => aead, prf => sha256}"},
    // OTP's client names its curves only when a suite with a certificate wants them too.
    {"EcdhePsk", tls::Version::kTls12, "TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA256", "ECDHE-PSK",
     "#{key_exchange => ecdhe_psk, cipher => aes_128_cbc, mac => sha256, prf => sha256}, "
     "#{key_exchange => ecdhe_ecdsa, cipher => aes_128_cbc, mac => sha256, prf => sha256}"},
    {"RsaPsk", tls::Version::kTls12, "TLS_RSA_PSK_WITH_AES_256_GCM_SHA384", "RSA-PSK",
     "#{key_exchange => rsa_psk, cipher => aes_256_gcm, mac => aead, prf => sha384}"},
    {"Tls13", tls::Version::kTls13, "TLS_AES_128_GCM_SHA256", "DHE-PSK", nullptr},
};

class PskInteropTest : public testing::TestWithParam<Exchange> {
 protected:
  bool is_tls13() const { return GetParam().version == tls::Version::kTls13; }
  bool needs_certificate() const { return std::string_view(GetParam().name) == "RsaPsk"; }
  std::string OpensslSuite() const { return tls::FindCipherSuite(GetParam().suite)->openssl; }

  tls::Options Ours(std::string identity = "shop") const {
    tls::Options options;
    options.versions = {.tls12 = !is_tls13(), .tls13 = is_tls13()};
    options.ciphers.suites = {GetParam().suite};
    options.psk.identity = std::move(identity);
    options.psk.lookup = [](std::string_view who) {
      return who == "shop" || who.empty() || who == "hint"
                 ? std::optional<tls::Secret>(tls::Secret(kKey))
                 : std::nullopt;
    };
    return options;
  }
  TlsSide MakeOurs(std::string identity = "shop") const {
    tls::Options server = Ours();
    server.psk.identity.clear();
    if (needs_certificate()) {
      server.identity = {.certfile = files_.cert, .keyfile = files_.key};
    }
    return TlsSide(server, Ours(std::move(identity)));
  }

  std::unique_ptr<Process> Start(std::vector<std::string> argv) {
    auto process = Process::Start({.argv = std::move(argv), .has_input = true});
    EXPECT_TRUE(process.ok()) << process.status();
    return process.ok() ? *std::move(process) : nullptr;
  }
  // The words for version, suite and key.
  std::vector<std::string> Openssl(std::vector<std::string> words,
                                   const std::string& identity) const {
    words.insert(words.begin(), "openssl");
    for (const std::string& word :
         {std::string(is_tls13() ? "-tls1_3" : "-tls1_2"),
          std::string(is_tls13() ? "-ciphersuites" : "-cipher"), OpensslSuite(),
          std::string("-psk"), std::string(kHexKey), std::string("-psk_identity"), identity}) {
      words.push_back(word);
    }
    return words;
  }
  std::string GnutlsPriority() const {
    return fmt::format(
        "--priority=NORMAL:-VERS-ALL:+VERS-TLS1.{}:-KX-ALL:+{}:+SHA256:-GROUP-ALL:"
        "+GROUP-X25519:+GROUP-SECP256R1:+GROUP-FFDHE2048",
        is_tls13() ? 3 : 2, GetParam().gnutls);
  }

  // A line there and one back, through a foreign client that prints what it gets.
  void TalkWithClient(TlsSide& ours, std::future<StreamResult> accepted, Process& client) {
    StreamResult stream = accepted.get();
    ASSERT_TRUE(stream.ok()) << stream.status() << client.Out() << client.Err();
    EXPECT_EQ((*stream)->peer().tls->cipher_suite, GetParam().suite);
    EXPECT_TRUE(client.Write("tea time\n").ok());
    auto text = ours.Read(**stream, 9);
    ASSERT_TRUE(text.ok()) << text.status();
    EXPECT_EQ(*text, "tea time\n");
    EXPECT_TRUE(ours.Write(**stream, "a good day\n").ok());
    auto line = client.WaitForOutput("a good day");
    EXPECT_TRUE(line.ok()) << line.status();
    ours.Drop(stream);
  }

  TestCerts certs_;
  CertFiles files_ = certs_.Node("b@b.example", tls::KeyType::kRsa2048);
  testlib::TempDir dir_;
};

INSTANTIATE_TEST_SUITE_P(Exchanges, PskInteropTest, testing::ValuesIn(kExchanges),
                         [](const auto& info) { return std::string(info.param.name); });

TEST_P(PskInteropTest, OpensslsClientTalksToUs) {
  TlsSide ours = MakeOurs();
  auto accepted = ours.Accept();
  auto client = Start(Openssl(
      {"s_client", "-quiet", "-connect", fmt::format("127.0.0.1:{}", ours.port())}, "shop"));
  TalkWithClient(ours, std::move(accepted), *client);
}

TEST_P(PskInteropTest, OpensslsClientHearsThatItsIdentityIsUnknown) {
  TlsSide ours = MakeOurs();
  auto accepted = ours.Accept();
  auto client = Start(Openssl(
      {"s_client", "-ign_eof", "-connect", fmt::format("127.0.0.1:{}", ours.port())}, "till"));
  const absl::Status refused = accepted.get().status();
  EXPECT_EQ(ReasonOf(refused), "unknown_psk_identity") << refused;
  auto heard = client->WaitForOutput("alert number 115");
  EXPECT_TRUE(heard.ok()) << heard.status();
}

TEST_P(PskInteropTest, OpensslsServerAnswersUsWithAndWithoutAHint) {
  for (bool has_hint : {false, true}) {
    std::vector<std::string> words = {"s_server", "-accept", "127.0.0.1:0", "-rev"};
    if (needs_certificate()) {
      words.insert(words.end(), {"-cert", files_.cert, "-key", files_.key});
    } else {
      words.push_back("-nocert");
    }
    if (has_hint) words.insert(words.end(), {"-psk_hint", "hint"});
    auto server = Start(Openssl(words, "shop"));
    auto line = server->WaitForOutput("ACCEPT 127.0.0.1:([0-9]+)");
    ASSERT_TRUE(line.ok()) << line.status();
    TlsSide ours = MakeOurs();
    StreamResult stream =
        ours.Connect(static_cast<uint16_t>(std::stoi((*line)[1])), "peer.example");
    ASSERT_TRUE(stream.ok()) << stream.status() << server->Out() << server->Err();
    EXPECT_TRUE(ours.Write(**stream, "hello\n").ok());
    auto answer = ours.Read(**stream, 6);
    ASSERT_TRUE(answer.ok()) << answer.status();
    EXPECT_EQ(*answer, "olleh\n");
    ours.Drop(stream);
  }
}

TEST_P(PskInteropTest, GnutlssClientTalksToUs) {
  TlsSide ours = MakeOurs();
  auto accepted = ours.Accept();
  auto client =
      Start({"gnutls-cli", "--no-ca-verification", GnutlsPriority(), "--pskusername=shop",
             fmt::format("--pskkey={}", kHexKey), "-p", std::to_string(ours.port()), "127.0.0.1"});
  StreamResult stream = accepted.get();
  ASSERT_TRUE(stream.ok()) << stream.status() << client->Out() << client->Err();
  EXPECT_EQ((*stream)->peer().tls->cipher_suite, GetParam().suite);
  // gnutls-cli 3.7 crashes right after a handshake of these two, with gnutls-serv as well.
  if (std::string_view(GetParam().gnutls).ends_with("HE-PSK") && !is_tls13()) {
    ours.Drop(stream);
    return;
  }
  EXPECT_TRUE(ours.Write(**stream, "a good day\n").ok());
  auto line = client->WaitForOutput("a good day");
  EXPECT_TRUE(line.ok()) << line.status();
  EXPECT_TRUE(client->Write("tea time\n").ok());
  auto text = ours.Read(**stream, 9);
  ASSERT_TRUE(text.ok()) << text.status();
  EXPECT_EQ(*text, "tea time\n");
  ours.Drop(stream);
}

TEST_P(PskInteropTest, GnutlssServerAnswersUs) {
  const uint16_t port = testlib::FreePort();
  std::vector<std::string> argv = {
      "gnutls-serv", "--echo",
      "--noticket",  GnutlsPriority(),
      "-p",          std::to_string(port),
      "--pskpasswd", dir_.Write("psk.txt", fmt::format("shop:{}\n", kHexKey))};
  if (needs_certificate()) {
    argv.insert(argv.end(), {"--x509certfile", files_.cert, "--x509keyfile", files_.key});
  }
  auto server = Start(argv);
  auto line = server->WaitForOutput("listening on IPv4");
  ASSERT_TRUE(line.ok()) << line.status();
  TlsSide ours = MakeOurs();
  StreamResult stream = ours.Connect(port, "peer.example");
  ASSERT_TRUE(stream.ok()) << stream.status() << server->Out() << server->Err();
  EXPECT_TRUE(ours.Write(**stream, "hello\n").ok());
  auto answer = ours.Read(**stream, 6);
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(*answer, "hello\n");
  ours.Drop(stream);
}

// OTP 25 has pre-shared keys of the user's in TLS 1.2 alone.
class PskOtpTest : public PskInteropTest {};

INSTANTIATE_TEST_SUITE_P(Exchanges, PskOtpTest, testing::ValuesIn(std::span(kExchanges).first(4)),
                         [](const auto& info) { return std::string(info.param.name); });

TEST_P(PskOtpTest, ConnectsToUsAndWeToIt) {
  OtpNode otp{{}};
  otp.Eval("{ok, _} = application:ensure_all_started(ssl)");
  otp.Eval("logger:set_primary_config(level, error)");
  otp.Eval(
      fmt::format("Common = [binary, {{active, false}}, {{versions, ['tlsv1.2']}}, "
                  "{{ciphers, [{}]}}, {{verify, verify_none}}, {{user_lookup_fun, "
                  "{{fun(psk, _, Key) -> {{ok, Key}} end, <<\"{}\">>}}}}]",
                  GetParam().otp, kKey));
  TlsSide ours = MakeOurs();
  auto accepted = ours.Accept();
  otp.Post(
      fmt::format("{{ok, S}} = ssl:connect({{127,0,0,1}}, {}, [{{psk_identity, \"shop\"}} | "
                  "Common], 30000)",
                  ours.port()));
  StreamResult stream = accepted.get();
  ASSERT_TRUE(stream.ok()) << stream.status() << otp.Log();
  EXPECT_EQ((*stream)->peer().tls->cipher_suite, GetParam().suite);
  EXPECT_TRUE(ours.Write(**stream, "tea").ok());
  EXPECT_EQ(otp.Eval("ssl:recv(S, 3, 30000)"), "{ok,<<\"tea\">>}");
  ours.Drop(stream);

  // OTP as the server, with a hint that our function is asked with.
  const std::string port = otp.Eval(fmt::format(
      "{{ok, L}} = ssl:listen(0, [{{ip, {{127,0,0,1}}}}, {{psk_identity, \"hint\"}}, {{certfile, "
      "\"{}\"}}, {{keyfile, \"{}\"}} | Common]), {{ok, {{_, Port}}}} = ssl:sockname(L), Port",
      files_.cert, files_.key));
  otp.Post("{ok, H} = ssl:transport_accept(L, 30000), {ok, A} = ssl:handshake(H, 30000)");
  StreamResult near = ours.Connect(static_cast<uint16_t>(std::stoi(port)), "otp.example");
  ASSERT_TRUE(near.ok()) << near.status() << otp.Log();
  EXPECT_TRUE(ours.Write(**near, "tea").ok());
  EXPECT_EQ(otp.Eval("ssl:recv(A, 3, 30000)"), "{ok,<<\"tea\">>}");
  ours.Drop(near);
}

}  // namespace
}  // namespace noded::interop
