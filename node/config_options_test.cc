#include "node/config_options.h"

#include <gtest/gtest.h>

#include "base/status.h"
#include "tests/testlib/temp_dir.h"

namespace noded::node {
namespace {

NodeConfig Config() {
  NodeConfig config;
  config.name = "a@box";
  config.cookie.common = dist::Cookie{base::Secret("common"), "-setcookie"};
  return config;
}

TEST(ConfigOptionsTest, EverySettingReachesTheNode) {
  NodeConfig config = Config();
  config.cookie.by_node["b@box"] = dist::Cookie{base::Secret("theirs"), "-setcookie"};
  config.is_hidden = true;
  config.listen = {false, "127.0.0.1", 4000, 4010};
  config.epmd = {false, false, 5000, {"::1"}, true, 7000};
  config.time.net_ticktime = std::chrono::seconds(15);
  config.time.net_setuptime = std::chrono::milliseconds(2500);
  config.dist_auto_connect = AutoConnect::kOnce;
  config.start_pg = true;
  config.connect_all = false;
  config.prevent_overlapping_partitions = false;
  auto options = MakeNodeOptions(config);
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->name, "a@box");
  EXPECT_EQ(options->cookies->For("c@box").text.view(), "common");
  EXPECT_EQ(options->cookies->For("b@box").text.view(), "theirs");
  EXPECT_TRUE(options->is_hidden);
  EXPECT_FALSE(options->does_listen);
  EXPECT_EQ(options->listen.interface_address, "127.0.0.1");
  EXPECT_EQ(options->listen.port_min, 4000);
  EXPECT_EQ(options->listen.port_max, 4010);
  EXPECT_EQ(options->epmd.port, 5000);
  EXPECT_FALSE(options->epmd.may_start);
  EXPECT_EQ(options->epmd.addresses, std::vector<std::string>{"::1"});
  EXPECT_TRUE(options->epmd.relaxed_command_check);
  EXPECT_EQ(options->epmd.fixed_port, 7000);
  EXPECT_EQ(options->auto_connect, ConnectPolicy::kOnce);
  EXPECT_TRUE(options->start_pg);
  EXPECT_FALSE(options->connect_all);
  EXPECT_FALSE(options->prevent_overlapping_partitions);
  EXPECT_EQ(options->net_ticktime, std::chrono::seconds(15));
  EXPECT_EQ(options->limits.handshake_timeout, std::chrono::milliseconds(2500));
}

TEST(ConfigOptionsTest, WithoutACookieTheFileIsRead) {
  testlib::TempDir home;
  home.Write(".erlang.cookie", "FROMFILE");
  NodeConfig config = Config();
  config.cookie.common.reset();
  config.cookie.places.home = home.path();
  auto options = MakeNodeOptions(config);
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->cookies->common().text.view(), "FROMFILE");
  home.Write(".erlang.cookie", "");
  EXPECT_FALSE(MakeNodeOptions(config).ok());
}

}  // namespace
}  // namespace noded::node
