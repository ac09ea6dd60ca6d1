// nodectl asks a real OTP node: each verb, what it prints, and how it ends.
#include <algorithm>
#include <map>
#include <thread>

#include "fmt/format.h"
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/interop/carrier_case.h"
#include "tests/testlib/otp_node.h"
#include "tests/testlib/wait.h"

namespace noded::testlib {
namespace {

using nlohmann::json;

struct Cluster {
  explicit Cluster(const CarrierCase& a_carrier) : carrier(a_carrier), flags(Flags("ctl")) {
    shop = Otp("shop");
    till = std::make_unique<NodedProcess>(Flags("till"));
    EXPECT_TRUE(till->WaitReady().ok()) << till->Log();
    EXPECT_TRUE(shop->WaitReady().ok()) << shop->Log();
  }

  NodedOptions Flags(const std::string& name) {
    NodedOptions options = OptionsFor(carrier, certs, carrier.Node(name));
    options.epmd_port = epmd.port();
    return options;
  }
  std::unique_ptr<OtpNode> Otp(const std::string& name) {
    return std::make_unique<OtpNode>(
        OtpNodeOptions{.name = carrier.Node(name),
                       .proto_dist = carrier.proto_dist,
                       .ssl_dist_optfile = Flags(name).ssl_dist_optfile,
                       .epmd_port = epmd.port()});
  }

  const CarrierCase carrier;
  TestCerts certs;
  OtpEpmd epmd;
  const NodedOptions flags;
  std::unique_ptr<OtpNode> shop;
  std::unique_ptr<NodedProcess> till;
};

std::map<std::string, std::unique_ptr<Cluster>>& Clusters() {
  static std::map<std::string, std::unique_ptr<Cluster>> clusters;
  return clusters;
}

class NodectlTest : public testing::TestWithParam<CarrierCase> {
 protected:
  static void TearDownTestSuite() { Clusters().clear(); }
  void SetUp() override {
    auto& cluster = Clusters()[GetParam().name];
    if (!cluster) cluster = std::make_unique<Cluster>(GetParam());
  }
  Cluster& cluster() { return *Clusters()[GetParam().name]; }
  std::string shop() { return cluster().shop->name(); }
  std::string till() { return cluster().till->name(); }

  // nodectl VERB shop WORDS...
  Finished Ask(const std::string& verb, std::vector<std::string> words = {}) {
    words.insert(words.begin(), {verb, shop()});
    return Run(words);
  }
  Finished Run(const std::vector<std::string>& words) {
    return Nodectl(cluster().flags.Named(""), words);
  }
  // What it printed and how it ended.
  std::string Answer(const std::string& verb, const std::vector<std::string>& words = {}) {
    const Finished done = Ask(verb, words);
    return done.code == 0 ? done.out : fmt::format("exit {}: {}", done.code, done.err);
  }
  json AnswerJson(const std::string& verb, std::vector<std::string> words = {}) {
    words.push_back("--json");
    const Finished done = Ask(verb, words);
    EXPECT_EQ(done.code, 0) << done.err;
    return json::parse(done.out, nullptr, /*allow_exceptions=*/false);
  }
};

std::vector<CarrierCase> PlainAndTls() {
  const std::vector<CarrierCase> all = AllCarriers();
  return {all[0], all[2], all[3]};
}

INSTANTIATE_TEST_SUITE_P(Carriers, NodectlTest, testing::ValuesIn(PlainAndTls()), CarrierName);

TEST_P(NodectlTest, Pings) {
  EXPECT_EQ(Answer("ping"), "pong\n");
  EXPECT_EQ(AnswerJson("ping"), "pong");
}

TEST_P(NodectlTest, PingWaitsForANodeThatIsStarting) {
  Finished done;
  std::jthread waiter([&] { done = Run({"ping", GetParam().Node("late"), "--wait", "60"}); });
  auto late = cluster().Otp("late");
  EXPECT_TRUE(late->WaitReady().ok()) << late->Log();
  waiter.join();
  EXPECT_EQ(done.out, "pong\n") << done.err;
}

TEST_P(NodectlTest, CallsAndPrintsTermsAsErlangDoes) {
  EXPECT_EQ(Answer("call", {"erlang", "node"}), fmt::format("'{}'\n", shop()));
  EXPECT_EQ(Answer("call", {"lists", "reverse", "[1,{a,\"b\"},<<\"c\">>,#{d => 1.5}]"}),
            "[#{d => 1.5},<<\"c\">>,{a,\"b\"},1]\n");
  EXPECT_EQ(Answer("call", {"erlang", "abs", "-7"}), "7\n");
  EXPECT_EQ(Answer("call", {"erlang", "atom_to_list", "'caf\xc3\xa9'"}), "\"caf\xc3\xa9\"\n");
  // As wide as it may get: no line is broken, nothing is cut.
  EXPECT_EQ(Answer("call", {"binary", "copy", "<<\"x\">>", "3000000"}),
            fmt::format("<<\"{}\">>\n", std::string(3000000, 'x')));
  // The node itself prints it like that.
  for (const std::string term : {"[{a,1.0e22},-0.5,[$a|b]]", "{<<1:3>>,'hello world',\"\"}",
                                 "[1267650600228229401496703205376,#{}]"}) {
    const std::string ours = Answer("call", {"erlang", "hd", "[" + term + "]"});
    EXPECT_EQ(ours, cluster().shop->Eval(term) + "\n");
  }
}

TEST_P(NodectlTest, PrintsJson) {
  EXPECT_EQ(AnswerJson("call", {"lists", "reverse", "[1,<<\"c\">>,#{d => [1.5,true]}]"}),
            json::parse(R"([{"d":[1.5,true]},"c",1])"));
}

TEST_P(NodectlTest, TellsWhatTheOtherSideRaised) {
  Finished done = Ask("call", {"erlang", "error", "tea"});
  EXPECT_EQ(done.code, 1);
  EXPECT_EQ(done.out, "");
  EXPECT_TRUE(done.err.starts_with(fmt::format("nodectl: {}: ** exception error: tea", shop())))
      << done.err;
  done = Ask("call", {"erlang", "throw", "tea"});
  EXPECT_EQ(done.code, 1);
  EXPECT_EQ(done.err, fmt::format("nodectl: {}: ** exception throw: tea\n", shop()));
  done = Ask("call", {"erlang", "exit", "tea"});
  EXPECT_EQ(done.code, 1);
  EXPECT_EQ(done.err, fmt::format("nodectl: {}: ** exception exit: tea\n", shop()));
  done = Ask("call", {"no", "such", "1"});
  EXPECT_EQ(done.code, 1);
  EXPECT_NE(done.err.find("** exception error: undef\n    in no:such/1, called as no:such(1)"),
            std::string::npos)
      << done.err;
}

TEST_P(NodectlTest, TellsThatThereWasNoAnswerInTime) {
  const Finished done = Ask("call", {"timer", "sleep", "60000", "--timeout", "0.3"});
  EXPECT_EQ(done.code, 4);
  EXPECT_EQ(done.out, "");
  EXPECT_NE(done.err.find(shop()), std::string::npos) << done.err;
}

TEST_P(NodectlTest, TellsThatItCouldNotConnect) {
  const std::string nobody = GetParam().Node("nobody");
  for (const std::vector<std::string>& words : {std::vector<std::string>{"ping", nobody},
                                                {"call", nobody, "erlang", "node"},
                                                {"cast", nobody, "erlang", "node"},
                                                {"eval", nobody, "1"},
                                                {"nodes", nobody},
                                                {"info", nobody}}) {
    const Finished done = Run(words);
    EXPECT_EQ(done.code, 3) << words[0] << done.err;
    EXPECT_NE(done.err.find(nobody), std::string::npos) << done.err;
    EXPECT_EQ(done.out, "");
  }
}

TEST_P(NodectlTest, TellsWrongUse) {
  for (const std::vector<std::string>& words : {std::vector<std::string>{},
                                                {"pong", shop()},
                                                {"ping"},
                                                {"call", shop()},
                                                {"call", shop(), "lists", "reverse", "[1,"},
                                                {"ping", shop(), "--jsno"},
                                                {"ping", shop(), "-proto_dits", "inet_tcp"},
                                                {"eval", shop(), "1 +"}}) {
    const Finished done = Run(words);
    EXPECT_EQ(done.code, 2) << (words.empty() ? "" : words.back()) << done.err;
    EXPECT_NE(done.err, "");
    EXPECT_EQ(done.out, "");
  }
}

TEST_P(NodectlTest, CastsWithoutWaiting) {
  EXPECT_EQ(Answer("cast", {"persistent_term", "put", "noded_cast", "{tea,2}"}), "");
  EXPECT_TRUE(Eventually(
      [&] { return cluster().shop->Eval("persistent_term:get(noded_cast, none)") == "{tea,2}"; }));
}

TEST_P(NodectlTest, EvaluatesErlangOnABeam) {
  EXPECT_EQ(Answer("eval", {"1 + 1"}), "2\n");
  EXPECT_EQ(Answer("eval", {"X = lists:seq(1, 3), [Y * Y || Y <- X]."}), "[1,4,9]\n");
  EXPECT_EQ(Answer("eval", {"node()"}), fmt::format("'{}'\n", shop()));
  EXPECT_EQ(AnswerJson("eval", {"#{a => <<\"b\">>}"}), json::parse(R"({"a":"b"})"));
  const Finished raised = Ask("eval", {"1 = 2"});
  EXPECT_EQ(raised.code, 1);
  EXPECT_NE(raised.err.find("{badmatch,2}"), std::string::npos) << raised.err;
  const Finished broken = Ask("eval", {"foo bar"});
  EXPECT_EQ(broken.code, 2);
  EXPECT_NE(broken.err.find("syntax error before: bar"), std::string::npos) << broken.err;
  const Finished noded = Run({"eval", till(), "1"});
  EXPECT_EQ(noded.code, 1);
  EXPECT_NE(noded.err.find("BEAM"), std::string::npos) << noded.err;
}

TEST_P(NodectlTest, PrintsWhatTheFunctionPrints) {
  EXPECT_EQ(Answer("call", {"io", "format", "\"~p ~ts~n\"", "[{tea,2},<<\"caf\xc3\xa9\"/utf8>>]"}),
            "{tea,2} caf\xc3\xa9\nok\n");
  EXPECT_EQ(Answer("eval", {"io:put_chars(\"one\\n\"), io:format(\"~w~n\", [two]), three"}),
            "one\ntwo\nthree\n");
}

TEST_P(NodectlTest, ListsNamesAndNodes) {
  const Finished names = Run({"names"});
  EXPECT_NE(names.out.find("shop at port "), std::string::npos) << names.out << names.err;
  EXPECT_NE(names.out.find(fmt::format("till at port {}\n", cluster().till->port())),
            std::string::npos)
      << names.out;
  EXPECT_EQ(Answer("call", {"net_adm", "ping", fmt::format("'{}'", till())}), "pong\n");
  EXPECT_EQ(Answer("nodes"), till() + "\n");
  const Finished listed = Run({"--json", "names"});
  const json name = {{"name", "till"}, {"port", cluster().till->port()}};
  const json all = json::parse(listed.out, nullptr, false);
  EXPECT_NE(std::find(all.begin(), all.end(), name), all.end()) << listed.out;
  EXPECT_EQ(AnswerJson("nodes"), json::array({till()}));
  EXPECT_EQ(Run({"nodes", till()}).out, shop() + "\n");
  // It is hidden itself.
  EXPECT_EQ(Answer("call", {"erlang", "nodes"}), fmt::format("['{}']\n", till()));
}

TEST_P(NodectlTest, TellsWhatANodeIs) {
  const json beam = AnswerJson("info");
  EXPECT_EQ(beam["node"], shop());
  EXPECT_EQ(beam["otp_release"],
            cluster().shop->Eval("list_to_integer(erlang:system_info(otp_release))"));
  const json link = beam["this_link"];
  EXPECT_EQ(link["carrier"], GetParam().proto_dist);
  EXPECT_EQ(link["handshake"], 6);
  if (GetParam().is_tls()) {
    EXPECT_EQ(link["tls_version"], GetParam().tls_version);
    EXPECT_EQ(link["peer_subject"], "CN=" + shop());
  }
  EXPECT_NE(Answer("info").find("otp_release: "), std::string::npos);

  const Finished asked = Run({"info", till(), "--json"});
  const json noded = json::parse(asked.out, nullptr, false);
  EXPECT_EQ(noded["node"], till()) << asked.err;
  EXPECT_EQ(noded["port"], cluster().till->port());
}

}  // namespace
}  // namespace noded::testlib
