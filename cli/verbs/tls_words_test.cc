#include "cli/verbs/tls_words.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace noded::cli {
namespace {

using testing::HasSubstr;
using tls::Role;
using Words = std::vector<std::string>;

TlsWords Read(Role role, const Words& words) {
  auto read = ReadTlsWords(role, words);
  EXPECT_TRUE(read.ok()) << words.front() << ": " << read.status();
  return read.ok() ? *std::move(read) : TlsWords();
}

std::string Refusal(Role role, const Words& words) {
  auto read = ReadTlsWords(role, words);
  EXPECT_EQ(read.status().code(), absl::StatusCode::kInvalidArgument) << words.front();
  return std::string(read.status().message().data(), read.status().message().size());
}

TEST(TlsWordsTest, AServerListensOnLoopbackUnlessToldOtherwise) {
  EXPECT_EQ(Read(Role::kServer, {"4433"}).host, "127.0.0.1");
  EXPECT_EQ(Read(Role::kServer, {"4433"}).port, 4433);
  EXPECT_EQ(Read(Role::kServer, {"0"}).port, 0);
  EXPECT_EQ(Read(Role::kServer, {":4433"}).host, "127.0.0.1");
  EXPECT_EQ(Read(Role::kServer, {"localhost:4433"}).host, "127.0.0.1");
  EXPECT_EQ(Read(Role::kServer, {"0.0.0.0:4433"}).host, "0.0.0.0");
  EXPECT_EQ(Read(Role::kServer, {"[::]:1"}).host, "::");
}

TEST(TlsWordsTest, AClientNeedsHostAndPort) {
  EXPECT_EQ(Read(Role::kClient, {"a.example:443"}).host, "a.example");
  EXPECT_EQ(Read(Role::kClient, {"a.example:443"}).port, 443);
  EXPECT_EQ(Read(Role::kClient, {"[::1]:65535"}).host, "::1");
  for (const char* word : {"443", "a.example", "a.example:", ":443", "a:0", "a:65536", "a:+1",
                           "a:1x", "::1:443", ""}) {
    EXPECT_THAT(Refusal(Role::kClient, {word}), HasSubstr("is no HOST:PORT")) << word;
  }
  EXPECT_FALSE(ReadTlsWords(Role::kServer, {}).ok());
  EXPECT_THAT(Refusal(Role::kServer, {"65536"}), HasSubstr("is no [HOST:]PORT"));
  EXPECT_THAT(Refusal(Role::kServer, {"::1"}), HasSubstr("[::1]:4433"));
}

TEST(TlsWordsTest, OptionsAreThoseOfDistributionWithoutTheirPrefix) {
  const TlsWords server = Read(Role::kServer, {"1", "certfile", "/a.pem", "verify", "verify_peer",
                                               "versions", "tlsv1.3", "log_level", "debug"});
  EXPECT_EQ(server.options.identity.certfile, "/a.pem");
  EXPECT_EQ(server.options.trust.verify, tls::Verify::kPeer);
  EXPECT_FALSE(server.options.versions.tls12);
  EXPECT_EQ(server.ignored, Words{"server_log_level (command line)"});
  EXPECT_EQ(Read(Role::kClient, {"a:1", "server_name_indication", "b"}).options.trust.server_name,
            "b");
}

TEST(TlsWordsTest, WrongOptionsAreNamed) {
  EXPECT_THAT(Refusal(Role::kServer, {"1", "certfile"}), HasSubstr("certfile has no value"));
  EXPECT_THAT(Refusal(Role::kServer, {"1", "cerfile", "a"}), HasSubstr("'certfile'?"));
  EXPECT_THAT(Refusal(Role::kClient, {"a:1", "fail_if_no_peer_cert", "true"}),
              HasSubstr("is an option of servers"));
}

}  // namespace
}  // namespace noded::cli
