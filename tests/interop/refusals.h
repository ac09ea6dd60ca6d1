// What the tests of refusals share: nodes on 127.0.0.1 with certificates of one authority, and what
// has to hold whenever one refuses another.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/testlib/log_events.h"
#include "tests/testlib/noded.h"
#include "tests/testlib/otp_node.h"
#include "tests/testlib/ports.h"
#include "tests/testlib/temp_dir.h"
#include "tests/testlib/test_certs.h"

namespace noded::interop {

class RefusalsTest : public testing::Test {
 protected:
  // Of nodes and of nodectl alike. With versions "" both sides are free to choose.
  testlib::NodedOptions Tls(const std::string& optfile) const {
    testlib::NodedOptions options;
    options.proto_dist = "inet_tls";
    options.ssl_dist_optfile = optfile;
    options.epmd_port = epmd_port_;
    return options;
  }
  testlib::NodedOptions Good() const { return Tls(good_); }
  testlib::NodedOptions Plain() const {
    testlib::NodedOptions options;
    options.epmd_port = epmd_port_;
    return options;
  }
  // An OTP node with the same options; nobody starts an epmd for it.
  static testlib::OtpNodeOptions Otp(const testlib::NodedOptions& options) {
    testlib::OtpNodeOptions otp;
    otp.name = options.name;
    otp.cookie = options.cookie;
    otp.proto_dist = options.proto_dist;
    otp.ssl_dist_optfile = options.ssl_dist_optfile;
    otp.ssl_dist_opt = options.ssl_dist_opt;
    otp.epmd_port = options.epmd_port;
    otp.arguments = options.arguments;
    return otp;
  }

  // The option "{versions,['tlsv1.3']}" and files of an identity, to be given to OptFile().
  static std::vector<std::string> Identity(const testlib::CertFiles& files,
                                           std::vector<std::string> more = {}) {
    more.push_back(fmt::format("{{certfile,\"{}\"}}", files.cert));
    more.push_back(fmt::format("{{keyfile,\"{}\"}}", files.key));
    return more;
  }

  // The node is there for whoever may come.
  void ExpectServes(testlib::NodedProcess& node, const testlib::NodedOptions& client) {
    const testlib::Finished pong = testlib::Nodectl(client, {"ping", node.name()});
    EXPECT_EQ(pong.code, 0) << pong.err << node.Log();
    EXPECT_EQ(pong.out, "pong\n");
  }
  void ExpectServes(testlib::NodedProcess& node) { ExpectServes(node, Good()); }

  // nodectl does not get through; its error has all these words.
  void ExpectRefused(const testlib::NodedOptions& client, const std::string& node,
                     const std::vector<std::string>& words, int code = 3) {
    const testlib::Finished done = testlib::Nodectl(client, {"ping", node});
    EXPECT_EQ(done.code, code) << done.err;
    EXPECT_EQ(done.out, "");
    ExpectWords(done.err, words);
  }
  static void ExpectWords(const std::string& text, const std::vector<std::string>& words) {
    for (const std::string& word : words) {
      EXPECT_NE(text.find(word), std::string::npos) << "'" << word << "' is not in: " << text;
    }
  }
  // The node logged one more refusal, with this reason and these words in cause and mend.
  static void ExpectLogged(testlib::LogReader& log, const std::string& reason,
                           const std::vector<std::string>& words = {}) {
    auto refused = log.WaitFor("handshake_refused", {{"reason", reason}});
    ASSERT_TRUE(refused.ok()) << refused.status();
    EXPECT_EQ(refused->level.substr(0, 4), "warn");
    EXPECT_EQ(refused->Get("peer").substr(0, 10), "127.0.0.1:");
    ExpectWords(refused->Get("cause") + "; " + refused->Get("mend"), words);
    EXPECT_EQ(log.All("handshake_refused").size(), 1u) << "a refusal is logged once";
    log.Mark();
  }
  // A node of OTP's did not get through.
  static void ExpectPang(testlib::OtpNode& otp, const std::string& node) {
    EXPECT_EQ(otp.Eval(fmt::format("net_adm:ping('{}')", node)), "pang") << otp.Log();
  }

  testlib::TempDir dir_;
  testlib::TestCerts certs_;
  const uint16_t epmd_port_ = testlib::FreePort();
  const testlib::CertFiles files_ = certs_.Node("any@127.0.0.1");
  const std::string good_ = certs_.OptFile(files_);
};

}  // namespace noded::interop
