#include "tls/ssl_listener.h"

#include <algorithm>
#include <deque>
#include <utility>

#include "asio/redirect_error.hpp"
#include "asio/steady_timer.hpp"
#include "asio/use_awaitable.hpp"

#include "base/status.h"
#include "base/tcp_listener.h"
#include "tls/ssl_failure.h"
#include "tls/ssl_runtime.h"

namespace noded::tls {

using base::Task;
using Accepted = absl::StatusOr<std::unique_ptr<SslTransportSocket>>;

SslTransportSocket::SslTransportSocket(std::unique_ptr<base::Stream> stream,
                                       std::shared_ptr<const Context> context,
                                       SocketOptions options)
    : stream_(std::move(stream)),
      context_(std::move(context)),
      options_(std::move(options)),
      loop_(stream_->loop()),
      peer_(stream_->peer()),
      local_(stream_->local()) {}

SslTransportSocket::~SslTransportSocket() {
  if (stream_ == nullptr) return;
  loop_.Post([stream = std::move(stream_)] {});
}

// Who waits for a connection, and the connections that nobody waited for any more. Confined to the
// listener's loop; its coroutines hold it.
class SslListener::Queue : public std::enable_shared_from_this<Queue> {
 public:
  using Ptr = std::shared_ptr<Queue>;

  Queue(base::Loop& loop, std::function<base::Loop&()> next_loop,
        std::shared_ptr<SslRuntime> runtime, std::shared_ptr<ContextSource> contexts,
        SocketOptions options, std::unique_ptr<base::TcpListener> listener)
      : loop(loop),
        id(runtime->NextId()),
        next_loop_(std::move(next_loop)),
        runtime_(std::move(runtime)),
        contexts_(std::move(contexts)),
        options_(std::move(options)),
        listener_(std::move(listener)),
        changed_(loop.io(), asio::steady_timer::time_point::max()) {
    local_.address = listener_->endpoint().address().to_string();
    local_.port = listener_->port();
  }

  static Task<absl::Status> AcceptLoop(Ptr self);
  static Task<Accepted> Accept(Ptr self, base::TimePoint deadline);
  absl::Status Register();
  void Close();
  absl::Status SetOpts(const SocketOptions& options);
  absl::StatusOr<SocketOptions> GetOpts() const;
  const base::PeerIdentity& local() const { return local_; }

  base::Loop& loop;
  const SslSocketId id;

 private:
  struct Waiter {
    Waiter(base::Loop& loop, base::TimePoint deadline) : done(loop.io(), deadline) {}
    std::unique_ptr<SslTransportSocket> socket;
    bool is_done = false;
    asio::steady_timer done;
  };
  // Connections to those who wait, the first first.
  void Serve();

  const std::function<base::Loop&()> next_loop_;
  const std::shared_ptr<SslRuntime> runtime_;
  const std::shared_ptr<ContextSource> contexts_;
  SocketOptions options_;
  const std::unique_ptr<base::TcpListener> listener_;
  base::PeerIdentity local_;
  bool is_closed_ = false;
  asio::steady_timer changed_;  // never expires; cancelled when somebody waits, or at the end
  std::deque<Waiter*> waiters_;
  std::deque<std::unique_ptr<SslTransportSocket>> ready_;
};

absl::Status SslListener::Queue::Register() {
  std::weak_ptr<Queue> weak = weak_from_this();
  return runtime_->Register(id, [weak, &loop = loop] {
    loop.Post([weak] {
      if (Ptr queue = weak.lock()) queue->Close();
    });
  });
}

Task<absl::Status> SslListener::Queue::AcceptLoop(Ptr self) {
  while (!self->is_closed_) {
    if (self->waiters_.empty()) {
      asio::error_code ignored;
      co_await self->changed_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
      continue;
    }
    base::Loop& target = self->next_loop_();
    absl::StatusOr<std::unique_ptr<base::Stream>> stream = co_await self->listener_->Accept(target);
    if (!stream.ok()) break;
    auto socket = std::make_unique<SslTransportSocket>(*std::move(stream),
                                                       self->contexts_->current(), self->options_);
    self->ready_.push_back(std::move(socket));
    self->Serve();
  }
  self->runtime_->Forget(self->id);
  co_return absl::OkStatus();
}

void SslListener::Queue::Serve() {
  while (!waiters_.empty() && (is_closed_ || !ready_.empty())) {
    Waiter& waiter = *waiters_.front();
    waiters_.pop_front();
    waiter.is_done = true;
    if (!is_closed_) {
      waiter.socket = std::move(ready_.front());
      ready_.pop_front();
    }
    waiter.done.cancel();
  }
}

Task<Accepted> SslListener::Queue::Accept(Ptr self, base::TimePoint deadline) {
  Waiter waiter(self->loop, deadline);
  self->waiters_.push_back(&waiter);
  self->Serve();
  if (!waiter.is_done) {
    self->changed_.cancel();
    asio::error_code ignored;
    co_await waiter.done.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
  if (waiter.socket != nullptr) co_return std::move(waiter.socket);
  if (waiter.is_done) {
    co_return base::Error(
        absl::StatusCode::kUnavailable,
        "transport_accept at " + base::AddressText(self->local_) + ": closed on this side", "",
        "closed");
  }
  std::erase(self->waiters_, &waiter);
  co_return base::Error(
      absl::StatusCode::kDeadlineExceeded,
      "transport_accept at " + base::AddressText(self->local_) + ": nobody connected in time", "",
      "timeout");
}

void SslListener::Queue::Close() {
  if (is_closed_) return;
  is_closed_ = true;
  listener_->Close();
  ready_.clear();
  Serve();
  changed_.cancel();
}

absl::Status SslListener::Queue::SetOpts(const SocketOptions& options) {
  if (is_closed_) return ClosedFailure(local_);
  RETURN_IF_ERROR(SetTcpOptions(options, listener_->descriptor()));
  options_ = Over(options_, options);
  return absl::OkStatus();
}

absl::StatusOr<SocketOptions> SslListener::Queue::GetOpts() const {
  if (is_closed_) return ClosedFailure(local_);
  SocketOptions options = options_;
  GetTcpOptions(listener_->descriptor(), options);
  return options;
}

absl::StatusOr<std::unique_ptr<SslListener>> SslListener::Open(
    base::Loop& loop, std::function<base::Loop&()> next_loop, std::shared_ptr<SslRuntime> runtime,
    std::shared_ptr<ContextSource> contexts, uint16_t port, SslListenOptions options) {
  base::ListenOptions listen;
  listen.interface_address = options.ip;
  listen.port_min = listen.port_max = port;
  listen.reuse_address = options.reuseaddr;
  listen.backlog = options.backlog;
  // Accepted sockets have what the listening one has.
  listen.prepare = [accepted = options.accepted](int descriptor) {
    return SetTcpOptions(accepted, descriptor);
  };
  return loop.Run([&]() -> absl::StatusOr<std::unique_ptr<SslListener>> {
    ASSIGN_OR_RETURN(auto listener,
                     base::TcpListener::Listen(loop, options.inet6, std::move(listen)));
    auto queue =
        std::make_shared<Queue>(loop, std::move(next_loop), std::move(runtime), std::move(contexts),
                                std::move(options.accepted), std::move(listener));
    RETURN_IF_ERROR(queue->Register());
    base::Spawn(loop, "ssl_accept", Queue::AcceptLoop(queue), [](absl::Status) {});
    return std::unique_ptr<SslListener>(new SslListener(std::move(queue)));
  });
}

SslListener::SslListener(std::shared_ptr<Queue> queue)
    : queue_(std::move(queue)), loop_(queue_->loop) {}

SslListener::~SslListener() {
  loop_.Post([queue = std::move(queue_)] { queue->Close(); });
}

uint16_t SslListener::port() const { return queue_->local().port; }

Accepted SslListener::TransportAccept(Timeout timeout) {
  return base::Await(loop_, AsyncTransportAccept(timeout));
}

Task<Accepted> SslListener::AsyncTransportAccept(Timeout timeout) {
  return Queue::Accept(queue_, DeadlineOf(timeout));
}

const base::PeerIdentity& SslListener::SockName() const { return queue_->local(); }

absl::Status SslListener::SetOpts(const SocketOptions& options) {
  return loop_.Run([&] { return queue_->SetOpts(options); });
}

absl::StatusOr<SocketOptions> SslListener::GetOpts() const {
  return loop_.Run([&] { return queue_->GetOpts(); });
}

absl::Status SslListener::Close() {
  loop_.Run([&] { queue_->Close(); });
  return absl::OkStatus();
}

}  // namespace noded::tls
