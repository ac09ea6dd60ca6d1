// Lists of cipher suites from any text: what is taken is known, each suite once, and means the same
// when it is read again; what is refused is refused in few words and says what to do.
#include <cstdint>
#include <cstdlib>
#include <set>

#include "base/status.h"
#include "tls/ciphers.h"

namespace {

void Require(bool claim) {
  if (!claim) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace noded::tls;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)ParseVersion(text);
  const auto suites = ParseCipherSuites(text);
  if (!suites.ok()) {
    Require(suites.status().message().size() < 512);
    Require(!noded::base::MendOf(suites.status()).empty());
    return 0;
  }
  std::string list;
  std::set<std::string> seen;
  for (const std::string& name : *suites) {
    Require(FindCipherSuite(name) != nullptr && seen.insert(name).second);
    list += name + ":";
  }
  const auto again = ParseCipherSuites(list);
  Require(again.ok() && *again == *suites);
  return 0;
}
