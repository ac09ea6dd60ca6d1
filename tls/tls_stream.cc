#include "tls/tls_stream.h"

#include <utility>

#include "asio/redirect_error.hpp"
#include "asio/steady_timer.hpp"
#include "asio/use_awaitable.hpp"
#include "fmt/format.h"

#include "base/deadline.h"
#include "base/status.h"
#include "tls/engine.h"

namespace noded::tls {
namespace {

using base::Buffer;
using base::Slice;
using base::Stream;
using base::Task;

// How long, and for how many bytes, a connection that failed is kept so that the peer gets the
// alert: closing a socket with unread bytes resets it, and the peer then sees no alert.
constexpr std::chrono::seconds kFarewell{1};
constexpr size_t kFarewellBytes = 1024 * 1024;
// How long closing waits for a renegotiation, which holds back what was written.
constexpr std::chrono::seconds kCloseWait{5};
// Plaintext encrypted before it is written out: bounds the ciphertext held.
constexpr size_t kWriteStep = 256 * 1024;

base::TlsFacts Facts(const ConnectionInfo& info) {
  base::TlsFacts facts;
  facts.version = VersionName(info.version);
  facts.cipher_suite = info.cipher_suite;
  facts.alpn = info.alpn;
  facts.sni = info.server_name;
  facts.is_resumed = info.is_resumed;
  if (!info.peer) return facts;
  facts.peer_subject = info.peer->subject;
  facts.peer_issuer = info.peer->issuer;
  facts.peer_fingerprint_sha256 = info.peer->fingerprint_sha256;
  facts.peer_dns_names = info.peer->dns_names;
  facts.peer_ip_addresses = info.peer->ip_addresses;
  facts.peer_uris = info.peer->uris;
  facts.peer_certificate_der = info.peer->der;
  return facts;
}

class TlsStream : public Stream {
 public:
  TlsStream(std::unique_ptr<Stream> lower, std::shared_ptr<const Context> context,
            std::string peer_host)
      : lower_(std::move(lower)),
        hibernate_after_(context->options().traffic.hibernate_after),
        engine_(std::move(context), EngineOptions{std::move(peer_host), base::Limits()}),
        flushed_(lower_->loop().io(), asio::steady_timer::time_point::max()),
        released_(lower_->loop().io(), asio::steady_timer::time_point::max()),
        peer_(lower_->peer()) {}

  Task<absl::Status> Shake(base::TimePoint deadline);

  Task<absl::StatusOr<Slice>> Read() override;
  Task<absl::Status> Write(Buffer bytes) override;
  Task<absl::Status> Close() override;
  void Abort() override {
    is_aborted_ = true;
    released_.cancel();
    lower_->Abort();
  }

  const base::PeerIdentity& peer() const override { return peer_; }
  const base::PeerIdentity& local() const override { return lower_->local(); }
  base::Loop& loop() override { return lower_->loop(); }

 private:
  // Until the handshake is done or failed.
  Task<absl::Status> Converse();
  // Sends what the engine has to say. When somebody else is sending, that one sends it all: waits
  // for it.
  Task<absl::Status> Flush();
  // The same for a reader, who must not wait for a writer: the peer may wait for us to read.
  Task<absl::Status> FlushUnlessBusy();
  // Until no renegotiation holds back what was written, or nothing comes of it any more.
  Task<void> AwaitRelease();
  // More bytes from below; an idle engine meanwhile drops its buffers.
  Task<absl::StatusOr<Slice>> ReadLower();
  // Gets the alert to the peer, within kFarewell.
  Task<void> SayFarewell();

  const std::unique_ptr<Stream> lower_;
  const std::optional<std::chrono::milliseconds> hibernate_after_;
  Engine engine_;
  bool is_flushing_ = false;
  absl::Status write_failure_;
  asio::steady_timer flushed_;   // never expires; cancelled when a flush ends
  asio::steady_timer released_;  // the same, when the reader has got on
  bool is_aborted_ = false;
  base::PeerIdentity peer_;
  bool is_at_end_ = false;
};

Task<absl::Status> TlsStream::Flush() {
  while (is_flushing_) {
    asio::error_code ignored;
    co_await flushed_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
  is_flushing_ = true;
  while (write_failure_.ok() && engine_.has_output()) {
    Buffer output = engine_.TakeOutput();
    absl::Status written = co_await lower_->Write(std::move(output));
    if (!written.ok()) write_failure_ = written;
  }
  is_flushing_ = false;
  flushed_.cancel();
  co_return write_failure_;
}

Task<absl::Status> TlsStream::FlushUnlessBusy() {
  if (is_flushing_ || !engine_.has_output()) co_return absl::OkStatus();
  absl::Status flushed = co_await Flush();
  co_return flushed;
}

Task<void> TlsStream::AwaitRelease() {
  while (engine_.held_bytes() > 0 && !is_aborted_) {
    asio::error_code ignored;
    co_await released_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
}

Task<absl::StatusOr<Slice>> TlsStream::ReadLower() {
  std::optional<base::Deadline> idle;
  if (hibernate_after_) {
    idle.emplace(loop(), loop().Now() + *hibernate_after_, [this] { engine_.Hibernate(); });
  }
  absl::StatusOr<Slice> bytes = co_await lower_->Read();
  co_return bytes;
}

Task<absl::Status> TlsStream::Converse() {
  while (true) {
    absl::StatusOr<std::optional<Event>> event = engine_.Next();
    if (!event.ok()) co_return event.status();
    absl::Status flushed = co_await Flush();
    // The peer may have said why before it closed: look at that first.
    const bool is_done = event->has_value();
    if (is_done && flushed.ok()) {
      if (const auto* done = std::get_if<HandshakeDone>(&**event)) peer_.tls = Facts(done->info);
      co_return absl::OkStatus();
    }
    absl::StatusOr<Slice> bytes = co_await lower_->Read();
    if (!bytes.ok()) co_return flushed.ok() ? bytes.status() : flushed;
    if (bytes->empty() && !flushed.ok()) co_return flushed;
    if (bytes->empty()) {
      engine_.FeedEnd();
    } else {
      engine_.Feed(*std::move(bytes));
    }
  }
}

Task<void> TlsStream::SayFarewell() {
  base::Deadline guard(loop(), loop().Now() + kFarewell, [this] { lower_->Abort(); });
  absl::Status flushed = co_await Flush();
  if (!flushed.ok()) co_return;
  absl::Status closed = co_await lower_->Close();
  size_t left = kFarewellBytes;
  while (closed.ok()) {
    absl::StatusOr<Slice> bytes = co_await lower_->Read();
    if (!bytes.ok() || bytes->empty() || bytes->size() > left) break;
    left -= bytes->size();
  }
}

Task<absl::Status> TlsStream::Shake(base::TimePoint deadline) {
  absl::Status status;
  bool is_late = false;
  {
    base::Deadline guard(loop(), deadline, [this] { lower_->Abort(); });
    status = co_await Converse();
    is_late = guard.is_over();
  }
  if (status.ok()) co_return status;
  if (is_late) {
    co_return base::Error(
        absl::StatusCode::kDeadlineExceeded, "no answer within the time for the handshake",
        "check that the peer speaks TLS on this port, and net_setuptime", "timeout");
  }
  co_await SayFarewell();
  co_return status;
}

Task<absl::StatusOr<Slice>> TlsStream::Read() {
  while (!is_at_end_) {
    absl::StatusOr<std::optional<Event>> event = engine_.Next();
    released_.cancel();
    if (!event.ok()) {
      absl::Status failure = base::Annotate(event.status(), base::AddressText(peer_));
      if (!is_flushing_ && engine_.has_output()) co_await SayFarewell();
      co_return failure;
    }
    // What reading has made the engine say; somebody who is writing sends it, too.
    absl::Status flushed = co_await FlushUnlessBusy();
    if (event->has_value()) {
      if (auto* data = std::get_if<Data>(&**event)) co_return std::move(data->bytes);
      if (auto* again = std::get_if<Renegotiated>(&**event)) peer_.tls = Facts(again->info);
      is_at_end_ = std::holds_alternative<PeerClosed>(**event);
      continue;
    }
    // After a failed write the peer's last words may still tell why.
    absl::StatusOr<Slice> bytes = co_await ReadLower();
    if (!bytes.ok()) co_return bytes.status();
    if (bytes->empty() && !flushed.ok()) co_return flushed;
    if (bytes->empty()) {
      engine_.FeedEnd();
    } else {
      engine_.Feed(*std::move(bytes));
    }
  }
  co_return Slice();
}

Task<absl::Status> TlsStream::Write(Buffer bytes) {
  Buffer step;
  while (!bytes.empty()) {
    co_await AwaitRelease();
    if (is_aborted_) {
      co_return base::Error(absl::StatusCode::kUnavailable, "the connection was given up", "",
                            "closed");
    }
    for (const Slice& piece : bytes.pieces()) {
      step.Append(piece.Sub(0, kWriteStep - step.size()));
      if (step.size() == kWriteStep) break;
    }
    bytes.Consume(step.size());
    absl::Status encrypted = engine_.Write(std::exchange(step, {}));
    if (!encrypted.ok()) co_return encrypted;
    absl::Status flushed = co_await Flush();
    if (!flushed.ok()) co_return flushed;
  }
  co_return absl::OkStatus();
}

Task<absl::Status> TlsStream::Close() {
  {
    base::Deadline guard(loop(), loop().Now() + kCloseWait, [this] {
      is_aborted_ = true;
      released_.cancel();
    });
    co_await AwaitRelease();
  }
  engine_.Close();
  absl::Status flushed = co_await Flush();
  absl::Status closed = co_await lower_->Close();
  co_return flushed.ok() ? closed : flushed;
}

}  // namespace

Task<absl::StatusOr<std::unique_ptr<Stream>>> Handshake(std::unique_ptr<Stream> lower,
                                                        std::shared_ptr<const Context> context,
                                                        std::string peer_host,
                                                        base::TimePoint deadline) {
  std::string where = base::AddressText(lower->peer());
  if (!peer_host.empty() && context->role() == Role::kClient) {
    where = fmt::format("{} ({})", where, peer_host);
  }
  auto stream =
      std::make_unique<TlsStream>(std::move(lower), std::move(context), std::move(peer_host));
  absl::Status status = co_await stream->Shake(deadline);
  if (!status.ok()) {
    stream->Abort();
    co_return base::Annotate(status, fmt::format("TLS handshake with {}", where));
  }
  std::unique_ptr<Stream> secure = std::move(stream);
  co_return secure;
}

}  // namespace noded::tls
