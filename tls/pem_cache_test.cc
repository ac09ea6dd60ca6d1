#include "tls/pem_cache.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <thread>

#include <gtest/gtest.h>

#include "base/status.h"
#include "tests/testlib/temp_dir.h"
#include "tests/testlib/test_certs.h"

namespace noded::tls {
namespace {

using testlib::CertFiles;
using testlib::ReadFile;
using testlib::TempDir;
using testlib::TestCerts;

class PemCacheTest : public testing::Test {
 protected:
  std::shared_ptr<const PemFile> Get(const std::string& path) {
    auto file = cache_.Get(path);
    EXPECT_TRUE(file.ok()) << file.status();
    return file.ok() ? *std::move(file) : nullptr;
  }
  // As a careful tool replaces a file: written beside it, and moved over it.
  void Replace(const std::string& path, const std::string& content) {
    const std::string beside = dir_.Write("beside", content);
    ASSERT_EQ(rename(beside.c_str(), path.c_str()), 0);
  }

  base::FakeClock clock_;
  PemCache cache_{clock_, std::chrono::minutes(2)};
  TempDir dir_;
};

TEST_F(PemCacheTest, OneReadIsSharedByAllUntilTheIntervalIsOver) {
  const std::string path = dir_.Write("a.pem", "one");
  const auto first = Get(path);
  EXPECT_EQ(first->content().view(), "one");
  Replace(path, "two");
  clock_.Advance(std::chrono::seconds(119));
  EXPECT_EQ(Get(path), first);
  clock_.Advance(std::chrono::seconds(1));
  EXPECT_EQ(Get(path)->content().view(), "two");
  EXPECT_EQ(first->content().view(), "one") << "who holds the old one keeps it";
}

TEST_F(PemCacheTest, AFileThatIsTheSameStaysTheSameObject) {
  const std::string path = dir_.Write("a.pem", "one");
  const auto first = Get(path);
  clock_.Advance(std::chrono::minutes(5));
  EXPECT_EQ(Get(path), first);
  cache_.Clear();
  EXPECT_EQ(Get(path), first);
}

TEST_F(PemCacheTest, ClearLooksAtOnceAndSeesTimeSizeAndInode) {
  const std::string path = dir_.Write("a.pem", "one");
  const auto first = Get(path);
  // The same size and time, another inode.
  struct stat facts = {};
  ASSERT_EQ(stat(path.c_str(), &facts), 0);
  Replace(path, "two");
  const timespec times[] = {facts.st_atim, facts.st_mtim};
  ASSERT_EQ(utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
  EXPECT_EQ(Get(path), first);
  cache_.Clear();
  const auto second = Get(path);
  EXPECT_EQ(second->content().view(), "two");
  // The same inode, written in place.
  dir_.Write("a.pem", "three");
  cache_.Clear();
  EXPECT_EQ(Get(path)->content().view(), "three");
}

TEST_F(PemCacheTest, TheIntervalCanBeSet) {
  const std::string path = dir_.Write("a.pem", "one");
  Get(path);
  Replace(path, "two");
  cache_.SetInterval(std::chrono::seconds(1));
  clock_.Advance(std::chrono::seconds(1));
  EXPECT_EQ(Get(path)->content().view(), "two");
}

TEST_F(PemCacheTest, AFileThatIsGoneIsAnErrorAndOneThatComesBackIsRead) {
  const std::string path = dir_.Write("a.pem", "one");
  Get(path);
  ASSERT_EQ(unlink(path.c_str()), 0);
  EXPECT_TRUE(cache_.Get(path).ok()) << "within the interval nobody looks";
  cache_.Clear();
  const absl::Status gone = cache_.Get(path).status();
  EXPECT_EQ(gone.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(base::ReasonOf(gone), "enoent");
  dir_.Write("a.pem", "two");
  EXPECT_EQ(Get(path)->content().view(), "two");
  EXPECT_EQ(base::ReasonOf(cache_.Get(dir_.path()).status()), "eisdir");
}

TEST_F(PemCacheTest, FilesThatNobodyHoldsAreForgotten) {
  const auto held = Get(dir_.Write("a.pem", "one"));
  Get(dir_.Write("b.pem", "two"));
  EXPECT_EQ(cache_.size(), 2u);
  clock_.Advance(std::chrono::minutes(2));
  Get(held->path());
  EXPECT_EQ(cache_.size(), 1u);
}

TEST_F(PemCacheTest, ParsesEachCertificateAndSaysWhichCannotBeUsed) {
  TestCerts certs;
  const std::string good = ReadFile(certs.ca());
  const std::string bad = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
  const auto file =
      Get(dir_.Write("cas.pem", good + bad + good + "-----BEGIN CERTIFICATE-----\nMII"));
  ASSERT_EQ(file->certificates().size(), 4u);
  EXPECT_EQ(file->certificates()[0].error, 0);
  EXPECT_NE(file->certificates()[1].error, 0);
  EXPECT_EQ(file->certificates()[2].error, 0);
  EXPECT_NE(file->certificates()[3].error, 0) << "cut short";
  EXPECT_EQ(file->unusable_certificates(), 2);
  ASSERT_NE(file->chain(), nullptr);
  ASSERT_NE(file->chain()->next, nullptr);
  EXPECT_EQ(file->chain()->next->next, nullptr);
  const auto der = Get(dir_.Write("ca.der", file->certificates()[0].der.text()));
  ASSERT_EQ(der->certificates().size(), 1u);
  EXPECT_EQ(der->certificates()[0].error, 0);
  EXPECT_EQ(Get(dir_.Write("none.pem", "hello"))->chain(), nullptr);
}

TEST_F(PemCacheTest, ManyThreadsGetOneFile) {
  const std::string path = dir_.Write("a.pem", "one");
  std::vector<std::shared_ptr<const PemFile>> got(8);
  std::vector<std::thread> threads;
  for (auto& one : got) threads.emplace_back([&] { one = Get(path); });
  for (std::thread& thread : threads) thread.join();
  for (const auto& one : got) EXPECT_EQ(one, got[0]);
}

}  // namespace
}  // namespace noded::tls
