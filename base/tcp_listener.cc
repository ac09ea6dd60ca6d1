#include "base/tcp_listener.h"

#include <chrono>
#include <utility>

#include "asio/ip/v6_only.hpp"
#include "asio/redirect_error.hpp"
#include "asio/use_awaitable.hpp"
#include "fmt/format.h"

#include "base/log.h"
#include "base/status.h"
#include "base/tcp_stream.h"

namespace noded::base {
namespace {

using asio::ip::tcp;

constexpr auto kPause = std::chrono::milliseconds(100);

std::string EndpointText(const tcp::endpoint& endpoint) {
  PeerIdentity identity;
  identity.address = endpoint.address().to_string();
  identity.port = endpoint.port();
  return AddressText(identity);
}

absl::StatusOr<asio::ip::address> InterfaceAddress(bool is_v6, const std::string& text) {
  if (text.empty()) {
    if (is_v6) return asio::ip::address(asio::ip::address_v6::any());
    return asio::ip::address(asio::ip::address_v4::any());
  }
  asio::error_code error;
  const asio::ip::address address = asio::ip::make_address(text, error);
  if (error || address.is_v6() != is_v6) {
    return Error(
        absl::StatusCode::kInvalidArgument,
        fmt::format("listen: interface address {} is no IPv{} address", text, is_v6 ? 6 : 4),
        "give a numeric address of that family (-kernel inet_dist_use_interface; ip)", "einval");
  }
  return address;
}

asio::error_code Open(tcp::acceptor& acceptor, const tcp::endpoint& endpoint,
                      const ListenOptions& options) {
  asio::error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (!error && options.reuse_address) {
    acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  }
  if (!error && endpoint.address().is_v6()) {
    acceptor.set_option(asio::ip::v6_only(true), error);
  }
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(options.backlog, error);
  return error;
}

absl::Status AllInUse(const tcp::endpoint& first, uint16_t port_max) {
  const std::string where =
      first.port() == port_max
          ? EndpointText(first)
          : fmt::format("{}, ports {} to {}", first.address().to_string(), first.port(), port_max);
  return Error(absl::StatusCode::kAlreadyExists,
               fmt::format("listen at {}: every port is in use", where),
               "stop what listens there, or choose another port (-kernel inet_dist_listen_min "
               "and inet_dist_listen_max)",
               "eaddrinuse");
}

absl::Status ListenError(const asio::error_code& error, const tcp::endpoint& endpoint) {
  std::string mend;
  switch (error.value()) {
    case EADDRNOTAVAIL:
      mend = "give an address that an interface of this machine has";
      break;
    case EACCES:
      mend = "choose ports from 1024 on, or run as a user that may use lower ones";
      break;
    case EAFNOSUPPORT:
      mend = "this machine has no such address family: use a carrier of the other one";
      break;
  }
  return Error(absl::StatusCode::kInvalidArgument,
               fmt::format("listen at {}: {}", EndpointText(endpoint), ErrnoText(error.value())),
               mend, ErrnoAtom(error.value()));
}

}  // namespace

TcpListener::TcpListener(Loop& loop, tcp::acceptor acceptor)
    : loop_(loop), acceptor_(std::move(acceptor)), pause_(loop.io()) {
  asio::error_code ignored;
  endpoint_ = acceptor_.local_endpoint(ignored);
}

absl::StatusOr<std::unique_ptr<TcpListener>> TcpListener::Listen(Loop& loop, bool is_v6,
                                                                 ListenOptions options) {
  if (options.port_min > options.port_max) {
    return Error(
        absl::StatusCode::kInvalidArgument,
        fmt::format("listen: port range {} to {} is empty", options.port_min, options.port_max),
        "give an inet_dist_listen_max that is not below inet_dist_listen_min", "einval");
  }
  ASSIGN_OR_RETURN(const asio::ip::address address,
                   InterfaceAddress(is_v6, options.interface_address));
  for (uint32_t port = options.port_min; port <= options.port_max; ++port) {
    const tcp::endpoint endpoint(address, static_cast<uint16_t>(port));
    tcp::acceptor acceptor(loop.io());
    const asio::error_code error = Open(acceptor, endpoint, options);
    if (!error && options.prepare != nullptr) {
      RETURN_IF_ERROR(options.prepare(acceptor.native_handle()));
    }
    if (!error) return std::unique_ptr<TcpListener>(new TcpListener(loop, std::move(acceptor)));
    if (error != asio::error::address_in_use) return ListenError(error, endpoint);
  }
  return AllInUse(tcp::endpoint(address, options.port_min), options.port_max);
}

Task<absl::StatusOr<std::unique_ptr<Stream>>> TcpListener::Accept(Loop& target) {
  while (!is_closed_) {
    tcp::socket socket(target.io());
    asio::error_code error;
    co_await acceptor_.async_accept(socket, asio::redirect_error(asio::use_awaitable, error));
    if (is_closed_) break;
    if (!error) {
      is_short_of_resources_ = false;
      asio::error_code ignored;
      socket.set_option(asio::socket_base::keep_alive(true), ignored);
      co_return MakeTcpStream(target, std::move(socket));
    }
    if (!is_short_of_resources_) {
      is_short_of_resources_ = true;
      LogWarn("accept_paused")
          .Add("address", AddressText())
          .Add("reason", ErrnoAtom(error.value()))
          .Add("mend", "raise the limit of open files (ulimit -n) if this lasts");
    }
    pause_.expires_after(kPause);
    co_await pause_.async_wait(asio::redirect_error(asio::use_awaitable, error));
  }
  co_return Error(absl::StatusCode::kUnavailable,
                  fmt::format("accept at {}: closed on this side", AddressText()), "", "closed");
}

std::string TcpListener::AddressText() const { return EndpointText(endpoint_); }

void TcpListener::Close() {
  if (is_closed_) return;
  is_closed_ = true;
  asio::error_code ignored;
  acceptor_.close(ignored);
  pause_.cancel();
}

}  // namespace noded::base
