// Drives an Engine over a Stream: reads and writes for it, waits for the peer, and sees to it that
// the last words reach the peer. What tls/tls_stream.h and tls/ssl.h have in common.
//
//   auto driver = EngineDriver::Make(std::move(tcp), context, {.peer_host = "b.example"});
//   absl::Status done = co_await driver->Shake(deadline);     // then driver->info()
//   absl::StatusOr<Event> event = co_await driver->Next();    // Data, PeerClosed, ...
//   absl::Status sent = co_await driver->Write(std::move(buffer));
//   co_await driver->SayGoodbye();
//
// Loop-confined; call it on the stream's loop. One Next and one Write (or SayGoodbye) may be under
// way at once, never two of a kind; let go of it only when none is, after Abort(), which makes them
// end. What the engine has to say by itself goes out meanwhile, and holds the driver. Errors:
// those of tls/engine.h and base/stream.h; DeadlineExceeded (timeout) of Shake. After a failure
// the peer has been told why, and the connection is good for nothing but Abort().
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "asio/steady_timer.hpp"

#include "base/clock.h"
#include "base/stream.h"
#include "base/task.h"
#include "tls/context.h"
#include "tls/engine.h"

namespace noded::tls {

class EngineDriver : public std::enable_shared_from_this<EngineDriver> {
 public:
  // A connection that failed is kept for the context's alert_timeout at most, so that the peer gets
  // the alert: closing a socket with unread bytes resets it, and the peer then sees no alert.
  static std::shared_ptr<EngineDriver> Make(std::unique_ptr<base::Stream> lower,
                                            std::shared_ptr<const Context> context,
                                            EngineOptions options);
  EngineDriver(const EngineDriver&) = delete;
  EngineDriver& operator=(const EngineDriver&) = delete;

  // The handshake, once.
  base::Task<absl::Status> Shake(base::TimePoint deadline);
  // What was agreed; after Shake, and anew after a renegotiation.
  const ConnectionInfo& info() const { return info_; }

  // The next event after the handshake, PeerClosed last.
  base::Task<absl::StatusOr<Event>> Next();
  // Ends when all is handed to the kernel. While a renegotiation is under way it waits, and
  // somebody must be in Next.
  base::Task<absl::Status> Write(base::Buffer plaintext);
  // Is called when something waits for a renegotiation, so that somebody calls Next.
  void set_on_held(std::function<void()> on_held) { on_held_ = std::move(on_held); }
  // Until nothing that was written is held back any more.
  base::Task<absl::Status> AwaitRelease();
  // Sends what the engine has to say by itself. When somebody else is sending, that one sends it
  // all: waits for it.
  base::Task<absl::Status> Flush();
  // The same for those who must not wait: a reader, since the peer may wait for us to read.
  void StartFlush();
  // close_notify, once; what the peer still says may be read.
  base::Task<absl::Status> SayGoodbye();
  // The same, and then shuts the sending side of the stream.
  base::Task<absl::Status> Close();
  // After SayGoodbye or Close: reads what comes and drops it until the peer ends too, within the
  // alert_timeout.
  base::Task<void> Drain();
  void Abort();

  Engine& engine() { return engine_; }
  base::Stream& lower() { return *lower_; }
  const base::Stream& lower() const { return *lower_; }
  // The stream below, once the conversation over it is over and flushed; nothing else may be called
  // then.
  std::unique_ptr<base::Stream> Release() { return std::move(lower_); }

 private:
  EngineDriver(std::unique_ptr<base::Stream> lower, std::shared_ptr<const Context> context,
               EngineOptions options);
  static base::Task<absl::Status> FlushAlone(std::shared_ptr<EngineDriver> self);
  // Until the handshake is done or failed.
  base::Task<absl::Status> Converse(base::TimePoint deadline);
  // Has the lists fetched that the engine waits for, and lets it go on.
  base::Task<void> FetchCrls(std::vector<std::string> uris, base::TimePoint deadline);
  // One read for the engine; idle meanwhile, it drops its buffers. `flushed` is how sending went:
  // after a failed write the peer's last words may still tell why.
  base::Task<absl::Status> ReadMore(absl::Status flushed);
  // The engine has got on, or failed: who waits for it looks again.
  absl::StatusOr<Event> Fail(absl::Status status);
  // Gets the alert to the peer, not much later than `deadline`.
  base::Task<void> SayFarewell(base::TimePoint deadline = base::TimePoint::max());
  // Reads and drops, until the end or a bound.
  base::Task<void> DropInput();

  std::unique_ptr<base::Stream> lower_;
  Engine engine_;
  const std::chrono::milliseconds alert_timeout_;
  ConnectionInfo info_;
  bool is_flushing_ = false;
  absl::Status write_failure_;
  std::function<void()> on_held_;
  int waiting_writers_ = 0;  // in AwaitRelease
  absl::Status read_failure_;
  // Never expire: one is cancelled when a flush ends, the other when the reader has got on.
  asio::steady_timer flushed_, released_;
};

}  // namespace noded::tls
