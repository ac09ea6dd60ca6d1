#include "tls/describe.h"

#include <gtest/gtest.h>

#include "tests/testlib/process.h"
#include "tests/testlib/temp_dir.h"
#include "tests/testlib/test_certs.h"

namespace noded::tls {
namespace {

using testlib::CertFiles;
using testlib::ReadFile;
using testlib::TestCerts;

std::vector<CertificateDescription> Described(const std::string& text) {
  auto all = DescribeCertificates(base::AsBytes(text));
  EXPECT_TRUE(all.ok()) << all.status();
  return all.ok() ? *std::move(all) : std::vector<CertificateDescription>(1);
}

TEST(DescribeTest, SaysWhatOpensslSays) {
  TestCerts certs;
  const CertFiles files = certs.Node("shop@127.0.0.1");
  const CertificateDescription shop = Described(ReadFile(files.cert)).front();
  EXPECT_EQ(shop.info.subject, "CN=shop@127.0.0.1");
  EXPECT_EQ(shop.info.issuer, "CN=noded test CA");
  EXPECT_EQ(shop.info.dns_names, std::vector<std::string>{"127.0.0.1"});
  EXPECT_EQ(shop.info.ip_addresses, std::vector<std::string>{"127.0.0.1"});
  EXPECT_FALSE(shop.info.is_ca);
  EXPECT_EQ(shop.signature, "ECDSA with SHA256");
  auto judge = testlib::RunProgram(
      {"openssl", "x509", "-noout", "-serial", "-fingerprint", "-sha256", "-in", files.cert});
  ASSERT_TRUE(judge.ok()) << judge.status();
  std::string said;
  for (char c : judge->out) {
    if (c != ':') said.push_back(static_cast<char>(std::tolower(c)));
  }
  EXPECT_EQ(said, "serial=" + shop.info.serial +
                      "\nsha256 fingerprint=" + shop.info.fingerprint_sha256 + "\n");
  EXPECT_TRUE(Described(ReadFile(certs.ca())).front().info.is_ca);
}

TEST(DescribeTest, TellsWhetherTheKeyInTheFileFits) {
  TestCerts certs;
  const CertFiles good = certs.Node("a"), bad = certs.Mismatched("a"),
                  locked = certs.Encrypted("a", "s3cret");
  EXPECT_EQ(Described(ReadFile(good.cert)).front().key_match, KeyMatch::kNoKey);
  EXPECT_EQ(Described(ReadFile(certs.InOne(good))).front().key_match, KeyMatch::kMatches);
  EXPECT_EQ(Described(ReadFile(certs.InOne(bad))).front().key_match, KeyMatch::kDiffers);
  EXPECT_EQ(Described(ReadFile(certs.InOne(locked))).front().key_match, KeyMatch::kUnknown);
}

TEST(DescribeTest, GivesAChainInItsOrder) {
  TestCerts certs;
  const auto chain = Described(ReadFile(certs.InOne(certs.Chained("a", 2))));
  ASSERT_EQ(chain.size(), 3u);
  EXPECT_EQ(chain[0].info.subject, "CN=a");
  EXPECT_EQ(chain[1].info.subject, "CN=noded test CA 2");
  EXPECT_EQ(chain[2].info.subject, "CN=noded test CA 1");
  EXPECT_EQ(chain[0].key_match, KeyMatch::kMatches);
  EXPECT_EQ(chain[1].key_match, KeyMatch::kDiffers);
}

TEST(DescribeTest, NamesTheAlgorithmsOfOtherKeys) {
  TestCerts certs;
  const CertFiles rsa = certs.Node("a", KeyType::kRsa2048);
  EXPECT_EQ(Described(ReadFile(rsa.cert)).front().info.key, "RSA 2048 bits");
  EXPECT_EQ(Described(ReadFile(certs.Node("a").cert)).front().info.key, "EC 256 bits");
}

TEST(DescribeTest, ReadsDer) {
  TestCerts certs;
  const std::string pem = ReadFile(certs.ca());
  const auto whole = Described(pem).front();
  EXPECT_EQ(Described(base::ToString(whole.info.der)).front().info.serial, whole.info.serial);
}

TEST(DescribeTest, RefusesWhatIsNoCertificate) {
  TestCerts certs;
  const std::string pem = ReadFile(certs.ca());
  for (const std::string& text : {std::string(), std::string("tea"), pem.substr(0, pem.size() / 2),
                                  ReadFile(certs.Node("a").key)}) {
    const absl::Status status = DescribeCertificates(base::AsBytes(text)).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << text << status;
  }
}

}  // namespace
}  // namespace noded::tls
