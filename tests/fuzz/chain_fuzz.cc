// A peer's chain of certificates from any bytes, judged as it came and again when an authority of
// ours has signed it, with and without a function that lets all pass. No crash, a verdict each
// time, and a refusal that says why.
//
// A byte of settings, then certificates: two bytes of length and DER each.
#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/byte_reader.h"
#include "base/status.h"
#include "tests/fuzz/fuzz_authority.h"
#include "tls/describe.h"
#include "tls/internal_crl_cache.h"
#include "tls/path.h"

namespace noded::fuzz {
namespace {

using namespace tls;

constexpr size_t kMaxCertificates = 8;

PathPolicy PolicyOf(uint8_t settings, std::shared_ptr<const TrustAnchors> anchors) {
  PathPolicy policy;
  policy.role = (settings & 1) != 0 ? Role::kServer : Role::kClient;
  policy.anchors = std::move(anchors);
  policy.depth = (settings >> 1) & 3;
  if ((settings & 8) != 0) policy.host = "b.example";
  policy.crl_check = (settings & 16) != 0 ? CrlCheck::kTrue : CrlCheck::kBestEffort;
  policy.crl_cache = std::make_shared<InternalCrlCache>();
  return policy;
}

void Judge(const std::vector<base::Slice>& chain, PathPolicy policy) {
  PathValidator judge(std::move(policy));
  PathValidator::Outcome outcome = judge.Judge(chain);
  if (outcome == PathValidator::Outcome::kNeedsCrls) {
    Require(!judge.wanted().empty());
    outcome = judge.Resume();
  }
  if (outcome == PathValidator::Outcome::kTrusted) {
    Require(judge.status().ok());
    return;
  }
  Require(outcome == PathValidator::Outcome::kRefused);
  Require(!judge.status().ok() && !base::ReasonOf(judge.status()).empty());
  Require(!judge.reason().empty() && judge.status().message().size() < 64 * 1024);
}

}  // namespace
}  // namespace noded::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace noded::fuzz;
  static const FuzzAuthority authority("fuzz CA");
  const noded::base::Slice anchor[] = {authority.der()};
  static const std::shared_ptr<const TrustAnchors> anchors = TrustAnchors::Create(anchor, "fuzz");

  noded::base::ByteReader in(noded::base::ByteView(data, size));
  if (in.remaining() == 0) return 0;
  const uint8_t settings = in.U8();
  std::vector<noded::base::Slice> chain, signed_chain;
  while (in.remaining() > 2 && chain.size() < kMaxCertificates) {
    const size_t length = std::min<size_t>(in.U16(), in.remaining());
    const noded::base::ByteView der = in.Bytes(length);
    chain.push_back(noded::base::Slice::Copy(der));
    const X509Ptr certificate = ParseX509(der);
    if (certificate == nullptr) continue;
    (void)Describe(*certificate);
    (void)DescribeCertificates(der);
    if (authority.Sign(*certificate)) signed_chain.push_back(DerOf(*certificate));
  }
  for (const auto& one : {chain, signed_chain}) {
    PathPolicy policy = PolicyOf(settings, anchors);
    Judge(one, policy);
    policy.verify_fun = [](const CertificateInfo&, const VerifyEvent& event, std::any state) {
      Require(!event.is_bad() || !event.detail.empty());
      return VerifyAnswer::Valid(std::move(state));
    };
    Judge(one, std::move(policy));
  }
  return 0;
}
