// Options of a TLS socket that are not about TLS: how it delivers, and those of the TCP socket
// below. Read and set with SslSocket::GetOpts and SetOpts (tls/ssl_socket.h).
//
//   SocketOptions options;
//   options.active = Active::Once();
//   options.packet = Packet::k4;
//   options.nodelay = false;
//   RETURN_IF_ERROR(socket->SetOpts(options));             // what is unset stays as it is
//
// Plain values. Errors: InvalidArgument (einval), which name the option; the reason is the errno's
// atom when the kernel refused it. Source: OTP inet(3), setopts/2; ssl(3), socket_option.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "absl/status/status.h"

#include "tls/packet_mode.h"

namespace noded::tls {

// The option `active`: who asks for what was received.
struct Active {
  enum class Kind {
    kFalse,  // the user, with Recv
    kTrue,   // the owner gets it as it comes
    kOnce,   // the owner gets one packet, then it is kFalse again
    kCount,  // the same for `count` packets, and then SslPassive
  };
  Kind kind = Kind::kFalse;
  int count = 0;

  static Active False() { return {}; }
  static Active True() { return {Kind::kTrue, 0}; }
  static Active Once() { return {Kind::kOnce, 0}; }
  // Added to what is left of an earlier count, so negative ones are fine; the sum must lie between
  // -32768 and 32767, and at 0 or less the socket is passive at once.
  static Active Count(int count) { return {Kind::kCount, count}; }

  bool is_on() const { return kind != Kind::kFalse; }
  friend bool operator==(const Active&, const Active&) = default;
};

struct SocketOptions {
  std::optional<Active> active;
  std::optional<Packet> packet;
  // The longest packet to be taken; 0: no limit but that of base/limits.h.
  std::optional<size_t> packet_size;
  // Plaintext, in bytes, that is held for nobody in particular before reading stops.
  std::optional<size_t> buffer;
  // The TCP socket's: TCP_NODELAY (on unless turned off), SO_KEEPALIVE (the same), SO_RCVBUF and
  // SO_SNDBUF (Linux doubles what is set), SO_PRIORITY, IP_TOS or IPV6_TCLASS.
  std::optional<bool> nodelay;
  std::optional<bool> keepalive;
  std::optional<int> recbuf;
  std::optional<int> sndbuf;
  std::optional<int> priority;
  std::optional<int> tos;
};

// What `later` sets wins.
SocketOptions Over(const SocketOptions& first, const SocketOptions& later);

// Of a listening socket; sockets that it accepts get `accepted`.
struct SslListenOptions {
  // Numeric, `ip` and `ifaddr`; empty: every interface.
  std::string ip;
  bool inet6 = false;
  bool reuseaddr = true;
  // Connections that may wait to be accepted. OTP's default is 5.
  int backlog = 1024;
  SocketOptions accepted;
};

// Sets those of the TCP socket. `descriptor` -1, a stream without a socket: einval if there is any.
absl::Status SetTcpOptions(const SocketOptions& options, int descriptor);
// Adds what the kernel says of them to `options`; nothing without a socket.
void GetTcpOptions(int descriptor, SocketOptions& options);

}  // namespace noded::tls
