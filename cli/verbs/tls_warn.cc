#include "cli/verbs/tls_warn.h"

#include <iostream>

namespace noded::cli {

void Warn(const tls::Context& context, const TlsWords& words) {
  for (const std::string& option : words.ignored) {
    std::cerr << "nodectl: warning: option " << option << " has no effect here" << std::endl;
  }
  for (const tls::Warning& warning : context.Warnings()) {
    std::cerr << "nodectl: warning: " << warning.what << "; " << warning.mend << std::endl;
  }
}

void WarnOfFiles(const absl::Status& status) {
  std::cerr << "nodectl: warning: the old certificates stay in use: "
            << std::string(status.message().data(), status.message().size()) << std::endl;
}

}  // namespace noded::cli
