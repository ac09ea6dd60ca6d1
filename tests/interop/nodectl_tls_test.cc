// `nodectl tls serve` and `nodectl tls connect`: against each other, openssl, curl and gnutls-cli,
// in both versions, with each kind of certificate.
#include <sys/stat.h>

#include <algorithm>
#include <fstream>

#include "fmt/format.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include "nlohmann/json.hpp"

#include "tests/testlib/ports.h"
#include "tests/testlib/process.h"
#include "tests/testlib/runfiles.h"
#include "tests/testlib/sanitizer.h"
#include "tests/testlib/temp_dir.h"
#include "tests/testlib/test_certs.h"
#include "tests/testlib/wait.h"

namespace noded::testlib {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;
using Words = std::vector<std::string>;

struct Kind {
  const char* name;
  const char* version;  // Erlang's
  tls::KeyType key_type;

  std::string openssl_flag() const {
    return std::string(version) == "tlsv1.2" ? "-tls1_2" : "-tls1_3";
  }
};

Words Joined(std::initializer_list<Words> parts) {
  Words all;
  for (const Words& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

class NodectlTlsTest : public testing::TestWithParam<Kind> {
 protected:
  static Words Nodectl(Words words) {
    return Joined({{ProgramPath("cli/nodectl"), "tls"}, std::move(words)});
  }
  static Finished Run(Words argv, std::string_view input = "") {
    auto done = RunProgram(Command{.argv = std::move(argv)}, input);
    EXPECT_TRUE(done.ok()) << done.status();
    return done.ok() ? *std::move(done) : Finished{};
  }
  static std::unique_ptr<Process> Start(Words argv, bool has_input = false) {
    auto process = Process::Start({.argv = std::move(argv), .has_input = has_input});
    EXPECT_TRUE(process.ok()) << process.status();
    return process.ok() ? *std::move(process) : nullptr;
  }

  Words Own(const CertFiles& files) const {
    return {"certfile", files.cert, "keyfile", files.key, "versions", GetParam().version};
  }
  Words Trusting() const { return {"cacertfile", certs_.ca(), "verify", "verify_peer"}; }

  // On a port of the kernel's choice, which is then in port_.
  std::unique_ptr<Process> Serve(Words words) {
    auto server = Start(Nodectl(Joined({{"serve", "127.0.0.1:0"}, std::move(words)})));
    auto line = server->WaitForOutput("listening on 127.0.0.1:([0-9]+)");
    EXPECT_TRUE(line.ok()) << line.status();
    port_ = line.ok() ? (*line)[1] : "0";
    return server;
  }
  std::unique_ptr<Process> Serve() { return Serve(Own(node_)); }
  Finished Connect(Words words, std::string_view input = "") {
    return Run(Nodectl(Joined({{"connect", "127.0.0.1:" + port_}, std::move(words)})), input);
  }
  // Ends it as a terminal would.
  static void ExpectCleanEnd(Process& process, int signal = SIGINT) {
    process.Signal(signal);
    auto code = process.WaitForExit();
    ASSERT_TRUE(code.ok()) << code.status();
    EXPECT_EQ(*code, 0) << process.Err();
  }

  TestCerts certs_;
  CertFiles node_ = certs_.Node("b@127.0.0.1", GetParam().key_type);
  std::string port_;
};

INSTANTIATE_TEST_SUITE_P(Kinds, NodectlTlsTest,
                         testing::Values(Kind{"Tls12Rsa", "tlsv1.2", tls::KeyType::kRsa2048},
                                         Kind{"Tls12P256", "tlsv1.2", tls::KeyType::kEcP256},
                                         Kind{"Tls12P384", "tlsv1.2", tls::KeyType::kEcP384},
                                         Kind{"Tls13Rsa", "tlsv1.3", tls::KeyType::kRsa2048},
                                         Kind{"Tls13P256", "tlsv1.3", tls::KeyType::kEcP256},
                                         Kind{"Tls13P384", "tlsv1.3", tls::KeyType::kEcP384}),
                         [](const auto& info) { return info.param.name; });

TEST_P(NodectlTlsTest, TheyTalkToEachOther) {
  auto server = Serve();
  // More than the buffers on the way: both directions must flow at once.
  std::string text;
  for (int i = 0; text.size() < 4 * 1024 * 1024; ++i) text += fmt::format("line {}\n", i);
  const Finished echoed = Connect(Trusting(), text);
  EXPECT_EQ(echoed.code, 0) << echoed.err;
  EXPECT_TRUE(echoed.out == text) << echoed.out.size() << " of " << text.size() << " bytes";
  auto line = server->WaitForOutput(fmt::format("^127.0.0.1:[0-9]+ {} TLS_", GetParam().version));
  EXPECT_TRUE(line.ok()) << line.status();
  ExpectCleanEnd(*server);
}

TEST_P(NodectlTlsTest, InfoSaysWhatWasAgreed) {
  auto server = Serve(Joined({Own(node_), {"alpn_preferred_protocols", "[<<\"x\">>]"}}));
  const Finished text = Connect(Joined({{"--info"}, Trusting()}));
  EXPECT_EQ(text.code, 0) << text.err;
  EXPECT_THAT(text.out, HasSubstr(fmt::format("protocol     {}\n", GetParam().version)));
  EXPECT_THAT(text.out, HasSubstr("verification verified\n"));
  EXPECT_THAT(text.out, HasSubstr("certificate 1 of 1\n  subject      CN=b@127.0.0.1\n"));
  const Finished machine = Connect(Joined({{"--info", "--json"},
                                           Trusting(),
                                           {"alpn_advertised_protocols", "[<<\"x\">>]"},
                                           {"server_name_indication", "127.0.0.1"}}));
  EXPECT_EQ(machine.code, 0) << machine.err;
  const auto json = nlohmann::json::parse(machine.out, nullptr, /*allow_exceptions=*/false);
  ASSERT_TRUE(json.is_object()) << machine.out;
  EXPECT_EQ(json["protocol"], GetParam().version);
  EXPECT_EQ(json["alpn"], "x");
  EXPECT_EQ(json["is_verified"], true);
  ASSERT_EQ(json["chain"].size(), 1u);
  EXPECT_EQ(json["chain"][0]["state"], "valid");
  // Without trust anchors nothing is verified, and that is said.
  EXPECT_THAT(Connect({"--info", "verify", "verify_none"}).out,
              HasSubstr("verification not verified\n"));
}

// The parameters of -ssl, by their own names.
TEST_P(NodectlTlsTest, ALaterConnectionGoesOnWithTheSession) {
  TempDir dir;
  const Words keeping = {"session_cb", "sqlite", "session_cb_init_args",
                         fmt::format("[{{folder, \"{}\"}}]", dir.path())};
  auto server = Serve(Joined({Own(node_), {"session_lifetime", "600", "alert_timeout", "2000"}}));
  for (int round = 0; round < 2; ++round) {
    // TLS 1.3's ticket comes with what is received.
    EXPECT_EQ(Connect(Joined({Trusting(), keeping}), "hello").out, "hello");
    const Finished info = Connect(Joined({{"--info"}, Trusting(), keeping}));
    EXPECT_THAT(info.out, HasSubstr("session      resumed\n")) << info.err;
  }
  auto line = server->WaitForOutput(" resumed");
  EXPECT_TRUE(line.ok()) << line.status();

  // openssl goes on with ours, too.
  const std::string kept = dir.File("session.pem");
  for (const bool is_second : {false, true}) {
    auto client = Start(Joined({{"openssl", "s_client", "-connect", "127.0.0.1:" + port_, "-CAfile",
                                 certs_.ca(), "-no_ign_eof", GetParam().openssl_flag()},
                                {is_second ? "-sess_in" : "-sess_out", kept}}),
                        /*has_input=*/true);
    EXPECT_TRUE(client->Write("hello\n").ok());
    auto echoed = client->WaitForOutput("^hello");
    EXPECT_TRUE(echoed.ok()) << echoed.status();
    client->CloseInput();
    EXPECT_TRUE(client->WaitForExit().ok());
    const bool is_reused = client->Out().find("Reused, ") != std::string::npos;
    EXPECT_EQ(is_reused, is_second) << client->Out();
  }
  ExpectCleanEnd(*server);
}

TEST_P(NodectlTlsTest, OpensslsClientIsServed) {
  auto server = Serve();
  auto client = Start({"openssl", "s_client", "-connect", "127.0.0.1:" + port_, "-CAfile",
                       certs_.ca(), "-verify_return_error", "-quiet", "-servername", "b.example",
                       GetParam().openssl_flag(), "-no_ign_eof"},
                      /*has_input=*/true);
  EXPECT_TRUE(client->Write("hello\n").ok());
  auto answer = client->WaitForOutput("^hello$");
  EXPECT_TRUE(answer.ok()) << answer.status();
  auto line = server->WaitForOutput("sni=b.example");
  EXPECT_TRUE(line.ok()) << line.status();
}

TEST_P(NodectlTlsTest, OpensslsServerIsReached) {
  auto server = Start({"openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", node_.cert, "-key",
                       node_.key, "-rev", GetParam().openssl_flag()});
  auto line = server->WaitForOutput("ACCEPT 127.0.0.1:([0-9]+)");
  ASSERT_TRUE(line.ok()) << line.status();
  port_ = (*line)[1];
  auto client =
      Start(Nodectl(Joined({{"connect", "127.0.0.1:" + port_}, Trusting()})), /*has_input=*/true);
  EXPECT_TRUE(client->Write("abc\n").ok());
  auto answer = client->WaitForOutput("^cba$");
  EXPECT_TRUE(answer.ok()) << answer.status();
  client->CloseInput();
  auto code = client->WaitForExit();
  ASSERT_TRUE(code.ok()) << code.status();
  EXPECT_EQ(*code, 0) << client->Err();
}

TEST_P(NodectlTlsTest, CurlGetsThePage) {
  auto server = Serve(Joined({{"--www"}, Own(node_)}));
  for (const char* http : {"--http1.0", "--http1.1"}) {
    const Finished page = Run({"curl", "--silent", "--show-error", http, "--noproxy", "*",
                               "--cacert", certs_.ca(), "https://127.0.0.1:" + port_ + "/x"});
    EXPECT_EQ(page.code, 0) << page.err;
    EXPECT_THAT(page.out, HasSubstr(fmt::format("protocol     {}\n", GetParam().version)));
    EXPECT_THAT(page.out, HasSubstr("</html>\n"));
  }
  const Finished head = Run({"curl", "--silent", "--head", "--noproxy", "*", "--cacert",
                             certs_.ca(), "https://127.0.0.1:" + port_});
  EXPECT_EQ(head.code, 0) << head.err;
  EXPECT_THAT(head.out, HasSubstr("HTTP/1.1 200 OK"));
}

TEST_P(NodectlTlsTest, GnutlsIsServed) {
  auto server = Serve();
  auto client =
      Start({"gnutls-cli", "--port", port_, "--x509cafile", certs_.ca(), "--priority",
             fmt::format("NORMAL:-VERS-ALL:+VERS-{}",
                         std::string(GetParam().version) == "tlsv1.2" ? "TLS1.2" : "TLS1.3"),
             "127.0.0.1"},
            /*has_input=*/true);
  EXPECT_TRUE(client->Write("hello gnutls\n").ok());
  auto answer = client->WaitForOutput("^hello gnutls$");
  EXPECT_TRUE(answer.ok()) << answer.status();
  client->CloseInput();
  auto code = client->WaitForExit();
  ASSERT_TRUE(code.ok()) << code.status();
  EXPECT_EQ(*code, 0) << client->Err();
}

// What does not depend on version and certificate.
class NodectlTlsOnceTest : public NodectlTlsTest {};

INSTANTIATE_TEST_SUITE_P(Once, NodectlTlsOnceTest,
                         testing::Values(Kind{"Tls13", "tlsv1.3", tls::KeyType::kEcP256}),
                         [](const auto& info) { return info.param.name; });

TEST_P(NodectlTlsOnceTest, RefusalsHaveTheirExitCodes) {
  EXPECT_EQ(Run(Nodectl({"serve"})).code, 2);
  EXPECT_EQ(Run(Nodectl({"connect", "127.0.0.1"})).code, 2);
  const Finished option = Run(Nodectl({"serve", "0", "cerfile", "x"}));
  EXPECT_EQ(option.code, 2);
  EXPECT_THAT(option.err, HasSubstr("did you mean 'certfile'?"));
  const Finished file = Run(Nodectl({"serve", "0", "certfile", "/none.pem"}));
  EXPECT_EQ(file.code, 2);
  EXPECT_THAT(file.err, HasSubstr("/none.pem"));
  EXPECT_EQ(Run(Nodectl(Joined({{"serve", "0", "--www", "--discard"}, Own(node_)}))).code, 2);
  const Finished nobody = Run(Nodectl({"connect", fmt::format("127.0.0.1:{}", FreePort())}));
  EXPECT_EQ(nobody.code, 3);
  EXPECT_THAT(nobody.err, HasSubstr("connection refused"));
}

TEST_P(NodectlTlsOnceTest, BothSidesSayWhyTheyWereRefused) {
  auto server = Serve();
  const Finished client =
      Connect({"cacertfile", certs_.untrusted_ca(), "verify", "verify_peer"}, "x");
  EXPECT_EQ(client.code, 3);
  EXPECT_THAT(client.err, HasSubstr("nodectl: TLS handshake with 127.0.0.1"));
  auto line = server->WaitForOutput("^127.0.0.1:[0-9]+ failed: ");
  EXPECT_TRUE(line.ok()) << line.status();
}

TEST_P(NodectlTlsOnceTest, AClientsCertificateIsAskedFor) {
  auto server = Serve(Joined({Own(node_), Trusting(), {"fail_if_no_peer_cert", "true"}}));
  for (const char* mode : {"--info", "--json"}) {
    const Finished unnamed = Connect(Joined({{mode}, Trusting()}));
    EXPECT_EQ(unnamed.code, 3) << mode << unnamed.out;
    EXPECT_THAT(unnamed.err, HasSubstr("certificate")) << mode;
  }
  const CertFiles me = certs_.Node("me@127.0.0.1");
  const Finished named =
      Connect(Joined({{"certfile", me.cert, "keyfile", me.key}, Trusting()}), "hello\n");
  EXPECT_EQ(named.code, 0) << named.err;
  EXPECT_EQ(named.out, "hello\n");
  auto line = server->WaitForOutput("peer: CN=me@127.0.0.1 [(]verified[)]");
  EXPECT_TRUE(line.ok()) << line.status();
}

TEST_P(NodectlTlsOnceTest, OnceEndsWithTheOutcomeOfItsConnection) {
  auto good = Serve(Joined({{"--once"}, Own(node_)}));
  EXPECT_EQ(Connect(Trusting(), "x").out, "x");
  EXPECT_EQ(good->WaitForExit().value_or(-1), 0) << good->Err();
  auto bad = Serve(Joined({{"--once", "--json"}, Own(node_)}));
  EXPECT_EQ(Connect({"versions", "tlsv1.2"}).code, 3);
  EXPECT_EQ(bad->WaitForExit().value_or(-1), 3) << bad->Err();
  auto line = bad->WaitForLine("{");
  ASSERT_TRUE(line.ok()) << line.status();
  const auto json = nlohmann::json::parse("{" + *line, nullptr, false);
  EXPECT_EQ(json["reason"], "protocol_version") << *line;
}

TEST_P(NodectlTlsOnceTest, DiscardSaysNothing) {
  auto server = Serve(Joined({{"--discard"}, Own(node_)}));
  const Finished done = Connect(Trusting(), std::string(1024 * 1024, 'x'));
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(done.out, "");
}

TEST_P(NodectlTlsOnceTest, APlainClientIsToldApart) {
  auto server = Serve(Joined({{"--www"}, Own(node_)}));
  Run({"curl", "--silent", "--noproxy", "*", "http://127.0.0.1:" + port_});
  auto line = server->WaitForOutput("failed: TLS handshake with 127.0.0.1");
  EXPECT_TRUE(line.ok()) << line.status();
}

// Handshakes that a server has told of.
size_t Handshakes(Process& server) {
  const std::string out = server.Out();
  size_t count = 0;
  for (size_t at = 0; (at = out.find(" peer: ", at)) != std::string::npos; ++at) ++count;
  return count;
}

TEST_P(NodectlTlsOnceTest, SilentClientsHoldUpNobody) {
  auto server = Serve();
  std::vector<std::unique_ptr<Process>> silent;
  for (int i = 0; i < 5; ++i) {
    silent.push_back(Start(Nodectl(Joined({{"connect", "127.0.0.1:" + port_}, Trusting()})),
                           /*has_input=*/true));
  }
  EXPECT_EQ(Connect(Trusting(), "hello").out, "hello");
  // One that has not got through its handshake is cut, not said goodbye to.
  ASSERT_TRUE(Eventually([&] { return Handshakes(*server) == silent.size() + 1; }));
  // Nor does one that does not take part in the goodbye.
  ExpectCleanEnd(*server, SIGTERM);
  for (auto& client : silent) {
    EXPECT_EQ(client->WaitForExit().value_or(-1), 0) << client->Err();
  }
}

TEST_P(NodectlTlsOnceTest, ASignalEndsAClientPolitely) {
  auto server = Serve(Joined({{"--once"}, Own(node_)}));
  auto client =
      Start(Nodectl(Joined({{"connect", "127.0.0.1:" + port_}, Trusting()})), /*has_input=*/true);
  auto line = server->WaitForOutput("^127.0.0.1:[0-9]+ tlsv1.3");
  ASSERT_TRUE(line.ok()) << line.status();
  // An echo says that it has its signal handler.
  EXPECT_TRUE(client->Write("here\n").ok());
  EXPECT_TRUE(client->WaitForOutput("^here$").ok());
  ExpectCleanEnd(*client);
  EXPECT_EQ(server->WaitForExit().value_or(-1), 0) << "no close_notify: " << server->Out();
}

// Resident pages of a process.
long ResidentPages(pid_t pid) {
  std::ifstream statm(fmt::format("/proc/{}/statm", pid));
  long size = 0, resident = 0;
  statm >> size >> resident;
  return resident;
}

size_t OpenDescriptors(pid_t pid) {
  const Finished listing = RunProgram({"ls", fmt::format("/proc/{}/fd", pid)}).value_or(Finished());
  return static_cast<size_t>(std::count(listing.out.begin(), listing.out.end(), '\n'));
}

TEST_P(NodectlTlsOnceTest, AThousandConnectionsLeaveNothingBehind) {
  auto server = Serve();
  // openssl reconnects fast, within one process.
  const auto rush = [&] {
    const Finished done = Run({"openssl", "s_time", "-connect", "127.0.0.1:" + port_, "-new",
                               "-time", "1", "-CAfile", certs_.ca()});
    EXPECT_EQ(done.code, 0) << done.err;
  };
  rush();
  const long before = ResidentPages(server->pid());
  const size_t descriptors_before = OpenDescriptors(server->pid());
  const size_t enough = Handshakes(*server) + 1000;
  while (Handshakes(*server) < enough && !HasFailure()) rush();
  EXPECT_EQ(Connect(Trusting(), "hello").out, "hello");
  EXPECT_LE(OpenDescriptors(server->pid()), descriptors_before + 2);
  // 1,000 leaked connections would be ten thousands of pages.
  if (!kHasSanitizer) {
    EXPECT_LE(ResidentPages(server->pid()), before + 4096);
  }
  ExpectCleanEnd(*server);
}

}  // namespace
}  // namespace noded::testlib
