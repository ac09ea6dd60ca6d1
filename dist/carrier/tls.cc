#include "dist/carrier/tls.h"

#include <utility>

#include "fmt/format.h"

#include "base/status.h"
#include "dist/carrier/connect.h"
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

class TlsCarrier : public Carrier {
 public:
  TlsCarrier(bool is_v6, std::shared_ptr<const tls::Context> server,
             std::shared_ptr<const tls::Context> client)
      : is_v6_(is_v6), server_(std::move(server)), client_(std::move(client)) {}

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
    absl::StatusOr<std::unique_ptr<Stream>> secure =
        co_await tls::Handshake(*std::move(plain), client_, std::move(name), deadline);
    co_return secure;
  }

  Task<absl::StatusOr<std::unique_ptr<Stream>>> Secure(std::unique_ptr<Stream> accepted,
                                                       base::TimePoint deadline) override {
    if (server_ == nullptr) {
      accepted->Abort();
      co_return NotConfigured("server");
    }
    absl::StatusOr<std::unique_ptr<Stream>> secure =
        co_await tls::Handshake(std::move(accepted), server_, std::string(), deadline);
    co_return secure;
  }

  std::vector<Warning> Warnings() const override {
    std::vector<Warning> warnings;
    for (const auto& context : {server_, client_}) {
      if (context == nullptr) continue;
      for (tls::Warning& warning : context->Warnings()) {
        warnings.push_back({std::move(warning.what), std::move(warning.mend)});
      }
    }
    return warnings;
  }

 private:
  const bool is_v6_;
  const std::shared_ptr<const tls::Context> server_;
  const std::shared_ptr<const tls::Context> client_;
};

}  // namespace

std::unique_ptr<Carrier> MakeTlsCarrier(bool is_v6, std::shared_ptr<const tls::Context> server,
                                        std::shared_ptr<const tls::Context> client) {
  return std::make_unique<TlsCarrier>(is_v6, std::move(server), std::move(client));
}

}  // namespace noded::dist
