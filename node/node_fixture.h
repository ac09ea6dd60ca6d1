// Nodes in one process, over the plain carrier, with an embedded epmd on a port of their own.
//
//   class NodeTest : public NodeFixture {};
//   auto a = Start("a"), b = Start("b");                 // a@127.0.0.1, b@127.0.0.1
#pragma once

#include <functional>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "dist/carrier/tcp.h"
#include "node/node.h"
#include "tests/testlib/ports.h"

namespace noded::node {

inline constexpr std::chrono::seconds kSoon{30};

class NodeFixture : public testing::Test {
 protected:
  std::unique_ptr<Node> Start(const std::string& name, const std::string& cookie = "secret",
                              std::function<void(NodeOptions&)> change = {}) {
    absl::StatusOr<std::unique_ptr<Node>> node = TryStart(name, cookie, change);
    EXPECT_TRUE(node.ok()) << node.status();
    return node.ok() ? *std::move(node) : nullptr;
  }

  absl::StatusOr<std::unique_ptr<Node>> TryStart(const std::string& name,
                                                 const std::string& cookie = "secret",
                                                 std::function<void(NodeOptions&)> change = {}) {
    NodeOptions options;
    options.name = name + "@127.0.0.1";
    options.cookies = std::make_shared<const dist::CookieJar>(
        dist::Cookie{base::Secret(cookie), "option -setcookie"});
    options.epmd.port = epmd_port_;
    options.epmd.addresses = {"127.0.0.1"};
    options.listen.interface_address = "127.0.0.1";
    options.loops = 2;
    if (change) change(options);
    return Node::Start(std::move(options), carrier_.get());
  }

  std::unique_ptr<dist::Carrier> carrier_ = dist::MakeTcpCarrier(false);
  uint16_t epmd_port_ = testlib::FreePort();
};

}  // namespace noded::node
