// Clients that begin a handshake, go when the server has done its part, and come back: what costs
// a server most for what it costs them.
//
//   FailingClients flood({.port = port, .clients = 50, .hello = client_hello});
//   ASSERT_TRUE(Eventually([&] { return flood.failed() >= 200; }));
//   ...                                     // a real peer connects as if they were not there
//
// All of them run on one thread of this object, from its constructor to its destructor, which
// closes them. The counters may be read on any thread.
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

struct FailingClientsOptions {
  std::string address = "127.0.0.1";
  uint16_t port = 0;
  int clients = 0;
  // What they say; the first answer, or the end, is all that they wait for.
  std::string hello;
  // How many addresses they come from (127.2.0.1 and up); 0: from the one that the system chooses.
  int sources = 0;
  // Before a client comes back.
  std::chrono::milliseconds rest{20};
};

class FailingClients {
 public:
  explicit FailingClients(FailingClientsOptions options);
  ~FailingClients();
  FailingClients(const FailingClients&) = delete;
  FailingClients& operator=(const FailingClients&) = delete;

  // Handshakes begun, and those that were answered or ended.
  int begun() const { return begun_; }
  int failed() const { return failed_; }

 private:
  class Client;

  const FailingClientsOptions options_;
  std::atomic<int> begun_ = 0, failed_ = 0;
  asio::io_context io_;
  std::vector<std::unique_ptr<Client>> clients_;
  std::thread thread_;
};

}  // namespace noded::testlib
