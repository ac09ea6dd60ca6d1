#include "tls/ssl.h"

#include "fmt/format.h"

#include "base/status.h"
#include "tls/ciphers.h"

namespace noded::tls {

SslVersions GetVersions() {
  const std::vector<std::string> all = {VersionName(Version::kTls13), VersionName(Version::kTls12)};
  return {all, all};
}

std::vector<std::string> CipherSuites(CipherSuiteNames names) {
  std::vector<std::string> found;
  for (const CipherSuite& suite : AllCipherSuites()) {
    if (names != CipherSuiteNames::kAll && suite.use != CipherSuite::Use::kDefault) continue;
    found.emplace_back(names == CipherSuiteNames::kOpenssl ? suite.openssl : suite.iana);
  }
  return found;
}

std::string FormatError(const absl::Status& status) {
  if (status.ok()) return "";
  const std::string mend = base::MendOf(status);
  std::string text = base::CauseOf(status);
  if (!mend.empty()) text += fmt::format(" ({})", mend);
  return text;
}

}  // namespace noded::tls
