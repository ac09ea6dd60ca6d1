// Our table of cipher suites and OTP's: the same tuples and names; and what OTP uses by default we
// have.
#include <sstream>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/testlib/otp_node.h"
#include "tests/testlib/process.h"
#include "tls/ciphers.h"

namespace noded::tls {
namespace {

using testlib::OtpNode;

TEST(CiphersOtpTest, EachSuiteIsTheSameTupleThere) {
  OtpNode otp{{}};
  otp.Eval("{ok, _} = application:ensure_all_started(ssl)");
  otp.Eval(
      "Tuple = fun(Name) -> #{key_exchange := K, cipher := C, mac := M, prf := P} = "
      "ssl:str_to_suite(Name), {K, C, M, P} end");
  for (const CipherSuite& suite : AllCipherSuites()) {
    EXPECT_EQ(otp.Eval(fmt::format("Tuple(\"{}\")", suite.openssl)), ErlangText(suite));
  }
}

TEST(CiphersOtpTest, WhatItUsesByDefaultWeHaveByItsNamesOrRefuseWithAReason) {
  OtpNode otp{{}};
  otp.Eval("{ok, _} = application:ensure_all_started(ssl)");
  std::string names = otp.Eval(
      "lists:flatten(lists:join(\" \", [F(S) || V <- ['tlsv1.2', 'tlsv1.3'], S <- "
      "ssl:cipher_suites(default, V), F <- [fun ssl:suite_to_str/1, fun "
      "ssl:suite_to_openssl_str/1]]))");
  ASSERT_GT(names.size(), 2u);
  std::istringstream words(names.substr(1, names.size() - 2));
  size_t known = 0;
  for (std::string word; words >> word;) {
    if (FindCipherSuite(word) != nullptr) {
      ++known;
      continue;
    }
    const absl::Status refused = ParseCipherSuites(word).status();
    // OTP 25 still has suites without forward secrecy and with DSA keys in its list.
    const bool is_given_up = word.find("DSS") != std::string::npos ||
                             word.find("ECDH_") != std::string::npos || word.starts_with("ECDH-");
    EXPECT_TRUE(is_given_up) << word;
    EXPECT_NE(std::string(refused.message()).find("RFC"), std::string::npos) << refused;
  }
  EXPECT_GT(known, 40u);
}

TEST(CiphersOpensslTest, EachSuiteHasTheSameNumberThere) {
  // The TLS 1.3 suites with CCM are not in its lists unless they are named.
  auto listed = testlib::RunProgram(
      {"openssl", "ciphers", "-V", "-ciphersuites",
       "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:"
       "TLS_AES_128_CCM_SHA256:TLS_AES_128_CCM_8_SHA256",
       "ALL:COMPLEMENTOFALL:@SECLEVEL=0"});
  ASSERT_TRUE(listed.ok()) << listed.status();
  for (const CipherSuite& suite : AllCipherSuites()) {
    const std::string number =
        fmt::format("0x{:02X},0x{:02X} - {} ", suite.id >> 8, suite.id & 0xff, suite.openssl);
    EXPECT_NE(listed->out.find(number), std::string::npos) << number;
  }
}

}  // namespace
}  // namespace noded::tls
