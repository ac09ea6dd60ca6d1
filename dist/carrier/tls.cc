#include "dist/carrier/tls.h"

#include <utility>

#include "fmt/format.h"

#include "base/deadline.h"
#include "base/status.h"
#include "dist/carrier/connect.h"
#include "dist/carrier/tls_answer.h"
#include "dist/carrier/tls_peer_check.h"
#include "tls/tls_stream.h"

namespace noded::dist {
namespace {

using base::Stream;
using base::Task;

absl::Status NotConfigured(std::string_view side) {
  return base::Error(absl::StatusCode::kFailedPrecondition,
                     fmt::format("this node has no TLS {} options", side),
                     "give them with -ssl_dist_opt or -ssl_dist_optfile", "options");
}

absl::Status NotTls(const Target& target, const TlsAnswer& answer) {
  return base::Error(
      absl::StatusCode::kUnavailable,
      fmt::format("{} port {} does not speak TLS: it {}", target.host, target.port, answer.text()),
      "start the peer with -proto_dist inet_tls", "not_tls");
}

class TlsCarrier : public Carrier {
 public:
  TlsCarrier(bool is_v6, std::shared_ptr<tls::ContextSource> server,
             std::shared_ptr<tls::ContextSource> client,
             std::optional<std::vector<std::string>> verify_client)
      : is_v6_(is_v6),
        server_(std::move(server)),
        client_(std::move(client)),
        verify_client_(std::move(verify_client)) {}

  std::string_view name() const override { return is_v6_ ? "inet6_tls" : "inet_tls"; }
  bool is_v6() const override { return is_v6_; }
  bool is_secure() const override { return true; }

  Task<absl::StatusOr<std::unique_ptr<Stream>>> Connect(base::Loop& loop, Target target,
                                                        base::TimePoint deadline) override {
    if (client_ == nullptr) co_return NotConfigured("client");
    const AddressFamily family = is_v6_ ? AddressFamily::kV6 : AddressFamily::kV4;
    absl::StatusOr<std::unique_ptr<Stream>> plain =
        co_await ConnectTcp(loop, target.host, target.port, family, deadline);
    if (!plain.ok()) co_return plain.status();
    std::string name = target.node_host.empty() ? target.host : target.node_host;
    std::shared_ptr<const tls::Context> context = client_->current();
    auto answer = std::make_shared<TlsAnswer>();
    const bool may_be_plain = target.answer_within > base::Duration::zero();
    if (may_be_plain) {
      plain = WatchAnswer(*std::move(plain), loop.Now() + target.answer_within, answer);
    }
    absl::StatusOr<std::unique_ptr<Stream>> secure =
        co_await tls::Handshake(*std::move(plain), std::move(context), std::move(name), deadline);
    if (!secure.ok() && answer->is_none()) co_return NotTls(target, *answer);
    co_return secure;
  }

  Task<absl::StatusOr<std::unique_ptr<Stream>>> Secure(std::unique_ptr<Stream> accepted,
                                                       base::TimePoint deadline) override {
    if (server_ == nullptr) {
      accepted->Abort();
      co_return NotConfigured("server");
    }
    std::shared_ptr<const tls::Context> context = server_->current();
    absl::StatusOr<std::unique_ptr<Stream>> secure =
        co_await tls::Handshake(std::move(accepted), std::move(context), std::string(), deadline);
    if (!secure.ok() || !verify_client_) co_return secure;
    const absl::Status checked = CheckPeer((*secure)->peer(), *verify_client_);
    if (checked.ok()) co_return secure;
    // The handshake is over, so there is no alert for it: the peer sees a polite end.
    base::Deadline guard((*secure)->loop(), deadline, [&secure] { (*secure)->Abort(); });
    absl::Status closed = co_await (*secure)->Close();
    closed.IgnoreError();
    co_return checked;
  }

  std::vector<Warning> Warnings() const override {
    std::vector<Warning> warnings;
    for (const auto& source : {server_, client_}) {
      if (source == nullptr) continue;
      for (tls::Warning& warning : source->current()->Warnings()) {
        warnings.push_back({std::move(warning.what), std::move(warning.mend)});
      }
    }
    return warnings;
  }

 private:
  const bool is_v6_;
  const std::shared_ptr<tls::ContextSource> server_;
  const std::shared_ptr<tls::ContextSource> client_;
  const std::optional<std::vector<std::string>> verify_client_;
};

std::shared_ptr<tls::ContextSource> Fixed(std::shared_ptr<const tls::Context> context) {
  if (context == nullptr) return nullptr;
  return std::make_shared<tls::ContextSource>(std::move(context));
}

}  // namespace

std::unique_ptr<Carrier> MakeTlsCarrier(bool is_v6, std::shared_ptr<const tls::Context> server,
                                        std::shared_ptr<const tls::Context> client) {
  return MakeTlsCarrier(is_v6, Fixed(std::move(server)), Fixed(std::move(client)));
}

std::unique_ptr<Carrier> MakeTlsCarrier(bool is_v6, std::shared_ptr<tls::ContextSource> server,
                                        std::shared_ptr<tls::ContextSource> client,
                                        std::optional<std::vector<std::string>> verify_client) {
  return std::make_unique<TlsCarrier>(is_v6, std::move(server), std::move(client),
                                      std::move(verify_client));
}

}  // namespace noded::dist
