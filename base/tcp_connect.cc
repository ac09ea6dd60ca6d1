#include "base/tcp_connect.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "asio/ip/tcp.hpp"
#include "asio/redirect_error.hpp"
#include "asio/steady_timer.hpp"
#include "asio/use_awaitable.hpp"
#include "fmt/format.h"

#include "base/deadline.h"
#include "base/status.h"
#include "base/tcp_stream.h"

namespace noded::base {
namespace {

using asio::ip::tcp;
using Endpoints = std::vector<tcp::endpoint>;

std::string_view FamilyText(AddressFamily family) {
  switch (family) {
    case AddressFamily::kV4:
      return "IPv4 ";
    case AddressFamily::kV6:
      return "IPv6 ";
    case AddressFamily::kAny:
      break;
  }
  return "";
}

bool IsOf(AddressFamily family, const asio::ip::address& address) {
  return family == AddressFamily::kAny || address.is_v6() == (family == AddressFamily::kV6);
}

absl::Status NoAddress(const std::string& host, AddressFamily family, std::string_view cause) {
  return Error(absl::StatusCode::kUnavailable,
               fmt::format("resolve {}: no {}address: {}", host, FamilyText(family), cause),
               "check the host name, /etc/hosts and the resolver, or use the other address family",
               "nxdomain");
}

absl::Status TimedOut(const std::string& what) {
  return Error(absl::StatusCode::kDeadlineExceeded, fmt::format("{}: no answer in time", what),
               "check that the host is up and that no firewall drops the packets", "timeout");
}

// getaddrinfo cannot be interrupted: it may go on after the deadline, with a state of its own.
struct Resolving {
  explicit Resolving(Loop& loop) : resolver(loop.io()), done(loop.io()) {}
  tcp::resolver resolver;
  asio::steady_timer done;
  bool is_done = false;
  asio::error_code error;
  Endpoints endpoints;
};

Task<absl::StatusOr<Endpoints>> Resolve(Loop& loop, std::string host, uint16_t port,
                                        AddressFamily family, TimePoint deadline) {
  asio::error_code not_numeric;
  const asio::ip::address numeric = asio::ip::make_address(host, not_numeric);
  if (!not_numeric) {
    if (!IsOf(family, numeric)) co_return NoAddress(host, family, "it is of the other family");
    co_return Endpoints{tcp::endpoint(numeric, port)};
  }
  auto state = std::make_shared<Resolving>(loop);
  state->done.expires_at(deadline);
  auto take = [state](const asio::error_code& error, const tcp::resolver::results_type& results) {
    state->is_done = true;
    state->error = error;
    for (const auto& entry : results) state->endpoints.push_back(entry.endpoint());
    state->done.cancel();
  };
  const std::string service = std::to_string(port);
  const auto flags = tcp::resolver::numeric_service;
  if (family == AddressFamily::kAny) {
    state->resolver.async_resolve(host, service, flags, std::move(take));
  } else {
    const tcp protocol = family == AddressFamily::kV6 ? tcp::v6() : tcp::v4();
    state->resolver.async_resolve(protocol, host, service, flags, std::move(take));
  }
  asio::error_code ignored;
  co_await state->done.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  if (!state->is_done) {
    state->resolver.cancel();
    co_return TimedOut(fmt::format("resolve {}", host));
  }
  if (state->error) co_return NoAddress(host, family, state->error.message());
  if (state->endpoints.empty()) co_return NoAddress(host, family, "the resolver knows none");
  co_return std::move(state->endpoints);
}

std::string Mend(int error) {
  switch (error) {
    case ECONNREFUSED:
      return "nothing listens there: check that the peer runs, and its port";
    case EHOSTUNREACH:
    case ENETUNREACH:
    case ETIMEDOUT:
      return "check that the host is up and reachable from here";
    default:
      return "";
  }
}

absl::Status Failed(const std::string& what, const asio::error_code& error) {
  return Error(absl::StatusCode::kUnavailable,
               fmt::format("{}: {}", what, ErrnoText(error.value())), Mend(error.value()),
               ErrnoAtom(error.value()));
}

Task<absl::StatusOr<std::unique_ptr<Stream>>> ConnectOne(Loop& loop, tcp::endpoint endpoint,
                                                         std::string what, TimePoint deadline,
                                                         PrepareSocket prepare) {
  tcp::socket socket(loop.io());
  asio::error_code error;
  socket.open(endpoint.protocol(), error);
  if (error) co_return Failed(what, error);
  asio::error_code ignored;
  socket.set_option(asio::socket_base::keep_alive(true), ignored);
  if (prepare != nullptr) {
    if (absl::Status prepared = prepare(socket.native_handle()); !prepared.ok()) {
      co_return Annotate(prepared, what);
    }
  }
  {
    Deadline guard(loop, deadline, [&socket] {
      asio::error_code ignored;
      socket.close(ignored);
    });
    co_await socket.async_connect(endpoint, asio::redirect_error(asio::use_awaitable, error));
    if (guard.is_over()) co_return TimedOut(what);
  }
  if (error) co_return Failed(what, error);
  co_return MakeTcpStream(loop, std::move(socket));
}

std::string TargetText(const std::string& host, const tcp::endpoint& endpoint) {
  PeerIdentity peer;
  peer.address = endpoint.address().to_string();
  peer.port = endpoint.port();
  std::string text = AddressText(peer);
  return peer.address == host ? text : fmt::format("{} ({})", host, text);
}

}  // namespace

Task<absl::StatusOr<std::unique_ptr<Stream>>> ConnectTcp(Loop& loop, std::string host,
                                                         uint16_t port, AddressFamily family,
                                                         TimePoint deadline,
                                                         PrepareSocket prepare) {
  absl::StatusOr<Endpoints> endpoints = co_await Resolve(loop, host, port, family, deadline);
  if (!endpoints.ok()) co_return endpoints.status();
  absl::Status failure;
  for (size_t i = 0; i < endpoints->size(); ++i) {
    const tcp::endpoint endpoint = (*endpoints)[i];
    const TimePoint now = loop.Now();
    const auto left = static_cast<Duration::rep>(endpoints->size() - i);
    const TimePoint until = now < deadline ? now + (deadline - now) / left : deadline;
    std::string what = fmt::format("connect to {}", TargetText(host, endpoint));
    absl::StatusOr<std::unique_ptr<Stream>> stream =
        co_await ConnectOne(loop, endpoint, std::move(what), until, prepare);
    if (stream.ok()) co_return std::move(stream);
    // The first address is the preferred one: its failure says the most.
    if (failure.ok()) failure = stream.status();
  }
  co_return failure;
}

}  // namespace noded::base
