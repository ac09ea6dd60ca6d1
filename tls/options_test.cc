#include "tls/options.h"

#include <gtest/gtest.h>

#include "base/status.h"

namespace noded::tls {
namespace {

Options GoodServer() {
  Options options;
  options.identity.certfile = "node.pem";
  options.trust.cacertfile = "ca.pem";
  options.trust.verify = Verify::kPeer;
  options.trust.fail_if_no_peer_cert = true;
  return options;
}

void ExpectRefused(const Options& options, Role role, const std::string& option) {
  absl::Status status = Validate(options, role);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << option;
  EXPECT_EQ(base::ReasonOf(status), "options");
  EXPECT_NE(std::string(status.message()).find("option " + option + ":"), std::string::npos)
      << status;
  EXPECT_FALSE(base::MendOf(status).empty()) << status;
}

TEST(OptionsTest, AcceptsAServerThatRequiresCertificates) {
  EXPECT_TRUE(Validate(GoodServer(), Role::kServer).ok());
  EXPECT_TRUE(Validate(Options(), Role::kClient).ok());
}

TEST(OptionsTest, EachContradictionNamesItsOption) {
  Options options = GoodServer();
  options.identity.certfile.clear();
  ExpectRefused(options, Role::kServer, "server_certfile");

  options = Options();
  options.identity.keyfile = "key.pem";
  ExpectRefused(options, Role::kClient, "client_keyfile");

  options = GoodServer();
  options.identity = {};
  options.identity.certs = {base::Slice::Copy("der")};
  ExpectRefused(options, Role::kServer, "server_cert");

  options = GoodServer();
  options.trust.depth = 256;
  ExpectRefused(options, Role::kServer, "server_depth");

  options = GoodServer();
  options.trust.cacertfile.clear();
  ExpectRefused(options, Role::kServer, "server_verify");

  options = GoodServer();
  options.trust.verify = Verify::kNone;
  ExpectRefused(options, Role::kServer, "server_fail_if_no_peer_cert");

  options = Options();
  options.trust.fail_if_no_peer_cert = true;
  ExpectRefused(options, Role::kClient, "client_fail_if_no_peer_cert");

  options = Options();
  options.trust.name_check = NameCheck::kGiven;
  ExpectRefused(options, Role::kClient, "client_server_name_indication");

  options = GoodServer();
  options.versions = {.tls12 = false, .tls13 = false};
  ExpectRefused(options, Role::kServer, "server_versions");

  options = GoodServer();
  options.versions.tls12 = false;
  options.ciphers.suites = {"TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"};
  ExpectRefused(options, Role::kServer, "server_ciphers");

  options = GoodServer();
  options.ciphers.suites = {"TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA385"};
  ExpectRefused(options, Role::kServer, "server_ciphers");

  options = GoodServer();
  options.ciphers.suites = {"TLS_PSK_WITH_AES_128_GCM_SHA256"};
  ExpectRefused(options, Role::kServer, "server_ciphers");

  options = GoodServer();
  options.ciphers.groups = {"sect571r1"};
  ExpectRefused(options, Role::kServer, "server_supported_groups");

  options = GoodServer();
  options.ciphers.signature_algorithms = {"rsa_pkcs1_sha1"};
  ExpectRefused(options, Role::kServer, "server_signature_algs");

  options = GoodServer();
  options.alpn.protocols = {""};
  ExpectRefused(options, Role::kServer, "server_alpn");
}

TEST(OptionsTest, AClientWithAnchorsVerifiesUnlessToldOtherwise) {
  Trust trust;
  EXPECT_EQ(EffectiveVerify(trust, Role::kClient), Verify::kNone);
  trust.cacertfile = "ca.pem";
  EXPECT_EQ(EffectiveVerify(trust, Role::kClient), Verify::kPeer);
  EXPECT_EQ(EffectiveVerify(trust, Role::kServer), Verify::kNone);
  trust.verify = Verify::kNone;
  EXPECT_EQ(EffectiveVerify(trust, Role::kClient), Verify::kNone);
}

}  // namespace
}  // namespace noded::tls
