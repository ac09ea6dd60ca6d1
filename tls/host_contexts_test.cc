// A server with several hosts (sni_hosts, sni_fun): what each client gets by the name it asks for.
#include "tls/host_contexts.h"

#include <gtest/gtest.h>

#include "base/status.h"
#include "tls/client_hello.h"
#include "tls/engine_pair.h"

namespace noded::tls {
namespace {

using base::ReasonOf;
using testlib::CertFiles;
using testlib::TestCerts;

class HostContextsTest : public testing::TestWithParam<Version> {
 protected:
  Options Server(const std::string& host) {
    const CertFiles files = certs_.Node(host);
    Options options;
    options.identity = {.certfile = files.cert, .keyfile = files.key};
    return options;
  }
  Options Client() {
    Options options;
    options.trust.cacertfile = certs_.ca();
    Only(options, GetParam());
    return options;
  }
  // The server's certificate as seen by a client that asks for this name.
  std::string Seen(const std::shared_ptr<const Context>& server, const std::string& name,
                   size_t step = SIZE_MAX) {
    Options client = Client();
    client.trust.verify = Verify::kNone;
    Pair pair(server, Make(client, Role::kClient), name);
    pair.Carry(step);
    EXPECT_TRUE(pair.server.info && pair.client.info) << name << pair.Errors();
    if (!pair.client.info || !pair.client.info->peer) return "";
    EXPECT_EQ(pair.server.info->server_name, name == "127.0.0.1" ? "" : name);
    return pair.client.info->peer->dns_names.front();
  }

  TestCerts certs_;
};

INSTANTIATE_TEST_SUITE_P(Versions, HostContextsTest,
                         testing::Values(Version::kTls12, Version::kTls13), [](const auto& info) {
                           return info.param == Version::kTls12 ? "Tls12" : "Tls13";
                         });

TEST_P(HostContextsTest, EachHostShowsItsOwnCertificateAndStrangersGetTheServers) {
  Options server = Server("main.example");
  server.server_names.hosts["shop.example"] =
      std::make_shared<const Options>(Server("shop.example"));
  server.server_names.hosts["Mail.Example"] =
      std::make_shared<const Options>(Server("mail.example"));
  const auto context = Make(server, Role::kServer);
  for (size_t step : {SIZE_MAX, size_t{1}, size_t{97}}) {
    EXPECT_EQ(Seen(context, "shop.example", step), "shop.example");
    EXPECT_EQ(Seen(context, "SHOP.example", step), "shop.example");
    EXPECT_EQ(Seen(context, "mail.example", step), "mail.example");
    EXPECT_EQ(Seen(context, "other.example", step), "main.example");
    EXPECT_EQ(Seen(context, "127.0.0.1", step), "main.example");
  }
}

TEST_P(HostContextsTest, AHostsVerificationAndAlpnHoldAndNotTheServers) {
  Options server = Server("main.example");
  Options strict = Server("strict.example");
  strict.trust.cacertfile = certs_.ca();
  strict.trust.verify = Verify::kPeer;
  strict.trust.fail_if_no_peer_cert = true;
  strict.alpn.protocols = {"strict"};
  server.alpn.protocols = {"lax"};
  server.server_names.hosts["strict.example"] = std::make_shared<const Options>(strict);
  const auto context = Make(server, Role::kServer);

  Options client = Client();
  client.alpn.protocols = {"lax", "strict"};
  Pair unnamed(context, Make(client, Role::kClient), "strict.example");
  unnamed.Carry();
  EXPECT_EQ(ReasonOf(unnamed.server.error),
            GetParam() == Version::kTls12 ? "handshake_failure" : "certificate_required");

  Pair main(context, Make(client, Role::kClient), "main.example");
  main.Carry();
  ASSERT_TRUE(main.server.info) << main.Errors();
  EXPECT_EQ(main.server.info->alpn, "lax");
  EXPECT_FALSE(main.server.info->is_peer_verified);

  const CertFiles node = certs_.Node("a@a.example");
  client.identity = {.certfile = node.cert, .keyfile = node.key};
  Pair named(context, Make(client, Role::kClient), "strict.example");
  named.Carry();
  ASSERT_TRUE(named.server.info) << named.Errors();
  EXPECT_EQ(named.server.info->alpn, "strict");
  EXPECT_TRUE(named.server.info->is_peer_verified);

  const CertFiles stranger = certs_.Untrusted("a@a.example");
  client.identity = {.certfile = stranger.cert, .keyfile = stranger.key};
  Pair untrusted(context, Make(client, Role::kClient), "strict.example");
  untrusted.Carry();
  EXPECT_EQ(ReasonOf(untrusted.server.error), "unknown_ca") << untrusted.Errors();
}

TEST_P(HostContextsTest, AHostsVersionsAndSuitesHold) {
  Options server = Server("main.example");
  Only(server, GetParam() == Version::kTls12 ? Version::kTls13 : Version::kTls12);
  Options host = Server("host.example");
  host.ciphers.suites = {GetParam() == Version::kTls12 ? "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"
                                                       : "TLS_CHACHA20_POLY1305_SHA256"};
  server.server_names.hosts["host.example"] = std::make_shared<const Options>(host);
  Pair pair(Make(server, Role::kServer), Make(Client(), Role::kClient), "host.example");
  pair.Carry();
  ASSERT_TRUE(pair.server.info) << pair.Errors();
  EXPECT_EQ(pair.server.info->version, GetParam());
  EXPECT_EQ(pair.server.info->cipher_suite, host.ciphers.suites[0]);
}

TEST_P(HostContextsTest, TheFunctionIsAskedAndItsContextsAreKept) {
  const auto shop = std::make_shared<const Options>(Server("shop.example"));
  std::vector<std::string> asked;
  Options server = Server("main.example");
  server.server_names.fun = [&](std::string_view name) -> std::shared_ptr<const Options> {
    asked.emplace_back(name);
    if (name == "broken.example") {
      Options broken;
      broken.identity.certfile = "/no/such/file";
      return std::make_shared<const Options>(broken);
    }
    if (name == "throws.example") throw std::runtime_error("user's function");
    return name == "shop.example" ? shop : nullptr;
  };
  const auto context = Make(server, Role::kServer);
  EXPECT_EQ(Seen(context, "shop.example"), "shop.example");
  EXPECT_EQ(Seen(context, "shop.example"), "shop.example");
  EXPECT_EQ(Seen(context, "other.example"), "main.example");
  EXPECT_EQ(asked, (std::vector<std::string>{"shop.example", "shop.example", "other.example"}));
  auto names = HostContexts::Create(server.server_names, PemCache::Shared());
  ASSERT_TRUE(names.ok()) << names.status();
  auto first = (*names)->Find("shop.example"), second = (*names)->Find("shop.example");
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_EQ(*first, *second);
  EXPECT_EQ((*names)->All().size(), 1u);

  for (const char* name : {"broken.example", "throws.example"}) {
    Pair pair(context, Make(Client(), Role::kClient), name);
    pair.Carry();
    EXPECT_NE(std::string(pair.server.error.message()).find(name), std::string::npos)
        << pair.Errors();
    EXPECT_EQ(ReasonOf(pair.client.error), "internal_error") << pair.Errors();
  }
}

TEST_P(HostContextsTest, ANameWithADotAtItsEndIsSentWithoutAndRefusedWith) {
  const auto context = Make(Server("main.example"), Role::kServer);
  Options client = Client();
  Pair dotted(context, Make(client, Role::kClient), "main.example.");
  dotted.Carry();
  ASSERT_TRUE(dotted.server.info) << dotted.Errors();
  EXPECT_EQ(dotted.server.info->server_name, "main.example");

  // A client that does not know better.
  Pair pair(context, Make(client, Role::kClient), "main.exampleX");
  pair.client.Run();
  std::string hello = pair.client.engine.TakeOutput().ToString();
  const size_t at = hello.find("main.exampleX");
  ASSERT_NE(at, std::string::npos);
  hello[at + 12] = '.';
  pair.server.engine.Feed(base::AsBytes(hello));
  pair.Carry();
  EXPECT_EQ(ReasonOf(pair.server.error), "unrecognized_name") << pair.Errors();
  EXPECT_EQ(ReasonOf(pair.client.error), "unrecognized_name") << pair.Errors();
}

TEST(HostContextsOptionsTest, ContradictionsAndBrokenHostsAreNamed) {
  TestCerts certs;
  const CertFiles files = certs.Node("main.example");
  Options server;
  server.identity = {.certfile = files.cert, .keyfile = files.key};
  const auto own = std::make_shared<const Options>(server);
  const SniFun fun = [](std::string_view) { return nullptr; };
  struct Row {
    ServerNames names;
    Role role;
    const char* expected;
  };
  Options broken = server;
  broken.identity.keyfile = "/no/such/key";
  for (const Row& row : std::vector<Row>{
           {{.hosts = {{"a", own}}, .fun = fun}, Role::kServer, "server_sni_fun"},
           {{.hosts = {{"a", own}}}, Role::kClient, "client_sni_hosts"},
           {{.hosts = {}, .fun = fun}, Role::kClient, "client_sni_fun"},
           {{.hosts = {{"", own}}}, Role::kServer, "server_sni_hosts"},
           {{.hosts = {{"a.", own}}}, Role::kServer, "server_sni_hosts"},
           {{.hosts = {{"a", nullptr}}}, Role::kServer, "server_sni_hosts"},
           {{.hosts = {{"a.example", std::make_shared<const Options>(broken)}}},
            Role::kServer,
            "server_sni_hosts, a.example"},
       }) {
    Options options = server;
    options.server_names = row.names;
    auto context = Context::Create(options, row.role);
    EXPECT_EQ(context.status().code(), absl::StatusCode::kInvalidArgument) << row.expected;
    EXPECT_NE(std::string(context.status().message()).find(row.expected), std::string::npos)
        << context.status();
    EXPECT_NE(base::MendOf(context.status()), "");
  }
}

std::string HelloFrom(const std::string& name) {
  Options client;
  Side side(Make(client, Role::kClient), name);
  side.Run();
  return side.engine.TakeOutput().ToString();
}

TEST(ClientHelloNameTest, FindsTheNameInAnyCutAndAcrossRecords) {
  const std::string whole = HelloFrom("shop.example");
  // The same message in records of one byte each.
  std::string pieces;
  for (char byte : whole.substr(5)) pieces += std::string("\x16\x03\x01\x00\x01", 5) + byte;
  for (const std::string& bytes : {whole, pieces}) {
    for (size_t step : {bytes.size(), size_t{1}, size_t{6}}) {
      ClientHelloName hello(1 << 16);
      for (size_t at = 0; at < bytes.size(); at += step) {
        EXPECT_FALSE(hello.is_done());
        hello.Feed(base::AsBytes(std::string_view(bytes).substr(at, step)));
      }
      EXPECT_TRUE(hello.is_done());
      EXPECT_EQ(hello.name(), "shop.example");
    }
  }
  ClientHelloName none(1 << 16);
  none.Feed(base::AsBytes(HelloFrom("127.0.0.1")));
  EXPECT_TRUE(none.is_done());
  EXPECT_EQ(none.name(), "");
}

TEST(ClientHelloNameTest, IsDoneWithoutANameWhenThereCanBeNone) {
  const std::string whole = HelloFrom("shop.example");
  struct Row {
    const char* what;
    std::string bytes;
    size_t limit = 1 << 16;
  };
  std::string other_message = whole, cut_session = whole;
  other_message[5] = 2;
  cut_session[5 + 4 + 34] = '\xff';
  for (const Row& row : {
           Row{"HTTP", "GET / HTTP/1.1\r\n"},
           Row{"an alert", std::string("\x15\x03\x03\x00\x02\x02\x28", 7)},
           Row{"an empty record", std::string("\x16\x03\x01\x00\x00", 5)},
           Row{"a record that is too long", std::string("\x16\x03\x01\x40\x01", 5)},
           Row{"another message", other_message},
           Row{"a session id past the end", cut_session},
           Row{"a message past the limit", whole, 64},
       }) {
    ClientHelloName hello(row.limit);
    hello.Feed(base::AsBytes(row.bytes));
    EXPECT_TRUE(hello.is_done()) << row.what;
    EXPECT_EQ(hello.name(), "") << row.what;
  }
}

// Else a client could be served by the rules of one host and pass for a client of another.
TEST_P(HostContextsTest, TheNameMayNotChangeLater) {
  if (GetParam() != Version::kTls12) return;  // in 1.3 there is no second handshake
  Options server = Server("main.example");
  server.server_names.hosts["shop.example"] =
      std::make_shared<const Options>(Server("shop.example"));
  for (const char* later : {"b.example", "shop.example"}) {
    Side engine(Make(server, Role::kServer));
    RawPeer peer(Role::kClient, Version::kTls12, PemOf(certs_.Node("a@a.example")));
    ASSERT_TRUE(Meet(peer, engine)) << engine.error;
    peer.UseServerName(later);
    Renegotiate(peer, engine);
    const bool is_same = std::string(later) == kHost;
    EXPECT_EQ(engine.renegotiated, is_same ? 1 : 0) << engine.error;
    if (!is_same) {
      EXPECT_EQ(ReasonOf(engine.error), "unrecognized_name") << engine.error;
    }
  }
}

}  // namespace
}  // namespace noded::tls
