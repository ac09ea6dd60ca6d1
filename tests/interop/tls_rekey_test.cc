// New keys in the middle of a connection, TLS 1.3 KeyUpdate and TLS 1.2 renegotiation, with OTP's
// `ssl` and with openssl, started by either side.
#include <mutex>
#include <tuple>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/status.h"
#include "tests/interop/tls_side.h"
#include "tests/testlib/otp_node.h"
#include "tests/testlib/process.h"
#include "tests/testlib/wait.h"

namespace noded::interop {
namespace {

using testlib::CertFiles;
using testlib::OtpNode;
using testlib::Process;
using testlib::TestCerts;

constexpr size_t kBytes = 600'000;

// Counts new keys by the lines of the key log.
class KeyCount {
 public:
  void Watch(tls::Options& options) {
    options.traffic.keylog = [this](std::string_view line) {
      std::lock_guard lock(mutex_);
      ours_ += line.starts_with("CLIENT_TRAFFIC") || line.starts_with("CLIENT_RANDOM") ? 1 : 0;
      servers_ += line.starts_with("SERVER_TRAFFIC") ? 1 : 0;
    };
  }
  // Those of the client, or of TLS 1.2's handshakes.
  int clients() {
    std::lock_guard lock(mutex_);
    return ours_;
  }
  int servers() {
    std::lock_guard lock(mutex_);
    return servers_;
  }

 private:
  std::mutex mutex_;
  int ours_ = 0, servers_ = 0;
};

// Our end, in one version.
struct OurSide {
  explicit OurSide(tls::Version only) : version(only) {}
  bool is_13() const { return version == tls::Version::kTls13; }

  tls::Options Ours(const CertFiles& files, tls::Role role) {
    tls::Options options = MutualOptions(certs_, files, role);
    options.versions.tls12 = !is_13();
    options.versions.tls13 = is_13();
    keys_.Watch(options);
    return options;
  }

  const tls::Version version;
  KeyCount keys_;
  TestCerts certs_;
  CertFiles a_ = certs_.Node("a@a.example");
  CertFiles b_ = certs_.Node("b@b.example");
  CertFiles peer_ = certs_.Node("peer@peer.example");
};

// --- OTP ---

// The role is ours.
class OtpRekeyTest : public testing::TestWithParam<std::tuple<tls::Version, tls::Role>>,
                     public OurSide {
 protected:
  OtpRekeyTest() : OurSide(std::get<0>(GetParam())), role_(std::get<1>(GetParam())) {}

  void SetUp() override {
    otp_.Eval("{ok, _} = application:ensure_all_started(ssl)");
    otp_.Eval("logger:set_primary_config(level, error)");
  }

  std::string Otp(const std::string& more) {
    return fmt::format(
        "[binary, {{active, false}}, {{certfile, \"{}\"}}, {{keyfile, \"{}\"}}, "
        "{{cacertfile, \"{}\"}}, {{verify, verify_peer}}, {{versions, ['{}']}}, {}]",
        peer_.cert, peer_.key, certs_.ca(), tls::VersionName(version), more);
  }
  uint16_t OtpAccepts(const std::string& more) {
    const std::string port = otp_.Eval(fmt::format(
        "{{ok, L}} = ssl:listen(0, {}), {{ok, {{_, Port}}}} = ssl:sockname(L), Port",
        Otp("{ip, {127,0,0,1}}, {fail_if_no_peer_cert, true}, {reuseaddr, true}, " + more)));
    otp_.Post(
        "Handshake = case ssl:transport_accept(L, 30000) of "
        "{ok, H} -> ssl:handshake(H, 30000); Error -> Error end");
    return static_cast<uint16_t>(std::stoi(port));
  }
  StreamResult Meet(TlsSide& ours, const std::string& more) {
    StreamResult stream = absl::UnknownError("");
    if (role_ == tls::Role::kClient) {
      stream = ours.Connect(OtpAccepts(more), "peer.example");
    } else {
      auto accepted = ours.Accept();
      otp_.Post(fmt::format("Handshake = ssl:connect({{127,0,0,1}}, {}, {}, 30000)", ours.port(),
                            Otp("{server_name_indication, \"b.example\"}, " + more)));
      stream = accepted.get();
    }
    EXPECT_TRUE(stream.ok()) << stream.status() << otp_.Log();
    EXPECT_EQ(otp_.Eval("{ok, S} = Handshake, ok"), "ok");
    return stream;
  }
  // OTP sends kBytes in many records, and takes `count` bytes meanwhile; then it says "end".
  void OtpTalks(size_t count) {
    otp_.Eval(fmt::format(
        "Self = self(), Some = binary:copy(<<\"y\">>, 1000), "
        "spawn(fun() -> Self ! {{sent, [ssl:send(S, Some) || _ <- lists:seq(1, {})]}} end), ok",
        kBytes / 1000));
    otp_.Post(
        fmt::format("Got = case {0} of 0 -> {{ok, <<>>}}; _ -> ssl:recv(S, {0}, 60000) end, "
                    "receive {{sent, _}} -> ssl:send(S, <<\"end\">>) end",
                    count));
  }
  // Reads on until OTP has all of ours: a renegotiation needs a reader.
  void ReadAll(TlsSide& ours, base::Stream& stream, size_t count) {
    auto answer = ours.Read(stream, kBytes + 3);
    ASSERT_TRUE(answer.ok()) << answer.status() << otp_.Log();
    EXPECT_TRUE(*answer == std::string(kBytes, 'y') + "end") << answer->size();
    EXPECT_EQ(otp_.Eval(fmt::format("Got =:= {{ok, binary:copy(<<\"x\">>, {})}}", count)), "true");
  }
  // kBytes each way at once.
  void TalkAtOnce(TlsSide& ours, base::Stream& stream) {
    OtpTalks(kBytes);
    auto written = ours.WriteMeanwhile(stream, std::string(kBytes, 'x'));
    ReadAll(ours, stream, kBytes);
    const absl::Status status = written.get();
    EXPECT_TRUE(status.ok()) << status;
  }
  // Few bytes there and back, the reader first.
  void TalkBriefly(TlsSide& ours, base::Stream& stream) {
    otp_.Post("ok = ssl:send(S, <<\"ping\">>), ssl:recv(S, 4, 30000)");
    auto ping = ours.Read(stream, 4);
    ASSERT_TRUE(ping.ok()) << ping.status() << otp_.Log();
    EXPECT_EQ(*ping, "ping");
    EXPECT_TRUE(ours.Write(stream, "pong").ok());
  }

  // How many each side has had, the first included; in TLS 1.2 they have them together.
  int OurKeys() {
    return is_13() && role_ == tls::Role::kServer ? keys_.servers() : keys_.clients();
  }
  int OtpsKeys() {
    return is_13() && role_ == tls::Role::kClient ? keys_.servers() : keys_.clients();
  }

  const tls::Role role_;
  OtpNode otp_{{}};
};

INSTANTIATE_TEST_SUITE_P(
    VersionsAndRoles, OtpRekeyTest,
    testing::Combine(testing::Values(tls::Version::kTls12, tls::Version::kTls13),
                     testing::Values(tls::Role::kClient, tls::Role::kServer)),
    [](const auto& info) {
      return std::string(std::get<0>(info.param) == tls::Version::kTls12 ? "Tls12" : "Tls13") +
             (std::get<1>(info.param) == tls::Role::kClient ? "WeConnect" : "OtpConnects");
    });

TEST_P(OtpRekeyTest, OtpChangesKeysByItselfWhileBothSidesSend) {
  TlsSide ours(Ours(b_, tls::Role::kServer), Ours(a_, tls::Role::kClient));
  StreamResult stream = Meet(ours, is_13() ? "{key_update_at, 50000}" : "{renegotiate_at, 100}");
  ASSERT_TRUE(stream.ok());
  if (!is_13()) {
    // In TLS 1.2 OTP 25 ends a connection when data of the peer is under way while it renegotiates
    // by itself, in either role and between two of its own nodes too: it sends alone.
    OtpTalks(0);
    ReadAll(ours, **stream, 0);
  } else {
    TalkAtOnce(ours, **stream);
  }
  EXPECT_GE(OtpsKeys(), 2);
  ours.Drop(stream);
}

TEST_P(OtpRekeyTest, WeChangeKeysByOurselvesWhileBothSidesSend) {
  tls::Options server = Ours(b_, tls::Role::kServer), client = Ours(a_, tls::Role::kClient);
  for (tls::Options* options : {&server, &client}) {
    options->traffic.key_update_at = 50'000;
    options->traffic.renegotiate_at = 10;
  }
  TlsSide ours(server, client);
  StreamResult stream = Meet(ours, "{nodelay, true}");
  ASSERT_TRUE(stream.ok());
  TalkAtOnce(ours, **stream);
  EXPECT_GE(OurKeys(), 2);
  ours.Drop(stream);
}

TEST_P(OtpRekeyTest, OtpIsToldToChangeKeysAndWeGoAlong) {
  TlsSide ours(Ours(b_, tls::Role::kServer), Ours(a_, tls::Role::kClient));
  StreamResult stream = Meet(ours, "{nodelay, true}");
  ASSERT_TRUE(stream.ok());
  TalkBriefly(ours, **stream);
  const int clients = keys_.clients(), servers = keys_.servers();
  if (is_13()) {
    for (const char* which : {"write", "read_write"}) {
      EXPECT_EQ(otp_.Eval(fmt::format("ssl:update_keys(S, {})", which)), "ok");
      TalkBriefly(ours, **stream);
    }
    EXPECT_EQ(keys_.clients() - clients + keys_.servers() - servers, 3);
  } else {
    otp_.Post("Renegotiation = ssl:renegotiate(S)");
    TalkBriefly(ours, **stream);
    EXPECT_EQ(otp_.Eval("Renegotiation"), "ok");
    EXPECT_EQ(keys_.clients() - clients, 1);
  }
  ours.Drop(stream);
}

// TLS 1.3 has no renegotiation, and OTP refuses the option there.
class OtpRefusalTest : public OtpRekeyTest {};

INSTANTIATE_TEST_SUITE_P(Roles, OtpRefusalTest,
                         testing::Combine(testing::Values(tls::Version::kTls12),
                                          testing::Values(tls::Role::kClient, tls::Role::kServer)),
                         [](const auto& info) {
                           return std::get<1>(info.param) == tls::Role::kClient ? "WeConnect"
                                                                                : "OtpConnects";
                         });

TEST_P(OtpRefusalTest, ARefusedRenegotiationLeavesTheConnectionAlive) {
  tls::Options server = Ours(b_, tls::Role::kServer), client = Ours(a_, tls::Role::kClient);
  server.renegotiation.client_renegotiation = false;
  client.traffic.renegotiate_at = 10;
  TlsSide ours(server, client);
  const bool we_ask = role_ == tls::Role::kClient;
  StreamResult stream = Meet(ours, we_ask ? "{client_renegotiation, false}" : "{nodelay, true}");
  ASSERT_TRUE(stream.ok());
  if (we_ask) {
    TalkAtOnce(ours, **stream);
  } else {
    otp_.Post("Renegotiation = ssl:renegotiate(S), ok = ssl:send(S, <<\"still here\">>)");
    auto text = ours.Read(**stream, 10);
    ASSERT_TRUE(text.ok()) << text.status();
    EXPECT_EQ(*text, "still here");
    EXPECT_EQ(otp_.Eval("Renegotiation"), "{error,renegotiation_rejected}");
  }
  EXPECT_EQ(keys_.clients(), 1);
  ours.Drop(stream);
}

// --- openssl ---

class OpensslRekeyTest : public testing::TestWithParam<tls::Version>, public OurSide {
 protected:
  OpensslRekeyTest() : OurSide(GetParam()) {}

  std::unique_ptr<Process> Openssl(std::vector<std::string> argv) {
    argv.insert(argv.begin(), "openssl");
    for (const std::string& word :
         {std::string("-cert"), peer_.cert, std::string("-key"), peer_.key, std::string("-CAfile"),
          certs_.ca(), std::string(is_13() ? "-tls1_3" : "-tls1_2")}) {
      argv.push_back(word);
    }
    auto process = Process::Start({.argv = argv, .has_input = true});
    EXPECT_TRUE(process.ok()) << process.status();
    return process.ok() ? *std::move(process) : nullptr;
  }

  // A line from openssl to us and one back.
  void Talk(TlsSide& ours, base::Stream& stream, Process& openssl, const std::string& word) {
    EXPECT_TRUE(openssl.Write(word + "\n").ok());
    auto line = ours.Read(stream, word.size() + 1);
    ASSERT_TRUE(line.ok()) << line.status() << openssl.Err();
    EXPECT_EQ(*line, word + "\n");
    EXPECT_TRUE(ours.Write(stream, "answer to " + word + "\n").ok());
    auto answer = openssl.WaitForOutput("answer to " + word);
    EXPECT_TRUE(answer.ok()) << answer.status();
  }
};

INSTANTIATE_TEST_SUITE_P(Versions, OpensslRekeyTest,
                         testing::Values(tls::Version::kTls12, tls::Version::kTls13),
                         [](const auto& info) {
                           return info.param == tls::Version::kTls12 ? "Tls12" : "Tls13";
                         });

TEST_P(OpensslRekeyTest, ItsClientChangesKeys) {
  // The letters that s_client takes for commands, and what it says then.
  for (const char* command :
       is_13() ? std::vector<const char*>{"K", "k"} : std::vector<const char*>{"R"}) {
    TlsSide ours(Ours(b_, tls::Role::kServer), Ours(a_, tls::Role::kClient));
    auto accepted = ours.Accept();
    auto client = Openssl({"s_client", "-connect", fmt::format("127.0.0.1:{}", ours.port()),
                           "-servername", "b.example", "-verify_return_error"});
    StreamResult stream = accepted.get();
    ASSERT_TRUE(stream.ok()) << stream.status() << client->Err();
    Talk(ours, **stream, *client, "before");
    const int keys = keys_.clients() + keys_.servers();
    EXPECT_TRUE(client->Write(std::string(command) + "\n").ok());
    auto said = client->WaitForOutput(is_13() ? "KEYUPDATE" : "RENEGOTIATING");
    EXPECT_TRUE(said.ok()) << said.status();
    Talk(ours, **stream, *client, "after");
    Talk(ours, **stream, *client, "later");
    EXPECT_EQ(keys_.clients() + keys_.servers() - keys, std::string(command) == "K" ? 2 : 1);
    ours.Drop(stream);
  }
}

TEST_P(OpensslRekeyTest, ItsServerChangesKeys) {
  for (const char* command :
       is_13() ? std::vector<const char*>{"K", "k"} : std::vector<const char*>{"r"}) {
    TlsSide ours(Ours(b_, tls::Role::kServer), Ours(a_, tls::Role::kClient));
    auto server = Openssl({"s_server", "-accept", "127.0.0.1:0", "-Verify", "5"});
    auto line = server->WaitForOutput("ACCEPT 127.0.0.1:([0-9]+)");
    ASSERT_TRUE(line.ok()) << line.status();
    StreamResult stream =
        ours.Connect(static_cast<uint16_t>(std::stoi((*line)[1])), "peer.example");
    ASSERT_TRUE(stream.ok()) << stream.status() << server->Err();
    Talk(ours, **stream, *server, "before");
    const int keys = keys_.clients() + keys_.servers();
    // It says nothing that could be waited for; a reader of ours sees the new keys.
    auto read = ours.ReadMeanwhile(**stream, 5);
    EXPECT_TRUE(server->Write(std::string(command) + "\n").ok());
    EXPECT_TRUE(testlib::Eventually([&] { return keys_.clients() + keys_.servers() > keys; }));
    EXPECT_TRUE(server->Write("read\n").ok());
    auto text = read.get();
    ASSERT_TRUE(text.ok()) << text.status();
    EXPECT_EQ(*text, "read\n");
    Talk(ours, **stream, *server, "later");
    EXPECT_EQ(keys_.clients() + keys_.servers() - keys, std::string(command) == "K" ? 2 : 1);
    ours.Drop(stream);
  }
}

}  // namespace
}  // namespace noded::interop
