#include "tests/testlib/test_certs.h"

#include <chrono>

#include "fmt/format.h"
#include <gtest/gtest.h>

#include "tests/testlib/process.h"

namespace noded::testlib {
namespace {

using std::chrono::days;
using tls::CertificateRequest;
using tls::CertificateTime;
using tls::IssuedCertificate;

CertificateTime Now() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

IssuedCertificate Made(absl::StatusOr<IssuedCertificate> issued) {
  EXPECT_TRUE(issued.ok()) << issued.status();
  return issued.ok() ? *std::move(issued) : IssuedCertificate();
}

IssuedCertificate Authority(const std::string& name) {
  return Made(
      tls::IssueAuthority({.common_name = name, .validity = tls::ValidFor(days(30), Now())}));
}

// The option's name in "{name,...}".
std::string NameOf(const std::string& option) { return option.substr(0, option.find(',')); }

}  // namespace

TestCerts::TestCerts()
    : ca_(Authority("noded test CA")),
      untrusted_ca_(Authority("noded test CA")),
      ca_path_(dir_.Write("ca.pem", ca_.cert_pem)),
      untrusted_ca_path_(dir_.Write("untrusted_ca.pem", untrusted_ca_.cert_pem)) {}

CertificateRequest TestCerts::Request(const std::string& name) const {
  CertificateRequest request{.common_name = name, .validity = tls::ValidFor(days(30), Now())};
  const size_t at = name.find('@');
  tls::AddHost(request, at == std::string::npos ? name : name.substr(at + 1));
  return request;
}

CertFiles TestCerts::Save(const std::string& cert_pem, std::string_view key_pem) {
  ++files_;
  return {.cert = dir_.Write(fmt::format("cert{}.pem", files_), cert_pem),
          .key = dir_.Write(fmt::format("key{}.pem", files_), key_pem)};
}

CertFiles TestCerts::Sign(const CertificateRequest& request) {
  const IssuedCertificate issued = Made(tls::IssueNode(ca_, request));
  return Save(issued.cert_pem, issued.key_pem.view());
}

CertFiles TestCerts::Node(const std::string& name, tls::KeyType key_type) {
  CertificateRequest request = Request(name);
  request.key_type = key_type;
  return Sign(request);
}

CertFiles TestCerts::WithHosts(const std::string& name, const std::vector<std::string>& hosts) {
  CertificateRequest request = Request(name);
  request.dns_names.clear();
  request.ip_addresses.clear();
  for (const std::string& host : hosts) tls::AddHost(request, host);
  return Sign(request);
}

CertFiles TestCerts::Untrusted(const std::string& name) {
  const IssuedCertificate issued = Made(tls::IssueNode(untrusted_ca_, Request(name)));
  return Save(issued.cert_pem, issued.key_pem.view());
}

CertFiles TestCerts::Expired(const std::string& name) {
  CertificateRequest request = Request(name);
  request.validity = {.not_before = Now() - days(30), .not_after = Now() - days(1)};
  return Sign(request);
}

CertFiles TestCerts::NotYetValid(const std::string& name) {
  CertificateRequest request = Request(name);
  request.validity = {.not_before = Now() + days(1), .not_after = Now() + days(30)};
  return Sign(request);
}

CertFiles TestCerts::Mismatched(const std::string& name) {
  return {.cert = Node(name).cert, .key = Node(name).key};
}

CertFiles TestCerts::Chained(const std::string& name, int depth, bool with_chain) {
  IssuedCertificate issuer = ca_;
  std::string chain;
  for (int i = 1; i <= depth; ++i) {
    const CertificateRequest request{.common_name = fmt::format("noded test CA {}", i),
                                     .validity = tls::ValidFor(days(30), Now())};
    issuer = Made(tls::IssueIntermediate(issuer, request));
    chain = issuer.cert_pem + chain;
  }
  const IssuedCertificate issued = Made(tls::IssueNode(issuer, Request(name)));
  return Save(issued.cert_pem + (with_chain ? chain : ""), issued.key_pem.view());
}

CertFiles TestCerts::Encrypted(const std::string& name, std::string_view password, bool is_pkcs8) {
  CertFiles files = Node(name);
  const std::string encrypted = files.key + ".encrypted";
  const std::string pass = fmt::format("pass:{}", password);
  std::vector<std::string> words = {"openssl", "pkcs8", "-topk8", "-v2", "aes-256-cbc"};
  if (!is_pkcs8) words = {"openssl", "ec", "-aes256"};
  words.insert(words.end(), {"-in", files.key, "-passout", pass, "-out", encrypted});
  auto done = RunProgram(words);
  EXPECT_TRUE(done.ok()) << done.status();
  if (done.ok()) {
    EXPECT_EQ(done->code, 0) << done->err;
  }
  files.key = encrypted;
  return files;
}

std::string TestCerts::InOne(const CertFiles& files) {
  return dir_.Write(fmt::format("both{}.pem", ++files_),
                    ReadFile(files.cert) + ReadFile(files.key));
}

std::string TestCerts::OptFile(const CertFiles& files, const std::vector<std::string>& server,
                               const std::vector<std::string>& client) {
  auto side = [&](const char* role, std::vector<std::string> options,
                  const std::vector<std::string>& additions) {
    std::erase_if(options, [&additions](const std::string& option) {
      for (const std::string& addition : additions) {
        if (NameOf(addition) == NameOf(option)) return true;
      }
      return false;
    });
    options.insert(options.end(), additions.begin(), additions.end());
    return fmt::format("{{{},[{}]}}", role, fmt::join(options, ","));
  };
  const std::vector<std::string> common = {
      fmt::format("{{certfile,\"{}\"}}", files.cert), fmt::format("{{keyfile,\"{}\"}}", files.key),
      fmt::format("{{cacertfile,\"{}\"}}", ca_path_), "{verify,verify_peer}"};
  std::vector<std::string> for_server = common;
  for_server.push_back("{fail_if_no_peer_cert,true}");
  return dir_.Write(fmt::format("ssl_dist{}.conf", ++files_),
                    fmt::format("[{},\n {}].\n", side("server", for_server, server),
                                side("client", common, client)));
}

}  // namespace noded::testlib
