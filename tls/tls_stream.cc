#include "tls/tls_stream.h"

#include <utility>

#include "fmt/format.h"

#include "base/status.h"
#include "tls/alert_log.h"
#include "tls/engine_driver.h"

namespace noded::tls {
namespace {

using base::Buffer;
using base::Slice;
using base::Stream;
using base::Task;

base::TlsFacts Facts(const ConnectionInfo& info) {
  base::TlsFacts facts;
  facts.version = VersionName(info.version);
  facts.cipher_suite = info.cipher_suite;
  facts.alpn = info.alpn;
  facts.sni = info.server_name;
  facts.is_resumed = info.is_resumed;
  facts.is_peer_verified = info.is_peer_verified;
  facts.group = info.group;
  facts.peer_chain_der = info.peer_chain;
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
      : driver_(EngineDriver::Make(std::move(lower), std::move(context),
                                   EngineOptions{std::move(peer_host), base::Limits()})),
        peer_(driver_->lower().peer()) {}
  // A flush of the driver's own may still be under way.
  ~TlsStream() override { driver_->Abort(); }

  Task<absl::Status> Shake(base::TimePoint deadline);

  Task<absl::StatusOr<Slice>> Read() override;
  Task<absl::Status> Write(Buffer bytes) override { return driver_->Write(std::move(bytes)); }
  Task<absl::Status> Close() override { return driver_->Close(); }
  void Abort() override { driver_->Abort(); }

  const base::PeerIdentity& peer() const override { return peer_; }
  const base::PeerIdentity& local() const override { return driver_->lower().local(); }
  base::Loop& loop() override { return driver_->lower().loop(); }
  int descriptor() const override { return driver_->lower().descriptor(); }

 private:
  const std::shared_ptr<EngineDriver> driver_;
  base::PeerIdentity peer_;
  bool is_at_end_ = false;
};

Task<absl::Status> TlsStream::Shake(base::TimePoint deadline) {
  absl::Status status = co_await driver_->Shake(deadline);
  if (status.ok()) {
    peer_.tls = Facts(driver_->info());
  } else {
    LogAlert(*driver_->engine().context(), peer_, status);
  }
  co_return status;
}

Task<absl::StatusOr<Slice>> TlsStream::Read() {
  while (!is_at_end_) {
    absl::StatusOr<Event> event = co_await driver_->Next();
    if (!event.ok()) {
      LogAlert(*driver_->engine().context(), peer_, event.status());
      co_return event.status();
    }
    if (auto* data = std::get_if<Data>(&*event)) co_return std::move(data->bytes);
    if (auto* anew = std::get_if<Renegotiated>(&*event)) peer_.tls = Facts(anew->info);
    is_at_end_ = std::holds_alternative<PeerClosed>(*event);
  }
  co_return Slice();
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
