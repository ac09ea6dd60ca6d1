// What a session cache gives back, from any bytes: a record that is written as it was read, or
// none; and what mbedTLS makes of the session in it: one that is saved as it was loaded, or none.
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "tls/mbedtls_session.h"
#include "tls/session_record.h"

namespace {

using noded::base::ByteView;
using namespace noded::tls;

void Require(bool claim) {
  if (!claim) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const ByteView content(data, size);
  const std::optional<SessionRecord> record = DecodeSessionRecord(content);
  if (!record) return 0;
  Require(noded::base::ToVector(Encode(*record)) == noded::base::ToVector(content));

  MbedtlsSession session;
  if (!LoadSession(*record, record->received, session.get())) return 0;
  const std::optional<noded::base::Slice> saved = SaveSession(*session.get());
  Require(saved.has_value());
  // What can be saved can be loaded again, and is then the same.
  SessionRecord again = *record;
  again.session = *saved;
  MbedtlsSession second;
  Require(LoadSession(again, again.received, second.get()));
  PeerOf(*second.get());
  return 0;
}
