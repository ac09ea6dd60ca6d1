#include "tests/testlib/slow_clients.h"

#include <set>

#include "asio/ip/tcp.hpp"
#include "asio/read.hpp"
#include <gtest/gtest.h>

#include "tests/testlib/wait.h"

namespace noded::testlib {
namespace {

using asio::ip::tcp;

class SlowClientsTest : public testing::Test {
 protected:
  uint16_t port() const { return acceptor_.local_endpoint().port(); }

  asio::io_context io_;
  tcp::acceptor acceptor_{io_, tcp::endpoint(asio::ip::address_v4::loopback(), 0)};
};

TEST_F(SlowClientsTest, SomeAreSilentAndSomeDrip) {
  SlowClients flood({.port = port(),
                     .silent = 20,
                     .dripping = 5,
                     .drip = "ab",
                     .interval = std::chrono::milliseconds(1)});
  std::vector<tcp::socket> accepted;
  for (int i = 0; i < 25; ++i) accepted.push_back(acceptor_.accept());
  ASSERT_TRUE(Eventually([&] { return flood.open() == 25; }));
  auto ready = [&accepted] {
    return std::count_if(accepted.begin(), accepted.end(),
                         [](const tcp::socket& socket) { return socket.available() >= 4; });
  };
  ASSERT_TRUE(Eventually([&] { return ready() == 5; }));
  int silent = 0;
  for (tcp::socket& socket : accepted) {
    if (socket.available() == 0) {
      ++silent;
      continue;
    }
    std::string text(4, '?');
    asio::read(socket, asio::buffer(text));
    EXPECT_EQ(text, std::string("ab\0\0", 4));
  }
  EXPECT_EQ(silent, 20);
}

TEST_F(SlowClientsTest, ComeBackWhenTheyAreThrownOut) {
  SlowClients flood({.port = port(), .silent = 1, .dripping = 1});
  for (int i = 0; i < 6; ++i) acceptor_.accept().close();
  EXPECT_TRUE(Eventually([&] { return flood.closed_by_server() >= 6; }));
  EXPECT_GE(flood.opened(), 6);
}

TEST_F(SlowClientsTest, StayAwayWhenTheyAreNotStubborn) {
  SlowClients flood({.port = port(), .silent = 2, .is_stubborn = false});
  acceptor_.accept().close();
  acceptor_.accept().close();
  EXPECT_TRUE(Eventually([&] { return flood.closed_by_server() == 2; }));
  EXPECT_EQ(flood.open(), 0);
}

TEST_F(SlowClientsTest, ComeFromManyAddresses) {
  SlowClients flood({.port = port(), .silent = 30, .sources = 10});
  std::set<std::string> addresses;
  for (int i = 0; i < 30; ++i) {
    tcp::socket socket = acceptor_.accept();
    addresses.insert(socket.remote_endpoint().address().to_string());
  }
  EXPECT_EQ(addresses.size(), 10u);
}

TEST(SlowClientsWithoutServerTest, CountRefusals) {
  uint16_t closed_port = 0;
  {
    asio::io_context io;
    tcp::acceptor acceptor(io, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    closed_port = acceptor.local_endpoint().port();
  }
  SlowClients flood({.port = closed_port, .silent = 3});
  EXPECT_TRUE(Eventually([&] { return flood.refused() >= 3; }));
  EXPECT_EQ(flood.opened(), 0);
}

}  // namespace
}  // namespace noded::testlib
