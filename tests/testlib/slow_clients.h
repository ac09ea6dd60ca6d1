// Clients that connect to a server and waste its time: the server must serve others meanwhile.
//
//   SlowClients flood({.port = port, .silent = 500, .dripping = 100});
//   ASSERT_TRUE(Eventually([&] { return flood.opened() >= 600; }));
//   ...                                     // a real peer connects as if they were not there
//   EXPECT_GT(flood.closed_by_server(), 0);
//
// All of them run on one thread of this object, from its constructor to its destructor, which
// closes them. The counters may be read on any thread. Raises this process's limit of open files.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "asio/io_context.hpp"

namespace noded::testlib {

// How an attack begins that is meant to last: heads of messages that promise more to come.
inline constexpr char kSlowTlsHello[] = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";
inline constexpr char kSlowDistName[] = "\xff\x00N";

struct SlowClientsOptions {
  std::string address = "127.0.0.1";
  uint16_t port = 0;
  // Clients that send nothing.
  int silent = 0;
  // Clients that send one byte an interval: of `drip`, then zeros for ever.
  int dripping = 0;
  std::string drip = std::string(kSlowTlsHello, sizeof(kSlowTlsHello) - 1);
  std::chrono::milliseconds interval = std::chrono::seconds(1);
  // How many addresses they come from (127.1.0.1 and up); 0: from the one that the system chooses.
  int sources = 0;
  // Whether a client that was thrown out comes back.
  bool is_stubborn = true;
};

class SlowClients {
 public:
  explicit SlowClients(SlowClientsOptions options);
  ~SlowClients();
  SlowClients(const SlowClients&) = delete;
  SlowClients& operator=(const SlowClients&) = delete;

  // Connections now; and ever made; ended by the server; that the server did not take.
  int open() const { return open_; }
  int opened() const { return opened_; }
  int closed_by_server() const { return closed_by_server_; }
  int refused() const { return refused_; }

 private:
  class Client;

  const SlowClientsOptions options_;
  std::atomic<int> open_ = 0, opened_ = 0, closed_by_server_ = 0, refused_ = 0;
  asio::io_context io_;
  std::vector<std::unique_ptr<Client>> clients_;
  std::thread thread_;
};

}  // namespace noded::testlib
