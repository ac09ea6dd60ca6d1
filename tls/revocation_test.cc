// CRLs: what crl_check makes of them, and the cache that they are inserted into.
#include <thread>

#include <gtest/gtest.h>

#include "base/status.h"
#include "tests/testlib/mint.h"
#include "tests/testlib/temp_dir.h"
#include "tls/internal_crl_cache.h"
#include "tls/path.h"

namespace noded::tls {
namespace {

using testlib::CrlPem;
using testlib::kAuthority;
using testlib::kDay;
using testlib::Mint;
using testlib::MintCrl;
using testlib::Minted;
using Outcome = PathValidator::Outcome;

constexpr char kPointed[] = "crlDistributionPoints=URI:http://crl.example/a.crl\n";
constexpr char kUri[] = "http://crl.example/a.crl";

#define EXPECT_IN(part, text) \
  EXPECT_NE(std::string(text).find(part), std::string::npos) << std::string(text)

class RevocationTest : public testing::Test {
 protected:
  PathPolicy Policy(CrlCheck check, std::shared_ptr<CrlCache> cache) {
    PathPolicy policy;
    const base::Slice anchors[] = {root_.der()};
    policy.anchors = TrustAnchors::Create(anchors, "ca.pem");
    policy.crl_check = check;
    policy.crl_cache = std::move(cache);
    return policy;
  }
  // "" when trusted, else the reason.
  std::string Judge(CrlCheck check, const Minted& peer) {
    PathValidator judge(Policy(check, cache_));
    judge.Judge({peer.der(), sub_.der()});
    status_ = judge.status();
    alert_ = base::ReasonOf(status_);
    EXPECT_NE(judge.outcome(), Outcome::kNeedsCrls);
    return judge.outcome() == Outcome::kTrusted ? "" : judge.reason();
  }
  void Insert(const base::Slice& crl) { ASSERT_TRUE(cache_->Insert(crl).ok()); }

  Minted root_ = Mint({.name = "Root", .extensions = kAuthority});
  Minted sub_ = Mint({.name = "Sub", .extensions = kAuthority}, &root_);
  Minted good_ = Mint({.name = "good"}, &sub_);
  Minted bad_ = Mint({.name = "bad"}, &sub_);
  std::shared_ptr<InternalCrlCache> cache_ = std::make_shared<InternalCrlCache>();
  absl::Status status_;
  std::string alert_;
};

TEST_F(RevocationTest, ChecksAsManyAsItIsToldTo) {
  const std::string unknown = "revocation_status_undetermined";
  // Without any list.
  EXPECT_EQ(Judge(CrlCheck::kFalse, good_), "");
  EXPECT_EQ(Judge(CrlCheck::kBestEffort, good_), "");
  for (CrlCheck check : {CrlCheck::kTrue, CrlCheck::kPeer}) {
    EXPECT_EQ(Judge(check, good_), unknown);
    EXPECT_EQ(alert_, "bad_certificate");
    EXPECT_IN("crl_check", base::MendOf(status_));
  }
  // With that of the peer's issuer alone.
  Insert(MintCrl(sub_, {.revoked = {{&bad_, "keyCompromise"}}}));
  EXPECT_EQ(Judge(CrlCheck::kPeer, good_), "");
  EXPECT_EQ(Judge(CrlCheck::kTrue, good_), unknown);
  EXPECT_IN("CN=Sub", status_.message());
  for (CrlCheck check : {CrlCheck::kPeer, CrlCheck::kBestEffort}) {
    EXPECT_EQ(Judge(check, bad_), "revoked");
    EXPECT_EQ(alert_, "certificate_revoked");
    EXPECT_IN("keyCompromise: the server's certificate (CN=bad) was revoked on 20",
              status_.message());
  }
  EXPECT_EQ(Judge(CrlCheck::kFalse, bad_), "");
  // With all.
  Insert(MintCrl(root_, {}));
  EXPECT_EQ(Judge(CrlCheck::kTrue, good_), "");
  EXPECT_EQ(Judge(CrlCheck::kTrue, bad_), "revoked");
  // An authority.
  Insert(MintCrl(root_, {.revoked = {{&sub_, "cACompromise"}}}));
  EXPECT_EQ(Judge(CrlCheck::kTrue, good_), "revoked");
  EXPECT_EQ(Judge(CrlCheck::kBestEffort, good_), "revoked");
  EXPECT_EQ(Judge(CrlCheck::kPeer, good_), "");
}

TEST_F(RevocationTest, GivesTheReasonCode) {
  for (const char* code : {"keyCompromise", "cACompromise", "affiliationChanged", "superseded",
                           "cessationOfOperation", "certificateHold", "privilegeWithdrawn", ""}) {
    Insert(MintCrl(sub_, {.revoked = {{&bad_, code}}}));
    EXPECT_EQ(Judge(CrlCheck::kPeer, bad_), "revoked");
    const std::string expected = *code == '\0' ? "unspecified" : code;
    EXPECT_IN(expected + ":", status_.message());
  }
}

TEST_F(RevocationTest, OnlyAGoodListCounts) {
  const Minted stranger = Mint({.name = "Sub", .extensions = kAuthority});
  const Minted mute = Mint(
      {.name = "Mute", .extensions = "basicConstraints=CA:TRUE\nkeyUsage=keyCertSign\n"}, &root_);
  struct Case {
    const char* what;
    base::Slice crl;
    const char* for_bad;
    const char* for_good;
    const char* part;
  };
  const std::vector<testlib::Revoked> entries = {{&bad_, ""}};
  const std::string undetermined = "revocation_status_undetermined";
  const Case cases[] = {
      {"expired", MintCrl(sub_, {.revoked = entries, .begins = -9 * kDay, .ends = -kDay}),
       undetermined.c_str(), undetermined.c_str(), "expired"},
      {"not yet valid", MintCrl(sub_, {.revoked = entries, .begins = kDay, .ends = 9 * kDay}),
       undetermined.c_str(), undetermined.c_str(), "not yet valid"},
      {"without an end", MintCrl(sub_, {.revoked = entries, .ends = 0}), "revoked", "", ""},
      {"bad signature", MintCrl(sub_, {.revoked = entries, .signer = &stranger}),
       undetermined.c_str(), undetermined.c_str(), "signature"},
      {"another issuer's", MintCrl(root_, {.revoked = entries}), undetermined.c_str(),
       undetermined.c_str(), "unable to get certificate CRL"},
      {"delta",
       MintCrl(sub_, {.revoked = entries, .extensions = "2.5.29.27=critical,DER:020101\n"}),
       undetermined.c_str(), undetermined.c_str(), "unable to get certificate CRL"},
      {"an unknown critical extension",
       MintCrl(sub_, {.revoked = entries, .extensions = "1.2.3.4=critical,DER:0500\n"}),
       undetermined.c_str(), undetermined.c_str(), "critical"},
      {"for authorities alone",
       MintCrl(sub_, {.revoked = entries,
                      .extensions = "issuingDistributionPoint=critical,@idp\n[idp]\n"
                                    "onlyCA=TRUE\n"}),
       undetermined.c_str(), undetermined.c_str(), ""},
  };
  for (const Case& one : cases) {
    SCOPED_TRACE(one.what);
    cache_ = std::make_shared<InternalCrlCache>();
    Insert(one.crl);
    EXPECT_EQ(Judge(CrlCheck::kPeer, bad_), one.for_bad) << status_;
    EXPECT_EQ(Judge(CrlCheck::kPeer, good_), one.for_good) << status_;
    if (*one.for_good != '\0') {
      EXPECT_IN(one.part, status_.message());
    }
    EXPECT_EQ(Judge(CrlCheck::kBestEffort, good_), "");
  }
  // The issuer may sign certificates but no lists.
  const Minted peer = Mint({.name = "peer"}, &mute);
  ASSERT_TRUE(cache_->Insert(MintCrl(mute, {})).ok());
  PathValidator judge(Policy(CrlCheck::kPeer, cache_));
  EXPECT_EQ(judge.Judge({peer.der(), mute.der()}), Outcome::kRefused);
  EXPECT_EQ(judge.reason(), undetermined);
}

// An authority may split its lists by reason: what one of them says holds whether the others are
// there or not.
TEST_F(RevocationTest, AListOfSomeReasonsCountsWithoutTheOthers) {
  Insert(MintCrl(sub_, {.revoked = {{&bad_, "keyCompromise"}},
                        .extensions = "issuingDistributionPoint=critical,@idp\n[idp]\n"
                                      "onlysomereasons=keyCompromise,CACompromise\n"}));
  for (CrlCheck check : {CrlCheck::kPeer, CrlCheck::kBestEffort}) {
    EXPECT_EQ(Judge(check, bad_), "revoked") << status_;
  }
  EXPECT_EQ(Judge(CrlCheck::kPeer, good_), "revocation_status_undetermined");
}

TEST_F(RevocationTest, ABundleThatIsCutOffOrDamagedIsRefusedAsAWhole) {
  const std::string first = CrlPem(MintCrl(root_, {})), second = CrlPem(MintCrl(sub_, {}));
  std::string damaged = second;
  damaged[damaged.size() / 2] = '*';
  for (const std::string& text :
       {first + second.substr(0, second.size() / 2), first + damaged + first}) {
    InternalCrlCache cache;
    EXPECT_EQ(base::ReasonOf(cache.Insert(base::AsBytes(text))), "bad_crl");
    EXPECT_EQ(cache.size(), 0u);
  }
  InternalCrlCache cache;
  EXPECT_TRUE(cache.Insert(base::AsBytes(first + "words between\n" + second + "\n\n")).ok());
  EXPECT_EQ(cache.size(), 2u);
}

TEST_F(RevocationTest, AnIndirectListNamesTheIssuersOfItsEntries) {
  const Minted signer = Mint({.name = "CRL signer",
                              .extensions = "basicConstraints=CA:FALSE\n"
                                            "keyUsage=critical,cRLSign\n"},
                             &root_);
  const std::string pointed =
      "crlDistributionPoints=dp\n[dp]\nfullname=URI:http://crl.example/a.crl\n"
      "CRLissuer=dirName:signer\n[signer]\nCN=CRL signer\n";
  const Minted bad = Mint({.name = "bad", .extensions = pointed}, &sub_);
  const Minted good = Mint({.name = "good", .extensions = pointed}, &sub_);
  const base::Slice crl =
      MintCrl(signer, {.revoked = {{&bad, "superseded", &sub_}},
                       .extensions = "issuingDistributionPoint=critical,@idp\n[idp]\n"
                                     "fullname=URI:http://crl.example/a.crl\nindirectCRL=TRUE\n"});
  ASSERT_TRUE(cache_->Insert(kUri, crl).ok());
  auto judge = [&](const Minted& peer, bool sends_signer) {
    PathValidator validator(Policy(CrlCheck::kPeer, cache_));
    std::vector<base::Slice> chain = {peer.der(), sub_.der()};
    if (sends_signer) chain.push_back(signer.der());
    validator.Judge(chain);
    status_ = validator.status();
    return validator.reason();
  };
  EXPECT_EQ(judge(good, true), "") << status_;
  EXPECT_EQ(judge(bad, true), "revoked") << status_;
  EXPECT_IN("superseded", status_.message());
  // Nobody vouches for a signer whose certificate is nowhere.
  EXPECT_EQ(judge(good, false), "revocation_status_undetermined");
}

TEST_F(RevocationTest, AListOfOnePartitionSaysNothingOfAnother) {
  const Minted there = Mint({.name = "there", .extensions = kPointed}, &sub_);
  const Minted elsewhere = Mint(
      {.name = "elsewhere", .extensions = "crlDistributionPoints=URI:http://crl.example/b.crl\n"},
      &sub_);
  const base::Slice crl =
      MintCrl(sub_, {.revoked = {{&there, ""}, {&elsewhere, ""}},
                     .extensions = "issuingDistributionPoint=critical,@idp\n[idp]\n"
                                   "fullname=URI:http://crl.example/a.crl\n"});
  Insert(crl);
  EXPECT_EQ(Judge(CrlCheck::kPeer, there), "revoked");
  EXPECT_EQ(Judge(CrlCheck::kPeer, elsewhere), "revocation_status_undetermined");
}

TEST_F(RevocationTest, FindsListsByUriAndThenByIssuer) {
  const Minted pointed = Mint({.name = "pointed", .extensions = kPointed}, &sub_);
  const base::Slice crl = MintCrl(sub_, {.revoked = {{&pointed, ""}, {&bad_, ""}}});
  ASSERT_TRUE(cache_->Insert(kUri, crl).ok());
  EXPECT_EQ(Judge(CrlCheck::kPeer, pointed), "revoked");
  EXPECT_EQ(Judge(CrlCheck::kPeer, bad_), "revoked");
  cache_->DeleteUri(kUri);
  EXPECT_EQ(Judge(CrlCheck::kPeer, pointed), "revocation_status_undetermined");
  Insert(crl);
  EXPECT_EQ(Judge(CrlCheck::kPeer, pointed), "revoked");
}

TEST_F(RevocationTest, VerifyFunMayLetARevokedOneIn) {
  Insert(MintCrl(sub_, {.revoked = {{&bad_, "certificateHold"}}}));
  std::vector<std::string> reasons;
  PathPolicy policy = Policy(CrlCheck::kPeer, cache_);
  policy.verify_fun = [&](const CertificateInfo&, const VerifyEvent& event, std::any state) {
    if (event.is_bad()) {
      reasons.push_back(event.reason);
      EXPECT_EQ(event.detail.rfind("certificateHold", 0), 0u) << event.detail;
    }
    return VerifyAnswer::Valid(std::move(state));
  };
  PathValidator judge(std::move(policy));
  EXPECT_EQ(judge.Judge({bad_.der(), sub_.der()}), Outcome::kTrusted);
  EXPECT_FALSE(judge.is_faultless());
  EXPECT_EQ(reasons, std::vector<std::string>{"revoked"});
}

// A cache that has to fetch: what it was asked, and what it gives once it was.
class SlowCache : public CrlCache {
 public:
  CrlAnswer Lookup(const CrlQuery& query) override {
    if (is_fetched) return {{crl}, {}};
    return {{}, query.uris};
  }
  std::vector<base::Slice> Select(const base::Slice&) override { return {}; }
  absl::Status Fetch(const std::string&) override { return absl::OkStatus(); }
  base::Slice FreshCrl(const CrlQuery&, const base::Slice& old) override {
    ++freshened;
    return fresh.empty() ? old : fresh;
  }
  base::Slice crl, fresh;
  bool is_fetched = false;
  int freshened = 0;
};

TEST_F(RevocationTest, WaitsForWhatMustBeFetchedAndAsksVerifyFunOnce) {
  const Minted pointed = Mint({.name = "pointed", .extensions = kPointed}, &sub_);
  auto cache = std::make_shared<SlowCache>();
  for (bool is_found : {true, false}) {
    cache->is_fetched = false;
    cache->crl = is_found ? MintCrl(sub_, {}) : base::Slice();
    std::vector<VerifyEvent::Kind> events;
    PathPolicy policy = Policy(CrlCheck::kPeer, cache);
    policy.verify_fun = [&](const CertificateInfo&, const VerifyEvent& event, std::any state) {
      if (event.kind != VerifyEvent::Kind::kExtension) events.push_back(event.kind);
      return event.is_bad() ? VerifyAnswer::Fail(event.reason) : VerifyAnswer::Valid(state);
    };
    PathValidator judge(std::move(policy));
    EXPECT_EQ(judge.Judge({pointed.der(), sub_.der()}), Outcome::kNeedsCrls);
    EXPECT_EQ(judge.wanted(), std::vector<std::string>{kUri});
    cache->is_fetched = is_found;  // else it asks for the same again, in vain
    EXPECT_EQ(judge.Resume(), is_found ? Outcome::kTrusted : Outcome::kRefused);
    EXPECT_EQ(judge.reason(), is_found ? "" : "revocation_status_undetermined");
    EXPECT_EQ(events.size(), is_found ? 2u : 3u);
    EXPECT_EQ(judge.Resume(), judge.outcome()) << "nothing more comes of it";
  }
}

TEST_F(RevocationTest, NothingIsFetchedForAPeerThatIsNotTrusted) {
  const Minted stranger = Mint({.name = "Stranger", .extensions = kAuthority});
  const Minted peer = Mint({.name = "peer", .extensions = kPointed}, &stranger);
  PathValidator judge(Policy(CrlCheck::kTrue, std::make_shared<SlowCache>()));
  EXPECT_EQ(judge.Judge({peer.der(), stranger.der()}), Outcome::kRefused);
  EXPECT_EQ(judge.reason(), "unknown_ca");
}

TEST_F(RevocationTest, AsksForAFresherListWhenOneHasRunOut) {
  const Minted pointed = Mint({.name = "pointed", .extensions = kPointed}, &sub_);
  auto cache = std::make_shared<SlowCache>();
  cache->is_fetched = true;
  cache->crl = MintCrl(sub_, {.begins = -9 * kDay, .ends = -kDay});
  cache->fresh = MintCrl(sub_, {});
  PathValidator judge(Policy(CrlCheck::kPeer, cache));
  EXPECT_EQ(judge.Judge({pointed.der(), sub_.der()}), Outcome::kTrusted) << judge.status();
  EXPECT_EQ(cache->freshened, 1);
}

TEST_F(RevocationTest, TheCacheTakesFilesPemAndDerAndReplacesWhatIsOld) {
  testlib::TempDir dir;
  const base::Slice first = MintCrl(sub_, {}), second = MintCrl(sub_, {.revoked = {{&bad_, ""}}});
  const base::Slice other = MintCrl(root_, {});
  const std::string pem = dir.Write("two.pem", CrlPem(first) + CrlPem(other));
  ASSERT_TRUE(cache_->InsertFile(pem).ok());
  EXPECT_EQ(cache_->size(), 2u);
  ASSERT_TRUE(cache_->InsertFile(dir.Write("one.crl", second.text())).ok());
  EXPECT_EQ(cache_->size(), 2u) << "the new list replaces the issuer's old one";
  EXPECT_EQ(Judge(CrlCheck::kPeer, bad_), "revoked");
  ASSERT_TRUE(cache_->Insert("http://x/1", first).ok());
  EXPECT_EQ(cache_->size(), 3u);
  EXPECT_TRUE(cache_->Delete(second).ok());
  EXPECT_TRUE(cache_->DeleteFile(pem).ok());
  EXPECT_EQ(cache_->size(), 0u);

  EXPECT_EQ(base::ReasonOf(cache_->InsertFile(dir.File("none.crl"))), "enoent");
  for (std::string_view bad : {"", "hello", "-----BEGIN CERTIFICATE-----\nAAAA\n"}) {
    EXPECT_EQ(base::ReasonOf(cache_->Insert(base::AsBytes(bad))), "bad_crl") << bad;
  }
  EXPECT_EQ(base::ReasonOf(cache_->Insert(base::AsBytes(sub_.pem()))), "bad_crl");
  EXPECT_EQ(cache_->Fetch(kUri).code(), absl::StatusCode::kUnimplemented);
}

TEST_F(RevocationTest, TheCacheHasBounds) {
  cache_ = std::make_shared<InternalCrlCache>(InternalCrlCache::Limits{.max_crls = 2});
  Insert(MintCrl(sub_, {}));
  Insert(MintCrl(root_, {}));
  Insert(MintCrl(root_, {}));
  EXPECT_EQ(cache_->Insert(kUri, MintCrl(sub_, {})).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(cache_->size(), 2u);
  InternalCrlCache small({.max_bytes = 100});
  EXPECT_EQ(small.Insert(MintCrl(sub_, {})).code(), absl::StatusCode::kResourceExhausted);
}

TEST_F(RevocationTest, TheCacheServesManyThreads) {
  const base::Slice crl = MintCrl(sub_, {.revoked = {{&bad_, ""}}});
  Insert(crl);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      for (int round = 0; round < 20; ++round) {
        PathValidator judge(Policy(CrlCheck::kPeer, cache_));
        EXPECT_EQ(judge.Judge({bad_.der(), sub_.der()}), Outcome::kRefused);
        EXPECT_TRUE(cache_->Insert("http://x/" + std::to_string(i), crl).ok());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(cache_->size(), 5u);
}

}  // namespace
}  // namespace noded::tls
