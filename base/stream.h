// A two-way stream of bytes with a known peer: what a carrier hands to a link. TLS is a function
// from a Stream to a Stream, so nothing above knows or asks which it has.
//
//   absl::StatusOr<Slice> bytes = co_await stream.Read();
//   if (bytes.ok() && bytes->empty()) ... // the peer closed cleanly
//   absl::Status written = co_await stream.Write(std::move(buffer));
//   co_await stream.Close();              // flushes, says goodbye (close_notify, FIN)
//
// Loop-confined. One Read and one Write may be under way at once, never two of a kind. Destroy a
// stream only when no call is under way: Abort() makes those end at once with Unavailable, then
// wait for them. Errors: Unavailable (reset, timed out; reason is the errno's atom), DataLoss and
// Unauthenticated from TLS.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/loop.h"
#include "base/task.h"

namespace noded::base {

// What TLS knows of a peer and its connection. Plain text, safe to log.
struct TlsFacts {
  std::string version;       // "tlsv1.2" or "tlsv1.3", as Erlang spells it
  std::string cipher_suite;  // IANA name
  std::string group;         // of the key exchange; empty: none, or of TLS 1.2's finite fields
  std::string alpn;
  std::string sni;
  bool is_resumed = false;
  // The peer's certificate was checked against our trust anchors.
  bool is_peer_verified = false;
  // The peer's certificate; empty when it sent none.
  std::string peer_subject;
  std::string peer_issuer;
  std::string peer_fingerprint_sha256;  // lower-case hex
  std::vector<std::string> peer_dns_names;
  std::vector<std::string> peer_ip_addresses;
  std::vector<std::string> peer_uris;
  Slice peer_certificate_der;
  // As the peer sent it, its own certificate first.
  std::vector<Slice> peer_chain_der;
};

struct PeerIdentity {
  std::string address;  // numeric, without brackets
  uint16_t port = 0;
  std::optional<TlsFacts> tls;  // absent on a plain stream
};

// "127.0.0.1:4369" or "[::1]:4369".
std::string AddressText(const PeerIdentity& peer);

class Stream {
 public:
  virtual ~Stream() = default;
  Stream() = default;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // At least one byte; an empty slice at the peer's clean end, and from then on.
  virtual Task<absl::StatusOr<Slice>> Read() = 0;
  // Ends when all bytes are handed to the kernel.
  virtual Task<absl::Status> Write(Buffer bytes) = 0;
  // Says goodbye and shuts the sending side. No Write may follow; what still arrives may be read.
  virtual Task<absl::Status> Close() = 0;
  // Cuts the connection. Calls under way end with Unavailable.
  virtual void Abort() = 0;

  virtual const PeerIdentity& peer() const = 0;
  virtual const PeerIdentity& local() const = 0;
  virtual Loop& loop() = 0;
  // The socket below, to set options of it; -1 when there is none (memory).
  virtual int descriptor() const { return -1; }
};

}  // namespace noded::base
