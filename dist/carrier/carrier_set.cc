#include "dist/carrier/carrier_set.h"

#include <utility>

#include "fmt/format.h"

#include "base/deadline.h"
#include "base/prefixed_stream.h"
#include "base/status.h"
#include "dist/preamble.h"

namespace noded::dist {
namespace {

using base::Slice;
using base::Stream;
using base::Task;

// Two bytes are enough.
Task<absl::StatusOr<Slice>> ReadPreamble(Stream& stream) {
  Slice begin;
  while (begin.size() < 2) {
    absl::StatusOr<Slice> bytes = co_await stream.Read();
    if (!bytes.ok()) co_return bytes.status();
    if (bytes->empty()) {
      co_return base::Error(
          absl::StatusCode::kUnavailable,
          fmt::format("{} closed before it said anything", base::AddressText(stream.peer())),
          "no harm if this was a probe of the port; else see the peer's log", "closed");
    }
    begin = begin.empty() ? *std::move(bytes)
                          : Slice::Copy(std::string(begin.text()) + std::string(bytes->text()));
  }
  co_return begin;
}

}  // namespace

absl::StatusOr<CarrierSet> CarrierSet::Create(std::vector<Carrier*> carriers) {
  const auto refuse = [](std::string_view what, std::string_view mend) {
    return base::Error(absl::StatusCode::kInvalidArgument, what, mend, "badarg");
  };
  if (carriers.empty()) return refuse("a node needs a carrier", "give it one, such as inet_tls");
  if (carriers.size() == 1) return CarrierSet(std::move(carriers));
  const Carrier &first = *carriers[0], &second = *carriers[1];
  const std::string names = CarrierSet(carriers).ToString();
  if (carriers.size() > 2) {
    return refuse(fmt::format("{}: more than two carriers", names),
                  "give one, or one with TLS and one without");
  }
  if (first.is_v6() != second.is_v6()) {
    return refuse(fmt::format("{}: carriers of two address families", names),
                  "give two of one family, as epmd knows one port of a node: inet_tls inet_tcp, or "
                  "inet6_tls inet6_tcp");
  }
  if (first.is_secure() == second.is_secure()) {
    return refuse(fmt::format("{}: two carriers of the same kind", names),
                  "give one, or one with TLS and one without");
  }
  return CarrierSet(std::move(carriers));
}

Carrier* CarrierSet::Find(bool is_secure) const {
  for (Carrier* carrier : carriers_) {
    if (carrier->is_secure() == is_secure) return carrier;
  }
  return nullptr;
}

Carrier& CarrierSet::Of(const base::PeerIdentity& peer) const {
  Carrier* found = Find(peer.tls.has_value());
  return found == nullptr ? preferred() : *found;
}

std::string CarrierSet::ToString() const {
  std::string names;
  for (const Carrier* carrier : carriers_) {
    if (!names.empty()) names += ' ';
    names += carrier->name();
  }
  return names;
}

Task<absl::StatusOr<std::unique_ptr<Stream>>> CarrierSet::Secure(std::unique_ptr<Stream> accepted,
                                                                 base::TimePoint deadline) const {
  if (!is_mixed()) {
    absl::StatusOr<std::unique_ptr<Stream>> only =
        co_await preferred().Secure(std::move(accepted), deadline);
    co_return only;
  }
  absl::StatusOr<Slice> begin;
  bool is_late = false;
  {
    base::Deadline guard(accepted->loop(), deadline, [&accepted] { accepted->Abort(); });
    begin = co_await ReadPreamble(*accepted);
    is_late = guard.is_over();
  }
  if (is_late) {
    co_return base::Error(
        absl::StatusCode::kDeadlineExceeded,
        fmt::format("{} connected and said nothing", base::AddressText(accepted->peer())),
        "no harm if this was a probe of the port", "timeout");
  }
  if (!begin.ok()) {
    accepted->Abort();
    co_return begin.status();
  }
  Carrier* spoken = Find(RecognisePreamble(begin->view()) == Preamble::kTls);
  std::unique_ptr<Stream> whole = base::MakePrefixedStream(*std::move(begin), std::move(accepted));
  absl::StatusOr<std::unique_ptr<Stream>> secure =
      co_await spoken->Secure(std::move(whole), deadline);
  co_return secure;
}

}  // namespace noded::dist
