#include "cli/verbs/tls_facts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/testlib/temp_dir.h"
#include "tests/testlib/test_certs.h"
#include "tls/certificate_info.h"

namespace noded::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

base::PeerIdentity Peer() {
  base::PeerIdentity peer{"127.0.0.1", 4433};
  peer.tls.emplace();
  peer.tls->version = "tlsv1.3";
  peer.tls->cipher_suite = "TLS_AES_256_GCM_SHA384";
  return peer;
}

// With a certificate of an authority, and the authority in the chain.
base::PeerIdentity Named() {
  testlib::TestCerts certs;
  base::PeerIdentity peer = Peer();
  const std::string pem = testlib::ReadFile(certs.Chained("b@b.example", 1).cert);
  auto chain = tls::ReadCertificates(base::AsBytes(pem));
  EXPECT_TRUE(chain.ok()) << chain.status();
  for (const tls::CertificateInfo& one : *chain) peer.tls->peer_chain_der.push_back(one.der);
  peer.tls->peer_subject = chain->front().subject;
  peer.tls->is_peer_verified = true;
  return peer;
}

TEST(TlsFactsTest, ALineHoldsWhatThereIs) {
  EXPECT_EQ(FactsLine(Peer()),
            "127.0.0.1:4433 tlsv1.3 TLS_AES_256_GCM_SHA384 peer: no certificate");
  base::PeerIdentity peer = Named();
  peer.tls->group = "x25519";
  peer.tls->sni = "b.example";
  peer.tls->alpn = "h2";
  peer.tls->is_resumed = true;
  EXPECT_EQ(FactsLine(peer),
            "127.0.0.1:4433 tlsv1.3 TLS_AES_256_GCM_SHA384 x25519 sni=b.example alpn=h2 resumed "
            "peer: CN=b@b.example (verified)");
  peer.tls->is_peer_verified = false;
  EXPECT_THAT(FactsLine(peer), HasSubstr("(not verified)"));
}

TEST(TlsFactsTest, TheTextHasTheChain) {
  const std::string text = FactsText(Named());
  EXPECT_THAT(text, HasSubstr("protocol     tlsv1.3\n"));
  EXPECT_THAT(text, HasSubstr("alpn         none\n"));
  EXPECT_THAT(text, HasSubstr("session      new\n"));
  EXPECT_THAT(text, HasSubstr("verification verified\n"));
  EXPECT_THAT(text, HasSubstr("certificate 1 of 2\n  subject      CN=b@b.example\n"));
  EXPECT_THAT(text, HasSubstr("certificate 2 of 2\n"));
  EXPECT_THAT(text, Not(HasSubstr("private key")));
}

TEST(TlsFactsTest, TheJsonHasTheSame) {
  const nlohmann::ordered_json json = FactsJson(Named());
  EXPECT_EQ(json["peer"], "127.0.0.1:4433");
  EXPECT_EQ(json["protocol"], "tlsv1.3");
  EXPECT_TRUE(json["group"].is_null());
  EXPECT_EQ(json["is_verified"], true);
  EXPECT_EQ(json["is_resumed"], false);
  ASSERT_EQ(json["chain"].size(), 2u);
  EXPECT_EQ(json["chain"][0]["subject"], "CN=b@b.example");
  EXPECT_FALSE(json["chain"][0].contains("key_matches"));
  EXPECT_TRUE(FactsJson(Peer())["chain"].empty());
}

}  // namespace
}  // namespace noded::cli
