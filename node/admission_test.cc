#include "node/admission.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/status.h"

namespace noded::node {
namespace {

CertificateRule Rule(const char* certificate, const char* nodes) {
  auto rule = ParseCertificateRule(certificate, nodes);
  EXPECT_TRUE(rule.ok()) << rule.status();
  return rule.value_or(CertificateRule());
}

// shop1 of the shop, at 10.0.0.7.
base::PeerIdentity Shop() {
  base::TlsFacts facts;
  facts.is_peer_verified = true;
  facts.peer_subject = "O=Shop, CN=shop1";
  facts.peer_dns_names = {"A.Example.net", "*.old.example.net"};
  facts.peer_ip_addresses = {"10.0.0.7"};
  facts.peer_uris = {"spiffe://example.net/shop/shop1"};
  facts.peer_certificate_der = base::Slice::Copy("der");
  return {"10.0.0.7", 40000, facts};
}

bool Fits(const char* certificate, const char* nodes, const char* node) {
  return Rule(certificate, nodes).Fits(node, *Shop().tls);
}

TEST(CertificateRuleTest, APatternMustFitTheWholeText) {
  EXPECT_TRUE(Fits("dns:a.example.net", "*", "shop1@a.example.net"));
  EXPECT_TRUE(Fits("dns:*.example.net", "*", "shop1@a.example.net"));
  EXPECT_TRUE(Fits("dns:A.EXAMPLE.*", "*", "shop1@a.example.net"));  // hosts have no case
  EXPECT_TRUE(Fits("dns:*", "*", "shop1@a.example.net"));
  EXPECT_FALSE(Fits("dns:example.net", "*", "shop1@a.example.net"));
  EXPECT_FALSE(Fits("dns:a.example", "*", "shop1@a.example.net"));
  EXPECT_TRUE(Fits("uri:spiffe://example.net/shop/*", "*", "x@y"));
  EXPECT_TRUE(Fits("uri:spiffe://*/shop/*1", "*", "x@y"));
  EXPECT_FALSE(Fits("uri:SPIFFE://example.net/shop/*", "*", "x@y"));
  EXPECT_FALSE(Fits("uri:spiffe://example.net/shop/*/shop1", "*", "x@y"));
  EXPECT_FALSE(Fits("uri:*shop1*shop1", "*", "x@y"));  // no letter counts twice
  EXPECT_TRUE(Fits("subject:O=Shop, *", "*", "x@y"));
  EXPECT_FALSE(Fits("subject:O=shop, *", "*", "x@y"));
}

TEST(CertificateRuleTest, TheNodeMustFitToo) {
  EXPECT_TRUE(Fits("dns:*", "shop*@*", "shop1@a"));
  EXPECT_TRUE(Fits("dns:*", "shop*@*.net", "shop1@a.example.net"));
  EXPECT_FALSE(Fits("dns:*", "shop*@*", "till1@a"));
  EXPECT_FALSE(Fits("dns:*", "Shop*@*", "shop1@a"));
  EXPECT_FALSE(Fits("dns:*", "shop1@a", "shop1@a.example.net"));
}

TEST(CertificateRuleTest, PlaceholdersStandForTheName) {
  EXPECT_TRUE(Fits("dns:{host}", "*", "any@a.example.net"));
  EXPECT_FALSE(Fits("dns:{host}", "*", "any@b.example.net"));
  EXPECT_TRUE(Fits("uri:spiffe://example.net/shop/{name}", "*", "shop1@b"));
  EXPECT_FALSE(Fits("uri:spiffe://example.net/shop/{name}", "*", "shop2@b"));
  EXPECT_FALSE(Fits("uri:spiffe://example.net/shop/{node}", "*", "shop1@b"));
  // A name with a star is that name, and no pattern.
  EXPECT_FALSE(Fits("uri:spiffe://example.net/shop/{name}", "*", "*@b"));
  EXPECT_FALSE(Fits("dns:{host}", "*", "any@*"));
  EXPECT_FALSE(Fits("dns:{host}", "*", "any@{host}"));
}

TEST(CertificateRuleTest, AWildcardOfTheCertificateIsTakenAsWritten) {
  EXPECT_FALSE(Fits("dns:{host}", "*", "any@b.old.example.net"));
}

TEST(CertificateRuleTest, WhatNobodyVerifiedFitsNothing) {
  base::PeerIdentity shop = Shop();
  shop.tls->is_peer_verified = false;
  EXPECT_FALSE(Rule("dns:*", "*").Fits("shop1@a", *shop.tls));
}

TEST(CertificateRuleTest, MalformedRulesAreRefused) {
  const auto refusal = [](const char* certificate, const char* nodes) {
    const auto rule = ParseCertificateRule(certificate, nodes);
    EXPECT_TRUE(absl::IsInvalidArgument(rule.status()));
    return std::string(rule.status().message());
  };
  EXPECT_NE(refusal("a.example.net", "*").find("no field"), std::string::npos);
  EXPECT_NE(refusal("urn:x", "*").find("'uri'?"), std::string::npos);
  EXPECT_NE(refusal("dns:", "*").find("no pattern"), std::string::npos);
  EXPECT_NE(refusal("dns:*", "shop").find("fits no node"), std::string::npos);
  EXPECT_NE(refusal("dns:*", "{name}@*").find("placeholder"), std::string::npos);
}

void ExpectRefused(const absl::Status& status, std::vector<std::string> words) {
  EXPECT_TRUE(absl::IsPermissionDenied(status)) << status;
  EXPECT_EQ(base::ReasonOf(status), "not_allowed");
  for (const std::string& word : words) {
    EXPECT_NE(status.ToString().find(word), std::string::npos) << word << " in " << status;
  }
}

TEST(AdmissionTest, WithoutListsEverybodyMayCome) {
  Admission admission({});
  EXPECT_TRUE(admission.CheckTarget("shop1@a").ok());
  EXPECT_TRUE(admission.CheckPeer("shop1@a", {"10.0.0.7", 1, {}}).ok());
  EXPECT_TRUE(admission.CheckPeer("shop1@a", Shop()).ok());
}

TEST(AdmissionTest, OneRuleMustFit) {
  Admission admission({Rule("dns:b.example.net", "*"), Rule("uri:spiffe:*", "shop*@*")});
  EXPECT_TRUE(admission.CheckPeer("shop1@a", Shop()).ok());
  ExpectRefused(admission.CheckPeer("till@a", Shop()),
                {"till@a", "10.0.0.7:40000", "CN=shop1", "dns A.Example.net", "-dist_allow"});
  ExpectRefused(admission.CheckPeer("shop1@a", {"10.0.0.7", 1, {}}), {"not encrypted"});
  base::PeerIdentity nameless = Shop();
  nameless.tls = base::TlsFacts();
  ExpectRefused(admission.CheckPeer("shop1@a", nameless), {"no certificate"});
}

TEST(AdmissionTest, WithoutTlsOnlyThoseThatMayBePlain) {
  Admission admission({}, {"old*@*", "till@a"});
  const base::PeerIdentity plain{"10.0.0.7", 1, {}};
  for (const char* node : {"old1@b", "till@a"}) {
    EXPECT_TRUE(admission.MayBePlain(node)) << node;
    EXPECT_TRUE(admission.CheckPeer(node, plain).ok()) << node;
  }
  for (const char* node : {"shop1@a", "till@b", "bold@a"}) {
    EXPECT_FALSE(admission.MayBePlain(node)) << node;
    ExpectRefused(admission.CheckPeer(node, plain),
                  {node, "10.0.0.7:1", "without TLS", "-dist_plain_peers", "inet_tls"});
  }
  EXPECT_TRUE(admission.CheckPeer("shop1@a", Shop()).ok()) << "it has TLS";
  // A link without a certificate fits no rule about certificates.
  Admission both({Rule("dns:*", "*")}, {"*"});
  EXPECT_FALSE(both.MayBePlain("old1@b"));
  ExpectRefused(both.CheckPeer("old1@b", plain), {"not encrypted", "-dist_allow"});
}

TEST(AdmissionTest, TheAllowListNamesNodesAndHosts) {
  Admission admission({});
  admission.Allow({"shop1@a.example.net", "b", "till@"});
  admission.Allow({"b"});
  EXPECT_EQ(admission.Allowed(),
            (std::vector<dist::AtomName>{"b", "shop1@a.example.net", "till@"}));
  const base::PeerIdentity plain{"10.0.0.7", 1, {}};
  EXPECT_TRUE(admission.CheckPeer("shop1@a.example.net", plain).ok());
  EXPECT_TRUE(admission.CheckPeer("anything@b", plain).ok());
  EXPECT_TRUE(admission.CheckPeer("till@c", plain).ok());
  ExpectRefused(admission.CheckPeer("shop2@a.example.net", plain), {"shop2@", "allow-list"});
  ExpectRefused(admission.CheckPeer("tills@c", plain), {});
  // As in OTP we connect to nodes that are named in full.
  EXPECT_TRUE(admission.CheckTarget("shop1@a.example.net").ok());
  ExpectRefused(admission.CheckTarget("anything@b"), {"anything@b"});
}

TEST(AdmissionTest, ACertificateMustBeForTheHostOrTheAddress) {
  Admission admission({});
  admission.Allow({"shop1@a.example.net", "shop1@b.example.net"});
  base::PeerIdentity shop = Shop();
  EXPECT_TRUE(admission.CheckPeer("shop1@b.example.net", shop).ok());  // by its address
  shop.address = "10.0.0.8";
  EXPECT_TRUE(admission.CheckPeer("shop1@a.example.net", shop).ok());  // by its host
  ExpectRefused(admission.CheckPeer("shop1@b.example.net", shop), {"10.0.0.8", "b.example.net"});
}

}  // namespace
}  // namespace noded::node
