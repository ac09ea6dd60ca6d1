// The ways to tell noded something: option pairs and option files, flags from every source, ports.
// Each is judged by what the node then does, beside an OTP node that was told the same.
#include "fmt/format.h"
#include <gtest/gtest.h>

#include "tests/testlib/noded.h"
#include "tests/testlib/otp_node.h"
#include "tests/testlib/ports.h"
#include "tests/testlib/temp_dir.h"
#include "tests/testlib/test_certs.h"

namespace noded::testlib {
namespace {

constexpr char kTill[] = "till@127.0.0.1", kShop[] = "shop@127.0.0.1";

// The same as TestCerts::OptFile(), as pairs.
std::vector<std::string> Pairs(const TestCerts& certs, const CertFiles& files) {
  std::vector<std::string> words;
  for (const std::string role : {"server_", "client_"}) {
    words.insert(words.end(), {role + "certfile", files.cert, role + "keyfile", files.key,
                               role + "cacertfile", certs.ca(), role + "verify", "verify_peer"});
  }
  words.insert(words.end(), {"server_fail_if_no_peer_cert", "true"});
  return words;
}

// What a TLS node does, as one text: whom it lets in, and whom it goes to.
std::string Behaviour(TestCerts& certs, OtpEpmd& epmd, const NodedOptions& till_flags) {
  NodedProcess till(till_flags);
  const absl::Status ready = till.WaitReady();
  if (!ready.ok()) return ready.ToString();
  const auto ctl = [&](const std::string& optfile) {
    return NodedOptions{
        .proto_dist = "inet_tls", .ssl_dist_optfile = optfile, .epmd_port = epmd.port()};
  };
  const auto reach = [&](const std::string& optfile) {
    return Nodectl(ctl(optfile), {"ping", kTill}).code == 0 ? "let in, " : "refused, ";
  };
  TempDir dir;
  std::string seen;
  seen += reach(certs.OptFile(certs.Node("ctl@127.0.0.1")));
  seen += reach(certs.OptFile(certs.Untrusted("ctl@127.0.0.1")));
  seen += reach(certs.OptFile(certs.Expired("ctl@127.0.0.1")));
  seen += reach(dir.Write("bare.conf", fmt::format("[{{client,[{{cacertfile,\"{}\"}},"
                                                   "{{verify,verify_peer}}]}}].",
                                                   certs.ca())));
  // Peers whose certificate is good, of an unknown authority, for another host.
  const std::string known = certs.OptFile(certs.Node("ctl@127.0.0.1"));
  for (const CertFiles& files :
       {certs.Node(kShop), certs.Untrusted(kShop), certs.WithHosts(kShop, {"other.example"})}) {
    NodedProcess shop(NodedOptions{.name = kShop,
                                   .proto_dist = "inet_tls",
                                   .ssl_dist_optfile = certs.OptFile(files),
                                   .epmd_port = epmd.port()});
    EXPECT_TRUE(shop.WaitReady().ok()) << shop.Log();
    const Finished asked =
        Nodectl(ctl(known), {"call", kTill, "net_adm", "ping", fmt::format("'{}'", kShop)});
    seen += asked.out.substr(0, asked.out.find('\n')) + ", ";
    EXPECT_EQ(shop.Stop(), 0);
  }
  return seen;
}

TEST(OptionsTest, PairsAndOptionFileGiveTheSameBehaviour) {
  TestCerts certs;
  OtpEpmd epmd;
  const CertFiles files = certs.Node(kTill);
  const NodedOptions common{.name = kTill, .proto_dist = "inet_tls", .epmd_port = epmd.port()};
  NodedOptions by_file = common, by_pairs = common;
  by_file.ssl_dist_optfile = certs.OptFile(files);
  by_pairs.ssl_dist_opt = Pairs(certs, files);
  const char* kExpected = "let in, refused, refused, refused, pong, pang, pang, ";
  EXPECT_EQ(Behaviour(certs, epmd, by_file), kExpected);
  EXPECT_EQ(Behaviour(certs, epmd, by_pairs), kExpected);
}

TEST(OptionsTest, OtpWithOptionFileAndNodedWithTheSamePairsMeet) {
  TestCerts certs;
  OtpEpmd epmd;
  OtpNode shop({.name = kShop,
                .proto_dist = "inet_tls",
                .ssl_dist_optfile = certs.OptFile(certs.Node(kShop)),
                .epmd_port = epmd.port()});
  NodedProcess till(NodedOptions{.name = kTill,
                                 .proto_dist = "inet_tls",
                                 .ssl_dist_opt = Pairs(certs, certs.Node(kTill)),
                                 .epmd_port = epmd.port()});
  ASSERT_TRUE(till.WaitReady().ok()) << till.Log();
  EXPECT_EQ(shop.Eval(fmt::format("net_adm:ping('{}')", kTill)), "pong") << till.Log();
}

// The example of OTP's guide "Using TLS for Erlang Distribution", word for word but for the paths:
// one variable starts an OTP node and a noded.
TEST(OptionsTest, TheGuidesErlFlagsStartANode) {
  TestCerts certs;
  OtpEpmd epmd;
  auto root =
      RunProgram({ErlProgram(), "-noshell", "-eval", "io:put_chars(code:root_dir()), halt()."});
  ASSERT_TRUE(root.ok()) << root.status();
  const std::string pem = certs.InOne(certs.Node(kTill));
  const std::string flags = fmt::format(
      "ERL_FLAGS=-boot \"{}/bin/start_clean\" -proto_dist inet_tls"
      " -ssl_dist_opt server_certfile \"{}\""
      " -ssl_dist_opt server_secure_renegotiate true client_secure_renegotiate true",
      root->out, pem);
  NodedProcess till(NodedOptions{.name = kTill, .epmd_port = epmd.port(), .environment = {flags}});
  ASSERT_TRUE(till.WaitReady().ok()) << till.Log();
  EXPECT_TRUE(till.WaitForLog("flag_ignored .*flag=-boot .*origin=ERL_FLAGS")) << till.Log();
  EXPECT_TRUE(till.WaitForLog("node_started .*carrier=inet_tls")) << till.Log();

  OtpNode shop({.name = kShop, .epmd_port = epmd.port(), .environment = {flags}});
  EXPECT_EQ(shop.Eval(fmt::format("net_adm:ping('{}')", kTill)), "pong") << till.Log();
  EXPECT_EQ(shop.Eval(fmt::format("erpc:call('{}', net_adm, ping, [node()])", kTill)), "pong");
  const NodedOptions ctl{.epmd_port = epmd.port(), .environment = {flags}};
  const Finished info = Nodectl(ctl, {"info", kShop});
  EXPECT_EQ(info.code, 0) << info.err;
  EXPECT_NE(info.out.find("tls_version: tlsv1"), std::string::npos) << info.out;
}

TEST(OptionsTest, FlagsComeFromEveryVariableAndFromFiles) {
  OtpEpmd epmd;
  TempDir dir;
  const std::string inner = dir.Write("inner.args", "-hidden # as in OTP\n");
  const std::string outer =
      dir.Write("outer.args", fmt::format("-kernel net_ticktime 30\n-args_file {}\n", inner));
  NodedProcess till(NodedOptions{
      .cookie = "",
      .epmd_port = epmd.port(),
      .arguments = {"-args_file", outer},
      .environment = {"ERL_AFLAGS=-name till@127.0.0.1", "ERL_FLAGS=-setcookie 'a cookie'",
                      "ERL_ZFLAGS=-proto_dist inet_tcp", "NODED_FLAGS=-noded_log debug -env A b"}});
  ASSERT_TRUE(till.WaitReady().ok()) << till.Log();
  OtpNode shop({.name = kShop, .cookie = "a cookie", .epmd_port = epmd.port()});
  EXPECT_EQ(shop.Eval(fmt::format("net_adm:ping('{}')", kTill)), "pong") << till.Log();
  EXPECT_EQ(shop.Eval("{nodes(), nodes(hidden)}"), fmt::format("{{[],['{}']}}", kTill));
}

TEST(OptionsTest, ACookieFileIsSharedWithOtp) {
  OtpEpmd epmd;
  TempDir home;
  home.Write(".erlang.cookie", "OUROWNCOOKIE");
  NodedProcess till(NodedOptions{.name = kTill,
                                 .cookie = "",
                                 .epmd_port = epmd.port(),
                                 .environment = {"HOME=" + home.path()}});
  ASSERT_TRUE(till.WaitReady().ok()) << till.Log();
  OtpNode shop({.name = kShop, .cookie = "OUROWNCOOKIE", .epmd_port = epmd.port()});
  EXPECT_EQ(shop.Eval(fmt::format("net_adm:ping('{}')", kTill)), "pong") << till.Log();
}

TEST(OptionsTest, AFixedPortNeedsNoEpmd) {
  const uint16_t port = FreePort();
  const std::vector<std::string> fixed = {"-erl_epmd_port", std::to_string(port)};
  const auto at = [&](const std::string& address) {
    std::vector<std::string> words = fixed;
    words.insert(words.end(), {"-kernel", "inet_dist_use_interface", address});
    return words;
  };
  // Nobody serves this epmd's port.
  const uint16_t no_epmd = FreePort();
  NodedProcess till(
      NodedOptions{.name = kTill, .epmd_port = no_epmd, .arguments = at("{127,0,0,1}")});
  ASSERT_TRUE(till.WaitReady().ok()) << till.Log();
  EXPECT_EQ(till.port(), port);
  OtpNode shop({.name = "shop@127.0.0.2", .epmd_port = no_epmd, .arguments = at("{127,0,0,2}")});
  EXPECT_EQ(shop.Eval("net_adm:ping('till@127.0.0.1')"), "pong") << till.Log() << shop.Log();
  const NodedOptions ctl{.epmd_port = no_epmd, .arguments = fixed};
  const Finished asked =
      Nodectl(ctl, {"call", kTill, "rpc", "call", "'shop@127.0.0.2'", "erlang", "node", "[]"});
  EXPECT_EQ(asked.out, "'shop@127.0.0.2'\n") << asked.err;
}

TEST(OptionsTest, WithoutEpmdItSaysWhatToDo) {
  const uint16_t port = FreePort();
  NodedProcess till(NodedOptions{.name = kTill, .epmd_port = port, .start_epmd = false});
  EXPECT_EQ(till.WaitForExit(), 1) << till.Log();
  for (const std::string& word : {kTill + std::string(": no epmd at port "), std::to_string(port),
                                  std::string("drop -start_epmd false")}) {
    EXPECT_NE(till.process()->Err().find(word), std::string::npos) << word << "\n" << till.Log();
  }
}

TEST(OptionsTest, ItListensAtAPortOfTheRange) {
  OtpEpmd epmd;
  const uint16_t first = FreePort();
  const auto flags = [&](const std::string& name) {
    return NodedOptions{.name = name + "@127.0.0.1",
                        .epmd_port = epmd.port(),
                        .arguments = {"-kernel", "inet_dist_listen_min", std::to_string(first),
                                      "inet_dist_listen_max", std::to_string(first + 1)}};
  };
  NodedProcess one(flags("one"));
  EXPECT_EQ(one.port(), first);
  NodedProcess two(flags("two"));
  EXPECT_EQ(two.port(), first + 1);
  NodedProcess three(flags("three"));
  EXPECT_EQ(three.WaitForExit(), 1);
  EXPECT_NE(three.process()->Err().find("inet_dist_listen_m"), std::string::npos) << three.Log();
  OtpNode shop({.name = kShop, .epmd_port = epmd.port()});
  EXPECT_EQ(shop.Eval("[net_adm:ping('one@127.0.0.1'), net_adm:ping('two@127.0.0.1')]"),
            "[pong,pong]");
  // An OTP node finds the next free one by the same flags.
  one.Stop();
  OtpNode four(
      {.name = "four@127.0.0.1", .epmd_port = epmd.port(), .arguments = flags("four").arguments});
  EXPECT_EQ(four.Eval("{port, P, _} = erl_epmd:port_please(\"four\", \"127.0.0.1\"), P"),
            std::to_string(first));
}

}  // namespace
}  // namespace noded::testlib
