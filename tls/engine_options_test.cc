// Options that choose between what both sides could do: each is seen in what comes of a handshake.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/status.h"
#include "tests/testlib/mint.h"
#include "tls/engine_pair.h"

namespace noded::tls {
namespace {

using testlib::kAuthority;
using testlib::Mint;
using testlib::Minted;

class EngineOptionsTest : public testing::TestWithParam<Version> {
 protected:
  // A server that shows `peer` below `root`, and a client that trusts `root`.
  Options Server(const Minted& peer) const {
    Options options;
    options.identity.certs = {peer.der()};
    options.identity.key = base::Secret(peer.key_pem());
    Only(options, GetParam());
    return options;
  }
  Options Client(const Minted& anchor) const {
    Options options;
    options.trust.cacerts = {anchor.der()};
    options.trust.verify = Verify::kPeer;
    Only(options, GetParam());
    return options;
  }
  static Minted Peer(const Minted& issuer) {
    return Mint({.name = "b", .extensions = "subjectAltName=DNS:b.example\n"}, &issuer);
  }

  const Minted root_ = Mint({.name = "Root", .extensions = kAuthority});
};

INSTANTIATE_TEST_SUITE_P(Versions, EngineOptionsTest,
                         testing::Values(Version::kTls12, Version::kTls13),
                         [](const testing::TestParamInfo<Version>& info) {
                           return info.param == Version::kTls12 ? "Tls12" : "Tls13";
                         });

TEST_P(EngineOptionsTest, HonorCipherOrderLetsTheServersListDecide) {
  const std::vector<std::string> suites =
      GetParam() == Version::kTls12
          ? std::vector<std::string>{"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
                                     "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
                                     "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"}
          : std::vector<std::string>{"TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_256_GCM_SHA384",
                                     "TLS_AES_128_GCM_SHA256"};
  const Minted peer = Peer(root_);
  for (const bool honors : {false, true}) {
    Options server = Server(peer), client = Client(root_);
    server.ciphers.honor_cipher_order = honors;
    server.ciphers.suites = {suites[0], suites[1], suites[2]};
    client.ciphers.suites = {suites[2], suites[1]};  // the server's best is not in it
    Pair pair(server, client);
    Carry(pair.client, pair.server);
    ASSERT_TRUE(pair.client.info) << pair.client.error << pair.server.error;
    EXPECT_EQ(pair.client.info->cipher_suite, suites[honors ? 1 : 2]);
    EXPECT_EQ(pair.server.info->cipher_suite, suites[honors ? 1 : 2]);
  }
}

// RFC 8446 4.2.3: without signature_algs_cert, signature_algs is for certificates too.
TEST_P(EngineOptionsTest, SignatureAlgorithmsAreForCertificatesTooUnlessTheseHaveTheirOwn) {
  const Minted rsa_root = Mint({.name = "Root", .extensions = kAuthority, .key = "RSA2048"});
  const Minted peer = Peer(rsa_root);  // an EC key, signed with RSA
  struct Case {
    std::vector<std::string> schemes, certificate_schemes;
    bool is_good;
  };
  const std::string ecdsa = "ecdsa_secp256r1_sha256", rsa = "rsa_pkcs1_sha256";
  for (const Case& one : std::vector<Case>{{{}, {}, true},
                                           {{ecdsa}, {}, false},
                                           {{ecdsa, rsa}, {}, true},
                                           {{ecdsa}, {rsa}, true},
                                           {{ecdsa, rsa}, {ecdsa}, false}}) {
    Options client = Client(rsa_root);
    client.ciphers.signature_algorithms = one.schemes;
    client.ciphers.certificate_signature_algorithms = one.certificate_schemes;
    Pair pair(Server(peer), client);
    Carry(pair.client, pair.server);
    EXPECT_EQ(pair.client.info.has_value(), one.is_good) << pair.client.error;
    if (!one.is_good) {
      EXPECT_NE(pair.client.error.message().find("client_signature_algs"), std::string::npos)
          << pair.client.error;
    }
  }
}

TEST_P(EngineOptionsTest, PartialChainNamesTheAnchor) {
  const Minted sub = Mint({.name = "Sub", .extensions = kAuthority}, &root_);
  const Minted peer = Peer(sub);
  const Minted stranger = Mint({.name = "Other", .extensions = kAuthority});
  for (const bool is_believed : {false, true}) {
    Options server = Server(peer), client = Client(stranger);
    server.identity.certs = {peer.der(), sub.der()};
    client.trust.partial_chain = [&](const std::vector<base::Slice>&) {
      return is_believed ? sub.der() : base::Slice();
    };
    Pair pair(server, client);
    Carry(pair.client, pair.server);
    EXPECT_EQ(pair.client.info.has_value(), is_believed) << pair.client.error;
  }
}

}  // namespace
}  // namespace noded::tls
