// Certificates of ours in all the forms that they come in, several at once, and those that the
// engine cannot have.
#include "tls/own_certificate.h"

#include <gtest/gtest.h>

#include "base/status.h"
#include "tests/testlib/process.h"
#include "tests/testlib/temp_dir.h"
#include "tls/context_source.h"
#include "tls/engine_pair.h"

namespace noded::tls {
namespace {

using base::MendOf;
using base::ReasonOf;
using testlib::CertFiles;
using testlib::ReadFile;
using testlib::TempDir;
using testlib::TestCerts;

class OwnCertificateTest : public testing::Test {
 protected:
  void Openssl(std::vector<std::string> words) {
    words.insert(words.begin(), "openssl");
    auto done = testlib::RunProgram(words);
    ASSERT_TRUE(done.ok()) << done.status();
    ASSERT_EQ(done->code, 0) << done->err;
  }
  // A key of this kind and a certificate that it signed itself.
  CertFiles SelfSigned(const std::string& algorithm) {
    const CertFiles files{.cert = dir_.File(algorithm + ".pem"),
                          .key = dir_.File(algorithm + ".key")};
    Openssl({"genpkey", "-algorithm", algorithm, "-out", files.key});
    Openssl(
        {"req", "-x509", "-key", files.key, "-subj", "/CN=b", "-days", "30", "-out", files.cert});
    return files;
  }
  static absl::Status Refusal(const Identity& identity) {
    Options options;
    options.identity = identity;
    const absl::Status status = Context::Create(options, Role::kServer).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    return status;
  }
  static bool Has(const absl::Status& status, std::string_view part) {
    return std::string(status.message()).find(part) != std::string::npos;
  }

  TempDir dir_;
  TestCerts certs_;
};

TEST_F(OwnCertificateTest, KeysThatTheEngineLacksAreNamedWithWhatToUse) {
  const CertFiles usual = certs_.Node("b@b.example");
  for (auto [algorithm, name] : {std::pair("ED25519", "Ed25519"), std::pair("ED448", "Ed448")}) {
    const CertFiles files = SelfSigned(algorithm);
    const std::string encrypted = dir_.File("encrypted.key"), key_der = dir_.File("key.der"),
                      cert_der = dir_.File("cert.der");
    Openssl({"pkcs8", "-topk8", "-in", files.key, "-passout", "pass:x", "-out", encrypted});
    Openssl({"pkey", "-in", files.key, "-outform", "DER", "-out", key_der});
    Openssl({"x509", "-in", files.cert, "-outform", "DER", "-out", cert_der});
    Identity cert_blob{.certfile = ""}, key_blob{.certfile = usual.cert};
    cert_blob.certs = {base::Slice::Copy(ReadFile(cert_der))};
    cert_blob.keyfile = files.key;
    key_blob.key = Secret(ReadFile(key_der));
    Identity locked{.certfile = usual.cert, .keyfile = encrypted};
    locked.password = Secret("x");
    struct Row {
      const char* what;
      Identity identity;
      std::string expected;
      const char* reason;
    };
    for (const Row& row : std::vector<Row>{
             {"certfile", {.certfile = files.cert, .keyfile = files.key}, name, "bad_certificate"},
             {"cert", cert_blob, name, "bad_certificate"},
             {"keyfile", {.certfile = usual.cert, .keyfile = files.key}, name, "bad_key"},
             {"key", key_blob, name, "bad_key"},
             {"encrypted", locked, "another kind", "bad_key"},
         }) {
      const absl::Status status = Refusal(row.identity);
      EXPECT_TRUE(Has(status, row.expected)) << row.what << status;
      EXPECT_EQ(ReasonOf(status), row.reason) << row.what << status;
      EXPECT_NE(MendOf(status).find("secp256r1"), std::string::npos) << row.what << status;
    }
  }
}

TEST_F(OwnCertificateTest, ACertificateSignedByAnEd25519AuthorityIsNamed) {
  const CertFiles ca = SelfSigned("ED25519"), usual = certs_.Node("b@b.example");
  const std::string request = dir_.File("b.csr"), cert = dir_.File("b.pem");
  Openssl({"req", "-new", "-key", usual.key, "-subj", "/CN=b", "-out", request});
  Openssl({"x509", "-req", "-in", request, "-CA", ca.cert, "-CAkey", ca.key, "-CAcreateserial",
           "-days", "30", "-out", cert});
  const absl::Status status = Refusal({.certfile = cert, .keyfile = usual.key});
  EXPECT_TRUE(Has(status, "a signature by an Ed25519 key")) << status;
  EXPECT_TRUE(Has(status, "certificate 1 of " + cert)) << status;
}

TEST_F(OwnCertificateTest, AKeyIsOpenedByItsPasswordInEveryFormOfEncryption) {
  for (KeyType type : {KeyType::kEcP256, KeyType::kRsa2048}) {
    const CertFiles plain = certs_.Node("b@b.example", type);
    const bool is_rsa = type == KeyType::kRsa2048;
    const std::vector<std::vector<std::string>> forms = {
        {"pkcs8", "-topk8", "-v2", "aes-256-cbc"},
        {"pkcs8", "-topk8", "-v2", "aes-128-cbc", "-v2prf", "hmacWithSHA512"},
        {"pkcs8", "-topk8", "-v2", "des3"},
        {"pkcs8", "-topk8", "-v1", "PBE-SHA1-3DES"},
        {is_rsa ? "rsa" : "ec", "-aes256"},
        {is_rsa ? "rsa" : "ec", "-des3"},
    };
    for (std::vector<std::string> words : forms) {
      SCOPED_TRACE(words.back());
      const std::string path = dir_.File("key.pem");
      words.insert(words.end(), {"-in", plain.key, "-passout", "pass:open sesame", "-out", path});
      if (words[0] == "rsa") words.push_back("-traditional");
      Openssl(words);
      Identity identity{.certfile = plain.cert, .keyfile = path};
      EXPECT_EQ(ReasonOf(Refusal(identity)), "bad_password");
      identity.password = Secret("open barley");
      EXPECT_EQ(ReasonOf(Refusal(identity)), "bad_password");
      identity.password = Secret("open sesame");
      Options options;
      options.identity = identity;
      ClearPemCache();
      EXPECT_NE(Make(options, Role::kServer), nullptr);
      // The same from a function, which wins.
      options.identity.password = Secret("open barley");
      options.identity.password_fun = [] { return Secret("open sesame"); };
      EXPECT_NE(Make(options, Role::kServer), nullptr);
      options.identity.password_fun = []() -> Secret { throw std::runtime_error("no terminal"); };
      EXPECT_TRUE(Has(Refusal(options.identity), "no terminal"));
      ClearPemCache();
    }
  }
}

TEST_F(OwnCertificateTest, OfSeveralAServerShowsTheFirstThatTheClientCanUse) {
  const CertFiles rsa = certs_.Node("rsa.example", KeyType::kRsa2048);
  const CertFiles p256 = certs_.Node("p256.example");
  const CertFiles p384 = certs_.Node("p384.example", KeyType::kEcP384);
  Options server;
  server.certs_keys = {{.certfile = p384.cert, .keyfile = p384.key},
                       {.certfile = rsa.cert, .keyfile = rsa.key},
                       {.certfile = p256.cert, .keyfile = p256.key}};
  const auto context = Make(server, Role::kServer);
  EXPECT_EQ(context->certificates().front().dns_names.front(), "p384.example");
  struct Row {
    Version version;
    std::vector<std::string> suites, schemes;
    const char* shown;
  };
  for (const Row& row : std::vector<Row>{
           {Version::kTls13, {}, {"rsa_pss_rsae_sha256"}, "rsa.example"},
           {Version::kTls13, {}, {"ecdsa_secp256r1_sha256"}, "p256.example"},
           {Version::kTls13, {}, {"ecdsa_secp384r1_sha384"}, "p384.example"},
           {Version::kTls12, {"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"}, {}, "rsa.example"},
           {Version::kTls12, {"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"}, {}, "p384.example"},
       }) {
    Options client;
    Only(client, row.version);
    client.ciphers.suites = row.suites;
    client.ciphers.signature_algorithms = row.schemes;
    Pair pair(context, Make(client, Role::kClient), "b.example");
    pair.Carry();
    ASSERT_TRUE(pair.client.info && pair.client.info->peer) << row.shown << pair.Errors();
    EXPECT_EQ(pair.client.info->peer->dns_names.front(), row.shown);
  }
}

TEST_F(OwnCertificateTest, ErrorsOfSeveralSayWhichOneOfThem) {
  const CertFiles good = certs_.Node("b@b.example"), bad = certs_.Mismatched("b@b.example");
  Options options;
  options.certs_keys = {{.certfile = good.cert, .keyfile = good.key},
                        {.certfile = bad.cert, .keyfile = bad.key}};
  absl::Status status = Context::Create(options, Role::kServer).status();
  EXPECT_TRUE(Has(status, "option server_certs_keys 2, keyfile:")) << status;
  options.certs_keys = {{}};
  status = Context::Create(options, Role::kServer).status();
  EXPECT_TRUE(Has(status, "option server_certs_keys:")) << status;
  options.certs_keys = {{.certfile = good.cert, .keyfile = good.key}};
  options.identity.certfile = good.cert;
  status = Context::Create(options, Role::kServer).status();
  EXPECT_TRUE(Has(status, "excludes")) << status;
}

TEST_F(OwnCertificateTest, DhParametersComeFromAFileOrDerAndServe) {
  const CertFiles rsa = certs_.Node("b@b.example", KeyType::kRsa2048);
  const std::string pem = dir_.File("dh.pem"), weak = dir_.File("weak.pem"),
                    der = dir_.File("dh.der");
  Openssl({"genpkey", "-genparam", "-algorithm", "DH", "-pkeyopt", "group:ffdhe3072", "-out", pem});
  Openssl(
      {"genpkey", "-genparam", "-algorithm", "DH", "-pkeyopt", "group:modp_1536", "-out", weak});
  Openssl({"dhparam", "-in", pem, "-outform", "DER", "-out", der});
  Options server, client;
  server.identity = {.certfile = rsa.cert, .keyfile = rsa.key};
  Only(client, Version::kTls12);
  client.ciphers.suites = {"TLS_DHE_RSA_WITH_AES_128_GCM_SHA256"};
  Options by_file = server, by_der = server;
  by_file.ciphers.dhfile = pem;
  by_der.ciphers.dh = base::Slice::Copy(ReadFile(der));
  by_der.ciphers.dhfile = "/no/such/file";  // dh wins
  // Of the server's first flight: it holds the prime and a public value.
  const auto flight_bytes = [&](const Options& options) {
    Pair pair(options, client);
    pair.client.Run();
    pair.server.engine.Feed(pair.client.engine.TakeOutput().ToSlice());
    pair.server.Run();
    const base::Slice flight = pair.server.engine.TakeOutput().ToSlice();
    pair.client.engine.Feed(flight);
    pair.Carry();
    EXPECT_TRUE(pair.server.info) << pair.Errors();
    return flight.size();
  };
  const size_t usual = flight_bytes(server);
  for (const Options& options : {by_file, by_der}) {
    EXPECT_EQ(flight_bytes(options), usual + 2 * (3072 - 2048) / 8);
  }
  by_file.ciphers.dhfile = weak;
  EXPECT_TRUE(Has(Context::Create(by_file, Role::kServer).status(), "1536 bits are too few"));
  by_der.ciphers.dh = base::Slice::Copy("nonsense");
  EXPECT_TRUE(Has(Context::Create(by_der, Role::kServer).status(), "option server_dh:"));
  EXPECT_TRUE(Has(Context::Create(by_file, Role::kClient).status(), "option client_dhfile:"));
}

}  // namespace
}  // namespace noded::tls
