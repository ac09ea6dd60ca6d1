// Terms from any bytes: no crash, memory in proportion to the bytes, and what decodes encodes to
// bytes that decode to the same term. All that walks through terms walks through these.
#include <cstdint>
#include <cstdlib>

#include "dist/etf.h"
#include "dist/term_json.h"
#include "dist/term_text.h"

namespace {

using noded::base::Limits;
using noded::base::Slice;
using namespace noded::dist;

void Require(bool claim) {
  if (!claim) std::abort();
}

Limits SmallLimits() {
  Limits limits;
  limits.max_uncompressed_bytes = 1 << 20;
  return limits;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Limits kLimits = SmallLimits();
  static const std::vector<Term> kAtoms = {Term::Atom("ok"), Term::Atom("a@b")};
  const Slice bytes = Slice::Copy(noded::base::ByteView(data, size));
  (void)DecodeBareTermAt(bytes, 0, kAtoms, kLimits);
  const auto first = DecodeTermAt(bytes, 0, kLimits);
  const auto term = DecodeTerm(bytes, kLimits);
  if (!first.ok()) {
    Require(!term.ok());
    return 0;
  }
  Require(first->size <= size && term.ok() == (first->size == size));

  const Slice encoded = EncodeTerm(first->term);
  Limits wide = kLimits;
  wide.max_term_depth += 1;  // a list in a list's tail is one list when written
  const auto again = DecodeTerm(encoded, wide);
  Require(again.ok() && *again == first->term && again->Hash() == first->term.Hash());
  Require(Compare(*again, first->term) == 0);
  Require(EncodeTerm(*again) == encoded);
  Require(!PrintTerm(*again).empty());
  Require(!TermToJson(*again).empty());
  return 0;
}
