// Every option with values that are taken and values that are refused, and what is said then.
#include "dist/carrier/tls_option_table.h"

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "fmt/format.h"
#include <gtest/gtest.h>

#include "dist/carrier/tls_options.h"
#include "tls/function_registry.h"

namespace noded::dist {
namespace {

struct Case {
  std::string_view option;
  // As Erlang terms, in an option file of a role that has the option.
  std::vector<std::string> good;
  // With a part of the message.
  std::vector<std::pair<std::string, std::string>> bad;
};

const std::vector<Case>& Cases() {
  static const std::vector<Case> cases = {
      {"certfile", {"\"/a\"", "<<\"/a\">>"}, {{"\"\"", "path of a PEM file"}, {"7", "found 7"}}},
      {"keyfile", {"\"/a\""}, {{"[]", "path of a PEM file"}}},
      {"password", {"\"p\"", "<<\"p\">>", "\"\""}, {{"{x}", "expected is text"}}},
      {"cacertfile", {"\"/a\""}, {{"{a}", "path of a PEM file"}}},
      {"cacerts", {"<<1>>", "[<<1>>, <<2>>]"}, {{"[x]", "binary of DER"}, {"[]", "of DER"}}},
      {"cert", {"<<1>>", "[<<1>>]"}, {{"7", "binary of DER"}}},
      {"key", {"{'ECPrivateKey', <<1>>}", "{'PrivateKeyInfo', <<1>>}"}, {{"<<1>>", "{Type, Der}"}}},
      {"certs_keys",
       {"[#{certfile => \"/a\"}]", "[#{certfile => \"/a\"}, #{certfile => \"/b\"}]"},
       {{"[]", "a list of maps"}, {"[x]", "a list of maps"}, {"[#{7 => 1}]", "one of the keys"}}},
      {"verify", {"verify_peer", "verify_none"}, {{"true", "verify_peer or verify_none"}}},
      {"fail_if_no_peer_cert", {"true", "false"}, {{"1", "true or false"}}},
      {"depth", {"0", "255"}, {{"-1", "0 to 255"}, {"256", "0 to 255"}}},
      {"verify_fun",
       {"undefined", "{inet_tls_dist, verify_client, []}",
        "{fun inet_tls_dist:verify_client/3, []}"},
       {{"{a, b, []}", "no verify_fun 'a:b'"},
        {"{fun a:b/2, []}", "/3"},
        {"{a, b}", "{Module, Function, State}"}}},
      {"partial_chain",
       {"fun shop:anchor/1", "{shop, anchor}"},
       {{"undefined", "fun Module:Function/1"}, {"{shop, ancor}", "'shop:anchor'?"}}},
      {"crl_check", {"false", "true", "peer", "best_effort"}, {{"yes", "best_effort or false"}}},
      {"crl_cache",
       {"{ssl_crl_cache, {internal, []}}", "{ssl_crl_cache, {internal, [{http, 5000}]}}"},
       {{"{my_cache, {internal, []}}", "no crl_cache 'my_cache'"},
        {"{ssl_crl_cache, {internal, [{http, 0}]}}", "1 to 60000"},
        {"{ssl_crl_cache, {internal, [{file, \"/none.crl\"}]}}", "/none.crl"}}},
      {"reuse_session",
       {"undefined", "fun shop:reuse/4"},
       {{"fun shop:reuse/3", "/4"}, {"{shop, use}", "no reuse_session 'shop:use'"}}},
      {"session_tickets", {"disabled", "stateful", "stateless"}, {{"auto", "or stateless"}}},
      {"versions",
       {"['tlsv1.2']", "['tlsv1.3', 'tlsv1.2']", "'tlsv1.3'"},
       {{"['tlsv1.1']", "RFC 8996"},
        {"['sslv2']", "RFC 6176"},
        {"['sslv3']", "RFC 7568"},
        {"['tlsv1.0']", "RFC 8996"},
        {"['dtlsv1.2']", "RFC 9147"},
        {"[]", "'tlsv1.2'"}}},
      {"ciphers",
       {"\"ECDHE-RSA-AES128-GCM-SHA256\"", "[\"TLS_AES_128_GCM_SHA256\"]"},
       {{"[]", "a list of names"}, {"\"RC4-SHA\"", "RC4"}}},
      {"honor_cipher_order", {"true"}, {{"yes", "true or false"}}},
      {"eccs", {"[secp256r1]", "[prime256v1]"}, {{"[secp1]", "unknown group"}}},
      {"supported_groups", {"[x25519]"}, {{"x25519", "a list of groups"}}},
      {"signature_algs",
       {"[ecdsa_secp256r1_sha256]", "[{sha256, rsa}]"},
       {{"[{md5, rsa}]", "unknown signature scheme"}, {"[]", "a list such as"}}},
      {"signature_algs_cert", {"[rsa_pkcs1_sha256]"}, {{"[x]", "unknown signature scheme x"}}},
      {"dhfile", {"\"/dh\""}, {{"7", "path of a PEM file"}}},
      {"dh", {"<<1>>"}, {{"<<>>", "a binary of DER"}, {"\"x\"", "a binary of DER"}}},
      {"secure_renegotiate", {"true", "false"}, {{"x", "true or false"}}},
      {"client_renegotiation", {"true", "false"}, {{"x", "true or false"}}},
      {"reuse_sessions", {"true", "false"}, {{"7", "true or false"}}},
      {"server_name_indication", {"disable", "\"a\""}, {{"\"\"", "a host name or disable"}}},
      {"alpn_advertised_protocols", {"[<<\"h2\">>, \"x\"]"}, {{"[]", "a list of protocols"}}},
      {"alpn_preferred_protocols", {"[<<\"h2\">>]"}, {{"[<<>>]", "1 to 255 bytes"}}},
      {"sni_hosts",
       {"[]", "[{\"a\", [{certfile, \"/a\"}]}]"},
       {{"[x]", "a list of hosts"}, {"[{\"\", []}]", "a host name"}, {"x", "a list of hosts"}}},
      {"sni_fun",
       {"undefined", "fun shop:names/1", "{shop, names}"},
       {{"{shop, nmes}", "did you mean 'shop:names'?"}, {"fun shop:names/2", "/1"}}},
      {"psk_identity", {"\"shop\"", "<<\"shop\">>"}, {{"\"\"", "1 to 1024 bytes"}}},
      {"key_update_at", {"1", "388736063997"}, {{"0", "from 1 on"}, {"x", "from 1 on"}}},
      {"renegotiate_at", {"1", "268435456"}, {{"-5", "from 1 on"}}},
      {"max_fragment_length", {"undefined", "512", "4096"}, {{"513", "512, 1024, 2048 or 4096"}}},
      {"hibernate_after", {"0", "1000", "infinity", "undefined"}, {{"-1", "milliseconds"}}},
      {"log_alert", {"true", "false"}, {{"2", "true or false"}}},
      {"keylog", {"\"/dev/null\""}, {{"\"/no/such/folder\"", "cannot append to /no/such"}}},
      {"user_lookup_fun",
       {"{noded, psk, \"00ff\"}", "{fun shop:keys/3, []}", "{shop, keys, 7}"},
       {{"{noded, psk, \"\"}", "1 to 64 bytes"},
        {"{noded, psk, \"xy\"}", "1 to 64 bytes"},
        {"{shop, locks, []}", "no user_lookup_fun 'shop:locks'"},
        {"fun shop:keys/3", "{Module, Function, State}"}}},
  };
  return cases;
}

class TlsOptionTableTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    tls::FunctionRegistry& registry = tls::FunctionRegistry::Shared();
    registry.RegisterSniFun("shop:names", [](std::string_view) { return nullptr; });
    registry.RegisterPartialChain("shop:anchor",
                                  [](const std::vector<base::Slice>&) { return base::Slice(); });
    registry.RegisterReuseSession("shop:reuse",
                                  [](const base::Slice&, const tls::CertificateInfo*, tls::Version,
                                     std::string_view) { return true; });
    registry.RegisterUserLookupFun("shop:keys", [](std::string_view, const std::any&) {
      return std::optional<tls::Secret>("key");
    });
  }
  static absl::Status Apply(const TlsOptionEntry& entry, const std::string& value) {
    TlsOptions options;
    return ApplyTlsFile(fmt::format("[{{{}, [{{{}, {}}}]}}].",
                                    entry.is_for_server ? "server" : "client", entry.name, value),
                        "/f", options);
  }
};

TEST_F(TlsOptionTableTest, EveryOptionThatIsTakenHasItsCases) {
  std::set<std::string_view> cases, taken;
  for (const Case& one : Cases()) cases.insert(one.option);
  for (const TlsOptionEntry& entry : AllTlsOptions()) {
    if (entry.use == TlsOptionUse::kApplied) taken.insert(entry.name);
  }
  EXPECT_EQ(cases, taken);
}

TEST_F(TlsOptionTableTest, GoodValuesAreTakenAndBadOnesNamed) {
  for (const Case& one : Cases()) {
    const TlsOptionEntry* entry = FindTlsOption(one.option);
    ASSERT_NE(entry, nullptr) << one.option;
    for (const std::string& value : one.good) {
      const absl::Status status = Apply(*entry, value);
      EXPECT_TRUE(status.ok()) << one.option << " " << value << ": " << status;
    }
    for (const auto& [value, part] : one.bad) {
      const absl::Status status = Apply(*entry, value);
      const std::string message(status.message().data(), status.message().size());
      EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << one.option << " " << value;
      EXPECT_NE(message.find(part), std::string::npos) << message;
      EXPECT_NE(message.find(fmt::format("_{} (/f:1)", one.option)), std::string::npos) << message;
    }
  }
}

TEST_F(TlsOptionTableTest, WhatIsNotTakenMayBeOffAndElseSaysWhy) {
  for (const TlsOptionEntry& entry : AllTlsOptions()) {
    if (entry.use == TlsOptionUse::kApplied || entry.use == TlsOptionUse::kNoEffect) continue;
    if (!entry.off.empty()) {
      const std::string off(entry.off.substr(0, entry.off.find(' ')));
      EXPECT_TRUE(Apply(entry, off).ok()) << entry.name << " " << off;
    }
    const absl::Status status = Apply(entry, "something");
    const std::string message(status.message().data(), status.message().size());
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << entry.name;
    // The mend, too.
    EXPECT_NE(message.find("; "), std::string::npos) << message;
  }
}

TEST_F(TlsOptionTableTest, OptionsOfOldVersionsAreRefusedWithTheirReason) {
  for (const char* name :
       {"padding_check", "beast_mitigation", "fallback", "srp_identity",
        "next_protocols_advertised", "client_preferred_next_protocols", "compression"}) {
    const absl::Status status = Apply(*FindTlsOption(name), "something");
    EXPECT_NE(std::string(status.message()).find("is refused: "), std::string::npos) << status;
  }
}

}  // namespace
}  // namespace noded::dist
