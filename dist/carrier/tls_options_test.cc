#include "dist/carrier/tls_options.h"

#include <any>
#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "dist/carrier/tls_option_table.h"
#include "dist/term_text.h"
#include "tests/testlib/temp_dir.h"
#include "tls/function_registry.h"
#include "tls/internal_crl_cache.h"
#include "tls/memory_session_cache.h"

namespace noded::dist {
namespace {

using tls::Role;

TlsOptions FromFile(std::string_view text) {
  TlsOptions options;
  absl::Status status = ApplyTlsFile(text, "/f", options);
  EXPECT_TRUE(status.ok()) << status;
  return options;
}

tls::Options Server(std::string_view options) {
  return FromFile("[{server, [" + std::string(options) + "]}].").server;
}
tls::Options Client(std::string_view options) {
  return FromFile("[{client, [" + std::string(options) + "]}].").client;
}

std::string FileRefusal(std::string_view text) {
  TlsOptions options;
  absl::Status status = ApplyTlsFile(text, "/f", options);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << text;
  return std::string(status.message());
}

std::string ServerRefusal(std::string_view options) {
  return FileRefusal("[{server, [" + std::string(options) + "]}].");
}

std::string PairRefusal(std::string_view name, std::string_view value) {
  TlsOptions options;
  absl::Status status = ApplyTlsPair(name, value, "ERL_FLAGS", options);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << name;
  return std::string(status.message());
}

bool Has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

using Names = std::vector<std::string>;

TEST(TlsOptionsTest, PairsOfOtpsDocumentationAreTaken) {
  TlsOptions options;
  const std::vector<std::pair<std::string_view, std::string_view>> pairs = {
      {"server_certfile", "/s.pem"},
      {"client_certfile", "/c.pem"},
      {"server_keyfile", "/s.key"},
      {"client_password", "pass word"},
      {"server_cacertfile", "/ca"},
      {"server_verify", "verify_peer"},
      {"client_verify", "verify_none"},
      {"server_depth", "3"},
      {"server_fail_if_no_peer_cert", "true"},
      {"server_dhfile", "/dh"},
      {"server_secure_renegotiate", "false"},
      {"client_reuse_sessions", "save"},
      {"client_ciphers", "ECDHE-RSA-AES256-GCM-SHA384"},
      {"client_versions", "tlsv1.3"},
      {"server_hibernate_after", "1000"},
      {"client_crl_check", "false"},
      {"client_log_level", "debug"},
      {"client_ktls", "false"}};
  for (const auto& [name, value] : pairs) {
    absl::Status status = ApplyTlsPair(name, value, "ERL_FLAGS", options);
    EXPECT_TRUE(status.ok()) << status;
  }
  EXPECT_EQ(options.server.identity.certfile, "/s.pem");
  EXPECT_EQ(options.client.identity.certfile, "/c.pem");
  EXPECT_EQ(options.server.identity.keyfile, "/s.key");
  EXPECT_EQ(options.client.identity.password.view(), "pass word");
  EXPECT_EQ(options.server.trust.cacertfile, "/ca");
  EXPECT_EQ(options.server.trust.verify, tls::Verify::kPeer);
  EXPECT_EQ(options.client.trust.verify, tls::Verify::kNone);
  EXPECT_EQ(options.server.trust.depth, 3);
  EXPECT_TRUE(options.server.trust.fail_if_no_peer_cert);
  EXPECT_EQ(options.server.ciphers.dhfile, "/dh");
  EXPECT_FALSE(options.server.renegotiation.secure_renegotiate);
  EXPECT_TRUE(options.client.sessions.reuse_sessions);
  EXPECT_EQ(options.client.ciphers.suites, Names{"TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"});
  EXPECT_FALSE(options.client.versions.tls12);
  EXPECT_TRUE(options.client.versions.tls13);
  EXPECT_EQ(options.server.traffic.hibernate_after, std::chrono::milliseconds(1000));
  EXPECT_EQ(options.ignored, Names{"client_log_level (ERL_FLAGS)"});
  EXPECT_TRUE(options.is_given);
}

TEST(TlsOptionsTest, PairsTakeMoreThanOtpsDo) {
  TlsOptions options;
  for (const auto& [name, value] : std::vector<std::pair<std::string_view, std::string_view>>{
           {"server_versions", "tlsv1.2,tlsv1.3"},
           {"client_server_name_indication", "disable"},
           {"server_supported_groups", "x25519,secp256r1"},
           {"client_signature_algs", "[{sha256, rsa}]"}}) {
    absl::Status status = ApplyTlsPair(name, value, "ERL_FLAGS", options);
    EXPECT_TRUE(status.ok()) << status;
  }
  EXPECT_TRUE(options.server.versions.tls12 && options.server.versions.tls13);
  EXPECT_EQ(options.client.trust.name_check, tls::NameCheck::kDisabled);
  EXPECT_EQ(options.server.ciphers.groups, (Names{"x25519", "secp256r1"}));
  EXPECT_EQ(options.client.ciphers.signature_algorithms, Names{"rsa_pkcs1_sha256"});
}

TEST(TlsOptionsTest, WrongPairsAreRefusedWithPlaceAndMend) {
  std::string why = PairRefusal("server_cerfile", "/a");
  EXPECT_TRUE(Has(why, "server_cerfile (ERL_FLAGS)") && Has(why, "'server_certfile'?")) << why;
  EXPECT_TRUE(Has(PairRefusal("certfile", "/a"), "write server_certfile or client_certfile"));
  EXPECT_TRUE(Has(PairRefusal("frob", "/a"), "begin with server_ or client_"));
  EXPECT_TRUE(Has(PairRefusal("client_fail_if_no_peer_cert", "true"), "is an option of servers"));
  EXPECT_TRUE(Has(PairRefusal("server_depth", "two"), "a whole number"));
  EXPECT_TRUE(Has(PairRefusal("server_depth", "256"), "0 to 255"));
  EXPECT_TRUE(Has(PairRefusal("server_verify", "yes"), "found yes; expected is verify_peer or"));
  EXPECT_TRUE(Has(PairRefusal("server_certfile", ""), "the path of a PEM file"));
  EXPECT_TRUE(Has(PairRefusal("server_versions", "tlsv1.1"), "RFC 8996"));
  EXPECT_TRUE(Has(PairRefusal("server_ciphers", "ECDHE-RSA-AES256-GCM-SHA383"),
                  "did you mean 'ECDHE-RSA-AES256-GCM-SHA384'"));
}

TEST(TlsOptionsTest, WhatTheEngineLacksIsRefusedUnlessItIsOff) {
  EXPECT_TRUE(Has(PairRefusal("client_ktls", "true"), "hand the keys to the kernel"));
  EXPECT_TRUE(Has(PairRefusal("client_stapling", "staple"), "OCSP"));
  EXPECT_TRUE(Has(ServerRefusal("{cookie, true}"), "server_cookie (/f:1): is not taken; is for"));
  Server("{ktls, false}, {cookie, false}, {stapling, no_staple}");
}

TEST(TlsOptionsTest, RevocationListsAreAskedFor) {
  const tls::Revocation pair = [] {
    TlsOptions options;
    EXPECT_TRUE(ApplyTlsPair("client_crl_check", "best_effort", "ERL_FLAGS", options).ok());
    EXPECT_TRUE(ApplyTlsPair("client_crl_cache", "{ssl_crl_cache, {internal, [{http, 100}]}}",
                             "ERL_FLAGS", options)
                    .ok());
    return options.client.revocation;
  }();
  EXPECT_EQ(pair.check, tls::CrlCheck::kBestEffort);
  EXPECT_NE(pair.cache, nullptr);
}

TEST(TlsOptionsTest, SessionsAreKeptWhereTheApplicationSays) {
  testlib::TempDir dir;
  const auto apply = [](TlsOptions& options, std::string_view key, const std::string& value) {
    const absl::Status status = ApplySslParameter(key, *ParseTerm(value), "ERL_FLAGS", options);
    EXPECT_TRUE(status.ok()) << status;
  };
  TlsOptions options;
  apply(options, "session_lifetime", "600");
  apply(options, "session_cache_client_max", "7");
  EXPECT_EQ(options.server.sessions.lifetime, std::chrono::seconds(600));
  EXPECT_EQ(options.client.sessions.cache_max, 7u);
  apply(options, "session_cb", "sqlite");
  EXPECT_TRUE(Has(std::string(FinishTlsOptions(options).message()), "has no folder"));
  apply(options, "session_cb_init_args", "[{folder, \"" + dir.path() + "\"}]");
  ASSERT_TRUE(FinishTlsOptions(options).ok());
  EXPECT_NE(options.server.sessions.cache, nullptr);
  EXPECT_NE(options.client.sessions.cache, options.server.sessions.cache);
  apply(options, "session_cb", "memory");
  EXPECT_TRUE(Has(std::string(FinishTlsOptions(options).message()), "kept in memory"));
  const absl::Status unknown = ApplySslParameter("session_cb", Term::Atom("mnesia"), "E", options);
  EXPECT_TRUE(Has(std::string(unknown.message()), "no session_cb 'mnesia' is registered"))
      << unknown;
  EXPECT_FALSE(ApplySslParameter("session_lifetime", Term::Int(0), "E", options).ok());
}

TEST(TlsOptionsTest, WhatAProgramRegisteredIsMeantByItsName) {
  auto& registry = tls::FunctionRegistry::Shared();
  registry.RegisterPassword("keys:word", [] { return base::Secret("open"); });
  registry.RegisterCrlCache(
      "lists", [](const std::any& state) -> absl::StatusOr<std::shared_ptr<tls::CrlCache>> {
        if (std::any_cast<Term>(state).IsAtom("no")) return absl::InvalidArgumentError("no lists");
        return std::make_shared<tls::InternalCrlCache>();
      });
  std::vector<std::string> asked;
  registry.RegisterSessionCb(
      "store",
      [&](tls::Role role,
          const std::any& state) -> absl::StatusOr<std::shared_ptr<tls::SessionCache>> {
        asked.push_back(std::string(tls::RoleName(role)) + PrintTerm(std::any_cast<Term>(state)));
        return std::make_shared<tls::MemorySessionCache>(1);
      });
  const tls::Options options = Server("{password, fun keys:word/0}, {crl_cache, {lists, yes}}");
  EXPECT_EQ(options.identity.password_fun().view(), "open");
  EXPECT_NE(options.revocation.cache, nullptr);
  EXPECT_TRUE(Has(ServerRefusal("{password, fun keys:wrod/0}"), "did you mean 'keys:word'?"));
  EXPECT_TRUE(Has(ServerRefusal("{password, fun keys:word/1}"), "fun Module:Function/0"));
  EXPECT_TRUE(Has(ServerRefusal("{crl_cache, {lists, no}}"), "no lists"));
  EXPECT_TRUE(Has(ServerRefusal("{crl_cache, {list, yes}}"), "did you mean 'lists'?"));

  TlsOptions sessions;
  EXPECT_TRUE(ApplySslParameter("session_cb", Term::Atom("store"), "E", sessions).ok());
  EXPECT_TRUE(
      ApplySslParameter("session_cb_init_args", *ParseTerm("[{a, 1}]"), "E", sessions).ok());
  ASSERT_TRUE(FinishTlsOptions(sessions).ok());
  EXPECT_EQ(asked, (Names{"server[{a,1}]", "client[{a,1}]"}));
  EXPECT_NE(sessions.server.sessions.cache, sessions.client.sessions.cache);
}

TEST(TlsOptionsTest, ListsAndBinariesOfAFileAreTaken) {
  tls::Options options = Server(
      "{certfile, <<\"/s.pem\">>}, {versions, ['tlsv1.2']}, {ciphers, [\"TLS_AES_128_GCM_SHA256\","
      "\"ECDHE-ECDSA-AES128-GCM-SHA256\"]}, honor_cipher_order, {eccs, [prime256v1]},"
      "{signature_algs, [ecdsa_secp256r1_sha256, {sha384, ecdsa}, rsa_pss_rsae_sha512]},"
      "{alpn_preferred_protocols, [<<\"h2\">>, \"x\"]}, {client_renegotiation, false}");
  EXPECT_EQ(options.identity.certfile, "/s.pem");
  EXPECT_FALSE(options.versions.tls13);
  EXPECT_EQ(options.ciphers.suites,
            (Names{"TLS_AES_128_GCM_SHA256", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"}));
  EXPECT_TRUE(options.ciphers.honor_cipher_order);
  EXPECT_EQ(options.ciphers.groups, Names{"secp256r1"});
  EXPECT_EQ(options.ciphers.signature_algorithms,
            (Names{"ecdsa_secp256r1_sha256", "ecdsa_secp384r1_sha384", "rsa_pss_rsae_sha512"}));
  EXPECT_EQ(options.alpn.protocols, (Names{"h2", "x"}));
  EXPECT_FALSE(options.renegotiation.client_renegotiation);
}

TEST(TlsOptionsTest, CertificatesAndKeysMayStandInTheFile) {
  tls::Options options =
      Server("{cert, [<<1,2>>, <<3>>]}, {key, {'ECPrivateKey', <<4,5>>}}, {cacerts, [<<6>>]}");
  ASSERT_EQ(options.identity.certs.size(), 2u);
  EXPECT_EQ(options.identity.certs[0].text(), "\x01\x02");
  EXPECT_EQ(options.identity.key.view(), "\x04\x05");
  EXPECT_EQ(options.trust.cacerts.size(), 1u);
  options = Server("{certs_keys, [#{certfile => \"/c\", keyfile => \"/k\", password => \"p\"}]}");
  ASSERT_EQ(options.certs_keys.size(), 1u);
  EXPECT_EQ(options.certs_keys[0].certfile, "/c");
  EXPECT_EQ(options.certs_keys[0].keyfile, "/k");
  EXPECT_EQ(options.certs_keys[0].password.view(), "p");
  options = Server(
      "{certs_keys, [#{certfile => \"/c\"}, #{cert => <<1>>, key => {'ECPrivateKey', "
      "<<4>>}}]}");
  ASSERT_EQ(options.certs_keys.size(), 2u);
  EXPECT_EQ(options.certs_keys[1].key.view(), "\x04");
  EXPECT_TRUE(Has(ServerRefusal("{certs_keys, [#{file => 1}]}"), "one of the keys"));
  EXPECT_TRUE(Has(ServerRefusal("{key, #{engine => 1}}"), "not supported yet"));
}

TEST(TlsOptionsTest, SecretsAreNeverShown) {
  EXPECT_FALSE(Has(ServerRefusal("{key, {'DSAPrivateKey', <<\"s3cret\">>}}"), "s3cret"));
  EXPECT_FALSE(Has(ServerRefusal("{password, {s3cret}}"), "s3cret"));
  EXPECT_FALSE(Has(ServerRefusal("{certs_keys, [#{password => {s3cret}}]}"), "s3cret"));
  EXPECT_FALSE(Has(ServerRefusal("{psk_identity, {s3cret}}"), "s3cret"));
}

TEST(TlsOptionsTest, TheServersNameIsGivenOrNotChecked) {
  EXPECT_EQ(Client("{server_name_indication, disable}").trust.name_check,
            tls::NameCheck::kDisabled);
  const tls::Trust trust = Client("{server_name_indication, \"b.example\"}").trust;
  EXPECT_EQ(trust.name_check, tls::NameCheck::kGiven);
  EXPECT_EQ(trust.server_name, "b.example");
  EXPECT_TRUE(Has(ServerRefusal("{server_name_indication, \"x\"}"), "is an option of clients"));
}

TEST(TlsOptionsTest, OfAnOptionGivenTwiceTheLaterCounts) {
  EXPECT_EQ(Server("{depth, 1}, {depth, 2}").trust.depth, 2);
}

TEST(TlsOptionsTest, AHostBeginsWithTheServersOptionsWhereverTheyStand) {
  TlsOptions options = FromFile(
      "[{server, [{sni_hosts, [{\"a.example\", [{certfile, \"/a.pem\"}, {depth, 3}]},"
      "{\"b.example\", [{keyfile, \"/b.key\"}, {certfile, \"/b.pem\"}]}]},"
      "{certfile, \"/s.pem\"}, {keyfile, \"/s.key\"}, {versions, ['tlsv1.3']}]}].");
  ASSERT_TRUE(FinishTlsOptions(options).ok());
  ASSERT_EQ(options.server.server_names.hosts.size(), 2u);
  EXPECT_EQ(options.server.server_names.hosts.at("b.example")->identity.keyfile, "/b.key");
  const tls::Options& host = *options.server.server_names.hosts.at("a.example");
  EXPECT_EQ(host.identity.certfile, "/a.pem");
  EXPECT_EQ(host.identity.keyfile, "") << "the server's key is of the server's certificate";
  EXPECT_EQ(host.trust.depth, 3);
  EXPECT_FALSE(host.versions.tls12);
  EXPECT_EQ(options.server.identity.certfile, "/s.pem");
}

TEST(TlsOptionsTest, AHostsOptionsAreJudgedLikeTheServers) {
  for (const auto& [entry, why] : std::vector<std::pair<std::string, std::string>>{
           {"{cerfile, \"/a\"}", "server_cerfile (sni_hosts of a.example, /f:1): unknown option"},
           {"certfile", "an entry is not {Option, Value}"},
           {"{sni_hosts, [{\"b\", []}]}", "is for the server as a whole"},
           {"{server_name_indication, \"b\"}", "is an option of clients"}}) {
    TlsOptions options = FromFile("[{server, [{sni_hosts, [{\"a.example\", [" + entry + "]}]}]}].");
    const absl::Status status = FinishTlsOptions(options);
    EXPECT_TRUE(Has(std::string(status.message()), why)) << status;
  }
}

TEST(TlsOptionsTest, OtpsCheckOfConnectingNodesIsKnownByItsName) {
  EXPECT_EQ(FromFile("[{server, [{verify_fun, {fun inet_tls_dist:verify_client/3, undefined}}]}].")
                .verify_client,
            Names{});
  EXPECT_EQ(FromFile("[{server, [{verify_fun, {inet_tls_dist, verify_client, [\"a\", 'x@b']}}]}].")
                .verify_client,
            (Names{"a", "x@b"}));
  EXPECT_FALSE(FromFile("[{server, [{verify_fun, undefined}]}].").verify_client);
  EXPECT_TRUE(Has(FileRefusal("[{client, [{verify_fun, {inet_tls_dist, verify_client, []}}]}]."),
                  "nodes that connect to this one"));
  EXPECT_TRUE(
      Has(ServerRefusal("{verify_fun, {inet_tls_dist, verify_client, [{x}]}}"), "found {x}"));
}

TEST(TlsOptionsTest, KeysAreAppendedToTheirLogForTheOwnerAlone) {
  testlib::TempDir dir;
  const std::string path = dir.File("keys");
  const tls::Options options = Server("{keylog, \"" + path + "\"}");
  options.traffic.keylog("one");
  Client("{keylog, \"" + path + "\"}").traffic.keylog("two");
  EXPECT_EQ(testlib::ReadFile(path), "one\ntwo\n");
  EXPECT_EQ(std::filesystem::status(path).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST(TlsOptionsTest, AFileOfAnotherFormIsRefused) {
  for (const char* text : {"", "server.", "[].\n[].", "[{server, x}].", "[{sever, []}].",
                           "[{server, [7]}].", "[{server, [{\"a\", 1}]}].", "[{server, [],}"}) {
    EXPECT_TRUE(Has(FileRefusal(text), "-ssl_dist_optfile /f")) << text;
  }
  FromFile("[].");
}

TEST(TlsOptionsTest, AnErrorNamesTheLineOfTheFile) {
  const std::string why = FileRefusal(
      "%% {cerfile, in a comment}\n[{server, [{certfile, \"cerfile\"},\n\n  {'cerfile', "
      "\"/b\"}]},\n"
      " {client, []}].");
  EXPECT_TRUE(Has(why, "option server_cerfile (/f:4): unknown option; did you mean 'certfile'?"))
      << why;
  EXPECT_TRUE(Has(FileRefusal("[{client, [{depth, 1},\n{depth, $x}, {versions, [x]}]}]."),
                  "client_versions (/f:2)"));
}

TEST(TlsOptionsTest, WrongValuesNameWhatWasFoundAndExpected) {
  EXPECT_TRUE(Has(ServerRefusal("{depth, many}"), "found many; expected is the number"));
  EXPECT_TRUE(Has(ServerRefusal("{honor_cipher_order, 1}"), "found 1; expected is true or false"));
  EXPECT_TRUE(Has(ServerRefusal("{versions, []}"), "'tlsv1.2' and 'tlsv1.3'"));
  EXPECT_TRUE(Has(ServerRefusal("{versions, [tlsv12]}"), "found tlsv12"));
  EXPECT_TRUE(Has(ServerRefusal("{ciphers, []}"), "a list of names"));
  EXPECT_TRUE(Has(ServerRefusal("{ciphers, [#{cipher => aes_128_gcm}]}"), "written as names"));
  EXPECT_TRUE(Has(ServerRefusal("{supported_groups, [secp256k1]}"), "'secp256r1'?"));
  EXPECT_TRUE(Has(ServerRefusal("{signature_algs, [{sha, rsa}]}"), "rsa_pkcs1_sha"));
  EXPECT_TRUE(Has(ServerRefusal("{alpn_preferred_protocols, [h2]}"), "1 to 255 bytes"));
  EXPECT_TRUE(Has(ServerRefusal("{nodelay, true}"), "an option of sockets"));
  EXPECT_TRUE(Has(ServerRefusal("{cacerts, [x]}"), "a binary of DER"));
}

TEST(TlsOptionsTest, ApplicationParametersOfSslApplyToBothRoles) {
  TlsOptions options;
  ASSERT_TRUE(
      ApplySslParameter("protocol_version", *ParseTerm("['tlsv1.3']"), "ERL_FLAGS", options).ok());
  EXPECT_FALSE(options.server.versions.tls12 || options.client.versions.tls12);
  EXPECT_FALSE(options.is_given);
  EXPECT_EQ(options.client.traffic.alert_timeout, std::chrono::milliseconds(5000)) << "OTP's";
  EXPECT_TRUE(ApplySslParameter("alert_timeout", Term::Int(1), "ERL_FLAGS", options).ok());
  EXPECT_EQ(options.server.traffic.alert_timeout, std::chrono::milliseconds(1));
  EXPECT_EQ(options.client.traffic.alert_timeout, std::chrono::milliseconds(1));
  EXPECT_FALSE(ApplySslParameter("alert_timeout", Term::Int(-1), "ERL_FLAGS", options).ok());
  EXPECT_TRUE(ApplySslParameter("bypass_pem_cache", Term::Atom("true"), "E", options).ok());
  EXPECT_EQ(options.ignored, Names{"-ssl bypass_pem_cache (E)"});
  EXPECT_TRUE(ApplySslParameter("ssl_pem_cache_clean", Term::Int(500), "ERL_FLAGS", options).ok());
  EXPECT_EQ(options.pem_cache_clean, std::chrono::milliseconds(500));
  EXPECT_FALSE(ApplySslParameter("ssl_pem_cache_clean", Term::Int(-1), "ERL_FLAGS", options).ok());
  const absl::Status status =
      ApplySslParameter("protocol_versoin", Term::Nil(), "ERL_FLAGS", options);
  EXPECT_TRUE(Has(std::string(status.message()), "did you mean 'protocol_version'?")) << status;
}

TEST(TlsOptionsTest, ValidationNamesTheRole) {
  TlsOptions options;
  EXPECT_TRUE(Has(std::string(ValidateTlsOptions(options).message()), "server_certfile"));
  EXPECT_TRUE(ValidateTlsOptions(options, false).ok());
}

TEST(TlsOptionsTest, TheTableNamesEachOptionOnce) {
  for (const TlsOptionEntry& entry : AllTlsOptions()) {
    EXPECT_EQ(FindTlsOption(entry.name), &entry) << entry.name << " is there twice";
    EXPECT_EQ(entry.apply != nullptr, entry.use == TlsOptionUse::kApplied) << entry.name;
  }
}

}  // namespace
}  // namespace noded::dist
