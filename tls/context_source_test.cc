// What happens to listeners and connectors when the files of their options change.
#include "tls/context_source.h"

#include <thread>

#include <gtest/gtest.h>

#include "base/status.h"
#include "tests/testlib/temp_dir.h"
#include "tls/engine_pair.h"

namespace noded::tls {
namespace {

using testlib::CertFiles;
using testlib::ReadFile;
using testlib::TempDir;
using testlib::TestCerts;

class ContextSourceTest : public testing::Test {
 protected:
  void Install(const CertFiles& files) { Install(ReadFile(files.cert), ReadFile(files.key)); }
  void Install(const std::string& cert, const std::string& key) {
    dir_.Write("cert.pem", cert);
    dir_.Write("key.pem", key);
  }
  Options Server() {
    Options options;
    options.identity = {.certfile = dir_.File("cert.pem"), .keyfile = dir_.File("key.pem")};
    return options;
  }
  std::shared_ptr<ContextSource> Source(const Options& options) {
    auto source = ContextSource::Create(
        options, Role::kServer, [&](const absl::Status& status) { reports_.push_back(status); },
        cache_);
    EXPECT_TRUE(source.ok()) << source.status();
    return source.ok() ? *std::move(source) : nullptr;
  }
  static std::string NameOf(const Context& context) {
    return context.certificates().front().dns_names.front();
  }

  base::FakeClock clock_;
  PemCache cache_{clock_};
  TestCerts certs_;
  TempDir dir_;
  std::vector<absl::Status> reports_;
};

TEST_F(ContextSourceTest, NewConnectionsUseAReplacedCertificateAndOldOnesLiveOn) {
  Install(certs_.Node("old.example"));
  const auto source = Source(Server());
  Options client;
  client.trust.cacertfile = certs_.ca();
  const auto connector = Make(client, Role::kClient);
  Pair old(source->current(), connector, "old.example");
  old.Carry();
  ASSERT_TRUE(old.server.info) << old.Errors();

  Install(certs_.Node("new.example"));
  EXPECT_EQ(NameOf(*source->current()), "old.example") << "not looked at within the interval";
  clock_.Advance(PemCache::kDefaultInterval);
  Pair fresh(source->current(), connector, "new.example");
  fresh.Carry();
  ASSERT_TRUE(fresh.server.info) << fresh.Errors();

  Send(old.client, "still here");
  old.Carry();
  EXPECT_EQ(old.server.received, "still here");
  EXPECT_TRUE(reports_.empty());
}

TEST_F(ContextSourceTest, ClearingTheCacheLooksAtOnceAndUnchangedFilesGiveTheSameContext) {
  Install(certs_.Node("old.example"));
  const auto source = Source(Server());
  const auto first = source->current();
  cache_.Clear();
  EXPECT_EQ(source->current(), first);
  Install(certs_.Node("new.example"));
  cache_.Clear();
  EXPECT_EQ(NameOf(*source->current()), "new.example");
}

TEST_F(ContextSourceTest, BrokenFilesKeepTheLastGoodContextAndAreReportedOnce) {
  const CertFiles old = certs_.Node("old.example"), fresh = certs_.Node("new.example");
  struct Row {
    const char* what;
    std::string cert, key;
    const char* reason;
  };
  const std::string whole = ReadFile(fresh.cert);
  for (const Row& row : {
           Row{"half-written", whole.substr(0, whole.size() / 2), ReadFile(fresh.key),
               "bad_certificate"},
           Row{"empty", "", ReadFile(fresh.key), "bad_certificate"},
           Row{"the key is not there yet", whole, ReadFile(old.key), "bad_key"},
           Row{"a key that is cut short", whole, ReadFile(fresh.key).substr(0, 60), "bad_key"},
       }) {
    SCOPED_TRACE(row.what);
    Install(old);
    reports_.clear();
    const auto source = Source(Server());
    const auto good = source->current();
    Install(row.cert, row.key);
    for (int looks = 0; looks < 3; ++looks) {
      cache_.Clear();
      EXPECT_EQ(source->current(), good);
    }
    ASSERT_EQ(reports_.size(), 1u);
    EXPECT_EQ(base::ReasonOf(reports_[0]), row.reason) << reports_[0];
    EXPECT_NE(std::string(reports_[0].message()).find(dir_.path()), std::string::npos);
    // Once they are whole they are used.
    Install(fresh);
    cache_.Clear();
    EXPECT_EQ(NameOf(*source->current()), "new.example");
    EXPECT_EQ(reports_.size(), 1u);
  }
}

TEST_F(ContextSourceTest, AFileThatIsGoneIsReportedAndTheContextStays) {
  Install(certs_.Node("old.example"));
  const auto source = Source(Server());
  const auto good = source->current();
  ASSERT_EQ(remove(dir_.File("key.pem").c_str()), 0);
  for (int looks = 0; looks < 2; ++looks) {
    cache_.Clear();
    EXPECT_EQ(source->current(), good);
  }
  ASSERT_EQ(reports_.size(), 1u);
  EXPECT_EQ(base::ReasonOf(reports_[0]), "enoent");
}

TEST_F(ContextSourceTest, TheFilesOfHostsCountToo) {
  Install(certs_.Node("host.example"));
  const CertFiles own = certs_.Node("main.example");
  Options server;
  server.identity = {.certfile = own.cert, .keyfile = own.key};
  Options by_name = server, by_function = server;
  by_name.server_names.hosts["host.example"] = std::make_shared<const Options>(Server());
  const auto host = std::make_shared<const Options>(Server());
  by_function.server_names.fun = [host](std::string_view) { return host; };
  Options client;
  client.trust.cacertfile = certs_.ca();
  client.trust.verify = Verify::kNone;
  for (const Options& options : {by_name, by_function}) {
    Install(certs_.Node("host.example"));
    cache_.Clear();
    const auto source = Source(options);
    const auto seen = [&] {
      Pair pair(source->current(), Make(client, Role::kClient), "host.example");
      pair.Carry();
      EXPECT_TRUE(pair.client.info) << pair.Errors();
      return pair.client.info ? pair.client.info->peer->dns_names.front() : "";
    };
    EXPECT_EQ(seen(), "host.example");
    Install(certs_.Node("again.example"));
    cache_.Clear();
    EXPECT_EQ(seen(), "again.example");
    const auto same = source->current();
    cache_.Clear();
    EXPECT_EQ(source->current(), same);
  }
}

TEST_F(ContextSourceTest, AFixedContextNeverChanges) {
  Install(certs_.Node("old.example"));
  const auto context = Make(Server(), Role::kServer);
  ContextSource source(context);
  Install(certs_.Node("new.example"));
  ClearPemCache();
  EXPECT_EQ(source.current(), context);
  EXPECT_EQ(source.role(), Role::kServer);
}

TEST_F(ContextSourceTest, ManyThreadsMayAskWhileItChanges) {
  Install(certs_.Node("a.example"));
  const auto source = Source(Server());
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int asked = 0; asked < 200; ++asked) EXPECT_NE(source->current(), nullptr);
    });
  }
  for (int round = 0; round < 5; ++round) {
    Install(certs_.Node("b.example"));
    cache_.Clear();
  }
  for (std::thread& thread : threads) thread.join();
  cache_.Clear();
  EXPECT_EQ(NameOf(*source->current()), "b.example");
}

TEST_F(ContextSourceTest, OneParseOfTrustAnchorsServesAllContexts) {
  Options options;
  options.trust.cacertfile = certs_.ca();
  auto a = Context::Create(options, Role::kClient, cache_);
  auto b = Context::Create(options, Role::kClient, cache_);
  ASSERT_TRUE(a.ok() && b.ok());
  EXPECT_EQ((*a)->Files(), (*b)->Files());
  EXPECT_EQ((*a)->Files().size(), 1u);
}

}  // namespace
}  // namespace noded::tls
