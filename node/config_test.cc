#include "node/config.h"

#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/status.h"

namespace noded::node {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

ConfigInputs Inputs(std::map<std::string, std::string> files = {}) {
  ConfigInputs inputs;
  inputs.hosts = {[] { return std::string("box"); }, [] { return std::string("box.example"); }};
  inputs.read_file = [files](const std::string& path) -> absl::StatusOr<std::string> {
    auto found = files.find(path);
    if (found != files.end()) return found->second;
    return base::Error(absl::StatusCode::kInvalidArgument, "cannot read " + path + ": no such file",
                       "give the path", "enoent");
  };
  return inputs;
}

absl::StatusOr<NodeConfig> Build(std::vector<std::string> arguments, Environment environment = {},
                                 const ConfigInputs& inputs = Inputs()) {
  FlagSources sources{std::move(arguments), std::move(environment), inputs.read_file};
  auto flags = ParseFlags(sources);
  if (!flags.ok()) return flags.status();
  return BuildConfig(*flags, inputs);
}

// Of a line that is right; -sname a is added.
NodeConfig Good(std::vector<std::string> arguments, Environment environment = {},
                const ConfigInputs& inputs = Inputs()) {
  arguments.insert(arguments.begin(), {"-sname", "a"});
  auto config = Build(arguments, environment, inputs);
  EXPECT_TRUE(config.ok()) << config.status();
  return config.ok() ? *config : NodeConfig();
}

// Of a line that is wrong; -sname a is added. The message has every part.
void ExpectRefused(std::vector<std::string> arguments, std::vector<std::string> parts,
                   Environment environment = {}, const ConfigInputs& inputs = Inputs()) {
  arguments.insert(arguments.begin(), {"-sname", "a"});
  auto config = Build(arguments, environment, inputs);
  ASSERT_FALSE(config.ok()) << parts[0];
  const std::string message(config.status().message());
  EXPECT_EQ(config.status().code(), absl::StatusCode::kInvalidArgument) << message;
  for (const std::string& part : parts) {
    EXPECT_NE(message.find(part), std::string::npos) << "no '" << part << "' in: " << message;
  }
}

TEST(ConfigTest, DefaultsAreOtps) {
  const NodeConfig config = Good({});
  EXPECT_EQ(config.name, "a@box");
  EXPECT_EQ(config.name_kind, NameKind::kShort);
  EXPECT_EQ(config.carrier, "inet_tcp");
  EXPECT_FALSE(config.is_hidden);
  EXPECT_TRUE(config.listen.is_on);
  EXPECT_TRUE(config.connect_all);
  EXPECT_EQ(config.listen.port_min, 0);
  EXPECT_EQ(config.time.net_ticktime, seconds(60));
  EXPECT_EQ(config.time.net_tickintensity, 4);
  EXPECT_EQ(config.time.net_setuptime, milliseconds(7000));
  EXPECT_EQ(config.dist_auto_connect, AutoConnect::kTrue);
  EXPECT_TRUE(config.epmd.is_used && config.epmd.start);
  EXPECT_EQ(config.epmd.port, 4369);
  EXPECT_FALSE(config.cookie.common);
  EXPECT_EQ(config.log_level, base::LogLevel::kInfo);
  EXPECT_TRUE(config.notices.empty() && config.ignored.empty());
  EXPECT_EQ(config.OriginOf("net_ticktime").kind, Origin::Kind::kDefault);
}

TEST(ConfigTest, ANodeNeedsANameButAClientMakesOneUp) {
  EXPECT_FALSE(Build({}).ok());
  ConfigInputs client = Inputs();
  client.is_client = true;
  client.target = "b@10.0.0.1";
  auto config = Build({}, {}, client);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_TRUE(config->name.starts_with("nodectl-") && config->name.ends_with("@box.example"));
  EXPECT_EQ(config->name_kind, NameKind::kLong);
  EXPECT_TRUE(config->is_hidden);
  EXPECT_FALSE(config->listen.is_on);
}

TEST(ConfigTest, OfTwoNamesTheFirstCountsAndTheShortOne) {
  auto config = Build({"-name", "l@x.y", "-sname", "b"}, {{"ERL_FLAGS", "-sname c"}}, Inputs());
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->name, "b@box");
  EXPECT_EQ(config->OriginOf("name").ToString(), "the command line");
  EXPECT_EQ(config->notices.size(), 2u);
}

TEST(ConfigTest, CookiesAreTakenForTheNodeAndForOthers) {
  const NodeConfig config =
      Good({"-setcookie", "common", "-setcookie", "b@box", "theirs"},
           {{"HOME", "/h"}, {"XDG_CONFIG_HOME", "/x"}, {"ERL_FLAGS", "-setcookie common"}});
  ASSERT_TRUE(config.cookie.common);
  EXPECT_EQ(config.cookie.common->text.view(), "common");
  EXPECT_EQ(config.cookie.common->origin, "-setcookie (the command line)");
  EXPECT_EQ(config.cookie.by_node.at("b@box").text.view(), "theirs");
  EXPECT_EQ(config.cookie.places.home, "/h");
  EXPECT_EQ(config.cookie.places.config_home, "/x");
}

TEST(ConfigTest, CookiesThatContradictAreRefusedAndNeverShown) {
  ExpectRefused({"-setcookie", "s3cret"}, {"-setcookie (ERL_FLAGS)", "(the command line)"},
                {{"ERL_FLAGS", "-setcookie 0ther"}});
  ExpectRefused({"-setcookie", "b@box", "x", "-setcookie", "b@box", "y"}, {"differs"});
  ExpectRefused({"-setcookie", ""}, {"is empty"});
  ExpectRefused({"-setcookie", "nohost", "x"}, {"-setcookie", "not the name of a node"});
  ExpectRefused({"-setcookie", std::string(256, 'x')}, {"longer than 255"});
  for (const char* flags : {"-setcookie s3cret -setcookie s3cretly", "-setcookie s3cret b@host",
                            "-setcookie b@host x s3cret"}) {
    auto config = Build({"-sname", "a"}, {{"ERL_FLAGS", flags}});
    EXPECT_FALSE(config.ok()) << flags;
    EXPECT_EQ(config.status().message().find("s3cret"), absl::string_view::npos) << flags;
  }
}

TEST(ConfigTest, AnUnknownCarrierIsRefused) {
  EXPECT_EQ(Good({"-proto_dist", "inet6_tcp"}).carrier, "inet6_tcp");
  ExpectRefused({"-proto_dist", "inet_tsl"}, {"-proto_dist (the command line)", "'inet_tls'?"});
  // erl would silently fall back to plain TCP.
  ExpectRefused({"-proto_dist", "inet_tls"}, {"-proto_dist (ERL_FLAGS)", "give it once"},
                {{"ERL_FLAGS", "-proto_dist inet_tcp"}});
}

TEST(ConfigTest, KernelParametersAreTerms) {
  const NodeConfig config =
      Good({"-kernel", "net_ticktime", "15", "net_setuptime", "2.5", "net_tickintensity", "2000",
            "-kernel", "dist_auto_connect", "once", "connect_all", "false", "start_pg", "true",
            "check_ip", "true", "prevent_overlapping_partitions", "false"},
           {{"ERL_FLAGS",
             "-kernel inet_dist_listen_min 4000 inet_dist_listen_max 4010 "
             "inet_dist_use_interface '{127,0,0,1}' logger_level warning"}});
  EXPECT_EQ(config.time.net_ticktime, seconds(15));
  EXPECT_EQ(config.time.net_setuptime, milliseconds(2500));
  EXPECT_EQ(config.time.net_tickintensity, 1000);
  EXPECT_EQ(config.dist_auto_connect, AutoConnect::kOnce);
  EXPECT_FALSE(config.connect_all);
  EXPECT_TRUE(config.start_pg);
  EXPECT_FALSE(config.prevent_overlapping_partitions);
  EXPECT_TRUE(config.listen.check_ip);
  EXPECT_EQ(config.listen.port_min, 4000);
  EXPECT_EQ(config.listen.port_max, 4010);
  EXPECT_EQ(config.listen.interface_address, "127.0.0.1");
  EXPECT_EQ(config.log_level, base::LogLevel::kWarn);
  EXPECT_EQ(config.OriginOf("inet_dist_listen_min").ToString(), "ERL_FLAGS");
}

TEST(ConfigTest, TheInterfaceMayBeWrittenInSeveralWays) {
  for (const char* text : {"{127,0,0,1}", "\"127.0.0.1\"", "127.0.0.1", "'127.0.0.1'"}) {
    EXPECT_EQ(Good({"-kernel", "inet_dist_use_interface", text}).listen.interface_address,
              "127.0.0.1")
        << text;
  }
  EXPECT_EQ(
      Good({"-proto_dist", "inet6_tcp", "-kernel", "inet_dist_use_interface", "{0,0,0,0,0,0,0,1}"})
          .listen.interface_address,
      "0:0:0:0:0:0:0:1");
  for (const char* text : {"{127,0,0,256}", "{127,0,0}", "eth0", "\"\"", "{}", "{127,0,0,a}"}) {
    ExpectRefused({"-kernel", "inet_dist_use_interface", text},
                  {"-kernel inet_dist_use_interface (the command line)", "expected is an address"});
  }
  ExpectRefused({"-kernel", "inet_dist_use_interface", "\"::1\""}, {"::1", "inet6_tcp"});
  ExpectRefused({"-proto_dist", "inet6_tcp", "-kernel", "inet_dist_use_interface", "{127,0,0,1}"},
                {"127.0.0.1", "IPv6"});
}

TEST(ConfigTest, WrongKernelParametersAreRefused) {
  ExpectRefused({"-kernel", "net_ticktim", "5"}, {"did you mean 'net_ticktime'?"});
  ExpectRefused({"-kernel", "net_ticktime", "soon"}, {"found soon", "expected is a number"});
  ExpectRefused({"-kernel", "net_ticktime", "{"}, {"net_ticktime", "no Erlang term"});
  ExpectRefused({"-kernel", "net_ticktime", "1", "x"}, {"parameter x has no value"});
  ExpectRefused({"-kernel", "net_setuptime", "0"}, {"more than 0"});
  ExpectRefused({"-kernel", "inet_dist_listen_min", "70000"}, {"a port, 1 to 65535"});
  ExpectRefused({"-kernel", "inet_dist_listen_min", "20", "inet_dist_listen_max", "10"},
                {"min 20", "max 10"});
  ExpectRefused({"-kernel", "dist_auto_connect", "maybe"}, {"true, once or never"});
  ExpectRefused({"-kernel", "inet_dist_listen_options", "[]"}, {"is not supported yet"});
}

TEST(ConfigTest, AMinimumPortAloneIsTheOnlyPortAndAMaximumAloneIsTold) {
  EXPECT_EQ(Good({"-kernel", "inet_dist_listen_min", "4000"}).listen.port_max, 4000);
  const NodeConfig config = Good({"-kernel", "inet_dist_listen_max", "4000"});
  EXPECT_EQ(config.listen.port_max, 0);
  EXPECT_EQ(config.notices.size(), 1u);
}

TEST(ConfigTest, ParametersOfTheBeamAreSetAside) {
  const NodeConfig config = Good({"-kernel", "shell_history", "enabled", "-noshell"});
  ASSERT_EQ(config.ignored.size(), 2u);
  EXPECT_EQ(config.ignored[0].flag, "-noshell");
  EXPECT_EQ(config.ignored[1].flag, "-kernel shell_history");
}

TEST(ConfigTest, EpmdIsFoundByFlagThenVariable) {
  NodeConfig config =
      Good({}, {{"ERL_EPMD_PORT", "5000"}, {"ERL_EPMD_ADDRESS", "127.0.0.1, ::1,"}});
  EXPECT_EQ(config.epmd.port, 5000);
  EXPECT_EQ(config.epmd.addresses, (std::vector<std::string>{"127.0.0.1", "::1"}));
  EXPECT_EQ(config.OriginOf("epmd_port").ToString(), "ERL_EPMD_PORT");
  config = Good({"-epmd_port", "6000"}, {{"ERL_EPMD_PORT", "5000"}});
  EXPECT_EQ(config.epmd.port, 6000);
  config = Good({"-start_epmd", "true", "-start_epmd", "false"});
  EXPECT_FALSE(config.epmd.start);
  EXPECT_TRUE(config.epmd.is_used);
  config = Good({"-erl_epmd_port", "7000"});
  EXPECT_EQ(config.epmd.fixed_port, 7000);
  EXPECT_FALSE(config.epmd.is_used);
  EXPECT_TRUE(Good({"-erl_epmd_port", "0"}).epmd.is_used);
  config = Good({"-kernel", "erl_epmd_node_listen_port", "7000"});
  EXPECT_EQ(config.epmd.fixed_port, 7000);
  EXPECT_FALSE(config.epmd.is_used);
  EXPECT_TRUE(Good({"-kernel", "erl_epmd_node_listen_port", "0"}).epmd.is_used);
  config = Good({"-kernel", "erl_epmd_node_listen_port", "7000", "-erl_epmd_port", "7000"});
  EXPECT_EQ(config.epmd.fixed_port, 7000);
  EXPECT_EQ(Good({}, {{"ERL_EPMD_ADDRESS", " ,"}}).epmd.addresses.size(), 0u);
  config = Good({}, {{"ERL_EPMD_ADDRESS", "10.1.1.1 ::1,,127.0.0.1 "}});
  EXPECT_EQ(config.epmd.addresses, (std::vector<std::string>{"10.1.1.1", "::1", "127.0.0.1"}));
  EXPECT_FALSE(config.epmd.relaxed_command_check);
  for (const char* value : {"", "false", "1"}) {
    config = Good({}, {{"ERL_EPMD_RELAXED_COMMAND_CHECK", value}});
    EXPECT_TRUE(config.epmd.relaxed_command_check) << value;
  }
  EXPECT_FALSE(Good({"-no_epmd", "-dist_listen", "false"}).epmd.is_used);
}

TEST(ConfigTest, WrongEpmdSettingsAreRefused) {
  ExpectRefused({}, {"ERL_EPMD_PORT", "'x'", "1 to 65535"}, {{"ERL_EPMD_PORT", "x"}});
  ExpectRefused({}, {"ERL_EPMD_ADDRESS", "'lo'"}, {{"ERL_EPMD_ADDRESS", "lo"}});
  ExpectRefused({"-erl_epmd_port", "65536"}, {"-erl_epmd_port", "1 to 65535"});
  ExpectRefused({}, {"ERL_EPMD_ADDRESS", "'fe80'"}, {{"ERL_EPMD_ADDRESS", "::1 fe80"}});
  ExpectRefused({"-kernel", "erl_epmd_node_listen_port", "65536"},
                {"erl_epmd_node_listen_port", "found 65536", "1 to 65535"});
  ExpectRefused({"-kernel", "erl_epmd_node_listen_port", "7000", "-erl_epmd_port", "7001"},
                {"-erl_epmd_port", "erl_epmd_node_listen_port 7000", "give one"});
  ExpectRefused({"-start_epmd", "no"}, {"found 'no'", "true or false"});
  ExpectRefused({"-no_epmd"}, {"nobody finds", "-erl_epmd_port"});
}

TEST(ConfigTest, ANodeThatDoesNotListenIsHidden) {
  EXPECT_TRUE(Good({"-hidden"}).is_hidden);
  EXPECT_TRUE(Good({"-hidden", "true"}).is_hidden);
  EXPECT_FALSE(Good({"-hidden", "false"}).is_hidden);
  const NodeConfig config = Good({"-dist_listen", "false"});
  EXPECT_TRUE(config.is_hidden);
  EXPECT_FALSE(config.listen.is_on);
  EXPECT_FALSE(Good({"-connect_all", "false"}).connect_all);
  EXPECT_FALSE(Good({"-connect_all", "false", "-kernel", "connect_all", "true"}).connect_all);
}

TEST(ConfigTest, TlsPairsAndAFileMakeTheSameOptions) {
  const NodeConfig pairs =
      Good({"-proto_dist", "inet_tls", "-ssl_dist_opt", "server_certfile", "/n.pem",
            "server_cacertfile", "/ca.pem", "server_verify", "verify_peer", "-ssl_dist_opt",
            "server_fail_if_no_peer_cert", "true", "-ssl_dist_opt", "client_certfile", "/n.pem",
            "client_cacertfile", "/ca.pem", "client_verify", "verify_peer"});
  const NodeConfig file =
      Good({"-proto_dist", "inet_tls", "-ssl_dist_optfile", "/f"}, {},
           Inputs({{"/f",
                    "[{server, [{certfile, \"/n.pem\"}, {cacertfile, \"/ca.pem\"}, {verify, "
                    "verify_peer},\n {fail_if_no_peer_cert, true}]},\n {client, [{certfile, "
                    "\"/n.pem\"}, {cacertfile, \"/ca.pem\"}, {verify, verify_peer}]}]."}}));
  for (const NodeConfig* config : {&pairs, &file}) {
    EXPECT_EQ(config->tls.server.identity.certfile, "/n.pem");
    EXPECT_EQ(config->tls.server.trust.cacertfile, "/ca.pem");
    EXPECT_EQ(config->tls.server.trust.verify, tls::Verify::kPeer);
    EXPECT_TRUE(config->tls.server.trust.fail_if_no_peer_cert);
    EXPECT_EQ(config->tls.client.identity.certfile, "/n.pem");
    EXPECT_EQ(config->tls.client.trust.verify, tls::Verify::kPeer);
    EXPECT_TRUE(config->has_tls_carrier());
    EXPECT_TRUE(config->notices.empty());
  }
}

TEST(ConfigTest, AnErlFlagsLineOfAReleaseStartsANode) {
  const NodeConfig config =
      Good({}, {{"ERL_FLAGS",
                 "-proto_dist inet_tls -ssl_dist_opt server_certfile \"/etc/my certs/n.pem\" "
                 "-ssl_dist_opt server_secure_renegotiate true client_secure_renegotiate true "
                 "-boot /opt/rel/start_ssl -noshell"}});
  EXPECT_EQ(config.tls.server.identity.certfile, "/etc/my certs/n.pem");
  EXPECT_EQ(config.ignored.size(), 2u);
}

TEST(ConfigTest, WrongTlsSettingsAreRefused) {
  ExpectRefused({"-proto_dist", "inet_tls"}, {"server_certfile", "missing"});
  ExpectRefused({"-ssl_dist_opt", "server_certfile", "/a", "server_keyfile"},
                {"option server_keyfile has no value"});
  ExpectRefused({"-ssl_dist_opt", "server_cerfile", "/a"}, {"did you mean 'server_certfile'?"});
  ExpectRefused({"-ssl_dist_optfile", "/gone"}, {"-ssl_dist_optfile (the command line)", "/gone"});
  ExpectRefused({"-ssl_dist_optfile", "/a", "-ssl_dist_optfile", "/b"}, {"give it once"});
  ExpectRefused({"-ssl_dist_optfile", "/f"}, {"-ssl_dist_optfile /f", "line 2"}, {},
                Inputs({{"/f", "[{server,\n oops]."}}));
}

TEST(ConfigTest, TlsOptionsWithoutATlsCarrierAreTold) {
  const NodeConfig config = Good({"-ssl_dist_opt", "server_certfile", "/a"});
  ASSERT_EQ(config.notices.size(), 1u);
  EXPECT_NE(config.notices[0].mend.find("inet_tls"), std::string::npos);
}

TEST(ConfigTest, RulesAboutCertificatesComeInPairs) {
  const std::vector<std::string> tls = {"-proto_dist", "inet_tls", "-ssl_dist_opt",
                                        "server_certfile", "/n.pem"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), tls.begin(), tls.end());
    return more;
  };
  const NodeConfig config =
      Good(with({"-dist_allow", "dns:*.example.net", "shop@*", "uri:spiffe://till", "till@*",
                 "-dist_allow", "subject:*", "*"}));
  ASSERT_EQ(config.dist_allow.size(), 3u);
  EXPECT_EQ(config.dist_allow[1].field, CertificateRule::Field::kUri);
  EXPECT_EQ(config.dist_allow[1].certificate, "spiffe://till");
  EXPECT_EQ(config.dist_allow[1].nodes, "till@*");
  ExpectRefused(with({"-dist_allow", "dns:a", "*", "dns:b"}), {"-dist_allow", "'dns:b'", "pairs"});
  ExpectRefused(with({"-dist_allow", "dsn:a", "*"}), {"-dist_allow", "'dns'?", "begin it with"});
  ExpectRefused({"-dist_allow", "dns:a", "*"}, {"inet_tcp", "no certificates", "inet_tls"});
}

TEST(ConfigTest, TwoCarriersAreOneWithTlsAndOneWithout) {
  const auto with = [](std::vector<std::string> more) {
    more.insert(more.end(), {"-ssl_dist_opt", "server_certfile", "/n.pem"});
    return more;
  };
  const NodeConfig config = Good(with({"-proto_dist", "inet_tls", "inet_tcp"}));
  EXPECT_EQ(config.Carriers(), (std::vector<std::string>{"inet_tls", "inet_tcp"}));
  EXPECT_TRUE(config.has_tls_carrier());
  ASSERT_EQ(config.notices.size(), 1u);
  EXPECT_NE(config.notices[0].what.find("every node may be connected without TLS"),
            std::string::npos);
  EXPECT_NE(config.notices[0].mend.find("-dist_plain_peers"), std::string::npos);
  const NodeConfig plain_first = Good(with({"-proto_dist", "inet6_tcp", "inet6_tls"}));
  EXPECT_EQ(plain_first.carrier, "inet6_tcp");
  EXPECT_TRUE(plain_first.has_tls_carrier());
  EXPECT_EQ(Good({}).Carriers(), std::vector<std::string>{"inet_tcp"});

  ExpectRefused({"-proto_dist", "inet_tls", "inet6_tcp"}, {"-proto_dist", "two address families"});
  ExpectRefused({"-proto_dist", "inet_tcp", "inet6_tcp"}, {"two address families"});
  ExpectRefused({"-proto_dist", "inet_tcp", "inet_tcp"}, {"inet_tcp is given twice"});
  ExpectRefused({"-proto_dist", "inet_tls", "inet_tpc"}, {"'inet_tpc'", "'inet_tcp'?"});
  ExpectRefused({"-proto_dist", "inet_tls", "inet_tcp"}, {"server_certfile", "missing"});
}

TEST(ConfigTest, WhoMayBePlainIsNamedByPatterns) {
  const std::vector<std::string> both = {"-proto_dist",   "inet_tls",        "inet_tcp",
                                         "-ssl_dist_opt", "server_certfile", "/n.pem"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), both.begin(), both.end());
    return more;
  };
  const NodeConfig config =
      Good(with({"-dist_plain_peers", "old*@*", "till@a", "-dist_plain_peers", "nodectl*"}));
  EXPECT_EQ(config.plain_peers, (std::vector<std::string>{"old*@*", "till@a", "nodectl*"}));
  EXPECT_TRUE(config.notices.empty());
  ExpectRefused(with({"-dist_plain_peers", "old"}), {"-dist_plain_peers", "'old' fits no node"});
  ExpectRefused({"-dist_plain_peers", "old*@*"}, {"but one carrier, inet_tcp", "remove it"});
  // No rule about certificates fits a plain link.
  const NodeConfig ruled = Good(with({"-dist_allow", "dns:*", "*", "-dist_plain_peers", "*"}));
  ASSERT_EQ(ruled.notices.size(), 1u);
  EXPECT_NE(ruled.notices[0].what.find("no link will be plain"), std::string::npos);
}

TEST(ConfigTest, AClientThatDoesNotListenNeedsNoServerCertificate) {
  ConfigInputs client = Inputs();
  client.is_client = true;
  auto config =
      Build({"-proto_dist", "inet_tls", "-ssl_dist_opt", "client_cacertfile", "/ca"}, {}, client);
  EXPECT_TRUE(config.ok()) << config.status();
}

TEST(ConfigTest, TheLogLevelIsOursBeforeOtps) {
  EXPECT_EQ(Good({"-noded_log", "debug", "-kernel", "logger_level", "error"}).log_level,
            base::LogLevel::kDebug);
  ExpectRefused({"-noded_log", "inf"}, {"found 'inf'", "did you mean 'info'?"});
}

}  // namespace
}  // namespace noded::node
