// One connection to an epmd, by bytes: to hold OTP's and ours to the same answers.
//
//   EpmdProbe shop({.port = port});
//   shop.Send(EncodeEpmdRequest(EpmdRegister{{.name = "shop", .port = 4711}}).ToSlice());
//   EXPECT_EQ(shop.Read(6).substr(0, 2), std::string("v\0", 2));
//   EXPECT_EQ(EpmdProbe({.port = port}).Ask("k"), "NO");        // a request, all that is answered
//
// What is not there in time is a test failure. One thread at a time.
#pragma once

#include <poll.h>

#include <string>
#include <string_view>

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/buffer.hpp>
#include <asio/write.hpp>
#include <gtest/gtest.h>

#include "base/bytes.h"

namespace noded::interop {

class EpmdProbe {
 public:
  struct Where {
    uint16_t port = 0;
    std::string address = "127.0.0.1";
    // Where it comes from; empty: as the system chooses.
    std::string source = {};
  };

  explicit EpmdProbe(const Where& where) : socket_(io_) {
    const asio::ip::tcp::endpoint server(asio::ip::make_address(where.address), where.port);
    asio::error_code error;
    socket_.open(server.protocol(), error);
    if (!where.source.empty()) socket_.bind({asio::ip::make_address(where.source), 0}, error);
    socket_.connect(server, error);
    is_connected_ = !error;
  }

  bool is_connected() const { return is_connected_; }

  void Send(base::ByteView bytes) {
    asio::error_code ignored;  // the other side may have left
    asio::write(socket_, asio::buffer(bytes.data(), bytes.size()), ignored);
  }
  // With its length in front.
  void SendRequest(std::string_view request) {
    const char size[] = {static_cast<char>(request.size() >> 8), static_cast<char>(request.size())};
    Send(base::AsBytes(std::string(size, sizeof(size)) + std::string(request)));
  }
  void EndSending() {
    asio::error_code ignored;
    socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  }
  void Close() { socket_.close(); }

  // Exactly so many bytes, fewer when the other side ends before.
  std::string Read(size_t size) {
    std::string bytes;
    while (bytes.size() < size && ReadSome(bytes, size - bytes.size())) {
    }
    return bytes;
  }
  std::string ReadToEnd() {
    std::string bytes;
    while (ReadSome(bytes, 4096)) {
    }
    return bytes;
  }
  std::string Ask(std::string_view request) {
    SendRequest(request);
    return ReadToEnd();
  }

 private:
  // False at the end of the connection.
  bool ReadSome(std::string& into, size_t most) {
    pollfd readable{.fd = socket_.native_handle(), .events = POLLIN, .revents = 0};
    if (poll(&readable, 1, kPatienceMs) <= 0) {
      ADD_FAILURE() << "no answer in time";
      return false;
    }
    std::string bytes(most, '\0');
    asio::error_code error;
    bytes.resize(socket_.read_some(asio::buffer(bytes), error));
    into += bytes;
    return !error;
  }

  static constexpr int kPatienceMs = 30'000;

  asio::io_context io_;
  asio::ip::tcp::socket socket_;
  bool is_connected_ = false;
};

}  // namespace noded::interop
