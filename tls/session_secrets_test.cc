#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/status.h"
#include "tests/testlib/test_certs.h"
#include "tls/engine.h"
#include "tls/engine_pair.h"

namespace noded::tls {
namespace {

using testlib::CertFiles;
using testlib::TestCerts;

class SessionSecretsTest : public testing::TestWithParam<Version> {
 protected:
  SessionSecretsTest() {
    Only(server_, GetParam());
    Only(client_, GetParam());
  }

  TestCerts certs_;
  CertFiles a_ = certs_.Node("a@a.example");
  CertFiles b_ = certs_.Chained("b@b.example", 1);
  Options server_ = Mutual(certs_, b_, Role::kServer);
  Options client_ = Mutual(certs_, a_, Role::kClient);
};

INSTANTIATE_TEST_SUITE_P(Versions, SessionSecretsTest,
                         testing::Values(Version::kTls12, Version::kTls13), [](const auto& info) {
                           return info.param == Version::kTls12 ? "Tls12" : "Tls13";
                         });

std::vector<uint8_t> Exported(Side& side, std::string_view label,
                              std::optional<std::string_view> context, size_t size) {
  std::optional<base::ByteView> bytes;
  if (context) bytes = base::AsBytes(*context);
  auto key = side.engine.Export(label, bytes, size);
  EXPECT_TRUE(key.ok()) << key.status();
  return key.ok() ? *key : std::vector<uint8_t>();
}

TEST_P(SessionSecretsTest, BothSidesExportTheSameAndEveryInputCounts) {
  Pair pair(server_, client_);
  EXPECT_EQ(pair.client.engine.Export("EXPORTER-x", std::nullopt, 8).status().code(),
            absl::StatusCode::kFailedPrecondition);
  Carry(pair.client, pair.server);
  ASSERT_TRUE(pair.client.info && pair.server.info) << pair.client.error;
  const auto key = Exported(pair.client, "EXPORTER-x", "context", 40);
  EXPECT_EQ(key.size(), 40u);
  EXPECT_EQ(key, Exported(pair.server, "EXPORTER-x", "context", 40));
  EXPECT_NE(key, Exported(pair.server, "EXPORTER-y", "context", 40));
  EXPECT_NE(key, Exported(pair.server, "EXPORTER-x", "Context", 40));
  EXPECT_EQ(Exported(pair.client, "EXPORTER-x", "", 0).size(), 0u);
  // RFC 5705 tells no context from an empty one, RFC 8446 does not.
  const bool differs = Exported(pair.client, "EXPORTER-x", "", 32) !=
                       Exported(pair.client, "EXPORTER-x", std::nullopt, 32);
  EXPECT_EQ(differs, GetParam() == Version::kTls12);
  // RFC 8446 7.1 wants a label, RFC 5705 does not say.
  EXPECT_EQ(pair.client.engine.Export("", std::nullopt, 8).ok(), GetParam() == Version::kTls12);
  for (const auto& bad : {pair.client.engine.Export("EXPORTER-x", std::nullopt, 100'000),
                          pair.client.engine.Export(std::string(300, 'x'), std::nullopt, 8)}) {
    EXPECT_EQ(bad.status().code(), absl::StatusCode::kInvalidArgument);
  }
}

TEST_P(SessionSecretsTest, TheConnectionIsDescribedInFull) {
  Pair pair(server_, client_);
  Carry(pair.client, pair.server);
  ASSERT_TRUE(pair.client.info && pair.server.info) << pair.client.error;
  const ConnectionInfo& client = *pair.client.info;
  const ConnectionInfo& server = *pair.server.info;
  EXPECT_EQ(client.client_random, server.client_random);
  EXPECT_EQ(client.server_random, server.server_random);
  EXPECT_NE(client.client_random, (std::array<uint8_t, 32>{}));
  EXPECT_NE(client.client_random, client.server_random);
  EXPECT_EQ(client.group, "x25519");
  EXPECT_EQ(server.group, "x25519");
  ASSERT_EQ(client.peer_chain.size(), 2u) << "the server's and its intermediate";
  EXPECT_TRUE(client.peer_chain[0] == client.peer->der);
  ASSERT_EQ(server.peer_chain.size(), 1u);
  EXPECT_EQ(client.session_id, server.session_id);
}

TEST_P(SessionSecretsTest, TheKeyLogHasTheLinesOfItsVersion) {
  std::vector<std::string> lines;
  server_.traffic.keylog = [&](std::string_view line) { lines.emplace_back(line); };
  Pair pair(server_, client_);
  Carry(pair.client, pair.server);
  ASSERT_TRUE(pair.server.info);
  const std::string random = base::ToHex(pair.server.info->client_random);
  std::vector<std::string> labels;
  for (const std::string& line : lines) {
    const size_t space = line.find(' ');
    labels.push_back(line.substr(0, space));
    EXPECT_EQ(line.substr(space + 1, 64), random) << line;
    const std::string secret = line.substr(space + 66);
    EXPECT_EQ(secret.size() % 32, 0u);
    EXPECT_EQ(base::FromHex(secret).size() * 2, secret.size());
  }
  std::sort(labels.begin(), labels.end());
  const std::vector<std::string> expected =
      GetParam() == Version::kTls12
          ? std::vector<std::string>{"CLIENT_RANDOM"}
          : std::vector<std::string>{"CLIENT_HANDSHAKE_TRAFFIC_SECRET", "CLIENT_TRAFFIC_SECRET_0",
                                     "EXPORTER_SECRET", "SERVER_HANDSHAKE_TRAFFIC_SECRET",
                                     "SERVER_TRAFFIC_SECRET_0"};
  EXPECT_EQ(labels, expected);
}

// With SNI the host's options hold, and the context that the engine began with may be gone.
TEST_P(SessionSecretsTest, AHostsKeyLogIsItsOwnAndOutlivesTheServersContext) {
  std::vector<std::string> lines;
  Options host = server_;
  host.traffic.keylog = [&](std::string_view line) { lines.emplace_back(line); };
  server_.traffic.keylog = [](std::string_view) { FAIL() << "the server's own"; };
  server_.server_names.hosts[kHost] = std::make_shared<const Options>(host);
  Pair pair(server_, client_);  // the engine alone holds its context
  Carry(pair.client, pair.server);
  ASSERT_TRUE(pair.server.info) << pair.Errors();
  EXPECT_FALSE(lines.empty());
  const size_t before = lines.size();
  if (GetParam() == Version::kTls13) {
    ASSERT_TRUE(pair.client.engine.UpdateKeys(true).ok());
  } else {
    ASSERT_TRUE(pair.client.engine.Renegotiate().ok());
  }
  Carry(pair.client, pair.server);
  EXPECT_TRUE(pair.server.error.ok()) << pair.Errors();
  EXPECT_GT(lines.size(), before);
}

TEST_P(SessionSecretsTest, PrfIsForTls12Alone) {
  Pair pair(server_, client_);
  Carry(pair.client, pair.server);
  const std::vector<PrfInput> seed = {PrfValue::kServerRandom, PrfValue::kClientRandom};
  auto ours = pair.client.engine.Prf(PrfValue::kMasterSecret, "key expansion", seed, 100);
  auto theirs = pair.server.engine.Prf(PrfValue::kMasterSecret, "key expansion", seed, 100);
  if (GetParam() == Version::kTls13) {
    EXPECT_EQ(ours.status().code(), absl::StatusCode::kFailedPrecondition);
    return;
  }
  ASSERT_TRUE(ours.ok() && theirs.ok()) << ours.status();
  EXPECT_EQ(*ours, *theirs);
  auto reversed = pair.client.engine.Prf(PrfValue::kMasterSecret, "key expansion",
                                         {PrfValue::kClientRandom, PrfValue::kServerRandom}, 100);
  EXPECT_NE(*ours, *reversed);
}

TEST(PrfTest, IsThatOfTheVersionAlsoWithAnOldMac) {
  // P_SHA256 as published on the IETF's TLS list for TLS 1.2; the suite's own MAC is SHA-1 in one
  // case, and must not count.
  TestCerts certs;
  const CertFiles rsa = certs.Node("b@b.example", KeyType::kRsa2048);
  for (const char* suite :
       {"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"}) {
    Options server = Mutual(certs, rsa, Role::kServer), client = Mutual(certs, rsa, Role::kClient);
    Only(server, Version::kTls12);
    Only(client, Version::kTls12);
    server.ciphers.suites = client.ciphers.suites = {suite};
    Pair pair(server, client);
    Carry(pair.client, pair.server);
    ASSERT_TRUE(pair.client.info) << suite << pair.client.error;
    auto key = pair.client.engine.Prf(
        base::Slice(base::FromHex("9bbe436ba940f017b17652849a71db35")), "test label",
        {base::Slice(base::FromHex("a0ba9f936cda311827a6f796ffd5198c"))}, 100);
    ASSERT_TRUE(key.ok()) << key.status();
    EXPECT_EQ(base::ToHex(*key),
              "e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a6b301791e90d35c9c9a4"
              "6b4e14baf9af0fa022f7077def17abfd3797c0564bab4fbc91666e9def9b97fce34f796789baa48082d1"
              "22ee42c5a72e5a5110fff70187347b66");
    EXPECT_EQ(Exported(pair.client, "EXPORTER-x", std::nullopt, 32),
              Exported(pair.server, "EXPORTER-x", std::nullopt, 32));
  }
}

TEST(SessionSecretsAfterRenegotiationTest, AreThoseOfTheNewSession) {
  TestCerts certs;
  const CertFiles a = certs.Node("a@a.example"), b = certs.Node("b@b.example");
  Options server = Mutual(certs, b, Role::kServer), client = Mutual(certs, a, Role::kClient);
  Only(server, Version::kTls12);
  Pair pair(server, client);
  Carry(pair.client, pair.server);
  const auto before = Exported(pair.client, "EXPORTER-x", std::nullopt, 32);
  ASSERT_TRUE(pair.client.engine.Renegotiate().ok());
  EXPECT_EQ(Exported(pair.client, "EXPORTER-x", std::nullopt, 32), before) << "not over yet";
  Carry(pair.client, pair.server);
  ASSERT_EQ(pair.client.renegotiated, 1) << pair.client.error;
  const auto after = Exported(pair.client, "EXPORTER-x", std::nullopt, 32);
  EXPECT_NE(after, before);
  EXPECT_EQ(after, Exported(pair.server, "EXPORTER-x", std::nullopt, 32));
}

}  // namespace
}  // namespace noded::tls
