// Between a client and a server: passes on what they send, and keeps a copy.
//
//   WireTap tap(shop.port());
//   ... a client connects to tap.port() ...
//   EXPECT_NE(tap.FromServer().find(kRetry), std::string::npos);
//
//   WireTap slow(shop.port(), WireTap::kHeld);       // passes nothing on before Release()
//
// Loopback only. Runs on a thread of its own, from the constructor to the destructor, which cuts
// what is still open. Thread-safe but for destruction.
#pragma once

#include <cstdint>
#include <list>
#include <mutex>
#include <string>
#include <thread>

#include "asio/io_context.hpp"
#include "asio/ip/tcp.hpp"

namespace noded::testlib {

class WireTap {
 public:
  enum Begin { kOpen, kHeld };

  explicit WireTap(uint16_t server_port, Begin begin = kOpen);
  ~WireTap();
  WireTap(const WireTap&) = delete;
  WireTap& operator=(const WireTap&) = delete;

  uint16_t port() const { return port_; }
  // Of kHeld: what has come until now goes on, and what comes later too.
  void Release();
  // All that has come, of all connections.
  std::string FromServer();
  std::string FromClient();

 private:
  struct Half;
  struct Pair;

  void Accept();
  void Pump(Half& half);
  void PassOn(Half& half);

  const uint16_t server_port_;
  uint16_t port_ = 0;
  std::mutex mutex_;
  std::string from_server_, from_client_;
  asio::io_context io_;
  asio::ip::tcp::acceptor acceptor_{io_};
  std::list<Pair> pairs_;
  bool is_held_;  // on thread_
  std::thread thread_;
};

}  // namespace noded::testlib
