// -kernel check_ip: who connects from another network is refused, before anything is read.
#include <array>
#include <chrono>
#include <string>
#include <thread>

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/testlib/log_events.h"
#include "tests/testlib/noded.h"
#include "tests/testlib/ports.h"
#include "tests/testlib/private_network.h"

namespace noded::interop {
namespace {

using testlib::LogReader;
using testlib::Nodectl;
using testlib::NodedOptions;
using testlib::NodedProcess;

class CheckIpTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    const absl::Status entered = testlib::EnterPrivateNetwork(
        {{"10.9.0.1", "255.255.255.0"}, {"10.9.1.1", "255.255.255.0"}});
    ASSERT_TRUE(entered.ok()) << entered;
  }

  NodedOptions Shop(const char* check_ip) const {
    NodedOptions options;
    options.epmd_port = epmd_port_;
    options.arguments = {"-kernel", "check_ip", check_ip};
    return options.Named("shop@10.9.0.1");
  }

  // From one address to another; false when the node ends the connection within a second, although
  // it has heard nothing wrong.
  static bool IsLetIn(const std::string& from, const std::string& to, uint16_t port) {
    asio::io_context io;
    asio::ip::tcp::socket socket(io);
    socket.open(asio::ip::tcp::v4());
    socket.bind({asio::ip::make_address(from), 0});
    socket.connect({asio::ip::make_address(to), port});
    asio::error_code error;
    std::array<char, 1> byte;
    socket.non_blocking(true);
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(1);
    while (std::chrono::steady_clock::now() < deadline) {
      socket.read_some(asio::buffer(byte), error);
      if (error != asio::error::would_block) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return true;
  }

  const uint16_t epmd_port_ = testlib::FreePort();
};

TEST_F(CheckIpTest, OnlyTheNetworkThatIsConnectedToIsLetIn) {
  NodedProcess shop(Shop("true"));
  ASSERT_TRUE(shop.WaitReady().ok()) << shop.Log();
  LogReader log(shop);
  EXPECT_TRUE(IsLetIn("10.9.0.1", "10.9.0.1", shop.port()));
  EXPECT_TRUE(IsLetIn("127.0.0.1", "127.0.0.1", shop.port()));
  EXPECT_FALSE(IsLetIn("10.9.1.1", "10.9.0.1", shop.port()));
  const auto refused = log.WaitFor("handshake_refused", {{"reason", "disallowed_ip"}});
  ASSERT_TRUE(refused.ok()) << refused.status();
  EXPECT_NE(refused->Get("cause").find("10.9.1.1 is not of the network of 10.9.0.1"),
            std::string::npos);
  EXPECT_NE(refused->Get("mend").find("check_ip"), std::string::npos);

  NodedOptions client;
  client.epmd_port = epmd_port_;
  const auto pong = Nodectl(client, {"ping", "shop@10.9.0.1"});
  EXPECT_EQ(pong.out, "pong\n") << pong.err << shop.Log();
}

TEST_F(CheckIpTest, WithoutItEverybodyIsHeard) {
  NodedProcess shop(Shop("false"));
  ASSERT_TRUE(shop.WaitReady().ok()) << shop.Log();
  EXPECT_TRUE(IsLetIn("10.9.1.1", "10.9.0.1", shop.port()));
}

}  // namespace
}  // namespace noded::interop
