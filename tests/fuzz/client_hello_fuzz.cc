// The server name of a ClientHello from any bytes: the same in every cut, and never from beyond the
// limit.
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "tls/client_hello.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using noded::base::ByteView;
  using noded::tls::ClientHelloName;
  constexpr size_t kLimit = 4096;
  ClientHelloName whole(kLimit), bytewise(kLimit);
  whole.Feed(ByteView(data, size));
  for (size_t at = 0; at < size; ++at) bytewise.Feed(ByteView(data + at, 1));
  if (whole.is_done() != bytewise.is_done() || whole.name() != bytewise.name()) std::abort();
  if (whole.name().size() > kLimit) std::abort();
  const std::string_view hint = noded::tls::PskHint(ByteView(data, size));
  if (hint.size() > std::max<size_t>(size, 2) - 2) std::abort();
  return 0;
}
