// What is issued is judged by openssl.
#include "tls/issue.h"

#include "fmt/format.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/status.h"
#include "tests/testlib/process.h"
#include "tests/testlib/temp_dir.h"

namespace noded::tls {
namespace {

using testlib::RunProgram;
using testlib::TempDir;

CertificateTime Now() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

CertificateRequest Request(const std::string& name) {
  return {.common_name = name, .validity = ValidFor(std::chrono::days(30), Now())};
}

IssuedCertificate Made(absl::StatusOr<IssuedCertificate> issued) {
  EXPECT_TRUE(issued.ok()) << issued.status();
  return issued.ok() ? *std::move(issued) : IssuedCertificate();
}

std::string Openssl(std::vector<std::string> words) {
  words.insert(words.begin(), "openssl");
  auto done = RunProgram(words);
  EXPECT_TRUE(done.ok()) << done.status();
  return done.ok() ? done->out + done->err : "";
}

// What `openssl x509 -text` says of it.
std::string TextOf(const IssuedCertificate& issued) {
  TempDir dir;
  return Openssl({"x509", "-noout", "-text", "-nameopt", "utf8,sep_comma_plus,esc_2253", "-in",
                  dir.Write("cert.pem", issued.cert_pem)});
}

MATCHER_P(Has, part, "") { return arg.find(part) != std::string::npos; }

TEST(IssueTest, TheAuthorityIsOne) {
  CertificateRequest request = Request("Shop CA");
  request.max_intermediates = 1;
  const IssuedCertificate authority = Made(IssueAuthority(request));
  const std::string text = TextOf(authority);
  EXPECT_THAT(text, Has("Version: 3 (0x2)"));
  EXPECT_THAT(text, Has("Signature Algorithm: ecdsa-with-SHA256"));
  EXPECT_THAT(text, Has("NIST CURVE: P-256"));
  EXPECT_THAT(text,
              Has("X509v3 Basic Constraints: critical\n                CA:TRUE, pathlen:1\n"));
  EXPECT_THAT(text,
              Has("X509v3 Key Usage: critical\n                Certificate Sign, CRL Sign\n"));
  EXPECT_THAT(text, Has("Subject: CN=Shop CA\n"));
  EXPECT_THAT(text, Has("Issuer: CN=Shop CA\n"));
}

TEST(IssueTest, ANodeIsServerAndClientUnderAllItsNames) {
  const IssuedCertificate authority = Made(IssueAuthority(Request("Shop CA")));
  CertificateRequest request = Request("a@127.0.0.1");
  AddHost(request, "127.0.0.1");
  AddHost(request, "shop.example");
  AddHost(request, "::1");
  request.uris = {"spiffe://shop.example/a"};
  const IssuedCertificate node = Made(IssueNode(authority, request));
  const std::string text = TextOf(node);
  EXPECT_THAT(text, Has("DNS:127.0.0.1, DNS:shop.example, DNS:::1, URI:spiffe://shop.example/a, "
                        "IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1\n"));
  EXPECT_THAT(text, Has("TLS Web Server Authentication, TLS Web Client Authentication\n"));
  EXPECT_THAT(text, Has("X509v3 Key Usage: critical\n                Digital Signature\n"));
  EXPECT_THAT(text, Has("X509v3 Basic Constraints: \n                CA:FALSE\n"));
  EXPECT_THAT(text, Has("X509v3 Subject Key Identifier:"));
  EXPECT_THAT(text, Has("X509v3 Authority Key Identifier:"));
  EXPECT_THAT(text, Has("Subject: CN=a@127.0.0.1\n"));

  TempDir dir;
  const std::string ca = dir.Write("ca.pem", authority.cert_pem);
  const std::string cert = dir.Write("cert.pem", node.cert_pem);
  for (const char* purpose : {"sslserver", "sslclient"}) {
    EXPECT_THAT(Openssl({"verify", "-x509_strict", "-purpose", purpose, "-verify_hostname",
                         "shop.example", "-verify_ip", "127.0.0.1", "-CAfile", ca, cert}),
                Has("cert.pem: OK"));
  }
  const std::string key = dir.Write("key.pem", std::string(node.key_pem.view()));
  EXPECT_EQ(Openssl({"pkey", "-in", key, "-pubout"}),
            Openssl({"x509", "-in", cert, "-pubkey", "-noout"}));
}

TEST(IssueTest, AChainWithAnIntermediateAuthorityVerifies) {
  const IssuedCertificate root = Made(IssueAuthority(Request("Root")));
  const IssuedCertificate middle = Made(IssueIntermediate(root, Request("Middle")));
  const IssuedCertificate node = Made(IssueNode(middle, Request("a")));
  TempDir dir;
  const std::string ca = dir.Write("ca.pem", root.cert_pem);
  const std::string between = dir.Write("middle.pem", middle.cert_pem);
  const std::string cert = dir.Write("cert.pem", node.cert_pem);
  EXPECT_THAT(Openssl({"verify", "-x509_strict", "-CAfile", ca, "-untrusted", between, cert}),
              Has("cert.pem: OK"));
  EXPECT_THAT(Openssl({"verify", "-CAfile", ca, cert}), Has("unable to get local issuer"));
}

TEST(IssueTest, TellsWhoseCertificateItIs) {
  const IssuedCertificate root = Made(IssueAuthority(Request("Root")));
  const IssuedCertificate namesake = Made(IssueAuthority(Request("Root")));
  const IssuedCertificate middle = Made(IssueIntermediate(root, Request("Middle")));
  const IssuedCertificate node = Made(IssueNode(middle, Request("a")));
  EXPECT_TRUE(CheckIssuedBy(root.cert_pem, middle.cert_pem).ok());
  EXPECT_TRUE(CheckIssuedBy(root.cert_pem, node.cert_pem + middle.cert_pem).ok());
  CertificateRequest request = Request("old");
  request.validity.not_after = Now() - std::chrono::minutes(1);
  EXPECT_TRUE(CheckIssuedBy(root.cert_pem, Made(IssueNode(root, request)).cert_pem).ok());
  for (const std::string& stranger : {node.cert_pem, namesake.cert_pem, std::string("tea")}) {
    EXPECT_EQ(CheckIssuedBy(root.cert_pem, stranger).code(), absl::StatusCode::kUnauthenticated);
  }
}

TEST(IssueTest, OtherKeysWorkToo) {
  CertificateRequest request = Request("Shop CA");
  request.key_type = KeyType::kEcP384;
  const IssuedCertificate authority = Made(IssueAuthority(request));
  request = Request("a");
  request.key_type = KeyType::kRsa2048;
  const IssuedCertificate node = Made(IssueNode(authority, request));
  EXPECT_THAT(TextOf(authority), Has("NIST CURVE: P-384"));
  EXPECT_THAT(TextOf(node), Has("Public-Key: (2048 bit)"));
  EXPECT_THAT(TextOf(node), Has("Digital Signature, Key Encipherment\n"));
  TempDir dir;
  EXPECT_THAT(Openssl({"verify", "-x509_strict", "-CAfile", dir.Write("ca.pem", authority.cert_pem),
                       dir.Write("cert.pem", node.cert_pem)}),
              Has("cert.pem: OK"));
}

TEST(IssueTest, TimesAreThoseAskedFor) {
  const IssuedCertificate authority = Made(IssueAuthority(Request("Shop CA")));
  CertificateRequest request = Request("old");
  request.validity = {
      std::chrono::sys_days(std::chrono::year(2001) / 2 / 3),
      std::chrono::sys_days(std::chrono::year(2002) / 2 / 3) + std::chrono::hours(1)};
  const std::string old = TextOf(Made(IssueNode(authority, request)));
  EXPECT_THAT(old, Has("Not Before: Feb  3 00:00:00 2001 GMT"));
  EXPECT_THAT(old, Has("Not After : Feb  3 01:00:00 2002 GMT"));
  request.validity.not_after = std::chrono::sys_days(std::chrono::year(2051) / 2 / 3);
  EXPECT_THAT(TextOf(Made(IssueNode(authority, request))),
              Has("Not After : Feb  3 00:00:00 2051 GMT"));
}

TEST(IssueTest, NamesMayHoldWhatIsSyntaxElsewhere) {
  for (const std::string name : {"a, b+c=d", " #;<\\>\" ", "caf\xc3\xa9", "#tea"}) {
    const IssuedCertificate authority = Made(IssueAuthority(Request(name)));
    const IssuedCertificate node = Made(IssueNode(authority, Request("a")));
    TempDir dir;
    const std::string path = dir.Write("cert.pem", node.cert_pem);
    EXPECT_EQ(Openssl({"x509", "-noout", "-issuer", "-nameopt", "utf8,sname", "-in", path}),
              fmt::format("issuer=CN={}\n", name));
  }
}

TEST(IssueTest, SerialNumbersAndKeysAreNeverTheSame) {
  const IssuedCertificate authority = Made(IssueAuthority(Request("Shop CA")));
  const IssuedCertificate one = Made(IssueNode(authority, Request("a")));
  const IssuedCertificate two = Made(IssueNode(authority, Request("a")));
  EXPECT_FALSE(one.key_pem == two.key_pem);
  TempDir dir;
  EXPECT_NE(Openssl({"x509", "-noout", "-serial", "-in", dir.Write("one", one.cert_pem)}),
            Openssl({"x509", "-noout", "-serial", "-in", dir.Write("two", two.cert_pem)}));
}

TEST(IssueTest, RefusesWhatACertificateCannotHold) {
  auto refusal = [](const CertificateRequest& request) {
    const absl::Status status = IssueAuthority(request).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    return std::string(status.message());
  };
  EXPECT_THAT(refusal(Request("")), Has("is empty"));
  EXPECT_THAT(refusal(Request(std::string(65, 'x'))), Has("65 bytes long; give 1 to 64"));
  EXPECT_THAT(refusal(Request("a\nb")), Has("not plain text"));
  CertificateRequest request = Request("a");
  request.ip_addresses = {"shop.example"};
  EXPECT_THAT(refusal(request), Has("\"shop.example\" is not an IP address"));
  request = Request("a");
  request.uris = {"example.net/shop"};
  EXPECT_THAT(refusal(request), Has("is not a URI"));
  request = Request("a");
  request.dns_names = {"caf\xc3\xa9.example"};
  EXPECT_THAT(refusal(request), Has("xn--"));
  request = Request("a");
  request.validity.not_after = request.validity.not_before;
  EXPECT_THAT(refusal(request), Has("before it begins"));
  request = Request("a");
  request.validity.not_before -= std::chrono::days(200 * 365);
  EXPECT_THAT(refusal(request), Has("1970 to 9999"));
  request = Request("a");
  request.max_intermediates = 128;
  EXPECT_THAT(refusal(request), Has("0 to 127"));
}

TEST(IssueTest, RefusesAnAuthorityThatCannotSign) {
  const IssuedCertificate authority = Made(IssueAuthority(Request("Shop CA")));
  const IssuedCertificate other = Made(IssueAuthority(Request("Other CA")));
  const IssuedCertificate node = Made(IssueNode(authority, Request("a")));
  auto refusal = [](const IssuedCertificate& signer) {
    const absl::Status status = IssueNode(signer, Request("b")).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    return std::string(status.message());
  };
  EXPECT_THAT(refusal(node), Has("not that of an authority"));
  EXPECT_THAT(refusal({authority.cert_pem, other.key_pem}), Has("not that of its certificate"));
  EXPECT_THAT(refusal({"tea", authority.key_pem}), Has("certificate cannot be read"));
  EXPECT_THAT(refusal({authority.cert_pem, base::Secret("tea")}), Has("key cannot be read"));
}

}  // namespace
}  // namespace noded::tls
