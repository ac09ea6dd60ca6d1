#include "tests/testlib/wire_tap.h"

#include <array>
#include <utility>

#include "asio/buffer.hpp"
#include "asio/post.hpp"
#include "asio/write.hpp"
#include <gtest/gtest.h>

namespace noded::testlib {

using asio::ip::tcp;

// One direction of a connection.
struct WireTap::Half {
  tcp::socket& from;
  tcp::socket& to;
  std::string& copy;
  std::array<char, 16384> bytes;
  size_t held = 0;  // bytes that are not passed on yet
};

struct WireTap::Pair {
  Pair(WireTap& tap)
      : client(tap.io_),
        server(tap.io_),
        up{client, server, tap.from_client_, {}, 0},
        down{server, client, tap.from_server_, {}, 0} {}
  tcp::socket client, server;
  Half up, down;
};

WireTap::WireTap(uint16_t server_port, Begin begin)
    : server_port_(server_port), is_held_(begin == kHeld) {
  const tcp::endpoint any(asio::ip::address_v4::loopback(), 0);
  acceptor_.open(any.protocol());
  acceptor_.bind(any);
  acceptor_.listen();
  port_ = acceptor_.local_endpoint().port();
  Accept();
  thread_ = std::thread([this] { io_.run(); });
}

WireTap::~WireTap() {
  io_.stop();
  thread_.join();
}

void WireTap::Accept() {
  Pair& pair = pairs_.emplace_back(*this);
  acceptor_.async_accept(pair.client, [this, &pair](asio::error_code error) {
    if (error) return;
    pair.server.connect({asio::ip::address_v4::loopback(), server_port_}, error);
    if (error) {
      ADD_FAILURE() << "nobody listens behind the tap, at " << server_port_ << ": "
                    << error.message();
      pair.client.close(error);
    } else {
      Pump(pair.up);
      Pump(pair.down);
    }
    Accept();
  });
}

void WireTap::Pump(Half& half) {
  half.from.async_read_some(asio::buffer(half.bytes),
                            [this, &half](asio::error_code error, size_t count) {
                              asio::error_code ignored;
                              if (error) {
                                half.to.shutdown(tcp::socket::shutdown_send, ignored);
                                return;
                              }
                              {
                                std::lock_guard lock(mutex_);
                                half.copy.append(half.bytes.data(), count);
                              }
                              half.held = count;
                              if (!is_held_) PassOn(half);
                            });
}

void WireTap::PassOn(Half& half) {
  const auto held = asio::buffer(half.bytes, std::exchange(half.held, 0));
  asio::async_write(half.to, held, [this, &half](asio::error_code failed, size_t) {
    asio::error_code ignored;
    if (!failed) return Pump(half);
    half.from.shutdown(tcp::socket::shutdown_both, ignored);
  });
}

void WireTap::Release() {
  asio::post(io_, [this] {
    is_held_ = false;
    for (Pair& pair : pairs_) {
      for (Half* half : {&pair.up, &pair.down}) {
        if (half->held > 0) PassOn(*half);
      }
    }
  });
}

std::string WireTap::FromServer() {
  std::lock_guard lock(mutex_);
  return from_server_;
}

std::string WireTap::FromClient() {
  std::lock_guard lock(mutex_);
  return from_client_;
}

}  // namespace noded::testlib
