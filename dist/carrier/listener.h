// A listening TCP socket: the one place where nodes are waited for, whatever the carrier.
//
//   ASSIGN_OR_RETURN(auto listener, Listener::Listen(loop, carrier->is_v6(), options));
//   epmd.Register(name, listener->port(), ...);
//   while (true) {
//     auto stream = co_await listener->Accept(loops.Next());   // raw TCP; then Carrier::Secure
//     if (!stream.ok()) break;                                 // closed
//   }
//
// Confined to `loop`; accepted streams belong to the loop given to Accept. Destroy it only when no
// Accept is under way: Close() makes that end, then wait for it. Errors of Listen: InvalidArgument
// (the address is no address of that family, not of this machine, the port range is upside down or
// not for this user), AlreadyExists (eaddrinuse: every port of the range is taken). Accept fails
// only with Unavailable "closed": a lack of descriptors and connections that died in the queue are
// waited out, with a pause and one log line.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "asio/ip/tcp.hpp"
#include "asio/steady_timer.hpp"

#include "base/loop.h"
#include "base/stream.h"
#include "base/task.h"

namespace noded::dist {

struct ListenOptions {
  // Numeric; empty means every interface of the family.
  std::string interface_address;
  // Tried in order, both included. 0 and 0: the kernel chooses.
  uint16_t port_min = 0;
  uint16_t port_max = 0;
};

class Listener {
 public:
  static absl::StatusOr<std::unique_ptr<Listener>> Listen(base::Loop& loop, bool is_v6,
                                                          ListenOptions options);
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // One at a time. The stream is on `target`, has keep-alive on and Nagle off.
  base::Task<absl::StatusOr<std::unique_ptr<base::Stream>>> Accept(base::Loop& target);

  uint16_t port() const { return endpoint_.port(); }
  // "0.0.0.0:4711" or "[::]:4711".
  std::string AddressText() const;

  // Stops listening. An Accept under way ends with Unavailable. Idempotent.
  void Close();

 private:
  Listener(base::Loop& loop, asio::ip::tcp::acceptor acceptor);

  base::Loop& loop_;
  asio::ip::tcp::acceptor acceptor_;
  asio::steady_timer pause_;
  asio::ip::tcp::endpoint endpoint_;
  bool is_closed_ = false;
  bool is_short_of_resources_ = false;
};

}  // namespace noded::dist
