#include "dist/carrier/tcp.h"

#include <utility>

#include "dist/carrier/connect.h"

namespace noded::dist {
namespace {

class TcpCarrier : public Carrier {
 public:
  explicit TcpCarrier(bool is_v6) : is_v6_(is_v6) {}

  std::string_view name() const override { return is_v6_ ? "inet6_tcp" : "inet_tcp"; }
  bool is_v6() const override { return is_v6_; }
  bool is_secure() const override { return false; }

  base::Task<absl::StatusOr<std::unique_ptr<base::Stream>>> Connect(
      base::Loop& loop, Target target, base::TimePoint deadline) override {
    return ConnectTcp(loop, std::move(target.host), target.port,
                      is_v6_ ? AddressFamily::kV6 : AddressFamily::kV4, deadline);
  }

  base::Task<absl::StatusOr<std::unique_ptr<base::Stream>>> Secure(
      std::unique_ptr<base::Stream> accepted, base::TimePoint) override {
    co_return std::move(accepted);
  }

 private:
  const bool is_v6_;
};

}  // namespace

std::unique_ptr<Carrier> MakeTcpCarrier(bool is_v6) { return std::make_unique<TcpCarrier>(is_v6); }

}  // namespace noded::dist
