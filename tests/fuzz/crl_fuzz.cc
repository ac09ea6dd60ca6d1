// Revocation lists from any bytes, PEM or DER: put into a cache as they are and again when an
// authority of ours has signed them, and asked about one of its certificates. No crash; what was
// not signed by its issuer decides nothing.
#include <cstdint>
#include <vector>

#include "base/status.h"
#include "tests/fuzz/fuzz_authority.h"
#include "tls/internal_crl_cache.h"
#include "tls/path.h"

namespace noded::fuzz {
namespace {

using namespace tls;

struct Setting {
  FuzzAuthority authority{"fuzz CA"};
  std::shared_ptr<const TrustAnchors> anchors;
  base::Slice peer_der;

  Setting() {
    const base::Slice anchor[] = {authority.der()};
    anchors = TrustAnchors::Create(anchor, "fuzz");
    peer_der = authority.IssueNode("fuzz peer");
  }
};

// The reason, empty when trusted.
std::string Judge(const Setting& setting, std::shared_ptr<CrlCache> cache) {
  PathPolicy policy;
  policy.anchors = setting.anchors;
  policy.crl_check = CrlCheck::kTrue;
  policy.crl_cache = std::move(cache);
  PathValidator judge(std::move(policy));
  PathValidator::Outcome outcome = judge.Judge({setting.peer_der});
  if (outcome == PathValidator::Outcome::kNeedsCrls) outcome = judge.Resume();
  Require(outcome == PathValidator::Outcome::kTrusted ||
          outcome == PathValidator::Outcome::kRefused);
  return judge.reason();
}

}  // namespace
}  // namespace noded::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace noded::fuzz;
  static const Setting setting;
  const noded::base::ByteView content(data, size);
  const auto cache = std::make_shared<InternalCrlCache>();
  const absl::Status inserted = cache->Insert(content);
  Require(inserted.ok() == (cache->size() > 0));
  Require(inserted.ok() || !noded::base::ReasonOf(inserted).empty());
  (void)cache->Insert("http://crl.example/a.crl", content);
  Require(Judge(setting, cache) == "revocation_status_undetermined");
  (void)cache->Delete(content);

  const auto lists = ReadCrls(content);
  if (!lists.ok()) return 0;
  const auto fresh = std::make_shared<InternalCrlCache>();
  for (const noded::base::Slice& der : *lists) {
    const X509CrlPtr crl = ParseCrl(der);
    if (crl == nullptr || !setting.authority.Sign(*crl)) continue;
    uint8_t* bytes = nullptr;
    const int length = i2d_X509_CRL(crl.get(), &bytes);
    if (length <= 0) continue;
    (void)fresh->Insert(noded::base::ByteView(bytes, static_cast<size_t>(length)));
    OPENSSL_free(bytes);
  }
  const std::string reason = Judge(setting, fresh);
  Require(reason.empty() || reason == "revoked" || reason == "revocation_status_undetermined");
  return 0;
}
