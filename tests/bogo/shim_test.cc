// The shim before a runner made of our own engine: what each flag does, and what the shim's exit
// code says. BoringSSL's runner, with its thousands of cases, is run by hand (README.md).
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <gtest/gtest.h>
#include "nlohmann/json.hpp"

#include "base/status.h"
#include "tests/testlib/process.h"
#include "tests/testlib/runfiles.h"
#include "tests/testlib/temp_dir.h"
#include "tests/testlib/test_certs.h"
#include "tls/engine.h"

namespace noded::bogo {
namespace {

using testlib::CertFiles;
using testlib::Process;
using tls::Role;
using tls::Version;
using Words = std::vector<std::string>;

constexpr int kUnimplemented = 89;
constexpr char kId[] = "72623859790382856";  // 0x0102030405060708

std::string Inverted(std::string text) {
  for (char& letter : text) letter = static_cast<char>(letter ^ 0xff);
  return text;
}

// The runner's end of one connection.
class Peer {
 public:
  Peer(int socket, std::shared_ptr<const tls::Context> context, std::string host, uint16_t port)
      : socket_(socket), engine_(std::move(context), Named(std::move(host), port)) {
    std::string id(8, 0);
    EXPECT_EQ(recv(socket_, id.data(), id.size(), MSG_WAITALL), 8);
    EXPECT_EQ(id, "\x08\x07\x06\x05\x04\x03\x02\x01");
  }
  ~Peer() { close(socket_); }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  // Until this holds, the shim has ended or an error came.
  template <class Condition>
  bool Until(Condition condition) {
    while (!condition()) {
      auto event = engine_.Next();
      Flush();
      if (!event.ok()) error_ = event.status();
      if (!event.ok() || has_ended_) return condition();
      if (*event) {
        Note(**event);
        continue;
      }
      uint8_t bytes[4096];
      const ssize_t count = recv(socket_, bytes, sizeof(bytes), 0);
      if (count > 0) engine_.Feed(base::ByteView(bytes, static_cast<size_t>(count)));
      if (count <= 0) engine_.FeedEnd(), has_ended_ = true;
    }
    return true;
  }
  bool Shake() {
    return Until([&] { return engine_.is_handshake_done() && is_done_; });
  }
  void Send(std::string_view text) {
    base::Buffer buffer;
    buffer.Append(text);
    EXPECT_TRUE(engine_.Write(std::move(buffer)).ok());
    Flush();
  }
  std::string Receive(size_t size) {
    Until([&] { return received_.size() >= size; });
    return std::exchange(received_, "");
  }
  bool Echoes(const std::string& text) {
    Send(text);
    return Receive(text.size()) == Inverted(text);
  }
  void Close() {
    engine_.Close();
    Flush();
  }
  void Flush() {
    base::Buffer output = engine_.TakeOutput();
    const std::string bytes = output.ToString();
    for (size_t at = 0; at < bytes.size();) {
      const ssize_t count = send(socket_, bytes.data() + at, bytes.size() - at, MSG_NOSIGNAL);
      if (count <= 0) return;  // the shim has gone: its exit code tells why
      at += static_cast<size_t>(count);
    }
  }

  tls::Engine& engine() { return engine_; }
  const tls::ConnectionInfo& info() const { return engine_.info(); }
  const absl::Status& error() const { return error_; }
  bool is_closed() const { return is_closed_; }
  int renegotiated() const { return renegotiated_; }

 private:
  static tls::EngineOptions Named(std::string host, uint16_t port) {
    tls::EngineOptions options;
    options.peer_host = std::move(host);
    options.port = port;
    return options;
  }
  void Note(const tls::Event& event) {
    is_done_ |= std::holds_alternative<tls::HandshakeDone>(event);
    is_closed_ |= std::holds_alternative<tls::PeerClosed>(event);
    renegotiated_ += std::holds_alternative<tls::Renegotiated>(event) ? 1 : 0;
    if (const auto* data = std::get_if<tls::Data>(&event)) received_ += data->bytes.text();
  }

  const int socket_;
  tls::Engine engine_;
  bool is_done_ = false, is_closed_ = false, has_ended_ = false;
  int renegotiated_ = 0;
  std::string received_;
  absl::Status error_;
};

class ShimTest : public testing::Test {
 protected:
  ShimTest() {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    EXPECT_EQ(bind(listener_, reinterpret_cast<const sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(listener_, 8), 0);
    EXPECT_EQ(getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
    for (Role role : {Role::kServer, Role::kClient}) {
      tls::Options& options = role == Role::kServer ? server_ : client_;
      options.identity.certfile = files_.cert;
      options.identity.keyfile = files_.key;
    }
  }
  ~ShimTest() override { close(listener_); }

  void Start(const Words& flags) {
    Words argv = {testlib::ProgramPath("tests/bogo/shim"), "-port", std::to_string(port_),
                  "-shim-id", kId};
    argv.insert(argv.end(), flags.begin(), flags.end());
    auto process = Process::Start({.argv = argv});
    ASSERT_TRUE(process.ok()) << process.status();
    shim_ = *std::move(process);
  }
  // As client or server, with the shim as the other.
  void StartAsServer(Words flags) {
    const Words own = {"-server", "-key-file", files_.key, "-cert-file", files_.cert};
    flags.insert(flags.begin(), own.begin(), own.end());
    Start(flags);
  }

  std::unique_ptr<Peer> Accept(const tls::Options& options, Role role) {
    auto context = tls::Context::Create(options, role);
    EXPECT_TRUE(context.ok()) << context.status();
    return Accept(*context);
  }
  std::unique_ptr<Peer> Accept(std::shared_ptr<const tls::Context> context) {
    pollfd waits{listener_, POLLIN, 0};
    EXPECT_EQ(poll(&waits, 1, 60'000), 1) << "the shim does not connect: " << shim_->Err();
    const int connection = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    return std::make_unique<Peer>(connection, std::move(context), "b.example", port_);
  }
  std::unique_ptr<Peer> Client() { return Accept(client_, Role::kClient); }
  std::unique_ptr<Peer> Server() { return Accept(server_, Role::kServer); }

  int ExitCode() {
    auto code = shim_->WaitForExit();
    EXPECT_TRUE(code.ok()) << code.status();
    return code.ok() ? *code : -1;
  }
  // A whole connection with an echo; the shim's exit code.
  int Run(std::unique_ptr<Peer> peer) {
    if (peer->Shake()) {
      EXPECT_TRUE(peer->Echoes("abc") || !peer->error().ok());
      peer->Close();
    }
    peer.reset();
    return ExitCode();
  }
  static void Only(tls::Options& options, Version version) {
    options.versions.tls12 = version == Version::kTls12;
    options.versions.tls13 = version == Version::kTls13;
  }

  testlib::TestCerts certs_;
  CertFiles files_ = certs_.Node("b@b.example");
  tls::Options server_, client_;
  int listener_ = -1;
  uint16_t port_ = 0;
  std::unique_ptr<Process> shim_;
};

TEST_F(ShimTest, WhatItDoesNotKnowIsUnimplemented) {
  for (const Words& flags : {Words{"-quic"}, Words{"-dtls"}, Words{"-on-resume-enable-early-data"},
                             Words{"-on-retry-no-such-flag", "1"}, Words{"-curves", "25497"},
                             Words{"-signing-prefs", "513"}, Words{"-max-version", "770"},
                             Words{"-cipher", "3DES"}, Words{"-no-tls13", "-no-tls12"},
                             Words{"-signing-prefs", "1027", "-verify-prefs", "1283"}}) {
    Start(flags);
    EXPECT_EQ(ExitCode(), kUnimplemented) << flags[0] << shim_->Err();
  }
}

TEST_F(ShimTest, MalformedFlagsAreErrors) {
  for (const Words& flags : {Words{"-curves", "x"}, Words{"-curves"}, Words{"-curves", "29x"},
                             Words{"-advertise-alpn",
                                   "\x05"
                                   "ab"}}) {
    Start(flags);
    EXPECT_EQ(ExitCode(), 1) << flags[0] << shim_->Err();
    EXPECT_NE(shim_->Err(), "");
  }
}

TEST_F(ShimTest, HasNoHandshaker) {
  Start({"-is-handshaker-supported"});
  EXPECT_EQ(ExitCode(), 0);
  EXPECT_EQ(shim_->Out(), "No\n");
}

TEST_F(ShimTest, EchoesInBothRolesAndVersions) {
  for (Version version : {Version::kTls12, Version::kTls13}) {
    const std::string number = version == Version::kTls12 ? "771" : "772";
    for (bool is_slow : {false, true}) {
      Words flags = {"-min-version", number, "-max-version", number, "-expect-version", number};
      if (is_slow) flags.insert(flags.end(), {"-async", "-partial-write", "-implicit-handshake"});
      StartAsServer(flags);
      auto client = Client();
      ASSERT_TRUE(client->Shake()) << client->error() << shim_->Err();
      EXPECT_EQ(client->info().version, version);
      EXPECT_TRUE(client->Echoes("hello"));
      EXPECT_TRUE(client->Echoes(std::string(40'000, 'x')));
      EXPECT_EQ(Run(std::move(client)), 0) << shim_->Err();
      Start(flags);
      EXPECT_EQ(Run(Server()), 0) << shim_->Err();
      EXPECT_EQ(shim_->Err(), "") << "the runner takes words of a shim that succeeds for a failure";
    }
  }
}

TEST_F(ShimTest, ConnectsOnceMoreForEachSession) {
  StartAsServer({"-resume-count", "2", "-expect-session-miss"});
  for (int i = 0; i < 3; ++i) {
    auto client = Client();
    ASSERT_TRUE(client->Shake()) << client->error() << shim_->Err();
    EXPECT_TRUE(client->Echoes("hello"));
    client->Close();
  }
  EXPECT_EQ(ExitCode(), 0) << shim_->Err();
}

TEST_F(ShimTest, SessionsGoFromOneConnectionToTheNext) {
  for (Version version : {Version::kTls12, Version::kTls13}) {
    for (Role ours : {Role::kClient, Role::kServer}) {
      tls::Options& options = ours == Role::kServer ? server_ : client_;
      Only(options, version);
      if (ours == Role::kClient) {
        StartAsServer({"-resume-count", "1"});
      } else {
        Start({"-resume-count", "1"});
      }
      auto context = tls::Context::Create(options, ours);
      ASSERT_TRUE(context.ok()) << context.status();
      for (bool is_resumed : {false, true}) {
        auto peer = Accept(*context);
        ASSERT_TRUE(peer->Shake()) << peer->error() << shim_->Err();
        EXPECT_EQ(peer->info().is_resumed, is_resumed);
        EXPECT_TRUE(peer->Echoes("hello"));
        peer->Close();
      }
      EXPECT_EQ(ExitCode(), 0) << shim_->Err();
    }
  }
}

TEST_F(ShimTest, ASessionThatIsNotGoneOnWithIsAFailure) {
  Start({"-resume-count", "1"});
  for (int i = 0; i < 2; ++i) {
    auto server = Server();  // whose tickets nobody else can open
    ASSERT_TRUE(server->Shake()) << server->error();
    if (i == 0) {
      EXPECT_TRUE(server->Echoes("hello"));
    }
    server->Close();
  }
  EXPECT_EQ(ExitCode(), 1);
  StartAsServer({"-resume-count", "1", "-on-resume-select-alpn", "a"});
  EXPECT_EQ(Run(Client()), kUnimplemented) << "tickets are those of one context";
}

TEST_F(ShimTest, KnowsItsPeerByAKey) {
  Only(client_, Version::kTls12);
  client_.identity = {};
  client_.psk = {.identity = "shop", .lookup = tls::SamePskForAll(tls::Secret("a key"))};
  for (const char* key : {"a key", "another"}) {
    StartAsServer({"-psk", key, "-psk-identity", "hint", "-cipher",
                   "TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256"});
    const bool is_right = std::string(key) == "a key";
    EXPECT_EQ(Run(Client()), is_right ? 0 : 1) << shim_->Err();
  }
}

TEST_F(ShimTest, RefusesAPeerWhenTold) {
  Start({"-verify-peer", "-verify-fail", "-trust-cert", certs_.ca()});
  auto server = Server();
  EXPECT_FALSE(server->Shake() && server->Echoes("hello"));
  EXPECT_EQ(base::ReasonOf(server->error()), "handshake_failure");
  server.reset();
  EXPECT_EQ(ExitCode(), 1);
}

TEST_F(ShimTest, FlagsMayHoldForOneConnectionAlone) {
  Start(
      {"-on-initial-expect-version", "771", "-on-resume-expect-version", "771", "-on-shim-async"});
  EXPECT_EQ(Run(Server()), 1);
  Start({"-on-resume-expect-version", "771", "-on-handshaker-curves", "x"});
  EXPECT_EQ(Run(Server()), 0) << shim_->Err();
}

TEST_F(ShimTest, WritesFirstWhenAsked) {
  Start({"-shim-writes-first"});
  auto server = Server();
  ASSERT_TRUE(server->Shake()) << shim_->Err();
  EXPECT_EQ(server->Receive(5), "hello");
  EXPECT_EQ(Run(std::move(server)), 0);
}

TEST_F(ShimTest, WritesRecordsOfManySizes) {
  Start({"-write-different-record-sizes"});
  auto server = Server();
  ASSERT_TRUE(server->Shake());
  constexpr size_t kAll = 0 + 1 + 255 + 256 + 257 + 16383 + 16384 + 16385 + 32767 + 32768 + 32769;
  EXPECT_EQ(server->Receive(kAll), std::string(kAll, 0x42));
  server->Close();
  server.reset();
  EXPECT_EQ(ExitCode(), 0) << shim_->Err();
}

TEST_F(ShimTest, ShutsDownFirstAndWaitsForTheGoodbye) {
  for (bool is_polite : {true, false}) {
    Start({"-shim-shuts-down", "-check-close-notify"});
    auto server = Server();
    ASSERT_TRUE(server->Shake());
    EXPECT_TRUE(server->Until([&] { return server->is_closed(); }));
    if (is_polite) server->Close();
    server.reset();
    EXPECT_EQ(ExitCode(), is_polite ? 0 : 1) << shim_->Err();
  }
}

TEST_F(ShimTest, AnswersAGoodbyeWhenTheRunnerLooksForIt) {
  for (bool is_checked : {true, false}) {
    Start(is_checked ? Words{"-check-close-notify"} : Words{});
    auto server = Server();
    ASSERT_TRUE(server->Shake());
    server->Close();
    server->Until([&] { return server->is_closed(); });
    EXPECT_EQ(server->is_closed(), is_checked);
    server.reset();
    EXPECT_EQ(ExitCode(), 0) << shim_->Err();
  }
}

TEST_F(ShimTest, UpdatesKeysAfterEachRead) {
  Start({"-key-update"});
  auto server = Server();
  ASSERT_TRUE(server->Shake());
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(server->Echoes("some words"));
  EXPECT_EQ(Run(std::move(server)), 0) << shim_->Err();
  // TLS 1.2 has no such thing.
  Start({"-key-update", "-max-version", "771"});
  EXPECT_EQ(Run(Server()), 1);
}

TEST_F(ShimTest, HoldsWhatWasAgreedAgainstWhatIsExpected) {
  struct Case {
    Words flags;
    int exit_code;
  };
  const Case cases[] = {
      {{"-expect-version", "772"}, 0},
      {{"-expect-version", "771"}, 1},
      {{"-expect-cipher", "4865", "-expect-cipher-aes", "4865"}, 0},
      {{"-expect-cipher", "4866"}, 1},
      {{"-expect-cipher-aes", "4866"}, 1},
      {{"-expect-curve-id", "29"}, 0},
      {{"-expect-curve-id", "23"}, 1},
      {{"-advertise-alpn",
        "\x01x\x03"
        "foo",
        "-expect-alpn", "foo"},
       0},
      {{"-advertise-alpn",
        "\x01x\x03"
        "foo",
        "-expect-alpn", "x"},
       1},
      {{"-expect-alpn", "foo"}, 1},
      {{"-host-name", "b.example", "-expect-server-name", "b.example"}, 0},
      {{"-host-name", "b.example", "-expect-server-name", "c.example"}, 1},
      {{"-expect-peer-cert-file", files_.cert}, 0},
      {{"-expect-peer-cert-file", certs_.ca()}, 1},
      {{"-expect-total-renegotiations", "1"}, 1},
  };
  server_.ciphers.suites = {"TLS_AES_128_GCM_SHA256"};
  server_.ciphers.groups = {"x25519"};
  server_.alpn.protocols = {"foo"};
  for (const Case& one : cases) {
    Start(one.flags);
    EXPECT_EQ(Run(Server()), one.exit_code) << one.flags[0] << " " << shim_->Err();
  }
}

TEST_F(ShimTest, OffersWhatTheFlagsName) {
  struct Case {
    Words flags;
    Version version;
    const char* suite;
    const char* group;
  };
  const Case cases[] = {
      {{"-max-version", "771", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256", "-curves", "24"},
       Version::kTls12,
       "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
       "secp384r1"},
      {{"-min-version", "772", "-curves", "23"}, Version::kTls13, "", "secp256r1"},
      {{"-no-tls13", "-curves", "29", "-curves", "23"}, Version::kTls12, "", "x25519"},
      {{"-no-tls12", "-no-tls11", "-no-tls1", "-curves", "25"}, Version::kTls13, "", "secp521r1"},
  };
  for (const Case& one : cases) {
    StartAsServer(one.flags);
    auto client = Client();
    ASSERT_TRUE(client->Shake()) << client->error() << shim_->Err();
    EXPECT_EQ(client->info().version, one.version);
    EXPECT_EQ(client->info().group, one.group);
    if (*one.suite != 0) {
      EXPECT_EQ(client->info().cipher_suite, one.suite);
    }
    EXPECT_EQ(Run(std::move(client)), 0) << shim_->Err();
  }
}

TEST_F(ShimTest, SignaturesAreThoseOfTheFlags) {
  server_.ciphers.signature_algorithms = {"ecdsa_secp256r1_sha256"};
  Start({"-verify-prefs", "1027", "-signing-prefs", "1027"});
  EXPECT_EQ(Run(Server()), 0) << shim_->Err();
  Start({"-verify-prefs", "1283"});
  EXPECT_EQ(Run(Server()), 1);
}

TEST_F(ShimTest, ServersChooseAlpnAsTold) {
  client_.alpn.protocols = {"one", "two"};
  struct Case {
    Words flags;
    const char* protocol;  // null: refused
  };
  for (const Case& one : {Case{{"-select-alpn", "two"}, "two"}, Case{{"-decline-alpn"}, ""},
                          Case{{"-reject-alpn"}, nullptr}}) {
    StartAsServer(one.flags);
    auto client = Client();
    const bool is_done = client->Shake();
    EXPECT_EQ(is_done, one.protocol != nullptr) << one.flags[0];
    if (is_done) {
      EXPECT_EQ(client->info().alpn, one.protocol);
    } else {
      EXPECT_EQ(base::ReasonOf(client->error()), "no_application_protocol");
    }
    EXPECT_EQ(Run(std::move(client)), is_done ? 0 : 1) << shim_->Err();
  }
}

TEST_F(ShimTest, ServersAskForCertificatesAsTold) {
  struct Case {
    Words flags;
    bool has_certificate;
    int exit_code;
  };
  const Words root = {"-trust-cert", certs_.ca()};
  for (const Case& one :
       {Case{{"-require-any-client-certificate"}, true, 0},
        Case{{"-require-any-client-certificate"}, false, 1}, Case{{"-verify-peer"}, false, 0},
        Case{{"-verify-peer", "-expect-verify-result"}, true, 0},
        Case{{"-expect-peer-cert-file", files_.cert, "-require-any-client-certificate"}, true, 0},
        Case{{"-expect-peer-cert-file", files_.cert}, true, 1}}) {
    tls::Options client = client_;
    if (!one.has_certificate) client.identity = {};
    Words flags = root;
    flags.insert(flags.end(), one.flags.begin(), one.flags.end());
    StartAsServer(flags);
    EXPECT_EQ(Run(Accept(client, Role::kClient)), one.exit_code)
        << one.flags[0] << one.has_certificate << shim_->Err();
  }
}

TEST_F(ShimTest, ExportsKeyingMaterial) {
  for (bool has_context : {true, false}) {
    Words flags = {"-export-keying-material", "42",       "-export-label", "a label",
                   "-export-context",         "a context"};
    if (has_context) flags.push_back("-use-export-context");
    Start(flags);
    auto server = Server();
    ASSERT_TRUE(server->Shake());
    std::optional<base::ByteView> context;
    if (has_context) context = base::AsBytes("a context");
    auto expected = server->engine().Export("a label", context, 42);
    ASSERT_TRUE(expected.ok()) << expected.status();
    EXPECT_EQ(server->Receive(42), base::ToString(*expected));
    EXPECT_EQ(Run(std::move(server)), 0);
  }
}

TEST_F(ShimTest, ClientsRenegotiateWhenAServerAsks) {
  Only(server_, Version::kTls12);
  for (const char* expected : {"1", "0"}) {
    Start({"-renegotiate-freely", "-expect-total-renegotiations", expected,
           "-use-exporter-between-reads"});
    auto server = Server();
    ASSERT_TRUE(server->Shake());
    ASSERT_TRUE(server->engine().Renegotiate().ok());
    EXPECT_TRUE(server->Until([&] { return server->renegotiated() == 1; })) << server->error();
    EXPECT_EQ(Run(std::move(server)), *expected == '1' ? 0 : 1) << shim_->Err();
  }
}

// The list that the runner is given: every disabled case says why, and who it is that cannot.
TEST(BogoConfigTest, EveryDisabledCaseHasItsReason) {
  const auto config =
      nlohmann::json::parse(testlib::ReadFile(testlib::ProgramPath("tests/bogo/config.json")),
                            nullptr, /*allow_exceptions=*/false);
  ASSERT_TRUE(config.is_object());
  ASSERT_TRUE(config["DisabledTests"].is_object());
  EXPECT_GT(config["DisabledTests"].size(), 0u);
  for (const auto& [name, reason] : config["DisabledTests"].items()) {
    const std::string text = reason.is_string() ? reason.get<std::string>() : "";
    const bool says_who =
        text.starts_with("ours: ") || text.starts_with("shim: ") || text.starts_with("mbedTLS");
    EXPECT_TRUE(says_who && text.size() > std::string_view("ours: ").size())
        << name << ": " << text;
  }
  for (const auto& [ours, runners] : config["ErrorMap"].items()) {
    EXPECT_TRUE(runners.is_array() || runners.is_string()) << ours;
  }
}

}  // namespace
}  // namespace noded::bogo
