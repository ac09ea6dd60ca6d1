#include "tests/testlib/slow_clients.h"

#include <sys/resource.h>

#include <array>

#include "asio/buffer.hpp"
#include "asio/ip/tcp.hpp"
#include "asio/steady_timer.hpp"
#include "asio/write.hpp"
#include <gtest/gtest.h>

namespace noded::testlib {
namespace {

using asio::ip::tcp;

constexpr auto kRest = std::chrono::milliseconds(100);  // before a client comes back

}  // namespace

// Runs on the thread of its owner, and goes only after that has ended.
class SlowClients::Client {
 public:
  Client(SlowClients& owner, asio::ip::address source, bool is_dripping)
      : owner_(owner),
        source_(std::move(source)),
        is_dripping_(is_dripping),
        socket_(owner.io_),
        drip_timer_(owner.io_),
        return_timer_(owner.io_) {}

  void Connect() {
    asio::error_code error;
    const tcp::endpoint server(asio::ip::make_address(owner_.options_.address),
                               owner_.options_.port);
    socket_ = tcp::socket(owner_.io_);
    socket_.open(server.protocol(), error);
    if (!error && !source_.is_unspecified()) socket_.bind({source_, 0}, error);
    if (error) {
      ADD_FAILURE() << "a slow client has no socket: " << error.message();
      return;
    }
    sent_ = 0;
    ++connection_;
    socket_.async_connect(server, [this](asio::error_code failed) {
      if (failed) {
        ++owner_.refused_;
        ComeBack();
        return;
      }
      ++owner_.opened_;
      ++owner_.open_;
      Read();
      if (is_dripping_) Drip(connection_);
    });
  }

 private:
  // Until the server ends the connection; what it says is of no interest.
  void Read() {
    socket_.async_read_some(asio::buffer(ignored_), [this](asio::error_code error, size_t) {
      if (!error) {
        Read();
        return;
      }
      --owner_.open_;
      ++owner_.closed_by_server_;
      socket_.close(error);
      ComeBack();
    });
  }

  // What is left of an earlier connection's dripping ends by itself.
  void Drip(int connection) {
    if (connection != connection_ || !socket_.is_open()) return;
    const std::string& drip = owner_.options_.drip;
    byte_[0] = sent_ < drip.size() ? drip[sent_] : '\0';
    ++sent_;
    // A failure is Read()'s affair.
    asio::async_write(socket_, asio::buffer(byte_), [this, connection](asio::error_code e, size_t) {
      if (e || connection != connection_) return;
      drip_timer_.expires_after(owner_.options_.interval);
      drip_timer_.async_wait([this, connection](asio::error_code) { Drip(connection); });
    });
  }

  void ComeBack() {
    if (!owner_.options_.is_stubborn) return;
    return_timer_.expires_after(kRest);
    return_timer_.async_wait([this](asio::error_code) { Connect(); });
  }

  SlowClients& owner_;
  const asio::ip::address source_;
  const bool is_dripping_;
  tcp::socket socket_;
  asio::steady_timer drip_timer_, return_timer_;
  int connection_ = 0;  // number of the present one
  std::array<char, 512> ignored_;
  std::array<char, 1> byte_;
  size_t sent_ = 0;
};

SlowClients::SlowClients(SlowClientsOptions options) : options_(std::move(options)) {
  rlimit limit = {};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
  for (int i = 0; i < options_.silent + options_.dripping; ++i) {
    asio::ip::address source;
    if (options_.sources > 0) {
      const int number = 1 + i % options_.sources;
      source = asio::ip::make_address_v4(0x7f010000u + static_cast<uint32_t>(number));
    }
    clients_.push_back(std::make_unique<Client>(*this, source, i >= options_.silent));
    clients_.back()->Connect();
  }
  thread_ = std::thread([this] { io_.run(); });
}

SlowClients::~SlowClients() {
  io_.stop();
  thread_.join();
}

}  // namespace noded::testlib
