#include "tls/context.h"

#include <sys/stat.h>

#include <gtest/gtest.h>

#include "base/status.h"
#include "tests/testlib/temp_dir.h"
#include "tests/testlib/test_certs.h"

namespace noded::tls {
namespace {

using base::MendOf;
using base::ReasonOf;
using testlib::CertFiles;
using testlib::ReadFile;
using testlib::TempDir;
using testlib::TestCerts;

#define EXPECT_IN(part, text) \
  EXPECT_NE(std::string(text).find(part), std::string::npos) << std::string(text)

Options With(const std::string& cert, const std::string& key) {
  Options options;
  options.identity.certfile = cert;
  options.identity.keyfile = key;
  return options;
}

absl::Status Refusal(const Options& options, Role role = Role::kServer) {
  auto context = Context::Create(options, role);
  EXPECT_EQ(context.status().code(), absl::StatusCode::kInvalidArgument) << context.status();
  EXPECT_NE(MendOf(context.status()), "");
  return context.status();
}

class ContextTest : public testing::Test {
 protected:
  TestCerts certs_;
  TempDir dir_;
  CertFiles node_ = certs_.Node("a@a.example");
};

TEST_F(ContextTest, ReadsCertificateAndKeyFromOneFileOrTwoOrMemory) {
  for (const Options& options : {With(node_.cert, node_.key), With(certs_.InOne(node_), ""), [&] {
                                   Options blobs;
                                   blobs.identity.certs = {base::Slice::Copy(ReadFile(node_.cert))};
                                   blobs.identity.key = Secret(ReadFile(node_.key));
                                   return blobs;
                                 }()}) {
    auto context = Context::Create(options, Role::kServer);
    ASSERT_TRUE(context.ok()) << context.status();
    ASSERT_EQ((*context)->certificates().size(), 1u);
    EXPECT_EQ((*context)->certificates()[0].dns_names, std::vector<std::string>{"a.example"});
    EXPECT_TRUE((*context)->options().identity.key.empty());
  }
}

TEST_F(ContextTest, NamesTheFileThatCannotBeRead) {
  const absl::Status missing = Refusal(With(dir_.File("none.pem"), ""));
  EXPECT_IN("option server_certfile: cannot read " + dir_.File("none.pem"), missing.message());
  EXPECT_EQ(ReasonOf(missing), "enoent");
  EXPECT_EQ(ReasonOf(Refusal(With(dir_.path(), ""))), "eisdir");
  const absl::Status key = Refusal(With(node_.cert, dir_.File("none.key")), Role::kClient);
  EXPECT_IN("option client_keyfile: cannot read", key.message());
  Options ca = With(node_.cert, node_.key);
  ca.trust.cacertfile = dir_.File("none-ca.pem");
  EXPECT_IN("option server_cacertfile: cannot read", Refusal(ca).message());
}

TEST_F(ContextTest, SaysWhatAFileHoldsInstead) {
  EXPECT_IN("holds a PRIVATE KEY but no CERTIFICATE",
            Refusal(With(node_.key, node_.key)).message());
  EXPECT_IN("is empty", Refusal(With(dir_.Write("empty.pem", ""), "")).message());
  EXPECT_IN("holds no PEM block", Refusal(With(dir_.Write("x.pem", "hello"), "")).message());
  EXPECT_IN("holds no private key", Refusal(With(node_.cert, "")).message());
  EXPECT_IN("server_keyfile", MendOf(Refusal(With(node_.cert, ""))));
  Options ca = With(node_.cert, node_.key);
  ca.trust.cacertfile = node_.key;
  EXPECT_IN("option server_cacertfile", Refusal(ca).message());
}

TEST_F(ContextTest, RefusesDamagedFiles) {
  std::string cert = ReadFile(node_.cert);
  cert.replace(cert.size() / 2, 4, "AAAA");
  EXPECT_EQ(ReasonOf(Refusal(With(dir_.Write("bad.pem", cert), node_.key))), "bad_certificate");
  std::string key = ReadFile(node_.key);
  key.replace(key.size() / 2, 4, "????");
  EXPECT_EQ(ReasonOf(Refusal(With(node_.cert, dir_.Write("bad.key", key)))), "bad_key");
}

TEST_F(ContextTest, RefusesAKeyOfAnotherCertificateAndNamesBothFiles) {
  const CertFiles mismatched = certs_.Mismatched("a@a.example");
  const absl::Status refusal = Refusal(With(mismatched.cert, mismatched.key));
  EXPECT_IN(mismatched.cert, refusal.message());
  EXPECT_IN(mismatched.key, refusal.message());
  EXPECT_EQ(ReasonOf(refusal), "bad_key");
}

TEST_F(ContextTest, PointsOutThatTheCertificatesAreInTheWrongOrder) {
  const std::string both = dir_.Write("both.pem", ReadFile(certs_.ca()) + ReadFile(node_.cert));
  EXPECT_IN("put that one first", MendOf(Refusal(With(both, node_.key))));
}

TEST_F(ContextTest, OpensEncryptedKeysWithTheirPasswordOnly) {
  for (bool is_pkcs8 : {true, false}) {
    const CertFiles files = certs_.Encrypted("a@a.example", "secret word", is_pkcs8);
    Options options = With(files.cert, files.key);
    const absl::Status missing = Refusal(options);
    EXPECT_EQ(ReasonOf(missing), "bad_password");
    EXPECT_IN("is encrypted", missing.message());
    EXPECT_IN("server_password", MendOf(missing));

    options.identity.password = Secret("wrong");
    const absl::Status wrong = Refusal(options);
    EXPECT_EQ(ReasonOf(wrong), "bad_password");
    EXPECT_IN("option server_password", wrong.message());
    EXPECT_IN(files.key, wrong.message());
    EXPECT_EQ(wrong.ToString().find("wrong"), std::string::npos)
        << "a password is no text for logs";

    options.identity.password = Secret("secret word");
    auto context = Context::Create(options, Role::kServer);
    EXPECT_TRUE(context.ok()) << context.status();
  }
}

TEST_F(ContextTest, CompletesTheChainFromTheTrustAnchorsWithoutTheRoot) {
  const CertFiles files = certs_.Chained("a@a.example", 2);
  // The node's certificate alone, its issuers among the anchors, as with OTP.
  const std::string chain = ReadFile(files.cert);
  const size_t second = chain.find("-----BEGIN", 10);
  ASSERT_NE(second, std::string::npos);
  Options options = With(dir_.Write("leaf.pem", chain.substr(0, second)), files.key);
  options.trust.cacertfile = dir_.Write("cas.pem", chain.substr(second) + ReadFile(certs_.ca()));
  auto context = Context::Create(options, Role::kServer);
  ASSERT_TRUE(context.ok()) << context.status();
  EXPECT_EQ((*context)->certificates().size(), 3u);
}

TEST_F(ContextTest, WarnsOfWhatLetsStrangersIn) {
  auto warnings = [](const Options& options, Role role) {
    auto context = Context::Create(options, role);
    EXPECT_TRUE(context.ok()) << context.status();
    std::string text;
    if (!context.ok()) return text;
    for (const Warning& warning : (*context)->Warnings()) {
      EXPECT_NE(warning.mend, "");
      text += warning.what + "; " + warning.mend + "\n";
    }
    return text;
  };
  Options options = With(node_.cert, node_.key);
  EXPECT_IN("whoever connects", warnings(options, Role::kServer));
  EXPECT_IN("impostor", warnings(options, Role::kClient));
  options.trust.cacertfile = certs_.ca();
  EXPECT_IN("nothing is verified", warnings(options, Role::kServer));
  EXPECT_EQ(warnings(options, Role::kClient), "");
  options.trust.verify = Verify::kPeer;
  EXPECT_IN("fail_if_no_peer_cert", warnings(options, Role::kServer));
  options.trust.fail_if_no_peer_cert = true;
  EXPECT_EQ(warnings(options, Role::kServer), "");

  const CertFiles expired = certs_.Expired("a@a.example");
  options.identity.certfile = expired.cert;
  options.identity.keyfile = expired.key;
  EXPECT_IN("expired on 20", warnings(options, Role::kServer));

  ASSERT_EQ(chmod(expired.key.c_str(), 0644), 0);
  PemCache::Shared().Clear();
  EXPECT_IN(expired.key, warnings(options, Role::kServer));
}

TEST_F(ContextTest, ReportsAnchorsThatItCannotUse) {
  Options options = With(node_.cert, node_.key);
  options.trust.verify = Verify::kPeer;
  options.trust.fail_if_no_peer_cert = true;
  options.trust.cacertfile =
      dir_.Write("cas.pem", ReadFile(certs_.ca()) +
                                "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n");
  auto context = Context::Create(options, Role::kServer);
  ASSERT_TRUE(context.ok()) << context.status();
  ASSERT_EQ((*context)->Warnings().size(), 1u);
  EXPECT_IN("1 certificates", (*context)->Warnings()[0].what);
}

TEST_F(ContextTest, RefusesAWeakOrMissingDhFile) {
  Options options = With(node_.cert, node_.key);
  options.ciphers.dhfile = dir_.File("dh.pem");
  EXPECT_IN("option server_dhfile", Refusal(options).message());
}

TEST(CertificateInfoTest, ReadsPemAndDerAndRefusesTheRest) {
  TestCerts certs;
  const CertFiles files = certs.WithHosts("shop", {"b.example", "127.0.0.1", "::1"});
  auto chain = ReadCertificates(base::AsBytes(ReadFile(files.cert)));
  ASSERT_TRUE(chain.ok()) << chain.status();
  const CertificateInfo& info = chain->front();
  EXPECT_IN("CN=shop", info.subject);
  EXPECT_EQ(info.ip_addresses, (std::vector<std::string>{"127.0.0.1", "::1"}));
  EXPECT_FALSE(info.is_ca);
  EXPECT_IN("256", info.key);
  auto again = ReadCertificates(info.der);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->front().fingerprint_sha256, info.fingerprint_sha256);
  EXPECT_FALSE(ReadCertificates(base::AsBytes("")).ok());
  EXPECT_FALSE(ReadCertificates(base::AsBytes(ReadFile(files.key))).ok());
}

}  // namespace
}  // namespace noded::tls
