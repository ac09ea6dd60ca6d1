// Erlang text from any bytes: no crash, and what parses prints to a text that parses to the same
// term; so it does after a trip through the external format.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "dist/etf.h"
#include "dist/term_text.h"

namespace {

using namespace noded::dist;

void Require(bool claim) {
  if (!claim) std::abort();
}

void RoundTrip(const Term& term) {
  const std::string text = PrintTerm(term);
  const auto again = ParseTerm(text);
  Require(again.ok() && *again == term);
  Require(PrintTerm(*again) == text);
  const auto decoded = DecodeTerm(EncodeTerm(term), {});
  Require(decoded.ok() && *decoded == term);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto term = ParseTerm(text);
  if (term.ok()) RoundTrip(*term);
  const auto terms = ParseTerms(text);
  if (!terms.ok()) {
    Require(terms.status().message().find("line ") != std::string::npos);
    return 0;
  }
  if (term.ok() && !terms->empty()) Require(terms->size() == 1 && terms->front() == *term);
  for (const Term& each : *terms) RoundTrip(each);
  return 0;
}
