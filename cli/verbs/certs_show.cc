#include "base/status.h"
#include "cli/verbs/certificate_text.h"
#include "cli/verbs/certs.h"
#include "cli/verbs/file.h"
#include "tls/describe.h"

namespace noded::cli {

absl::Status CertsShow(const std::string& file, bool json, std::ostream& out) {
  ASSIGN_OR_RETURN(const std::string text, ReadWholeFile(file));
  auto all = tls::DescribeCertificates(base::AsBytes(text));
  if (!all.ok()) return base::Annotate(all.status(), file);
  out << (json ? JsonText(CertificatesJson(*all, true), 2) : CertificatesText(*all, true));
  return absl::OkStatus();
}

}  // namespace noded::cli
