#include "tls/psk.h"

#include <gtest/gtest.h>

#include "base/status.h"
#include "tls/alert.h"
#include "tls/ciphers.h"
#include "tls/client_hello.h"
#include "tls/engine_pair.h"

namespace noded::tls {
namespace {

using base::ReasonOf;
using testlib::CertFiles;
using testlib::TestCerts;

const Secret kKey("0123456789abcdef0123456789abcdef");

// Knows "shop" and nobody else.
PskLookup ShopOnly() {
  return [](std::string_view identity) {
    return identity == "shop" ? std::optional<Secret>(kKey) : std::nullopt;
  };
}

Options PskServer() {
  Options options;
  options.psk.lookup = ShopOnly();
  return options;
}

Options PskClient(std::string identity = "shop", Secret key = kKey) {
  Options options;
  options.psk.identity = std::move(identity);
  options.psk.lookup = SamePskForAll(std::move(key));
  return options;
}

TEST(PskTest, EachKeyExchangeConnectsWithoutCertificatesInAnyCut) {
  TestCerts certs;
  const CertFiles rsa = certs.Node("b@b.example", KeyType::kRsa2048);
  for (const CipherSuite& suite : AllCipherSuites()) {
    if (!suite.is_psk()) continue;
    Options server = PskServer(), client = PskClient();
    client.ciphers.suites = {suite.iana};
    if (suite.erlang.key_exchange == "rsa_psk") {
      server.identity = {.certfile = rsa.cert, .keyfile = rsa.key};
    }
    if (suite.use == CipherSuite::Use::kOther) server.ciphers.suites = {suite.iana};
    Only(client, Version::kTls12);
    Pair pair(server, client);
    pair.Carry(suite.id % 2 == 0 ? 1 : SIZE_MAX);
    ASSERT_TRUE(pair.server.info && pair.client.info) << suite.iana << pair.Errors();
    EXPECT_EQ(pair.server.info->cipher_suite, suite.iana);
    EXPECT_FALSE(pair.client.info->is_peer_verified);
    EXPECT_FALSE(pair.server.info->is_peer_verified);
    EXPECT_EQ(pair.client.info->peer.has_value(), suite.erlang.key_exchange == "rsa_psk");
    Send(pair.client, "tea");
    pair.Carry();
    EXPECT_EQ(pair.server.received, "tea");
  }
}

TEST(PskTest, Tls13ConnectsWithDiffieHellmanAndWithoutItOnlyWhenBothAllowIt) {
  for (bool server_allows : {false, true}) {
    for (bool client_allows : {false, true}) {
      Options server = PskServer(), client = PskClient();
      server.psk.allow_without_dh = server_allows;
      client.psk.allow_without_dh = client_allows;
      Pair pair(server, client);
      pair.Carry();
      ASSERT_TRUE(pair.server.info && pair.client.info) << pair.Errors();
      EXPECT_EQ(pair.server.info->version, Version::kTls13);
      EXPECT_FALSE(pair.server.info->peer);
      EXPECT_FALSE(pair.client.info->is_peer_verified);
    }
  }
}

TEST(PskTest, AnUnknownIdentityIsRefusedByNameAndAWrongKeyByItsMac) {
  for (Version version : {Version::kTls12, Version::kTls13}) {
    Options client = PskClient("till");
    Only(client, version);
    Pair unknown(PskServer(), client);
    unknown.Carry();
    EXPECT_EQ(ReasonOf(unknown.server.error), "unknown_psk_identity") << unknown.Errors();
    EXPECT_EQ(ReasonOf(unknown.client.error), "unknown_psk_identity") << unknown.Errors();

    client = PskClient("shop", Secret("another key"));
    Only(client, version);
    Pair wrong(PskServer(), client);
    wrong.Carry();
    EXPECT_FALSE(wrong.server.error.ok());
    EXPECT_FALSE(wrong.client.error.ok());
    EXPECT_FALSE(wrong.server.info || wrong.client.info);
  }
}

TEST(PskTest, AClientIsAskedAgainWithTheServersHintInTls12) {
  TestCerts certs;
  const CertFiles rsa = certs.Node("b@b.example", KeyType::kRsa2048);
  for (const char* suite :
       {"TLS_PSK_WITH_AES_128_GCM_SHA256", "TLS_DHE_PSK_WITH_AES_128_GCM_SHA256",
        "TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256", "TLS_RSA_PSK_WITH_AES_128_GCM_SHA256"}) {
    SCOPED_TRACE(suite);
    Options server = PskServer(), client = PskClient();
    server.psk.identity = "the hint";
    server.identity = {.certfile = rsa.cert, .keyfile = rsa.key};
    Only(client, Version::kTls12);
    client.ciphers.suites = {suite};
    std::vector<std::string> asked;
    bool knows_hint = true;
    client.psk.lookup = [&](std::string_view hint) {
      asked.emplace_back(hint);
      return hint == "the hint" && knows_hint ? std::optional<Secret>(kKey) : std::nullopt;
    };
    Pair pair(server, client);
    pair.Carry(1);
    ASSERT_TRUE(pair.server.info && pair.client.info) << pair.Errors();
    EXPECT_EQ(asked, (std::vector<std::string>{"", "the hint"}));
    knows_hint = false;
    Pair refused(server, client);
    refused.Carry();
    EXPECT_EQ(ReasonOf(refused.client.error), "unknown_psk_identity") << refused.Errors();
    EXPECT_EQ(ReasonOf(refused.server.error), "unknown_psk_identity") << refused.Errors();
    // Neither does it go on without a hint when it has no key for that.
    server.psk.identity.clear();
    Pair unhinted(server, client);
    unhinted.Carry();
    EXPECT_EQ(ReasonOf(unhinted.client.error), "unknown_psk_identity") << unhinted.Errors();
  }
}

TEST(PskTest, AHintIsNoIdentityInTls13) {
  Options server = PskServer();
  server.psk.identity = "the hint";
  Pair pair(server, PskClient("the hint"));
  pair.Carry();
  EXPECT_EQ(ReasonOf(pair.server.error), "unknown_psk_identity") << pair.Errors();
  Pair known(server, PskClient());
  known.Carry();
  EXPECT_TRUE(known.server.info) << known.Errors();
}

TEST(PskTest, KeysThatCannotBeUsedAreAsGoodAsNone) {
  for (const Secret& key : {Secret(""), Secret(std::string(kMaxPskBytes + 1, 'k'))}) {
    Options client = PskClient("shop", key);
    Only(client, Version::kTls13);
    Side side(Make(client, Role::kClient), "b.example");
    side.Run();
    EXPECT_EQ(ReasonOf(side.error), "unknown_psk_identity") << side.error;
  }
  const Secret longest(std::string(kMaxPskBytes, 'k'));
  for (Version version : {Version::kTls12, Version::kTls13}) {
    Options server, client = PskClient("shop", longest);
    server.psk.lookup = SamePskForAll(longest);
    Only(client, version);
    Pair pair(server, client);
    pair.Carry();
    EXPECT_TRUE(pair.server.info) << pair.Errors();
  }
  EXPECT_FALSE(LookUpPsk({.identity = "",
                          .lookup = [](std::string_view) -> std::optional<Secret> {
                            throw std::runtime_error("user's function");
                          }},
                         "shop"));
}

TEST(PskTest, CertificatesAndKeysServeSideBySide) {
  TestCerts certs;
  const CertFiles a = certs.Node("a@a.example"), b = certs.Node("b@b.example");
  for (Version version : {Version::kTls12, Version::kTls13}) {
    Options server = Mutual(certs, b, Role::kServer);
    server.psk.lookup = ShopOnly();
    // One with a certificate, one with a key and trust anchors, one with a key alone.
    Options by_certificate = Mutual(certs, a, Role::kClient);
    Options by_both = Mutual(certs, a, Role::kClient);
    by_both.psk = PskClient().psk;
    if (version == Version::kTls12) by_both.ciphers.suites = {"TLS_PSK_WITH_AES_128_GCM_SHA256"};
    Options by_key = PskClient();
    struct Row {
      Options* client;
      bool is_verified;
    };
    for (const Row& row : {Row{&by_certificate, true}, Row{&by_both, false}, Row{&by_key, false}}) {
      Only(*row.client, version);
      Pair pair(server, *row.client);
      pair.Carry();
      ASSERT_TRUE(pair.server.info && pair.client.info) << pair.Errors();
      EXPECT_EQ(pair.server.info->is_peer_verified, row.is_verified);
      EXPECT_EQ(pair.client.info->is_peer_verified, row.is_verified);
    }
    // A client with trust anchors whose key is unknown still has its certificate.
    by_both.psk.identity = "till";
    by_both.ciphers.suites.clear();
    Pair pair(server, by_both);
    pair.Carry();
    ASSERT_TRUE(pair.server.info) << pair.Errors();
    EXPECT_TRUE(pair.server.info->is_peer_verified);
  }
}

TEST(PskTest, AClientWithNothingButAKeyTakesNoCertificateForAnAnswer) {
  TestCerts certs;
  const CertFiles b = certs.Node("b@b.example", KeyType::kRsa2048);
  Options server;
  server.identity = {.certfile = b.cert, .keyfile = b.key};
  for (Version version : {Version::kTls12, Version::kTls13}) {
    Options client = PskClient();
    Only(client, version);
    Pair pair(server, client);
    pair.Carry();
    EXPECT_FALSE(pair.client.info) << "an impostor without the key was taken for the server";
    EXPECT_FALSE(pair.client.error.ok());
  }
}

TEST(PskTest, OptionsThatContradictAreRefused) {
  Options no_identity;
  no_identity.psk.lookup = SamePskForAll(kKey);
  Options no_lookup;
  no_lookup.psk.identity = "shop";
  Options long_identity = PskClient(std::string(kMaxPskIdentityBytes + 1, 'i'));
  for (const Options& options : {no_identity, no_lookup, long_identity}) {
    const absl::Status status = Validate(options, Role::kClient);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_NE(base::MendOf(status), "") << status;
  }
  EXPECT_TRUE(Validate(PskServer(), Role::kServer).ok());
  EXPECT_TRUE(Validate(PskClient(), Role::kClient).ok());
  EXPECT_FALSE(Validate(Options(), Role::kServer).ok());
}

TEST(PskTest, NobodyIsWarnedOfCertificatesThatTakeNoPart) {
  EXPECT_TRUE(Make(PskServer(), Role::kServer)->Warnings().empty());
  EXPECT_TRUE(Make(PskClient(), Role::kClient)->Warnings().empty());
}

TEST(PskHintTest, ReadsTheHintAndNothingPastTheEnd) {
  EXPECT_EQ(PskHint(base::AsBytes(std::string_view("\0\4till rest", 11))), "till");
  for (std::string_view broken : {std::string_view(), std::string_view("\0", 1),
                                  std::string_view("\0\0", 2), std::string_view("\0\5till", 6)}) {
    EXPECT_EQ(PskHint(base::AsBytes(broken)), "");
  }
}

}  // namespace
}  // namespace noded::tls
