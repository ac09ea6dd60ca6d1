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

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/loop.h"
#include "base/peer_identity.h"
#include "base/task.h"

namespace noded::base {

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
