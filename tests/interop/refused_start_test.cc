// Options that cannot work end noded and nodectl at once, with exit code 2 and what to do.
#include <sys/stat.h>
#include <unistd.h>

#include "tests/interop/refusals.h"

namespace noded::interop {
namespace {

using testlib::CertFiles;
using testlib::Nodectl;
using testlib::NodedOptions;
using testlib::NodedProcess;

class RefusedStartTest : public RefusalsTest {
 protected:
  // An option file of the good identity, but for these options on both sides.
  NodedOptions With(const std::vector<std::string>& options) {
    return Tls(certs_.OptFile(files_, options, options));
  }
  // Neither program starts, and both say the same.
  void ExpectBothRefuse(const NodedOptions& options, const std::vector<std::string>& words) {
    SCOPED_TRACE(words.front());
    NodedProcess noded(options.Named("shop@127.0.0.1"));
    EXPECT_EQ(noded.WaitForExit(), 2);
    ExpectWords(noded.Log(), words);
    ExpectWords(noded.Log(), {"noded: "});
    EXPECT_EQ(noded.Log().find("node_started"), std::string::npos);
    const testlib::Finished client = Nodectl(options, {"ping", "shop@127.0.0.1"});
    EXPECT_EQ(client.code, 2);
    ExpectWords(client.err, words);
    ExpectWords(client.err, {"nodectl: "});
    EXPECT_EQ(client.out, "");
  }
  static std::string Option(const char* name, const std::string& text) {
    return fmt::format("{{{},\"{}\"}}", name, text);
  }
};

TEST_F(RefusedStartTest, FilesThatAreNotThere) {
  const std::string nowhere = dir_.File("nowhere.pem");
  ExpectBothRefuse(With({Option("certfile", nowhere)}), {"certfile", nowhere, "no such file"});
  ExpectBothRefuse(With({Option("keyfile", nowhere)}), {"keyfile", nowhere, "no such file"});
  ExpectBothRefuse(With({Option("cacertfile", nowhere)}), {"cacertfile", nowhere, "no such file"});
  const std::string conf = dir_.File("nowhere.conf");
  ExpectBothRefuse(Tls(conf), {"-ssl_dist_optfile", conf, "no such file"});
}

TEST_F(RefusedStartTest, KeysThatCannotBeUsed) {
  const CertFiles other = certs_.Mismatched("any@127.0.0.1");
  ExpectBothRefuse(With(Identity(other)), {"keyfile", other.key, other.cert, "does not belong"});
  const std::string text = dir_.Write("text.pem", "My key is under the mat.\n");
  ExpectBothRefuse(With({Option("keyfile", text)}), {"keyfile", text, "PEM"});
  ExpectBothRefuse(With({Option("keyfile", dir_.path())}), {"keyfile", dir_.path(), "directory"});
  ExpectBothRefuse(With({Option("certfile", text)}), {"certfile", text, "certificate"});
}

TEST_F(RefusedStartTest, KeysWithAnotherPassword) {
  for (const bool is_pkcs8 : {true, false}) {
    const CertFiles locked = certs_.Encrypted("any@127.0.0.1", "sesame", is_pkcs8);
    ExpectBothRefuse(With(Identity(locked)), {"password", locked.key, "encrypted"});
    ExpectBothRefuse(With(Identity(locked, {Option("password", "millet")})),
                     {"password", locked.key, "correct"});
    // Neither the right nor the wrong one is told, and the right one serves.
    NodedProcess shop(
        With(Identity(locked, {Option("password", "sesame")})).Named("shop@127.0.0.1"));
    ASSERT_TRUE(shop.WaitReady().ok()) << shop.Log();
    ExpectServes(shop);
    EXPECT_EQ(shop.Stop(), 0);
    NodedProcess wrong(With(Identity(locked, {Option("password", "millet")})));
    wrong.WaitForExit();
    EXPECT_EQ((shop.Log() + wrong.Log()).find("millet"), std::string::npos);
    EXPECT_EQ((shop.Log() + wrong.Log()).find("sesame"), std::string::npos);
  }
}

// A key that only somebody else may read. Root may read everything, until it gives that up.
TEST_F(RefusedStartTest, KeysThatThisUserMayNotRead) {
  const CertFiles files = certs_.Node("any@127.0.0.1");
  ASSERT_EQ(chmod(files.key.c_str(), 0), 0);
  NodedOptions options = With(Identity(files));
  options.name = "shop@127.0.0.1";
  testlib::Command command = CommandOf("cli/noded", {}, options);
  if (access(files.key.c_str(), R_OK) == 0) {
    const std::vector<std::string> powerless = {"setpriv", "--bounding-set=-all",
                                                "--inh-caps=-all"};
    command.argv.insert(command.argv.begin(), powerless.begin(), powerless.end());
  }
  auto done = testlib::RunProgram(command);
  ASSERT_TRUE(done.ok()) << done.status();
  EXPECT_EQ(done->code, 2);
  ExpectWords(done->err, {"noded: ", "keyfile", files.key, "permission denied"});
}

TEST_F(RefusedStartTest, NoCertificateAtAll) {
  NodedProcess bare(Tls("").Named("shop@127.0.0.1"));
  EXPECT_EQ(bare.WaitForExit(), 2);
  ExpectWords(bare.Log(), {"server_certfile", "missing"});
}

TEST_F(RefusedStartTest, MisspeltWordsGetTheNearestRightOne) {
  NodedOptions options = Good();
  options.proto_dist = "inet_tsl";
  ExpectBothRefuse(options, {"-proto_dist", "'inet_tsl'", "did you mean 'inet_tls'", "inet_tcp",
                             "inet6_tcp", "inet6_tls"});
  options = Good();
  options.arguments = {"-setcokie", "x"};
  ExpectBothRefuse(options, {"-setcokie", "did you mean '-setcookie'"});
  options.arguments = {"-ssl_dist_opt", "server_certfle", "x"};
  ExpectBothRefuse(options, {"server_certfle", "did you mean 'server_certfile'"});
  options.arguments = {"-kernel", "net_tiktime", "5"};
  ExpectBothRefuse(options, {"net_tiktime", "did you mean", "net_ticktime"});
  ExpectBothRefuse(With({"{verfy,verify_peer}"}), {"verfy", "did you mean", "verify"});
  ExpectBothRefuse(With({"{verify,verify_pear}"}), {"verify", "verify_pear", "verify_peer"});
  options = Good();
  options.environment = {"ERL_FLAGS=-setcokie x"};
  ExpectBothRefuse(options, {"-setcokie", "ERL_FLAGS", "did you mean"});
}

TEST_F(RefusedStartTest, NodectlsWordsAreCheckedToo) {
  const auto refused = [](const std::vector<std::string>& words) {
    const testlib::Finished done = Nodectl({}, words);
    EXPECT_EQ(done.code, 2) << done.err;
    EXPECT_EQ(done.err.substr(0, 9), "nodectl: ");
    return done.err;
  };
  ExpectWords(refused({"pign", "a@127.0.0.1"}), {"pign", "did you mean 'ping'", "--help"});
  ExpectWords(refused({"ping"}), {"node", "required"});
  ExpectWords(refused({"ping", "a@127.0.0.1", "--wiat", "3"}),
              {"unknown option '--wiat'", "did you mean '--wait'"});
  ExpectWords(refused({"ping", "a@127.0.0.1", "--wait", "soon"}), {"'soon'", "number of seconds"});
  ExpectWords(refused({"ping", "a@127.0.0.1", "--timeout", "0"}), {"'0'", "above 0"});
  ExpectWords(refused({"call", "a@127.0.0.1", "lists", "sum", "[1,2"}), {"[1,2"});
  ExpectWords(refused({"ping", "nowhere"}), {"nowhere", "name@host"});
}

TEST_F(RefusedStartTest, NodectlsHelpNamesTheWordsOfAVerb) {
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"call", "--help"}, {"help", "call"}}) {
    const testlib::Finished done = Nodectl({}, words);
    EXPECT_EQ(done.code, 0) << done.err;
    ExpectWords(done.out, {"MODULE FUNCTION [ARGUMENT ...]", "--timeout", "Exit codes"});
  }
}

// A script must not take an empty file for an answer.
TEST_F(RefusedStartTest, AnAnswerThatCannotBeWrittenIsNone) {
  const CertFiles files = certs_.Node("any@127.0.0.1");
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"-version"}, {"certs", "show", files.cert}}) {
    testlib::Command command = testlib::CommandOf("cli/nodectl", words, {});
    const std::vector<std::string> shell = {"sh", "-c", "exec \"$0\" \"$@\" > /dev/full"};
    command.argv.insert(command.argv.begin(), shell.begin(), shell.end());
    auto done = testlib::RunProgram(command);
    ASSERT_TRUE(done.ok()) << done.status();
    EXPECT_EQ(done->code, 2) << words[0];
    ExpectWords(done->err, {"nodectl: ", "standard output", "a place to go"});
  }
}

}  // namespace
}  // namespace noded::interop
