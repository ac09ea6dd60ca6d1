#include "cli/verbs/certs.h"

#include <sys/stat.h>

#include <filesystem>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include "fmt/format.h"
#include "nlohmann/json.hpp"

#include "base/status.h"
#include "cli/verbs/file.h"
#include "tests/testlib/process.h"
#include "tests/testlib/temp_dir.h"
#include "tests/testlib/test_certs.h"

namespace noded::cli {
namespace {

using testing::HasSubstr;
using testing::Not;
using testlib::CertFiles;
using testlib::ReadFile;
using testlib::RunProgram;
using testlib::TempDir;
using testlib::TestCerts;

std::string Init(const std::string& folder, const std::vector<std::string>& nodes) {
  std::ostringstream out;
  const absl::Status status = CertsInit(folder, nodes, out);
  EXPECT_TRUE(status.ok()) << status;
  return out.str();
}

absl::Status InitError(const std::string& folder, const std::vector<std::string>& nodes) {
  std::ostringstream out;
  return CertsInit(folder, nodes, out);
}

mode_t ModeOf(const std::string& path) {
  struct stat info = {};
  EXPECT_EQ(stat(path.c_str(), &info), 0) << path;
  return info.st_mode & 0777;
}

std::string Verify(const std::string& ca, const std::string& cert, const std::string& host) {
  auto done = RunProgram(
      {"openssl", "verify", "-x509_strict", "-verify_hostname", host, "-CAfile", ca, cert});
  EXPECT_TRUE(done.ok()) << done.status();
  return done.ok() ? done->out + done->err : "";
}

TEST(CertsInitTest, MakesAnAuthorityAndWhatEachNodeNeeds) {
  TempDir dir;
  const std::string folder = dir.File("new/certs");
  const std::string said = Init(folder, {"a@127.0.0.1", "b@shop.example"});
  EXPECT_THAT(said, HasSubstr("made " + folder + "/ca.pem"));
  EXPECT_THAT(said, HasSubstr("-ssl_dist_optfile " + folder + "/ssl_dist.b@shop.example.conf"));
  for (const char* key : {"ca-key", "a@127.0.0.1-key", "b@shop.example-key"}) {
    EXPECT_EQ(ModeOf(fmt::format("{}/{}.pem", folder, key)), 0600u) << key;
  }
  EXPECT_EQ(ModeOf(folder + "/ca.pem"), 0644u);
  EXPECT_THAT(Verify(folder + "/ca.pem", folder + "/a@127.0.0.1.pem", "127.0.0.1"),
              HasSubstr("pem: OK"));
  EXPECT_THAT(Verify(folder + "/ca.pem", folder + "/b@shop.example.pem", "shop.example"),
              HasSubstr("pem: OK"));
  EXPECT_THAT(Verify(folder + "/ca.pem", folder + "/b@shop.example.pem", "127.0.0.1"),
              HasSubstr("hostname mismatch"));
  // Nothing else, and no drafts.
  const auto files = std::filesystem::directory_iterator(folder);
  EXPECT_EQ(std::distance(begin(files), end(files)), 8);
}

TEST(CertsInitTest, AddsNodesUnderTheSameAuthorityAndKeepsWhatIsThere) {
  TempDir dir;
  Init(dir.path(), {"a@127.0.0.1"});
  const std::string ca = ReadFile(dir.File("ca.pem")), key = ReadFile(dir.File("ca-key.pem")),
                    a = ReadFile(dir.File("a@127.0.0.1.pem"));
  const std::string said = Init(dir.path(), {"a@127.0.0.1", "b@127.0.0.1"});
  EXPECT_THAT(said, HasSubstr("kept " + dir.File("ca.pem")));
  EXPECT_THAT(said, HasSubstr("kept " + dir.File("a@127.0.0.1.pem")));
  EXPECT_THAT(said, HasSubstr("made " + dir.File("b@127.0.0.1.pem")));
  EXPECT_EQ(ReadFile(dir.File("ca.pem")), ca);
  EXPECT_EQ(ReadFile(dir.File("ca-key.pem")), key);
  EXPECT_EQ(ReadFile(dir.File("a@127.0.0.1.pem")), a);
  EXPECT_THAT(Verify(dir.File("ca.pem"), dir.File("b@127.0.0.1.pem"), "127.0.0.1"),
              HasSubstr("pem: OK"));
}

TEST(CertsInitTest, RefusesHalfOfAPair) {
  TempDir dir;
  Init(dir.path(), {"a@127.0.0.1"});
  std::filesystem::remove(dir.File("a@127.0.0.1-key.pem"));
  absl::Status status = InitError(dir.path(), {"a@127.0.0.1"});
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("a@127.0.0.1-key.pem is not"));
  std::filesystem::remove(dir.File("ca.pem"));
  status = InitError(dir.path(), {"b@127.0.0.1"});
  EXPECT_THAT(status.message(), HasSubstr("ca-key.pem is there, but " + dir.File("ca.pem")));
  EXPECT_FALSE(FileExists(dir.File("b@127.0.0.1.pem")));
}

TEST(CertsInitTest, RefusesAnAuthorityThatIsNoneOrExpiredOrNotItsKeys) {
  TestCerts certs;
  TempDir dir;
  const CertFiles node = certs.Node("a"), expired = certs.Expired("a");
  dir.Write("ca.pem", ReadFile(node.cert));
  dir.Write("ca-key.pem", ReadFile(node.key));
  absl::Status status = InitError(dir.path(), {"b@127.0.0.1"});
  EXPECT_THAT(status.message(), HasSubstr("not that of an authority"));
  dir.Write("ca-key.pem", ReadFile(certs.Node("b").key));
  status = InitError(dir.path(), {"b@127.0.0.1"});
  EXPECT_THAT(status.message(), HasSubstr("ca-key.pem: is not the key of " + dir.File("ca.pem")));
  dir.Write("ca.pem", ReadFile(expired.cert));
  dir.Write("ca-key.pem", ReadFile(expired.key));
  status = InitError(dir.path(), {"b@127.0.0.1"});
  EXPECT_THAT(status.message(), HasSubstr("ca.pem: expired at "));
}

TEST(CertsInitTest, RefusesToKeepACertificateOfAnotherAuthority) {
  TempDir dir;
  Init(dir.path(), {"a@127.0.0.1"});
  std::filesystem::remove(dir.File("ca.pem"));
  std::filesystem::remove(dir.File("ca-key.pem"));
  const absl::Status status = InitError(dir.path(), {"a@127.0.0.1"});
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("a@127.0.0.1.pem: is not signed by the authority"));
}

TEST(CertsInitTest, RefusesWhatIsNoNodeNameBeforeItWritesAnything) {
  TempDir dir;
  for (const std::string node :
       {"a", "@host", "a@", "a@b@c", "a@../../etc", "a b@c", "a\"@c", "a@c/d", "a@c\n", ""}) {
    const absl::Status status = InitError(dir.File("certs"), {"good@127.0.0.1", node});
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << node;
    EXPECT_THAT(status.message(), HasSubstr("node '" + node + "'"));
  }
  EXPECT_FALSE(FileExists(dir.File("certs")));
}

TEST(CertsInitTest, SaysWhyAFolderCannotBeMade) {
  TempDir dir;
  const std::string file = dir.Write("file", "");
  const absl::Status status = InitError(file + "/certs", {});
  EXPECT_THAT(status.message(), HasSubstr("cannot make the folder " + file));
  EXPECT_EQ(base::ReasonOf(status), "enotdir");
}

TEST(CertsInitTest, TakesLongNodeNames) {
  TempDir dir;
  const std::string node = std::string(80, 'n') + "@shop.example";  // longer than a common name
  Init(dir.path(), {node});
  EXPECT_THAT(Verify(dir.File("ca.pem"), dir.File(node + ".pem"), "shop.example"),
              HasSubstr("pem: OK"));
}

std::string Show(const std::string& file, bool json) {
  std::ostringstream out;
  const absl::Status status = CertsShow(file, json, out);
  EXPECT_TRUE(status.ok()) << status;
  return out.str();
}

TEST(CertsShowTest, TellsPeopleWhatACertificateSays) {
  TestCerts certs;
  const std::string text = Show(certs.InOne(certs.Node("a@127.0.0.1")), false);
  EXPECT_THAT(text, HasSubstr("certificate 1 of 1\n  subject      CN=a@127.0.0.1\n"));
  EXPECT_THAT(text, HasSubstr("names        DNS:127.0.0.1, IP:127.0.0.1\n"));
  EXPECT_THAT(text, HasSubstr(" (valid)\n"));
  EXPECT_THAT(text, HasSubstr("private key  in this file\n"));
  EXPECT_THAT(text, Not(HasSubstr("BEGIN")));
  EXPECT_THAT(Show(certs.Expired("a").cert, false), HasSubstr(" (expired)\n"));
  EXPECT_THAT(Show(certs.NotYetValid("a").cert, false), HasSubstr(" (not yet valid)\n"));
  EXPECT_THAT(Show(certs.ca(), false), HasSubstr("authority    yes\n"));
}

TEST(CertsShowTest, TellsProgramsTheSame) {
  TestCerts certs;
  const auto array = nlohmann::json::parse(Show(certs.Chained("a@127.0.0.1", 1).cert, true));
  ASSERT_EQ(array.size(), 2u);
  EXPECT_EQ(array[0]["subject"], "CN=a@127.0.0.1");
  EXPECT_EQ(array[0]["dns_names"][0], "127.0.0.1");
  EXPECT_EQ(array[0]["state"], "valid");
  EXPECT_EQ(array[0]["is_ca"], false);
  EXPECT_TRUE(array[0]["key_matches"].is_null());
  EXPECT_EQ(array[0]["not_after"].get<std::string>().size(), 20u);
  EXPECT_EQ(array[0]["not_after"].get<std::string>().back(), 'Z');
  EXPECT_EQ(array[1]["is_ca"], true);
  const CertFiles mixed = certs.Mismatched("a");
  EXPECT_EQ(nlohmann::json::parse(Show(certs.InOne(mixed), true))[0]["key_matches"], false);
}

TEST(CertsShowTest, NamesTheFileThatItCannotRead) {
  TempDir dir;
  std::ostringstream out;
  absl::Status status = CertsShow(dir.File("none.pem"), false, out);
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(status.message(), HasSubstr(dir.File("none.pem")));
  status = CertsShow(dir.Write("tea.pem", "tea"), false, out);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr(dir.File("tea.pem")));
  status = CertsShow(dir.Write("big.pem", std::string(2 << 20, 'x')), false, out);
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(out.str(), "");
}

}  // namespace
}  // namespace noded::cli
