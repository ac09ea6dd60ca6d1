#include "tls/ciphers.h"

#include <set>

#include <gtest/gtest.h>

#include "base/status.h"
#include "tls/refused.h"

namespace noded::tls {
namespace {

using Names = std::vector<std::string>;

// The OpenSSL names of what a list comes to.
Names Read(std::string_view list) {
  auto suites = ParseCipherSuites(list);
  EXPECT_TRUE(suites.ok()) << list << ": " << suites.status();
  Names names;
  if (!suites.ok()) return names;
  for (const std::string& name : *suites) names.emplace_back(FindCipherSuite(name)->openssl);
  return names;
}

absl::Status Refused(std::string_view list) {
  absl::Status status = ParseCipherSuites(list).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << list;
  EXPECT_NE(base::MendOf(status), "") << list;
  return status;
}

bool Has(const absl::Status& status, std::string_view part) {
  return std::string(status.message()).find(part) != std::string::npos;
}

TEST(CiphersTest, EachSuiteIsFoundByEachOfItsNames) {
  std::set<uint16_t> ids;
  std::set<std::string> tuples;
  for (const CipherSuite& suite : AllCipherSuites()) {
    EXPECT_TRUE(ids.insert(suite.id).second) << suite.iana;
    EXPECT_TRUE(tuples.insert(ErlangText(suite)).second) << ErlangText(suite);
    EXPECT_EQ(FindCipherSuite(suite.iana), &suite);
    EXPECT_EQ(FindCipherSuite(suite.openssl), &suite);
    EXPECT_EQ(FindCipherSuite(suite.id), &suite);
    EXPECT_EQ(FindCipherSuite(suite.erlang), &suite);
    EXPECT_EQ(CipherSuiteName(suite.id), suite.iana);
  }
  EXPECT_EQ(FindCipherSuite("TLS_DHE_PSK_WITH_AES_256_CCM_8")->id, 0xc0ab) << "OTP's name";
  EXPECT_EQ(FindCipherSuite("TLS_NOTHING"), nullptr);
  EXPECT_EQ(CipherSuiteName(0), "");
}

TEST(CiphersTest, ReadsTheOldTuplesOfErlang) {
  struct Row {
    ErlangSuite tuple;
    const char* iana;
  };
  for (const Row& row : {
           Row{{"ecdhe_rsa", "aes_256_gcm", "aead", "sha384"},
               "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"},
           Row{{"ecdhe_rsa", "aes_256_gcm", "null", "sha384"},
               "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"},
           Row{{"rsa", "aes_128_cbc", "sha", ""}, "TLS_RSA_WITH_AES_128_CBC_SHA"},
           Row{{"any", "chacha20_poly1305", "aead", "sha256"}, "TLS_CHACHA20_POLY1305_SHA256"},
           Row{{"rsa_psk", "aes_256_cbc", "sha384", "sha384"},
               "TLS_RSA_PSK_WITH_AES_256_CBC_SHA384"},
       }) {
    const CipherSuite* suite = FindCipherSuite(row.tuple);
    ASSERT_NE(suite, nullptr) << row.iana;
    EXPECT_STREQ(suite->iana, row.iana);
  }
  EXPECT_EQ(FindCipherSuite(ErlangSuite{"rsa", "rc4_128", "sha", "default_prf"}), nullptr);
  EXPECT_EQ(FindCipherSuite(ErlangSuite{"ecdhe_rsa", "aes_256_gcm", "aead", "sha256"}), nullptr);
  EXPECT_EQ(ErlangText(*FindCipherSuite(0xc030)), "{ecdhe_rsa,aes_256_gcm,aead,sha384}");
}

TEST(CiphersTest, ListsTheDefaultSuitesOrAll) {
  EXPECT_EQ(CipherSuites(SuiteList::kAll).size(), AllCipherSuites().size());
  EXPECT_EQ(CipherSuites(SuiteList::kErlang), CipherSuites(SuiteList::kOpenssl));
  EXPECT_EQ(CipherSuites(SuiteList::kErlang).size(), DefaultCipherSuites().size());
  for (const std::string& name : DefaultCipherSuites()) {
    const CipherSuite& suite = *FindCipherSuite(name);
    EXPECT_FALSE(suite.is_psk()) << name;
    EXPECT_NE(suite.erlang.key_exchange, "rsa") << name << " has no forward secrecy";
    EXPECT_NE(suite.erlang.mac, "sha") << name;
  }
  const Names with_psk = DefaultCipherSuites(/*has_psk=*/true);
  EXPECT_GT(with_psk.size(), DefaultCipherSuites().size());
  std::set<std::string_view> exchanges;
  for (const std::string& name : with_psk)
    exchanges.insert(FindCipherSuite(name)->erlang.key_exchange);
  for (const char* exchange : {"psk", "dhe_psk", "ecdhe_psk", "rsa_psk"}) {
    EXPECT_EQ(exchanges.count(exchange), 1u) << exchange;
  }
}

TEST(CipherStringTest, KeepsTheOrderOfNamesInEitherSpelling) {
  auto suites = ParseCipherSuites("ECDHE-RSA-AES256-GCM-SHA384:TLS_AES_128_GCM_SHA256");
  ASSERT_TRUE(suites.ok()) << suites.status();
  EXPECT_EQ(*suites, (Names{"TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "TLS_AES_128_GCM_SHA256"}));
  EXPECT_EQ(Read("AES128-SHA,AES256-SHA; AES128-SHA"), (Names{"AES128-SHA", "AES256-SHA"}));
}

TEST(CipherStringTest, KeywordsAndOperatorsMeanWhatOpensslSays) {
  struct Row {
    const char* list;
    Names names;
  };
  const Names kChacha = {"TLS_CHACHA20_POLY1305_SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305",
                         "ECDHE-RSA-CHACHA20-POLY1305"};
  for (const Row& row : std::vector<Row>{
           {"CHACHA20+ECDHE", kChacha},
           {"CHACHA20:!DHE:!PSK", kChacha},
           {"kRSA+AESGCM", {"AES256-GCM-SHA384", "AES128-GCM-SHA256"}},
           {"RSA+AESGCM:+AES256", {"AES128-GCM-SHA256", "AES256-GCM-SHA384"}},
           {"RSA+AESGCM:+AES256:@STRENGTH", {"AES256-GCM-SHA384", "AES128-GCM-SHA256"}},
           {"kRSA+AESGCM:-AES256:AES256-GCM-SHA384", {"AES128-GCM-SHA256", "AES256-GCM-SHA384"}},
           {"kRSA+AESGCM:!AES256:AES256-GCM-SHA384", {"AES128-GCM-SHA256"}},
           {"kRSA+AES128+SHA1", {"AES128-SHA"}},
           {"kRSA+SHA256", {"AES256-SHA256", "AES128-SHA256"}},
           {"kPSK+AESGCM", {"PSK-AES256-GCM-SHA384", "PSK-AES128-GCM-SHA256"}},
           {"kRSAPSK+CHACHA20", {"RSA-PSK-CHACHA20-POLY1305"}},
           {"PSK+aRSA+AESGCM", {"RSA-PSK-AES256-GCM-SHA384", "RSA-PSK-AES128-GCM-SHA256"}},
           {"AESCCM8+kRSA", {"AES256-CCM8", "AES128-CCM8"}},
           {"kRSA+AESGCM:!aNULL:!RC4:!LOW:!EXP:!MD5:!3DES:!SRP:!kECDH:@SECLEVEL=1",
            {"AES256-GCM-SHA384", "AES128-GCM-SHA256"}},
           {"TLSv1.3+AES256", {"TLS_AES_256_GCM_SHA384"}},
           {"EECDH+ECDSA+AESGCM:!TLSv1.3",
            {"ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-AES128-GCM-SHA256"}},
       }) {
    EXPECT_EQ(Read(row.list), row.names) << row.list;
  }
  EXPECT_EQ(Read("HIGH").size(), AllCipherSuites().size());
  EXPECT_EQ(Read("DEFAULT").size(), DefaultCipherSuites().size());
  EXPECT_EQ(Read("DEFAULT:COMPLEMENTOFDEFAULT").size(), AllCipherSuites().size());
}

TEST(CipherStringTest, RemovingByKeyExchangeLeavesTls13Alone) {
  const Names names = Read("ALL:!ECDHE:!DHE:!RSA:!PSK");
  EXPECT_EQ(names.size(), 5u);
  for (const std::string& name : names) EXPECT_EQ(name.substr(0, 4), "TLS_") << name;
}

TEST(CipherStringTest, NamesTheNearestOfAMisspeltWord) {
  for (auto [list, nearest] :
       {std::pair("ECDHE-RSA-AES256-GCM-SHA38", "ECDHE-RSA-AES256-GCM-SHA384"),
        std::pair("ALL:!CHACHA2", "CHACHA20"), std::pair("ECDHE+AESGCN", "AESGCM"),
        std::pair("defualt", "DEFAULT")}) {
    EXPECT_TRUE(Has(Refused(list), nearest)) << Refused(list);
  }
}

TEST(CipherStringTest, RefusesEmptyListsAndUnknownCommands) {
  for (const char* list : {"", ":", " , ", "!ALL", "ALL:!ALL", "-AES", "ALL:@SECLEVEL=5",
                           "ALL:@NOTHING", "!", "+", "ECDHE+", "+ALL", "AES128-SHA+AES256"}) {
    EXPECT_EQ(base::ReasonOf(Refused(list)), "options") << list;
  }
  EXPECT_LT(Refused(std::string(100000, 'A')).message().size(), 400u);
  EXPECT_TRUE(Has(Refused("a\x1b[31m"), "a?[31m"));
}

TEST(CipherStringTest, ABrokenSuiteIsRefusedWithItsReasonAndWhatToUse) {
  struct Row {
    const char* name;
    const char* why;
  };
  for (const Row& row : {
           Row{"ECDHE-RSA-RC4-SHA", "RFC 7465"},
           Row{"TLS_DH_anon_WITH_AES_128_CBC_SHA", "anonymous"},
           Row{"ADH-AES128-SHA", "anonymous"},
           Row{"aNULL", "authentication"},
           Row{"eNULL", "encryption"},
           Row{"TLS_RSA_WITH_NULL_SHA", "encryption"},
           Row{"DES-CBC3-SHA", "CVE-2016-2183"},
           Row{"3DES", "CVE-2016-2183"},
           Row{"DHE-DSS-AES128-SHA", "DSA"},
           Row{"EXP-RC4-MD5", "export"},
           Row{"SRP-AES-128-CBC-SHA", "SRP"},
           Row{"kSRP", "SRP"},
           Row{"TLS_ECDH_RSA_WITH_AES_128_GCM_SHA256", "forward secrecy"},
           Row{"ALL:CAMELLIA", "Camellia"},
           Row{"LOW", "anybody can break"},
       }) {
    const absl::Status status = Refused(row.name);
    EXPECT_EQ(base::ReasonOf(status), "insufficient_crypto_support") << status;
    EXPECT_TRUE(Has(status, row.why)) << status;
  }
}

TEST(VersionTest, ReadsTheTwoAndRefusesTheRestWithTheReason) {
  for (const char* name : {"tlsv1.2", "TLSv1.2"}) EXPECT_EQ(*ParseVersion(name), Version::kTls12);
  for (const char* name : {"tlsv1.3", "TLSv1.3"}) EXPECT_EQ(*ParseVersion(name), Version::kTls13);
  for (auto [name, why] :
       {std::pair("sslv2", "RFC 6176"), std::pair("SSLv3", "RFC 7568"),
        std::pair("tlsv1", "RFC 8996"), std::pair("tlsv1.0", "RFC 8996"),
        std::pair("TLSv1.1", "RFC 8996"), std::pair("dtlsv1.2", "RFC 9147"),
        std::pair("tls1.3", "did you mean 'tlsv1.3'"), std::pair("", "unknown")}) {
    const absl::Status status = ParseVersion(name).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << name;
    EXPECT_TRUE(Has(status, why)) << status;
    EXPECT_TRUE(Has(status, "tlsv1.2 or tlsv1.3")) << status;
  }
}

TEST(RefusedTest, EachEntrySaysWhyAndWhatInstead) {
  for (auto table : {AllRefusedVersions(), AllRefusedSuites(), AllRefusedOptions()}) {
    for (const Refusal& refusal : table) {
      const absl::Status status = RefusedError(refusal, refusal.feature);
      EXPECT_TRUE(Has(status, refusal.feature)) << status;
      EXPECT_TRUE(Has(status, refusal.why)) << status;
      EXPECT_EQ(base::MendOf(status), refusal.instead);
      EXPECT_EQ(base::ReasonOf(status), refusal.reason);
    }
  }
  for (const char* option : {"padding_check", "fallback", "next_protocols_advertised",
                             "client_preferred_next_protocols", "srp_identity", "compression"}) {
    EXPECT_NE(RefusedOption(option), nullptr) << option;
  }
  EXPECT_EQ(RefusedOption("ciphers"), nullptr);
}

}  // namespace
}  // namespace noded::tls
