#include "tls/revocation.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <utility>

namespace noded::tls {
namespace {

void AddUris(const GENERAL_NAMES* names, std::vector<std::string>& uris) {
  for (int i = 0; i < sk_GENERAL_NAME_num(names) && uris.size() < kMaxCrlUris; ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names, i);
    if (name->type != GEN_URI) continue;
    const ASN1_IA5STRING* uri = name->d.uniformResourceIdentifier;
    std::string text(reinterpret_cast<const char*>(ASN1_STRING_get0_data(uri)),
                     static_cast<size_t>(ASN1_STRING_length(uri)));
    const bool is_printable =
        std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
    if (text.size() <= kMaxCrlUriBytes && is_printable) uris.push_back(std::move(text));
  }
}

void AddNames(const GENERAL_NAMES* names, std::vector<base::Slice>& issuers) {
  for (int i = 0; i < sk_GENERAL_NAME_num(names) && issuers.size() < kMaxCrlUris; ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names, i);
    if (name->type == GEN_DIRNAME) issuers.push_back(DerOf(*name->d.directoryName));
  }
}

bool HasRunOut(const X509_CRL& crl, std::time_t now) {
  const ASN1_TIME* next = X509_CRL_get0_nextUpdate(&crl);
  return next != nullptr && X509_cmp_time(next, &now) <= 0;
}

// The lists of one answer of the cache, each as new as the cache has it.
class Lists {
 public:
  Lists(const RevocationQuestion& question, const CrlQuery& query)
      : question_(question), query_(query) {}

  void Add(const std::vector<base::Slice>& ders) {
    for (const base::Slice& der : ders) {
      if (crls_.size() == kMaxCrls) return;
      X509CrlPtr crl = ParseCrl(der);
      if (crl != nullptr && HasRunOut(*crl, question_.now)) {
        X509CrlPtr fresh = ParseCrl(question_.cache->FreshCrl(query_, der));
        if (fresh != nullptr) crl = std::move(fresh);
      }
      if (crl != nullptr) crls_.push_back(std::move(crl));
    }
  }

  CrlFindings Check() const {
    return CheckAgainstCrls(question_.path, question_.index, question_.others, question_.anchors,
                            crls_, question_.now);
  }

 private:
  const RevocationQuestion& question_;
  const CrlQuery& query_;
  std::vector<X509CrlPtr> crls_;
};

}  // namespace

CrlQuery QueryOf(const X509& certificate) {
  CrlQuery query;
  query.issuer = DerOf(*X509_get_issuer_name(&certificate));
  ERR_set_mark();
  auto* points = static_cast<CRL_DIST_POINTS*>(
      X509_get_ext_d2i(&certificate, NID_crl_distribution_points, nullptr, nullptr));
  for (int i = 0; i < sk_DIST_POINT_num(points); ++i) {
    const DIST_POINT* point = sk_DIST_POINT_value(points, i);
    constexpr int kFullName = 0;
    if (point->distpoint != nullptr && point->distpoint->type == kFullName) {
      AddUris(point->distpoint->name.fullname, query.uris);
    }
    AddNames(point->CRLissuer, query.crl_issuers);
  }
  CRL_DIST_POINTS_free(points);
  ERR_pop_to_mark();
  return query;
}

RevocationAnswer CheckRevocation(const RevocationQuestion& question, bool may_want) {
  RevocationAnswer answer;
  answer.findings.what = "no CRL of its issuer is at hand";
  if (question.cache == nullptr) return answer;
  const CrlQuery query = QueryOf(*question.path.certificates[question.index]);
  Lists lists(question, query);
  if (!query.uris.empty() || !query.crl_issuers.empty()) {
    CrlAnswer found = question.cache->Lookup(query);
    if (may_want && !found.wanted.empty()) {
      found.wanted.resize(std::min(found.wanted.size(), kMaxCrlUris));
      answer.wanted = std::move(found.wanted);
      return answer;
    }
    lists.Add(found.crls);
    answer.findings = lists.Check();
    if (answer.findings.kind != CrlFindings::Kind::kUndetermined) return answer;
    if (!found.crls.empty()) question.cache->Distrust(query);
  }
  lists.Add(question.cache->Select(query.issuer));
  for (const base::Slice& issuer : query.crl_issuers) lists.Add(question.cache->Select(issuer));
  answer.findings = lists.Check();
  return answer;
}

}  // namespace noded::tls
