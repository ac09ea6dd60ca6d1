// The server name in a ClientHello, before anything else is decided: a server with several hosts
// takes all its options by it, also those that are looked at first (versions, ciphers).
//
//   ClientHelloName hello(limits.max_tls_handshake_bytes);
//   hello.Feed(bytes);                            // what came from the client, in any cut
//   if (hello.is_done()) Choose(hello.name());
//
// And the hint of a server that has pre-shared keys.
//
// Gives no verdict: what is malformed, longer than the limit or no ClientHello at all is done
// without a name, and refused by who reads it next. Loop-confined. Source: RFC 8446 sections 4.1.2
// and 5.1, RFC 6066 section 3, RFC 4279 section 2.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace noded::tls {

class ClientHelloName {
 public:
  explicit ClientHelloName(size_t max_bytes) : max_bytes_(max_bytes) {}

  void Feed(base::ByteView bytes);
  bool is_done() const { return is_done_; }
  // As sent; empty when there is none.
  const std::string& name() const { return name_; }

 private:
  bool TakeRecord();
  void TakeMessage();

  const size_t max_bytes_;
  std::vector<uint8_t> record_;   // what is there of the next record
  std::vector<uint8_t> message_;  // content of records
  bool is_done_ = false;
  std::string name_;
};

// The hint of a TLS 1.2 ServerKeyExchange for a PSK suite (its body); empty when it has none or is
// malformed, which mbedTLS refuses.
std::string_view PskHint(base::ByteView server_key_exchange);

}  // namespace noded::tls
