#include "dist/cookie.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/status.h"
#include "dist/cookie_file.h"
#include "gtest/gtest.h"

namespace noded::dist {
namespace {

namespace fs = std::filesystem;

TEST(CookieJarTest, ANodeWithoutACookieOfItsOwnHasTheCommonOne) {
  CookieJar jar(Cookie{base::Secret("common"), "file"});
  jar.SetFor("a@host", Cookie{base::Secret("one"), "option"});
  jar.SetFor("a@host", Cookie{base::Secret("two"), "option 2"});
  EXPECT_EQ(jar.For("a@host").text.view(), "two");
  EXPECT_EQ(jar.For("a@host").origin, "option 2");
  EXPECT_EQ(jar.For("b@host").text.view(), "common");
}

TEST(CookieJarTest, DigestsAreEqualOnlyWhenAllBytesAre) {
  const base::Md5Digest digest = ChallengeDigest({base::Secret("x"), ""}, 1);
  EXPECT_TRUE(EqualDigests(digest, digest));
  for (size_t i = 0; i < digest.size(); ++i) {
    base::Md5Digest other = digest;
    other[i] ^= 1;
    EXPECT_FALSE(EqualDigests(digest, other));
  }
  EXPECT_FALSE(EqualDigests(digest, ChallengeDigest({base::Secret("x"), ""}, 2)));
}

class CookieFileTest : public testing::Test {
 protected:
  CookieFileTest() {
    std::string name = testing::TempDir() + "cookie_XXXXXX";
    root_ = mkdtemp(name.data());
    fs::create_directories(root_ / "home");
    fs::create_directories(root_ / "config/erlang");
  }
  ~CookieFileTest() override { fs::remove_all(root_); }

  absl::StatusOr<Cookie> Load() {
    return LoadCookieFile({(root_ / "home").string(), (root_ / "config").string()});
  }
  void Write(const fs::path& path, std::string_view text, mode_t mode = 0400) {
    std::ofstream(root_ / path) << text;
    ASSERT_EQ(chmod((root_ / path).c_str(), mode), 0);
  }
  void ExpectRefused(const std::string& what) {
    auto cookie = Load();
    ASSERT_FALSE(cookie.ok());
    EXPECT_EQ(cookie.status().code(), absl::StatusCode::kInvalidArgument);
    const std::string text(cookie.status().message());
    EXPECT_NE(text.find(what), std::string::npos) << text;
    EXPECT_NE(text.find(".erlang.cookie"), std::string::npos) << text;
    EXPECT_NE(base::MendOf(cookie.status()), "");
  }

  fs::path root_;
  const fs::path home_file_ = "home/.erlang.cookie";
  const fs::path config_file_ = "config/erlang/.erlang.cookie";
};

TEST_F(CookieFileTest, TheHomeDirectoryComesFirst) {
  Write(home_file_, "HOMECOOKIE\n");
  Write(config_file_, "CONFIGCOOKIE\n");
  auto cookie = Load();
  ASSERT_TRUE(cookie.ok()) << cookie.status();
  EXPECT_EQ(cookie->text.view(), "HOMECOOKIE");
  EXPECT_EQ(cookie->origin, "file " + (root_ / home_file_).string());
}

TEST_F(CookieFileTest, TheConfigDirectoryIsNext) {
  Write(config_file_, "CONFIGCOOKIE\r\n");
  auto cookie = Load();
  ASSERT_TRUE(cookie.ok()) << cookie.status();
  EXPECT_EQ(cookie->text.view(), "CONFIGCOOKIE");
  EXPECT_FALSE(fs::exists(root_ / home_file_));
}

TEST_F(CookieFileTest, WithoutAConfigDirectoryItIsDotConfigOfHome) {
  fs::create_directories(root_ / "home/.config/erlang");
  Write("home/.config/erlang/.erlang.cookie", "DOTCONFIG");
  auto cookie = LoadCookieFile({(root_ / "home").string(), ""});
  ASSERT_TRUE(cookie.ok()) << cookie.status();
  EXPECT_EQ(cookie->text.view(), "DOTCONFIG");
}

TEST_F(CookieFileTest, AMissingFileIsCreatedForItsOwnerAlone) {
  auto cookie = Load();
  ASSERT_TRUE(cookie.ok()) << cookie.status();
  const std::string_view text = cookie->text.view();
  EXPECT_EQ(text.size(), 20u);
  EXPECT_TRUE(std::all_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'Z'; }));
  struct stat info;
  ASSERT_EQ(stat((root_ / home_file_).c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0400u);
  EXPECT_EQ(std::distance(fs::directory_iterator(root_ / "home"), fs::directory_iterator()), 1);
  auto again = Load();
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->text, cookie->text);
}

TEST_F(CookieFileTest, TwoNewCookiesDiffer) {
  auto one = Load();
  fs::remove(root_ / home_file_);
  auto two = Load();
  ASSERT_TRUE(one.ok() && two.ok());
  EXPECT_NE(one->text, two->text);
}

TEST_F(CookieFileTest, WithoutAHomeItIsCreatedInTheConfigDirectory) {
  auto cookie = LoadCookieFile({"", (root_ / "fresh").string()});
  ASSERT_TRUE(cookie.ok()) << cookie.status();
  EXPECT_TRUE(fs::exists(root_ / "fresh/erlang/.erlang.cookie"));
  EXPECT_EQ(LoadCookieFile({"", ""}).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(CookieFileTest, AFileThatOthersMayUseIsRefusedWithItsMend) {
  for (mode_t mode : {0440, 0404, 0420, 0601, 0644}) {
    Write(home_file_, "COOKIE", 0600);
    ASSERT_EQ(chmod((root_ / home_file_).c_str(), mode), 0);
    ExpectRefused("others than its owner");
    ExpectRefused("chmod 400");
    fs::remove(root_ / home_file_);
  }
}

TEST_F(CookieFileTest, WhatIsNoFileIsRefused) {
  fs::create_directories(root_ / home_file_);
  ExpectRefused("not a regular file");
  fs::remove(root_ / home_file_);
  ASSERT_EQ(mkfifo((root_ / home_file_).c_str(), 0600), 0);
  ExpectRefused("not a regular file");
}

TEST_F(CookieFileTest, TheTextMustBeOneLineOfVisibleCharacters) {
  const std::vector<std::pair<std::string, std::string>> bad = {
      {"", "too short"},
      {"\n\n", "too short"},
      {"A\nB", "bad characters"},
      {"A\tB", "bad characters"},
      {"caf\xc3\xa9", "bad characters"},
      {std::string(256, 'A'), "more than 255"},
      {std::string(5000, ' '), "more than 4096"},
  };
  for (const auto& [text, what] : bad) {
    Write(home_file_, text, 0600);
    ExpectRefused(what);
    fs::remove(root_ / home_file_);
  }
  Write(home_file_, "two words ~\r\n \n", 0600);
  auto cookie = Load();
  ASSERT_TRUE(cookie.ok()) << cookie.status();
  EXPECT_EQ(cookie->text.view(), "two words ~");
}

TEST_F(CookieFileTest, AHomeThatIsNotThereIsAnErrorWithItsCause) {
  auto cookie = LoadCookieFile({(root_ / "nowhere").string(), ""});
  ASSERT_FALSE(cookie.ok());
  EXPECT_EQ(base::ReasonOf(cookie.status()), "enoent");
}

}  // namespace
}  // namespace noded::dist
