#include "tls/path.h"

#include <chrono>

#include <gtest/gtest.h>

#include "base/status.h"
#include "tests/testlib/mint.h"

namespace noded::tls {
namespace {

using testlib::CertSpec;
using testlib::kAuthority;
using testlib::kDay;
using testlib::Mint;
using testlib::Minted;
using Outcome = PathValidator::Outcome;

constexpr char kPeerNames[] = "subjectAltName=DNS:b.example,DNS:*.w.example,IP:10.1.2.3\n";

#define EXPECT_IN(part, text) \
  EXPECT_NE(std::string(text).find(part), std::string::npos) << std::string(text)

std::vector<base::Slice> Ders(const std::vector<const Minted*>& certificates) {
  std::vector<base::Slice> ders;
  for (const Minted* one : certificates) ders.push_back(one->der());
  return ders;
}

// What judging a chain came to.
struct Result {
  Outcome outcome;
  std::string reason;
  std::string alert;
  std::string text;
  std::string mend;
  bool is_faultless;
};

Result Judge(PathPolicy policy, const std::vector<const Minted*>& anchors,
             const std::vector<const Minted*>& chain) {
  policy.anchors = TrustAnchors::Create(Ders(anchors), "ca.pem");
  PathValidator judge(std::move(policy));
  judge.Judge(Ders(chain));
  return {judge.outcome(),
          judge.reason(),
          base::ReasonOf(judge.status()),
          std::string(judge.status().message()),
          base::MendOf(judge.status()),
          judge.is_faultless()};
}

class PathTest : public testing::Test {
 protected:
  Minted Peer(const Minted& issuer, std::string extensions = kPeerNames) {
    return Mint({.name = "b", .extensions = std::move(extensions)}, &issuer);
  }
  // Not trusted, with this reason and alert; the text names the certificate.
  void ExpectRefused(const Result& result, const std::string& reason, const std::string& alert,
                     const std::string& part = "") {
    EXPECT_EQ(result.outcome, Outcome::kRefused);
    EXPECT_EQ(result.reason, reason) << result.text;
    EXPECT_EQ(result.alert, alert) << result.text;
    EXPECT_IN(part, result.text);
    EXPECT_NE(result.mend, "");
  }
  void ExpectTrusted(const Result& result) {
    EXPECT_EQ(result.outcome, Outcome::kTrusted) << result.reason << ": " << result.text;
    EXPECT_TRUE(result.is_faultless);
  }

  Minted root_ = Mint({.name = "Root", .extensions = kAuthority});
  Minted sub_ = Mint({.name = "Sub", .extensions = kAuthority}, &root_);
  Minted low_ = Mint({.name = "Low", .extensions = kAuthority}, &sub_);
};

TEST_F(PathTest, TrustsChainsInAnyOrderWithWhateverElseIsSent) {
  const Minted peer = Peer(low_);
  const Minted other = Mint({.name = "Other", .extensions = kAuthority});
  const std::vector<std::vector<const Minted*>> chains = {
      {&peer, &low_, &sub_},
      {&peer, &sub_, &low_},
      {&peer, &low_, &sub_, &root_},
      {&peer, &root_, &other, &sub_, &other, &low_, &peer},
  };
  for (const auto& chain : chains) ExpectTrusted(Judge({}, {&root_}, chain));
  ExpectTrusted(Judge({}, {&root_, &root_, &other}, chains[0]));
  // A certificate that nobody can read does not spoil those that can be.
  PathValidator judge({.anchors = TrustAnchors::Create(Ders({&root_}), "ca.pem")});
  std::vector<base::Slice> ders = Ders(chains[0]);
  ders.insert(ders.begin() + 1, base::Slice::Copy("no certificate"));
  EXPECT_EQ(judge.Judge(ders), Outcome::kTrusted) << judge.status();
}

TEST_F(PathTest, TrustsAnchorsThatAreNotSelfSigned) {
  const Minted peer = Peer(low_);
  ExpectTrusted(Judge({}, {&sub_}, {&peer, &low_}));
  ExpectTrusted(Judge({}, {&low_}, {&peer}));
  ExpectTrusted(Judge({}, {&low_}, {&peer, &low_, &sub_}));
}

TEST_F(PathTest, TrustsAPeerThatIsItselfAnAnchorButJudgesItsTimesNamesAndPurpose) {
  const Minted own = Mint({.name = "b", .extensions = kPeerNames});
  ExpectTrusted(Judge({.host = "b.example"}, {&own}, {&own}));
  const Minted issued = Peer(sub_);
  ExpectTrusted(Judge({}, {&issued}, {&issued}));
  ExpectRefused(Judge({.host = "c.example"}, {&own}, {&own}), "hostname_check_failed",
                "handshake_failure", "expected c.example");
  const Minted old = Mint({.name = "old", .begins = -2 * kDay, .ends = -kDay});
  ExpectRefused(Judge({}, {&old}, {&old}), "cert_expired", "certificate_expired", "expired on 20");
  const Minted mail = Mint({.name = "m", .extensions = "extendedKeyUsage=emailProtection\n"});
  ExpectRefused(Judge({}, {&mail}, {&mail}), "invalid_ext_key_usage", "unsupported_certificate",
                "serverAuth");
}

TEST_F(PathTest, FindsTheWayThroughCrossSignedAuthorities) {
  const Minted elsewhere = Mint({.name = "Elsewhere", .extensions = kAuthority});
  // The same authority, signed by another root too; its longer life must not mislead.
  const Minted crossed =
      Mint({.name = "Sub", .extensions = kAuthority, .ends = 300 * kDay, .reuse = sub_.key.get()},
           &elsewhere);
  const Minted peer = Peer(sub_);
  for (const auto& chain : {std::vector<const Minted*>{&peer, &crossed, &sub_},
                            {&peer, &sub_, &crossed},
                            {&peer, &crossed, &elsewhere, &sub_}}) {
    ExpectTrusted(Judge({}, {&root_}, chain));
    ExpectTrusted(Judge({}, {&elsewhere}, chain));
  }
  // Two ways, one of them over: the other one counts.
  const Minted expired = Mint({.name = "Sub",
                               .extensions = kAuthority,
                               .begins = -9 * kDay,
                               .ends = -kDay,
                               .reuse = sub_.key.get()},
                              &elsewhere);
  ExpectTrusted(Judge({}, {&elsewhere, &root_}, {&peer, &expired, &sub_}));
  ExpectRefused(Judge({}, {&elsewhere}, {&peer, &expired}), "cert_expired", "certificate_expired",
                "CN=Sub");
}

TEST_F(PathTest, FollowsAnAuthorityToItsNewKey) {
  const Minted renewed = Mint(
      {.name = "Root", .extensions = std::string(kAuthority) + "authorityKeyIdentifier=keyid\n"},
      &root_);
  const Minted peer = Peer(renewed);
  ExpectTrusted(Judge({}, {&root_}, {&peer, &renewed}));
  ExpectTrusted(Judge({}, {&renewed}, {&peer}));
}

TEST_F(PathTest, RefusesWhomNobodyVouchesFor) {
  const Minted stranger = Mint({.name = "Root", .extensions = kAuthority});
  const Minted lonely = Mint({.name = "Lonely CA", .extensions = kAuthority});
  const Minted forged = Peer(stranger), unknown = Peer(lonely), chained = Peer(low_);
  ExpectRefused(Judge({}, {&root_}, {&forged}), "unknown_ca", "unknown_ca",
                "not signed with the key of the trust anchor CN=Root in ca.pem");
  ExpectRefused(Judge({}, {&root_}, {&unknown}), "unknown_ca", "unknown_ca",
                "its issuer is CN=Lonely CA");
  ExpectRefused(Judge({}, {&root_}, {&unknown, &lonely}), "unknown_ca", "unknown_ca",
                "CN=Lonely CA");
  ExpectRefused(Judge({}, {&root_}, {&chained, &low_}), "unknown_ca", "unknown_ca",
                "its issuer is CN=Sub");
  ExpectRefused(Judge({}, {}, {&chained}), "unknown_ca", "unknown_ca");
  const Minted own = Mint({.name = "b", .extensions = kPeerNames});
  ExpectRefused(Judge({}, {&root_}, {&own}), "selfsigned_peer", "bad_certificate", "self-signed");
  EXPECT_IN("client_cacertfile", Judge({}, {&root_}, {&unknown}).mend);
  EXPECT_IN("server_cacertfile", Judge({.role = Role::kServer}, {&root_}, {&unknown}).mend);
}

TEST_F(PathTest, RefusesWhatCannotBeRead) {
  for (const char* text : {"", "\x30", "hello", "\x30\x03\x02\x01\x01"}) {
    PathValidator judge({.anchors = TrustAnchors::Create(Ders({&root_}), "ca.pem")});
    EXPECT_EQ(judge.Judge({base::Slice::Copy(text)}), Outcome::kRefused);
    EXPECT_EQ(judge.reason(), "certificate_malformed");
  }
  PathValidator none({.anchors = TrustAnchors::Create({}, "")});
  EXPECT_EQ(none.Judge({}), Outcome::kRefused);
  std::vector<uint8_t> longer = base::ToVector(Peer(root_).der());
  longer.push_back(0);
  PathValidator trailing({.anchors = TrustAnchors::Create(Ders({&root_}), "ca.pem")});
  EXPECT_EQ(trailing.Judge({base::Slice(longer)}), Outcome::kRefused);
}

// One fault each, at the peer's certificate or at an authority.
struct Fault {
  const char* what;
  CertSpec authority;
  CertSpec peer;
  const char* reason;  // empty: none
  const char* alert;
  const char* part;
};

TEST_F(PathTest, NamesEveryFaultWithItsAlert) {
  const CertSpec ca = {.name = "Sub", .extensions = kAuthority};
  const CertSpec peer = {.name = "b", .extensions = kPeerNames};
  auto with_ca = [&](std::string extensions) {
    CertSpec spec = ca;
    spec.extensions = std::move(extensions);
    return spec;
  };
  auto with_peer = [&](std::string extensions) {
    CertSpec spec = peer;
    spec.extensions = std::move(extensions);
    return spec;
  };
  auto lasting = [](CertSpec spec, std::time_t begins, std::time_t ends) {
    spec.begins = begins;
    spec.ends = ends;
    return spec;
  };
  auto keyed = [](CertSpec spec, const char* key) {
    spec.key = key;
    return spec;
  };
  auto digested = [](CertSpec spec, const char* digest) {
    spec.digest = digest;
    return spec;
  };
  const std::string signs = "keyUsage=critical,keyCertSign\n";
  const std::string is_ca = "basicConstraints=critical,CA:TRUE\n";
  const std::string permits = std::string(kAuthority) + "nameConstraints=critical,permitted;DNS:";
  const std::string excludes = std::string(kAuthority) + "nameConstraints=critical,excluded;DNS:";
  const Fault faults[] = {
      {"peer expired", ca, lasting(peer, -9 * kDay, -kDay), "cert_expired", "certificate_expired",
       "the server's certificate (CN=b) expired on"},
      {"peer not yet valid", ca, lasting(peer, kDay, 9 * kDay), "cert_expired",
       "certificate_expired", "valid only from"},
      {"authority expired", lasting(ca, -9 * kDay, -kDay), peer, "cert_expired",
       "certificate_expired", "the CA certificate CN=Sub expired on"},
      {"no authority", with_ca("basicConstraints=CA:FALSE\n"), peer, "missing_basic_constraint",
       "handshake_failure", "CN=Sub"},
      {"no basic constraints", with_ca(""), peer, "missing_basic_constraint", "handshake_failure",
       "CN=Sub"},
      {"key usage alone makes no authority", with_ca(signs), peer, "missing_basic_constraint",
       "handshake_failure", "CN=Sub"},
      {"may not sign", with_ca(is_ca + "keyUsage=critical,cRLSign\n"), peer, "invalid_key_usage",
       "handshake_failure", "CN=Sub"},
      {"no key usage", with_ca(is_ca), peer, "", "", ""},
      {"path length zero", with_ca("basicConstraints=critical,CA:TRUE,pathlen:0\n" + signs), peer,
       "", "", ""},
      {"name permitted",
       with_ca(permits + "b.example,permitted;DNS:w.example,permitted;IP:"
                         "10.0.0.0/255.0.0.0\n"),
       peer, "", "", ""},
      {"name not permitted", with_ca(permits + "c.example\n"), peer, "name_not_permitted",
       "bad_certificate", "(CN=b)"},
      {"name excluded", with_ca(excludes + "b.example\n"), peer, "name_not_permitted",
       "bad_certificate", "(CN=b)"},
      {"other name excluded", with_ca(excludes + "c.example\n"), peer, "", "", ""},
      {"server purpose", ca, with_peer("extendedKeyUsage=serverAuth\n"), "", "", ""},
      {"any purpose", ca, with_peer("extendedKeyUsage=anyExtendedKeyUsage\n"), "", "", ""},
      {"other purpose", ca, with_peer("extendedKeyUsage=critical,clientAuth\n"),
       "invalid_ext_key_usage", "unsupported_certificate", "lacks serverAuth"},
      {"authority of another purpose",
       with_ca(std::string(kAuthority) + "extendedKeyUsage=codeSigning\n"), peer,
       "invalid_ext_key_usage", "unsupported_certificate", "CN=Sub"},
      {"key usage of a peer", ca, with_peer("keyUsage=critical,digitalSignature\n"), "", "", ""},
      {"key usage of no peer", ca, with_peer("keyUsage=critical,keyCertSign\n"),
       "invalid_key_usage", "handshake_failure", "lacks digitalSignature"},
      {"key usage of another key exchange", ca, with_peer("keyUsage=critical,keyEncipherment\n"),
       "invalid_key_usage", "handshake_failure", "lacks digitalSignature"},
      {"SHA-1", ca, digested(peer, "SHA1"), "weak_signature", "bad_certificate", "SHA-1"},
      {"MD5", keyed(ca, "RSA2048"), digested(peer, "MD5"), "weak_signature", "bad_certificate",
       "MD5"},
      {"SHA-1 of an authority", digested(ca, "SHA1"), peer, "weak_signature", "bad_certificate",
       "CN=Sub"},
      {"RSA 1024", ca, keyed(peer, "RSA1024"), "weak_key", "unsupported_certificate", "weak a key"},
      {"RSA 1024 of an authority", keyed(ca, "RSA1024"), peer, "weak_key",
       "unsupported_certificate", "CN=Sub"},
      {"RSA 2048", keyed(ca, "RSA2048"), keyed(peer, "RSA2048"), "", "", ""},
      {"Ed25519", keyed(ca, "ED25519"), keyed(peer, "ED25519"), "", "", ""},
      {"critical extension", ca, with_peer("1.2.3.4=critical,DER:0500\n"),
       "unknown_critical_extension", "unsupported_certificate", "1.2.3.4"},
      {"critical extension of an authority",
       with_ca(std::string(kAuthority) + "1.2.3.4=critical,DER:0500\n"), peer,
       "unknown_critical_extension", "unsupported_certificate", "CN=Sub"},
      {"extension", ca, with_peer("1.2.3.4=DER:0500\n"), "", "", ""},
      {"critical names", ca, with_peer("subjectAltName=critical,DNS:b.example\n"), "", "", ""},
      {"names of an unknown kind", ca, with_peer("subjectAltName=critical,RID:1.2.3.4\n"),
       "unknown_critical_extension", "unsupported_certificate", "2.5.29.17"},
      {"a policy", with_ca(std::string(kAuthority) + "certificatePolicies=critical,1.2.3\n"),
       with_peer("certificatePolicies=critical,1.2.3\n"), "", "", ""},
      {"a policy that is missing",
       with_ca(std::string(kAuthority) + "certificatePolicies=1.2.3\n"
                                         "policyConstraints=critical,requireExplicitPolicy:0\n"),
       peer, "policy_requirement_not_met", "handshake_failure", "policy"},
  };
  for (const Fault& fault : faults) {
    SCOPED_TRACE(fault.what);
    const Minted sub = Mint(fault.authority, &root_), leaf = Mint(fault.peer, &sub);
    const Result result = Judge({}, {&root_}, {&leaf, &sub});
    if (*fault.reason == '\0') {
      ExpectTrusted(result);
    } else {
      ExpectRefused(result, fault.reason, fault.alert, fault.part);
    }
  }
}

TEST_F(PathTest, OnlySignaturesOfTheGivenSchemesCount) {
  const Minted leaf = Peer(root_);
  for (const char* good : {"ecdsa_secp256r1_sha256", "rsa_pkcs1_sha256"}) {
    SCOPED_TRACE(good);
    PathPolicy policy;
    policy.signature_schemes = {"rsa_pss_rsae_sha512", good};
    const Result result = Judge(std::move(policy), {&root_}, {&leaf});
    if (std::string_view(good).starts_with("ecdsa")) {
      ExpectTrusted(result);
    } else {
      ExpectRefused(result, "weak_signature", "bad_certificate", "signature_algs_cert");
    }
  }
}

TEST_F(PathTest, ASignatureOfAnotherKeyIsInvalid) {
  // Sent by name, but not by the key: the authority was made anew.
  const Minted made_anew = Mint({.name = "Sub", .extensions = kAuthority}, &root_);
  const Minted peer = Peer(sub_);
  ExpectRefused(Judge({}, {&root_}, {&peer, &made_anew}), "invalid_signature", "bad_certificate",
                "(CN=b)");
  // One flipped bit.
  std::vector<uint8_t> der = base::ToVector(peer.der());
  der.back() ^= 1;
  PathValidator judge({.anchors = TrustAnchors::Create(Ders({&root_}), "ca.pem")});
  EXPECT_EQ(judge.Judge({base::Slice(der), sub_.der()}), Outcome::kRefused);
  EXPECT_EQ(judge.reason(), "invalid_signature");
}

TEST_F(PathTest, CountsIntermediatesAgainstDepthAndPathLength) {
  const Minted peer = Peer(low_);
  ExpectTrusted(Judge({.depth = 2}, {&root_}, {&peer, &low_, &sub_}));
  ExpectRefused(Judge({.depth = 1}, {&root_}, {&peer, &low_, &sub_}), "max_path_length_reached",
                "bad_certificate", "2 intermediate certificates, 1 are allowed");
  EXPECT_IN("client_depth", Judge({.depth = 0}, {&root_}, {&peer, &low_, &sub_}).mend);
  const Minted narrow = Mint(
      {.name = "Narrow", .extensions = "basicConstraints=critical,CA:TRUE,pathlen:0\n"}, &root_);
  const Minted below = Mint({.name = "Below", .extensions = kAuthority}, &narrow);
  const Minted deep = Peer(below);
  ExpectRefused(Judge({}, {&root_}, {&deep, &below, &narrow}), "max_path_length_reached",
                "bad_certificate", "CN=Narrow");
}

TEST_F(PathTest, AnAnchorThatExpiredIsRefused) {
  const Minted old =
      Mint({.name = "Old", .extensions = kAuthority, .begins = -9 * kDay, .ends = -kDay});
  const Minted peer = Peer(old);
  ExpectRefused(Judge({}, {&old}, {&peer}), "cert_expired", "certificate_expired",
                "the CA certificate CN=Old expired");
  // Its own signature is not looked at.
  const Minted sha1 = Mint({.name = "Sha1", .extensions = kAuthority, .digest = "SHA1"});
  const Minted good = Peer(sha1);
  ExpectTrusted(Judge({}, {&sha1}, {&good}));
}

TEST_F(PathTest, JudgesClientsByTheirPurpose) {
  const Minted client = Peer(sub_, "extendedKeyUsage=clientAuth\n");
  const Minted server = Peer(sub_, "extendedKeyUsage=serverAuth\n");
  ExpectTrusted(Judge({.role = Role::kServer}, {&root_}, {&client, &sub_}));
  ExpectRefused(Judge({.role = Role::kServer}, {&root_}, {&server, &sub_}), "invalid_ext_key_usage",
                "unsupported_certificate", "lacks clientAuth");
}

TEST_F(PathTest, MatchesTheHost) {
  struct Case {
    const char* extensions;
    const char* host;
    bool is_good;
  };
  const Case cases[] = {
      {kPeerNames, "b.example", true},
      {kPeerNames, "B.Example.", true},
      {kPeerNames, "x.w.example", true},
      {kPeerNames, "x.y.w.example", false},
      {kPeerNames, "w.example", false},
      {kPeerNames, "10.1.2.3", true},
      {kPeerNames, "10.1.2.4", false},
      {kPeerNames, "b", false},
      {"subjectAltName=DNS:127.0.0.1\n", "127.0.0.1", true},
      {"subjectAltName=IP:::1\n", "::1", true},
      {"subjectAltName=DNS:*.example\n", "b.example", false},
      {"", "b", true},
      {"", "c", false},
      // An entry that cannot be read is no leave to look at the common name.
      {"2.5.29.17=DER:0500\n", "b", false},
      {"subjectAltName=email:b@b.example\n", "b", false},
  };
  for (const Case& one : cases) {
    const Minted peer = Peer(root_, one.extensions);
    const Result result = Judge({.host = one.host}, {&root_}, {&peer});
    if (one.is_good) {
      ExpectTrusted(result);
    } else {
      EXPECT_EQ(result.outcome, Outcome::kRefused) << one.extensions << one.host;
    }
  }
  const Minted peer = Peer(root_);
  const Result other = Judge({.host = "c.example"}, {&root_}, {&peer});
  ExpectRefused(other, "hostname_check_failed", "handshake_failure", "DNS:b.example");
  EXPECT_IN("DNS:c.example", other.mend);
}

TEST_F(PathTest, PartialChainBelievesOneOfThoseThatWereSent) {
  const Minted peer = Peer(low_);
  const Minted outside = Mint({.name = "Sub", .extensions = kAuthority});
  std::vector<base::Slice> seen;
  auto choosing = [&](const Minted* chosen) {
    return PathPolicy{.partial_chain = [&seen, chosen](const std::vector<base::Slice>& chain) {
      seen = chain;
      return chosen == nullptr ? base::Slice() : chosen->der();
    }};
  };
  ExpectTrusted(Judge(choosing(&sub_), {}, {&peer, &low_, &sub_}));
  EXPECT_EQ(seen, Ders({&peer, &low_, &sub_}));
  ExpectTrusted(Judge(choosing(&low_), {}, {&peer, &low_, &sub_}));
  for (const Minted* chosen : std::vector<const Minted*>{nullptr, &outside, &root_}) {
    ExpectRefused(Judge(choosing(chosen), {}, {&peer, &low_, &sub_}), "unknown_ca", "unknown_ca");
  }
  PathPolicy throwing{
      .partial_chain = [](const auto&) -> base::Slice { throw std::runtime_error("no"); }};
  ExpectRefused(Judge(std::move(throwing), {}, {&peer, &low_, &sub_}), "unknown_ca", "unknown_ca");
}

// verify_fun ------------------------------------------------------------------------------------

std::string Note(const CertificateInfo& certificate, const VerifyEvent& event) {
  switch (event.kind) {
    case VerifyEvent::Kind::kBadCert:
      return certificate.subject + " " + event.reason;
    case VerifyEvent::Kind::kExtension:
      return certificate.subject + " " + event.oid + (event.is_critical ? "!" : "");
    case VerifyEvent::Kind::kValid:
      return certificate.subject + " valid";
    case VerifyEvent::Kind::kValidPeer:
      return certificate.subject + " valid_peer";
  }
  return "";
}

using Notes = std::vector<std::string>;

// Accepts all, and keeps what it was asked in the state.
VerifyAnswer AcceptAll(const CertificateInfo& certificate, const VerifyEvent& event,
                       std::any state) {
  auto notes = std::any_cast<std::shared_ptr<Notes>>(state);
  notes->push_back(Note(certificate, event));
  return VerifyAnswer::Valid(std::move(state));
}

TEST_F(PathTest, AsksFromTheTopDownInTheOrderOfOtp) {
  const Minted sub = Mint({.name = "Sub",
                           .extensions = std::string(kAuthority) + "1.2.3.4=DER:0500\n",
                           .begins = -9 * kDay,
                           .ends = -kDay},
                          &root_);
  const Minted peer = Mint({.name = "b",
                            .extensions = "1.2.3.5=critical,DER:0500\nsubjectAltName=DNS:b\n"
                                          "extendedKeyUsage=clientAuth\n",
                            .digest = "SHA1"},
                           &sub);
  auto notes = std::make_shared<Notes>();
  const Result result = Judge({.host = "c.example", .verify_fun = AcceptAll, .verify_state = notes},
                              {&root_}, {&peer, &sub});
  EXPECT_EQ(result.outcome, Outcome::kTrusted) << result.text;
  EXPECT_FALSE(result.is_faultless);
  const Notes expected = {
      "CN=Sub 2.5.29.14",  // the subject key identifier
      "CN=Sub 1.2.3.4",      "CN=Sub cert_expired",
      "CN=Sub valid",        "CN=b 1.2.3.5!",
      "CN=b 2.5.29.17",      "CN=b invalid_ext_key_usage",
      "CN=b weak_signature", "CN=b hostname_check_failed",
  };
  EXPECT_EQ(*notes, expected);
}

TEST_F(PathTest, ThreadsTheStateAndEndsWithValidPeer) {
  const Minted peer = Peer(sub_, "");
  int calls = 0;
  PathPolicy policy;
  policy.verify_state = 0;
  policy.verify_fun = [&calls](const CertificateInfo&, const VerifyEvent& event, std::any state) {
    EXPECT_EQ(std::any_cast<int>(state), calls);
    ++calls;
    return event.kind == VerifyEvent::Kind::kValidPeer ? VerifyAnswer::ValidPeer(calls)
                                                       : VerifyAnswer::Valid(calls);
  };
  ExpectTrusted(Judge(std::move(policy), {&root_}, {&peer, &sub_}));
  EXPECT_EQ(calls, 3);  // Sub's key identifier, Sub, the peer
}

TEST_F(PathTest, AnUnknownCaThatIsLetPassIsBelievedIn) {
  const Minted peer = Peer(low_);
  auto notes = std::make_shared<Notes>();
  PathPolicy policy{.host = "b.example", .verify_fun = AcceptAll, .verify_state = notes};
  const Result result = Judge(policy, {}, {&peer, &low_, &sub_});
  EXPECT_EQ(result.outcome, Outcome::kTrusted) << result.text;
  EXPECT_FALSE(result.is_faultless);
  const Notes expected = {"CN=Sub unknown_ca", "CN=Low 2.5.29.14", "CN=Low valid", "CN=b 2.5.29.17",
                          "CN=b valid_peer"};
  EXPECT_EQ(*notes, expected);
  // As in OTP nothing else is asked when the peer itself is at the top.
  notes->clear();
  EXPECT_EQ(Judge(policy, {}, {&peer}).outcome, Outcome::kTrusted);
  EXPECT_EQ(*notes, Notes{"CN=b unknown_ca"});
  notes->clear();
  const Minted own = Mint({.name = "own"});
  EXPECT_EQ(Judge(policy, {}, {&own}).outcome, Outcome::kTrusted);
  EXPECT_EQ(*notes, Notes{"CN=own selfsigned_peer"});
}

// What verify_fun answers to one event, all others being valid or, for extensions, unknown.
Result Answering(const std::string& asked, VerifyAnswer answer, const Minted& root,
                 const std::vector<const Minted*>& chain) {
  PathPolicy policy;
  policy.verify_fun = [&](const CertificateInfo& certificate, const VerifyEvent& event,
                          std::any state) {
    if (Note(certificate, event) == asked) return answer;
    if (event.is_bad()) return VerifyAnswer::Fail(event.reason);
    if (event.kind == VerifyEvent::Kind::kExtension) return VerifyAnswer::Unknown(state);
    return VerifyAnswer::Valid(state);
  };
  return Judge(std::move(policy), {&root}, chain);
}

TEST_F(PathTest, TakesVerifyFunsAnswers) {
  const Minted good = Peer(sub_);
  const Minted odd = Peer(sub_, "1.2.3.4=critical,DER:0500\n1.2.3.5=DER:0500\n");
  const Minted old = Mint({.name = "b", .begins = -9 * kDay, .ends = -kDay}, &sub_);
  struct Case {
    const Minted& peer;
    const char* asked;
    VerifyAnswer answer;
    const char* reason;  // empty: in
    const char* alert;
  };
  const Case cases[] = {
      {good, "", VerifyAnswer::Valid({}), "", ""},
      {good, "CN=b valid_peer", VerifyAnswer::Fail("not_my_friend"), "not_my_friend",
       "handshake_failure"},
      {good, "CN=b valid_peer", VerifyAnswer::Fail("revoked"), "revoked", "certificate_revoked"},
      {good, "CN=Sub valid", VerifyAnswer::Fail("unknown_ca"), "unknown_ca", "unknown_ca"},
      {good, "CN=b valid_peer", VerifyAnswer::Unknown({}), "verify_fun", "handshake_failure"},
      {odd, "", VerifyAnswer::Valid({}), "unknown_critical_extension", "unsupported_certificate"},
      {odd, "CN=b 1.2.3.4!", VerifyAnswer::Valid({}), "", ""},
      {odd, "CN=b 1.2.3.4!", VerifyAnswer::Fail("odd"), "odd", "handshake_failure"},
      {odd, "CN=b 1.2.3.5", VerifyAnswer::Fail("odd"), "unknown_critical_extension",
       "unsupported_certificate"},
      {old, "CN=b cert_expired", VerifyAnswer::Valid({}), "", ""},
      {old, "CN=b cert_expired", VerifyAnswer::ValidPeer({}), "", ""},
      {old, "CN=b cert_expired", VerifyAnswer::Unknown({}), "cert_expired", "certificate_expired"},
      {old, "CN=b cert_expired", VerifyAnswer::Fail("too_old"), "too_old", "handshake_failure"},
      {old, "", VerifyAnswer::Valid({}), "cert_expired", "certificate_expired"},
  };
  for (const Case& one : cases) {
    SCOPED_TRACE(one.asked);
    const Result result = Answering(one.asked, one.answer, root_, {&one.peer, &sub_});
    EXPECT_EQ(result.outcome, *one.reason == '\0' ? Outcome::kTrusted : Outcome::kRefused);
    EXPECT_EQ(result.reason, one.reason);
    if (*one.reason != '\0') {
      EXPECT_EQ(result.alert, one.alert);
    }
  }
}

TEST_F(PathTest, AVerifyFunThatThrowsRefuses) {
  const Minted peer = Peer(sub_);
  PathPolicy policy;
  policy.verify_fun = [](const CertificateInfo&, const VerifyEvent&, std::any) -> VerifyAnswer {
    throw std::runtime_error("broken");
  };
  const Result result = Judge(std::move(policy), {&root_}, {&peer, &sub_});
  EXPECT_EQ(result.outcome, Outcome::kRefused);
  EXPECT_IN("broken", result.text);
}

// A peer's certificates that all bear one name could be put in very many orders.
TEST_F(PathTest, BoundsTheSearch) {
  std::vector<Minted> same;
  for (int i = 0; i < 40; ++i) same.push_back(Mint({.name = "X", .extensions = kAuthority}));
  std::vector<const Minted*> chain;
  for (const Minted& one : same) chain.push_back(&one);
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(Judge({}, {&root_}, chain).outcome, Outcome::kRefused);
  // Not a measure: it would be years.
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(60));
}

}  // namespace
}  // namespace noded::tls
