// Who gets what came: pending Recvs first, then the owner as the option `active` says.
#include <algorithm>
#include <limits>
#include <utility>

#include "asio/redirect_error.hpp"
#include "asio/use_awaitable.hpp"
#include "fmt/format.h"

#include "base/status.h"
#include "tls/ssl_connection.h"
#include "tls/ssl_failure.h"

namespace noded::tls {

using base::Slice;
using base::Task;

Task<absl::StatusOr<Slice>> SslConnection::Recv(Ptr self, size_t length, base::TimePoint deadline) {
  if (self->active_.is_on()) {
    co_return InvalidCall("recv", "the socket is active, so its owner gets what comes",
                          "set active to false first");
  }
  if (length > 0 && self->packets_.mode() != Packet::kRaw) {
    co_return InvalidCall("recv", "a length is given, and packets have their own",
                          "give length 0, or set packet to raw");
  }
  PendingRecv recv(self->loop_, length, deadline);
  self->recvs_.push_back(&recv);
  self->Deliver();
  // The reader is wanted, or has room again.
  self->NotifyChanged();
  if (!recv.result) {
    asio::error_code ignored;
    co_await recv.done.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
  if (recv.result) co_return *std::move(recv.result);
  std::erase(self->recvs_, &recv);
  co_return LateFailure(self->peer_, "recv");
}

void SslConnection::Deliver() {
  if (is_delivering_) return;  // an owner calls back: the loop below goes on with what it changed
  is_delivering_ = true;
  while (recvs_.empty() ? DeliverToOwner() : DeliverToRecv()) {
  }
  is_delivering_ = false;
}

bool SslConnection::DeliverToRecv() {
  PendingRecv& recv = *recvs_.front();
  if (goodbye_ != Goodbye::kNone || in_ == In::kShut) {
    recv.result = WhyOver();
  } else {
    absl::StatusOr<std::optional<Slice>> bytes = packets_.Peek(recv.length);
    if (!bytes.ok()) {
      HandleFailure(bytes.status());
      packets_.TakeAll();
      recv.result = bytes.status();
    } else if (bytes->has_value()) {
      recv.result = **std::move(bytes);
      packets_.Drop();
    } else if (is_over()) {
      recv.result = WhyOver();
    } else {
      return false;
    }
  }
  recvs_.pop_front();
  recv.done.cancel();
  return true;
}

bool SslConnection::DeliverToOwner() {
  if (owner_ == nullptr || is_owner_full_ || goodbye_ != Goodbye::kNone) return false;
  if (is_passive_due_) {
    SslMessage message{id_, SslPassive{}};
    is_passive_due_ = !Offer(message);
    return !is_passive_due_;
  }
  if (!active_.is_on()) return false;
  absl::StatusOr<std::optional<Slice>> bytes = packets_.Peek();
  if (!bytes.ok()) {
    HandleFailure(bytes.status());
    packets_.TakeAll();
    return true;
  }
  if (bytes->has_value()) return DeliverPacket(**std::move(bytes));
  if (!is_over()) return false;
  SslMessage message{id_, SslClosed{}};
  if (in_ == In::kFailed) message.event = SslError{failure_};
  const Active before = std::exchange(active_, Active::False());
  if (Offer(message)) return true;
  active_ = before;
  return false;
}

bool SslConnection::DeliverPacket(Slice bytes) {
  // Counted first: the owner may set `active` anew while it takes the message.
  const Active before = active_;
  CountDown();
  SslMessage message{id_, SslData{std::move(bytes)}};
  if (!Offer(message)) {
    active_ = before;
    is_passive_due_ = false;
    return false;
  }
  packets_.Drop();
  return true;
}

void SslConnection::CountDown() {
  if (active_.kind == Active::Kind::kOnce) active_ = Active::False();
  if (active_.kind != Active::Kind::kCount || --active_.count > 0) return;
  active_ = Active::False();
  is_passive_due_ = true;
}

bool SslConnection::Offer(SslMessage& message) {
  const uint64_t number = owner_number_;
  const std::shared_ptr<SslOwner> owner = owner_;
  const std::function<void()> has_room = has_room_;
  const bool is_taken = owner->Take(message, has_room);
  if (number == owner_number_) is_owner_full_ = !is_taken;
  return is_taken;
}

void SslConnection::SetOwner(std::shared_ptr<SslOwner> owner) {
  owner_ = std::move(owner);
  is_owner_full_ = false;
  const uint64_t number = ++owner_number_;
  has_room_ = [weak = weak_from_this(), number] {
    Ptr self = weak.lock();
    if (self == nullptr) return;
    base::Loop& loop = self->loop_;
    loop.Post([self = std::move(self), number] {
      if (self->owner_number_ != number) return;
      self->is_owner_full_ = false;
      self->Deliver();
      self->NotifyChanged();
    });
  };
  Deliver();
  NotifyChanged();
}

absl::Status SslConnection::SetActive(const Active& active) {
  if (active.kind != Active::Kind::kCount) {
    active_ = active;
    return absl::OkStatus();
  }
  const int left = active_.kind == Active::Kind::kCount ? active_.count : 0;
  const int64_t sum = int64_t{left} + active.count;
  if (sum < std::numeric_limits<int16_t>::min() || sum > std::numeric_limits<int16_t>::max()) {
    return InvalidCall("option active", fmt::format("a count of {}", sum),
                       "stay between -32768 and 32767");
  }
  if (sum > 0) {
    active_ = Active::Count(static_cast<int>(sum));
  } else {
    active_ = Active::False();
    is_passive_due_ = true;
  }
  return absl::OkStatus();
}

absl::Status SslConnection::SetOpts(const SocketOptions& options) {
  if (goodbye_ != Goodbye::kNone) return ClosedFailure(peer_);
  if (options.buffer == size_t{0}) {
    return InvalidCall("option buffer", "0 bytes hold nothing", "give at least 1");
  }
  if (in_ != In::kFailed) {
    RETURN_IF_ERROR(SetTcpOptions(options, driver_->lower().descriptor()));
  }
  if (options.active) RETURN_IF_ERROR(SetActive(*options.active));
  if (options.packet || options.packet_size) {
    packets_.SetMode(options.packet.value_or(packets_.mode()),
                     options.packet_size.value_or(packets_.packet_size()));
  }
  if (options.buffer) buffer_bytes_ = *options.buffer;
  Deliver();
  NotifyChanged();
  return absl::OkStatus();
}

SocketOptions SslConnection::GetOpts() const {
  SocketOptions options;
  options.active = active_;
  options.packet = packets_.mode();
  options.packet_size = packets_.packet_size();
  options.buffer = buffer_bytes_;
  if (driver_ != nullptr) GetTcpOptions(driver_->lower().descriptor(), options);
  return options;
}

}  // namespace noded::tls
