// Who gets what a TLS socket receives in active mode: Erlang's controlling process, and the
// messages that it gets.
//
//   auto inbox = std::make_shared<SslInbox>();               // tls/ssl_inbox.h: a queue
//   auto caller = std::make_shared<SslCallback>([](SslMessage message) { ... });
//   connect.owner = caller;  connect.options.active = Active::Once();
//
// Take() is called on the socket's loop, never twice at once for one socket, and may call SetOpts
// and the Async functions of the socket there. A socket keeps its owner alive. Source: OTP ssl(3),
// type active_msgs.
#pragma once

#include <cstdint>
#include <functional>
#include <utility>
#include <variant>

#include "absl/status/status.h"

#include "base/bytes.h"

namespace noded::tls {

// Tells the sockets of one owner apart; never used twice.
using SslSocketId = uint64_t;

// {ssl, Socket, Data}: what came, or one packet of a packet mode.
struct SslData {
  base::Slice bytes;
};
// {ssl_closed, Socket}: the peer ended the connection; nothing follows.
struct SslClosed {};
// {ssl_error, Socket, Reason}: the connection failed; nothing follows.
struct SslError {
  absl::Status status;
};
// {ssl_passive, Socket}: the count of Active::Count is used up.
struct SslPassive {};

struct SslMessage {
  SslSocketId socket = 0;
  std::variant<SslData, SslClosed, SslError, SslPassive> event;
};

class SslOwner {
 public:
  virtual ~SslOwner() = default;
  SslOwner() = default;
  SslOwner(const SslOwner&) = delete;
  SslOwner& operator=(const SslOwner&) = delete;

  // True: taken. False: there is no room now; `message` is as it was, the socket reads nothing
  // more, so that in the end the peer waits, and `has_room` is to be called, from any thread, when
  // another try may go well. Must not block.
  virtual bool Take(SslMessage& message, const std::function<void()>& has_room) = 0;
};

// Calls a function with each message. It is held back by Active::Once and Active::Count alone.
class SslCallback : public SslOwner {
 public:
  explicit SslCallback(std::function<void(SslMessage)> function) : function_(std::move(function)) {}
  bool Take(SslMessage& message, const std::function<void()>&) override {
    function_(std::move(message));
    return true;
  }

 private:
  const std::function<void(SslMessage)> function_;
};

}  // namespace noded::tls
