// A listening TCP socket: the one place where connections are waited for.
//
//   ASSIGN_OR_RETURN(auto listener, TcpListener::Listen(loop, is_v6, {.port_min = 4370, ...}));
//   listener->port();                                          // chosen by the kernel when 0
//   while (true) {
//     auto stream = co_await listener->Accept(loops.Next());   // raw TCP
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
#include "base/tcp_connect.h"

namespace noded::base {

struct ListenOptions {
  // Numeric; empty means every interface of the family.
  std::string interface_address;
  // Tried in order, both included. 0 and 0: the kernel chooses.
  uint16_t port_min = 0;
  uint16_t port_max = 0;
  bool reuse_address = true;
  // Connections that may wait; the kernel cuts it to net.core.somaxconn.
  int backlog = 4096;
  // What accepted sockets inherit is set here. May be null.
  PrepareSocket prepare;
};

class TcpListener {
 public:
  static absl::StatusOr<std::unique_ptr<TcpListener>> Listen(Loop& loop, bool is_v6,
                                                             ListenOptions options);
  TcpListener(const TcpListener&) = delete;
  TcpListener& operator=(const TcpListener&) = delete;

  // One at a time. The stream is on `target`, has keep-alive on and Nagle off.
  Task<absl::StatusOr<std::unique_ptr<Stream>>> Accept(Loop& target);

  uint16_t port() const { return endpoint_.port(); }
  const asio::ip::tcp::endpoint& endpoint() const { return endpoint_; }
  int descriptor() { return acceptor_.native_handle(); }
  // "0.0.0.0:4711" or "[::]:4711".
  std::string AddressText() const;

  // Stops listening. An Accept under way ends with Unavailable. Idempotent.
  void Close();

 private:
  TcpListener(Loop& loop, asio::ip::tcp::acceptor acceptor);

  Loop& loop_;
  asio::ip::tcp::acceptor acceptor_;
  asio::steady_timer pause_;
  asio::ip::tcp::endpoint endpoint_;
  bool is_closed_ = false;
  bool is_short_of_resources_ = false;
};

}  // namespace noded::base
