#include "tls/ssl_connection.h"

#include <utility>

#include "asio/redirect_error.hpp"
#include "asio/use_awaitable.hpp"
#include "fmt/format.h"

#include "base/status.h"
#include "tls/alert_log.h"
#include "tls/ssl_failure.h"

namespace noded::tls {

using base::Slice;
using base::Task;

namespace {

constexpr size_t kDefaultBufferBytes = size_t{1} << 20;
// What a peer may still send after our goodbye before it is cut.
constexpr size_t kDrainBytes = size_t{1} << 20;

}  // namespace

SslConnection::SslConnection(std::shared_ptr<EngineDriver> driver,
                             std::shared_ptr<SslRuntime> runtime, SocketSetup setup)
    : loop_(driver->lower().loop()),
      id_(runtime->NextId()),
      driver_(std::move(driver)),
      runtime_(std::move(runtime)),
      context_(driver_->engine().context()),
      peer_(driver_->lower().peer()),
      local_(driver_->lower().local()),
      info_(driver_->info()),
      changed_(loop_.io(), asio::steady_timer::time_point::max()),
      buffer_bytes_(kDefaultBufferBytes),
      owner_(std::move(setup.owner)) {}

absl::StatusOr<SslConnection::Ptr> SslConnection::Start(std::shared_ptr<EngineDriver> driver,
                                                        std::shared_ptr<SslRuntime> runtime,
                                                        SocketSetup setup) {
  SocketOptions options = setup.options;
  if (!options.active) options.active = setup.owner ? Active::True() : Active::False();
  Ptr self(new SslConnection(std::move(driver), std::move(runtime), std::move(setup)));
  self->SetOwner(self->owner_);
  self->driver_->set_on_held([connection = self.get()] { connection->NotifyChanged(); });
  std::weak_ptr<SslConnection> weak = self;
  RETURN_IF_ERROR(self->runtime_->Register(self->id_, [weak, &loop = self->loop_] {
    loop.Post([weak] {
      if (Ptr connection = weak.lock()) connection->Abort();
    });
  }));
  if (absl::Status set = self->SetOpts(options); !set.ok()) {
    self->runtime_->Forget(self->id_);
    return set;
  }
  base::Spawn(self->loop_, "ssl_read", ReadLoop(self), [](absl::Status) {});
  return self;
}

SslConnection::~SslConnection() {
  // The driver may only go when no call of it is under way: each holds this object.
  if (driver_ != nullptr) driver_->Abort();
  runtime_->Forget(id_);
}

Task<bool> SslConnection::Changed(base::TimePoint deadline) {
  std::optional<base::Deadline> guard;
  if (deadline != base::TimePoint::max()) {
    guard.emplace(loop_, deadline, [this] { NotifyChanged(); });
  }
  asio::error_code ignored;
  co_await changed_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  const bool is_in_time = !guard || !guard->is_over();
  co_return is_in_time;
}

Task<absl::Status> SslConnection::AwaitDemand() {
  const auto after = context_->options().traffic.hibernate_after;
  std::optional<base::Deadline> idle;
  if (after) {
    idle.emplace(loop_, DeadlineOf(*after), [this] {
      if (!is_sending()) driver_->engine().Hibernate();
    });
  }
  co_await Changed();
  co_return absl::OkStatus();
}

void SslConnection::NotifyChanged() { changed_.cancel(); }

absl::Status SslConnection::WhyOver() const {
  if (in_ == In::kFailed && goodbye_ == Goodbye::kNone) return failure_;
  return ClosedFailure(peer_);
}

bool SslConnection::WantsInput() const {
  if (goodbye_ == Goodbye::kDrain) return true;
  if (driver_->engine().held_bytes() > 0) return true;  // bounded by the engine
  const bool waits_for_peer = goodbye_ == Goodbye::kDowngrade || pending_renegotiations_ > 0;
  if (waits_for_peer && packets_.size() < buffer_bytes_) return true;
  if (in_ == In::kShut && goodbye_ == Goodbye::kNone) return true;  // to be dropped
  if (in_ != In::kOpen || goodbye_ != Goodbye::kNone) return false;
  return !recvs_.empty() || (active_.is_on() && owner_ != nullptr && !is_owner_full_);
}

Task<absl::Status> SslConnection::ReadLoop(Ptr self) {
  const auto may_read = [&self] {
    return (self->in_ == In::kOpen || self->in_ == In::kShut) && self->goodbye_ != Goodbye::kDone;
  };
  while (may_read()) {
    self->Deliver();
    if (!may_read()) break;
    if (self->goodbye_ == Goodbye::kDowngrade && self->packets_.size() >= self->buffer_bytes_) {
      self->HandleFailure(base::Error(
          absl::StatusCode::kResourceExhausted,
          fmt::format("close of {}: {} bytes came before the peer's close_notify, and more do",
                      base::AddressText(self->peer_), self->packets_.size()),
          "receive what the peer sends before downgrading, or raise the option buffer",
          "emsgsize"));
      break;
    }
    if (!self->WantsInput()) {
      co_await self->AwaitDemand();
      continue;
    }
    absl::StatusOr<Event> event = co_await self->driver_->Next();
    if (event.ok()) {
      self->Handle(*std::move(event));
    } else {
      self->HandleFailure(event.status());
    }
  }
  self->is_reading_ = false;
  self->Deliver();
  self->NotifyChanged();
  if (self->goodbye_ == Goodbye::kDrain && !self->is_sending()) self->Abort();
  if (self->goodbye_ == Goodbye::kDone) self->runtime_->Forget(self->id_);
  co_return absl::OkStatus();
}

void SslConnection::Handle(Event event) {
  if (auto* data = std::get_if<Data>(&event)) {
    if (in_ == In::kOpen && goodbye_ != Goodbye::kDrain) {
      packets_.Feed(std::move(data->bytes));
      return;
    }
    dropped_ += data->bytes.size();
    if (dropped_ > kDrainBytes && goodbye_ == Goodbye::kDrain) Abort();
  } else if (std::holds_alternative<PeerClosed>(event)) {
    in_ = In::kPeerClosed;
  } else {
    EndRenegotiation(event);
  }
}

void SslConnection::HandleFailure(const absl::Status& status) {
  const bool is_heard = goodbye_ == Goodbye::kNone || goodbye_ == Goodbye::kDowngrade;
  if (is_heard && in_ != In::kFailed) {
    LogAlert(*context_, peer_, status);
    failure_ = status;
  }
  in_ = In::kFailed;
  driver_->Abort();
  NotifyChanged();
}

void SslConnection::Abort() {
  if (goodbye_ == Goodbye::kDone) return;
  goodbye_ = Goodbye::kDone;
  linger_.reset();
  if (driver_ != nullptr) driver_->Abort();
  Deliver();
  NotifyChanged();
  if (!is_reading_) runtime_->Forget(id_);
}

Task<absl::Status> SslConnection::TakeTurn() {
  const uint64_t turn = turns_taken_++;
  while (turn != turns_over_) co_await Changed();
  co_return absl::OkStatus();
}

void SslConnection::EndTurn() {
  ++turns_over_;
  NotifyChanged();
}

Task<absl::Status> SslConnection::Send(Ptr self, base::Buffer data) {
  absl::StatusOr<base::Buffer> framed = FramePacket(self->packets_.mode(), std::move(data));
  if (!framed.ok()) co_return framed.status();
  co_await self->TakeTurn();
  absl::Status sent = self->WhyOver();
  if (self->out_ == Out::kOpen && self->is_open()) {
    base::Buffer bytes = *std::move(framed);
    sent = co_await self->driver_->Write(std::move(bytes));
    if (sent.ok()) sent = co_await self->driver_->AwaitRelease();
    if (sent.ok()) sent = co_await self->driver_->Flush();
    if (!sent.ok() && self->is_over()) sent = self->WhyOver();
  }
  self->EndTurn();
  co_return sent;
}

Task<absl::Status> SslConnection::Shutdown(Ptr self, ShutdownHow how) {
  if (!self->is_open()) co_return self->WhyOver();
  if (how != ShutdownHow::kWrite && self->in_ == In::kOpen) {
    self->in_ = In::kShut;
    self->packets_.TakeAll();
    self->Deliver();
    self->NotifyChanged();
  }
  if (how == ShutdownHow::kRead) co_return absl::OkStatus();
  co_await self->TakeTurn();
  absl::Status said = self->is_open() ? absl::OkStatus() : self->WhyOver();
  if (said.ok() && self->out_ == Out::kOpen) {
    self->out_ = Out::kShut;
    said = co_await self->driver_->Close();
  }
  self->EndTurn();
  co_return said;
}

Task<absl::Status> SslConnection::Close(Ptr self) {
  if (self->goodbye_ == Goodbye::kDowngrade) self->Abort();  // it ends with closed
  if (self->goodbye_ != Goodbye::kNone) co_return absl::OkStatus();
  self->goodbye_ = Goodbye::kDrain;
  self->dropped_ = 0;
  self->Deliver();
  self->NotifyChanged();
  const std::chrono::milliseconds patience = self->context_->options().traffic.alert_timeout;
  bool is_late = false;
  {
    base::Deadline guard(self->loop_, DeadlineOf(patience), [&self] { self->driver_->Abort(); });
    co_await self->TakeTurn();
    const bool may_speak = self->out_ == Out::kOpen && self->in_ != In::kFailed;
    self->out_ = Out::kShut;
    if (may_speak && self->goodbye_ == Goodbye::kDrain) co_await self->driver_->Close();
    self->EndTurn();
    is_late = guard.is_over();
  }
  if (is_late || !self->is_reading_) {
    self->Abort();
  } else if (self->goodbye_ == Goodbye::kDrain) {
    // The reader waits for the peer's end; a socket closed with unread bytes would be reset, and
    // the peer might lose our last words.
    self->linger_ = std::make_unique<base::Deadline>(
        self->loop_, DeadlineOf(patience), [connection = self.get()] { connection->Abort(); });
  }
  if (is_late) co_return LateFailure(self->peer_, "close");
  co_return absl::OkStatus();
}

}  // namespace noded::tls
