#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/status.h"
#include "tests/testlib/test_certs.h"
#include "tls/engine.h"
#include "tls/engine_pair.h"
#include "tls/raw_peer.h"

namespace noded::tls {
namespace {

using base::ReasonOf;
using testlib::CertFiles;
using testlib::TestCerts;

constexpr uint8_t kHandshake = 22;
constexpr uint8_t kData = 23;

class KeyUpdateTest : public testing::Test {
 protected:
  Options Server() {
    Options options = Mutual(certs_, b_, Role::kServer);
    Only(options, Version::kTls13);
    return options;
  }
  Options Client() {
    Options options = Mutual(certs_, a_, Role::kClient);
    Only(options, Version::kTls13);
    return options;
  }

  TestCerts certs_;
  CertFiles a_ = certs_.Node("a@a.example");
  CertFiles b_ = certs_.Node("b@b.example");
};

TEST_F(KeyUpdateTest, EitherSideChangesItsKeysAndAsksTheOtherForItsInAnyCut) {
  for (size_t step : {SIZE_MAX, size_t{1}, size_t{7}}) {
    Pair pair(Server(), Client());
    Carry(pair.client, pair.server);
    std::string to_server, to_client;
    for (int round = 0; round < 8; ++round) {
      Side& one = round % 2 == 0 ? pair.client : pair.server;
      ASSERT_TRUE(one.engine.UpdateKeys(round % 4 < 2).ok());
      const std::string text = "round " + std::to_string(round) + ";";
      Send(pair.client, text);
      Send(pair.server, text);
      to_server += text;
      to_client += text;
      Carry(pair.client, pair.server, step);
      ASSERT_TRUE(pair.client.error.ok() && pair.server.error.ok())
          << pair.client.error << pair.server.error;
    }
    EXPECT_EQ(pair.server.received, to_server);
    EXPECT_EQ(pair.client.received, to_client);
  }
}

TEST_F(KeyUpdateTest, BothSidesMayChangeAtOnce) {
  Pair pair(Server(), Client());
  Carry(pair.client, pair.server);
  ASSERT_TRUE(pair.client.engine.UpdateKeys(true).ok());
  ASSERT_TRUE(pair.server.engine.UpdateKeys(true).ok());
  Send(pair.client, "from the client");
  Send(pair.server, "from the server");
  Carry(pair.client, pair.server);
  EXPECT_EQ(pair.server.received, "from the client") << pair.server.error;
  EXPECT_EQ(pair.client.received, "from the server") << pair.client.error;
}

TEST_F(KeyUpdateTest, EverySuiteOfTls13ChangesItsKeys) {
  for (const char* suite : {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384",
                            "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_CCM_SHA256"}) {
    Options client = Client(), server = Server();
    client.ciphers.suites = server.ciphers.suites = {suite};
    Pair pair(server, client);
    Carry(pair.client, pair.server);
    ASSERT_TRUE(pair.client.info) << suite << pair.client.error;
    ASSERT_TRUE(pair.client.engine.UpdateKeys(true).ok());
    Send(pair.client, "a");
    Carry(pair.client, pair.server);
    Send(pair.server, "b");
    Carry(pair.client, pair.server);
    EXPECT_EQ(pair.server.received, "a") << suite;
    EXPECT_EQ(pair.client.received, "b") << suite;
  }
}

TEST_F(KeyUpdateTest, ComesByItselfAfterKeyUpdateAtBytes) {
  Options client = Client();
  client.traffic.key_update_at = 1000;
  std::vector<std::string> lines;
  client.traffic.keylog = [&](std::string_view line) { lines.emplace_back(line); };
  Pair pair(Server(), client);
  Carry(pair.client, pair.server);
  std::string sent;
  for (int i = 0; i < 40; ++i) {
    Send(pair.client, std::string(100, static_cast<char>('a' + i % 26)));
    sent += std::string(100, static_cast<char>('a' + i % 26));
    Carry(pair.client, pair.server);
  }
  EXPECT_EQ(pair.server.received, sent) << pair.server.error;
  size_t ours = 0, theirs = 0;
  for (const std::string& line : lines) {
    ours += line.starts_with("CLIENT_TRAFFIC_SECRET_") ? 1 : 0;
    theirs += line.starts_with("SERVER_TRAFFIC_SECRET_") ? 1 : 0;
  }
  // The first of each is the handshake's; ten records, then an update, which the server answers.
  EXPECT_EQ(ours, 4u);
  EXPECT_EQ(theirs, 4u);
}

// A peer that only reads: what it answers to us is no flood.
TEST_F(KeyUpdateTest, SendingOneWayMayChangeKeysForEver) {
  Options client = Client();
  client.traffic.key_update_at = 100;
  Pair pair(Server(), client);
  Carry(pair.client, pair.server);
  for (int i = 0; i < 200; ++i) {
    Send(pair.client, std::string(100, 'x'));
    Carry(pair.client, pair.server);
  }
  EXPECT_EQ(pair.server.received.size(), 20'000u) << pair.server.error << pair.client.error;
  EXPECT_TRUE(pair.client.error.ok()) << pair.client.error;
  EXPECT_TRUE(pair.server.error.ok()) << pair.server.error;
}

TEST_F(KeyUpdateTest, BothSidesLogTheSameSecretsAndEachGenerationDiffers) {
  std::vector<std::string> client_lines, server_lines;
  Options client = Client(), server = Server();
  client.traffic.keylog = [&](std::string_view line) { client_lines.emplace_back(line); };
  server.traffic.keylog = [&](std::string_view line) { server_lines.emplace_back(line); };
  Pair pair(server, client);
  Carry(pair.client, pair.server);
  ASSERT_TRUE(pair.client.engine.UpdateKeys(true).ok());
  Carry(pair.client, pair.server);
  std::sort(client_lines.begin(), client_lines.end());
  std::sort(server_lines.begin(), server_lines.end());
  EXPECT_EQ(client_lines, server_lines);
  // Two for the handshake, two of data twice, and the exporter's.
  EXPECT_EQ(client_lines.size(), 7u);
  EXPECT_EQ(std::unique(client_lines.begin(), client_lines.end()), client_lines.end());
}

TEST_F(KeyUpdateTest, IsRefusedInTls12AndBeforeTheHandshakeAndAfterClose) {
  Options client = Client(), server = Mutual(certs_, b_, Role::kServer);
  Only(client, Version::kTls12);
  Pair old(server, client);
  EXPECT_EQ(old.client.engine.UpdateKeys(false).code(), absl::StatusCode::kFailedPrecondition);
  Carry(old.client, old.server);
  EXPECT_EQ(old.client.engine.UpdateKeys(false).code(), absl::StatusCode::kFailedPrecondition);
  Pair closed(Server(), Client());
  Carry(closed.client, closed.server);
  closed.client.engine.Close();
  EXPECT_EQ(closed.client.engine.UpdateKeys(false).code(), absl::StatusCode::kFailedPrecondition);
}

// An engine in front of a peer that says what it likes.
class KeyUpdateFaultTest : public KeyUpdateTest, public testing::WithParamInterface<Role> {
 protected:
  KeyUpdateFaultTest()
      : engine_(Make(GetParam() == Role::kServer ? Server() : Client(), GetParam()),
                GetParam() == Role::kServer ? "" : kHost),
        peer_(GetParam() == Role::kServer ? Role::kClient : Role::kServer, Version::kTls13,
              PemOf(GetParam() == Role::kServer ? a_ : b_)) {
    EXPECT_TRUE(Meet(peer_, engine_)) << engine_.error;
    while (peer_.Read()) {
    }
  }

  void Exchange() { tls::Exchange(peer_, engine_); }
  void Say(uint8_t type, std::vector<uint8_t> content) { peer_.SendRecord(type, content); }

  Side engine_;
  RawPeer peer_;
};

INSTANTIATE_TEST_SUITE_P(Roles, KeyUpdateFaultTest, testing::Values(Role::kServer, Role::kClient),
                         [](const auto& info) {
                           return info.param == Role::kServer ? "Server" : "Client";
                         });

TEST_P(KeyUpdateFaultTest, AnswersOnlyWhatAsksAndOpensWhatFollowsWithTheNewKey) {
  Say(kHandshake, {24, 0, 0, 1, 0});
  peer_.NextKey(NODED_SSL_OUTGOING);
  Say(kData, {'x'});
  Exchange();
  EXPECT_EQ(engine_.received, "x") << engine_.error;
  EXPECT_FALSE(peer_.Read());

  Say(kHandshake, {24, 0, 0, 1, 1});
  peer_.NextKey(NODED_SSL_OUTGOING);
  Exchange();
  auto answer = peer_.Read();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->type, kHandshake);
  EXPECT_EQ(answer->content, (std::vector<uint8_t>{24, 0, 0, 1, 0}));
  peer_.NextKey(NODED_SSL_INCOMING);
  Send(engine_, "y");
  Exchange();
  auto data = peer_.Read();
  ASSERT_TRUE(data);
  EXPECT_EQ(data->content, std::vector<uint8_t>{'y'});
}

TEST_P(KeyUpdateFaultTest, MayComeInPieces) {
  Say(kHandshake, {24, 0, 0, 1});
  Say(kHandshake, {0});
  peer_.NextKey(NODED_SSL_OUTGOING);
  Say(kData, {'x'});
  Exchange();
  EXPECT_EQ(engine_.received, "x") << engine_.error;
}

TEST_P(KeyUpdateFaultTest, AnswersOnceWhileThePeerDoesNotRead) {
  for (int i = 0; i < 20; ++i) {
    Say(kHandshake, {24, 0, 0, 1, 1});
    peer_.NextKey(NODED_SSL_OUTGOING);
    Say(kData, {'x'});
  }
  engine_.engine.Feed(base::ByteView(peer_.TakeOutput()));
  engine_.Run();
  EXPECT_EQ(engine_.received.size(), 20u) << engine_.error;
  EXPECT_LT(engine_.engine.TakeOutput().size(), 40u);
}

TEST_P(KeyUpdateFaultTest, RefusesAMalformedOneWithItsAlert) {
  struct Case {
    std::vector<uint8_t> content;
    const char* reason;
  };
  // One a connection: the fixture is made anew for each by index.
  const Case cases[] = {
      {{24, 0, 0, 1, 2}, "illegal_parameter"},
      {{24, 0, 0, 0}, "decode_error"},
      {{24, 0, 0, 2, 0, 0}, "decode_error"},
      {{24, 0, 0, 1, 0, 24, 0, 0, 1, 0}, "unexpected_message"},
      {{24, 0, 0, 1, 0, 24}, "unexpected_message"},
      {{25, 0, 0, 1, 0}, "unexpected_message"},
      {{1, 0, 0, 1, 0}, "unexpected_message"},
  };
  for (const Case& one : cases) {
    const Role role = GetParam();
    Side engine(Make(role == Role::kServer ? Server() : Client(), role),
                role == Role::kServer ? "" : kHost);
    RawPeer peer(role == Role::kServer ? Role::kClient : Role::kServer, Version::kTls13,
                 PemOf(role == Role::kServer ? a_ : b_));
    ASSERT_TRUE(Meet(peer, engine)) << engine.error;
    peer.SendRecord(kHandshake, one.content);
    engine.engine.Feed(base::ByteView(peer.TakeOutput()));
    engine.Run();
    EXPECT_EQ(ReasonOf(engine.error), one.reason) << engine.error;
    EXPECT_EQ(engine.error.code(), absl::StatusCode::kDataLoss);
    EXPECT_TRUE(engine.engine.has_output());
  }
}

TEST_P(KeyUpdateFaultTest, RefusesAFloodWithoutDataAndNotOneWithIt) {
  const size_t limit = base::Limits().max_tls_key_updates;
  auto update = [&] {
    Say(kHandshake, {24, 0, 0, 1, 0});
    peer_.NextKey(NODED_SSL_OUTGOING);
  };
  for (int round = 0; round < 2; ++round) {
    for (size_t i = 0; i < limit; ++i) update();
    Say(kData, {'x'});
    Exchange();
    ASSERT_TRUE(engine_.error.ok()) << engine_.error;
  }
  for (size_t i = 0; i <= limit; ++i) update();
  Exchange();
  EXPECT_EQ(engine_.error.code(), absl::StatusCode::kResourceExhausted) << engine_.error;
  EXPECT_EQ(ReasonOf(engine_.error), "unexpected_message");
}

TEST_P(KeyUpdateFaultTest, AWarningThatIsNoneIsAnError) {
  Say(21, {1, 90});  // user_canceled
  Say(kData, {'x'});
  Exchange();
  EXPECT_EQ(engine_.received, "x") << engine_.error;
  Say(21, {1, 40});
  Exchange();
  EXPECT_EQ(ReasonOf(engine_.error), "handshake_failure");
}

TEST(KeyUpdateBeforeTheEndTest, IsRefused) {
  TestCerts certs;
  const CertFiles a = certs.Node("a@a.example"), b = certs.Node("b@b.example");
  Options options = Mutual(certs, b, Role::kServer);
  Side server(Make(options, Role::kServer));
  const uint8_t plain[] = {22, 3, 3, 0, 5, 24, 0, 0, 1, 0};
  server.engine.Feed(base::ByteView(plain));
  server.Run();
  EXPECT_EQ(ReasonOf(server.error), "unexpected_message") << server.error;
  EXPECT_TRUE(server.engine.has_output());
}

}  // namespace
}  // namespace noded::tls
