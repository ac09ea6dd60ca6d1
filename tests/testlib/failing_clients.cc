#include "tests/testlib/failing_clients.h"

#include <array>
#include <utility>

#include "asio/buffer.hpp"
#include "asio/ip/tcp.hpp"
#include "asio/steady_timer.hpp"
#include "asio/write.hpp"
#include <gtest/gtest.h>

namespace noded::testlib {

using asio::ip::tcp;

// Runs on the thread of its owner, and goes only after that has ended.
class FailingClients::Client {
 public:
  Client(FailingClients& owner, asio::ip::address source)
      : owner_(owner), source_(std::move(source)), socket_(owner.io_), timer_(owner.io_) {}

  void Connect() {
    asio::error_code error;
    const tcp::endpoint server(asio::ip::make_address(owner_.options_.address),
                               owner_.options_.port);
    socket_ = tcp::socket(owner_.io_);
    socket_.open(server.protocol(), error);
    if (!error && !source_.is_unspecified()) socket_.bind({source_, 0}, error);
    if (error) {
      ADD_FAILURE() << "a failing client has no socket: " << error.message();
      return;
    }
    socket_.async_connect(server, [this](asio::error_code refused) {
      if (refused) {
        ComeBack();
        return;
      }
      ++owner_.begun_;
      Begin();
    });
  }

 private:
  void Begin() {
    asio::async_write(
        socket_, asio::buffer(owner_.options_.hello), [this](asio::error_code, size_t) {
          // A failed write shows here, too.
          socket_.async_read_some(asio::buffer(answer_), [this](asio::error_code, size_t) {
            ++owner_.failed_;
            ComeBack();
          });
        });
  }

  void ComeBack() {
    asio::error_code ignored;
    socket_.set_option(asio::socket_base::linger(true, 0), ignored);  // leaves no TIME_WAIT
    socket_.close(ignored);
    timer_.expires_after(owner_.options_.rest);
    timer_.async_wait([this](asio::error_code) { Connect(); });
  }

  FailingClients& owner_;
  const asio::ip::address source_;
  tcp::socket socket_;
  asio::steady_timer timer_;
  std::array<char, 4096> answer_;
};

FailingClients::FailingClients(FailingClientsOptions options) : options_(std::move(options)) {
  for (int i = 0; i < options_.clients; ++i) {
    asio::ip::address source;
    if (options_.sources > 0) {
      const int number = 1 + i % options_.sources;
      source = asio::ip::make_address_v4(0x7f020000u + static_cast<uint32_t>(number));
    }
    clients_.push_back(std::make_unique<Client>(*this, source));
    clients_.back()->Connect();
  }
  thread_ = std::thread([this] { io_.run(); });
}

FailingClients::~FailingClients() {
  io_.stop();
  thread_.join();
}

}  // namespace noded::testlib
