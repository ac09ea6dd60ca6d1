// Revocation lists over HTTP from a server on the loopback: what is fetched and kept, what is
// refused, and a handshake that waits for one.
#include "tls/http_crl_cache.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <future>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "base/memory_stream.h"
#include "base/status.h"
#include "fmt/format.h"
#include "tests/testlib/mint.h"
#include "tls/libcrypto_x509.h"
#include "tls/path.h"
#include "tls/tls_stream.h"

namespace noded::tls {
namespace {

using testlib::kAuthority;
using testlib::kDay;
using testlib::Mint;
using testlib::MintCrl;
using testlib::Minted;

// Answers each path with its bytes, as they are, and then closes; an unknown path is held open.
class HttpServer {
 public:
  HttpServer() {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(listener_, 16), 0);
    EXPECT_EQ(getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { Serve(); });
  }
  ~HttpServer() {
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    close(listener_);
    for (int held : held_) close(held);
  }

  void Answer(const std::string& path, std::string status, const std::string& more,
              const base::Slice& body) {
    std::lock_guard lock(mutex_);
    answers_[path] = fmt::format("HTTP/1.1 {}\r\nContent-Length: {}\r\nConnection: close\r\n{}\r\n",
                                 status, body.size(), more) +
                     std::string(body.text());
  }
  std::string Uri(const std::string& path) const {
    return fmt::format("http://127.0.0.1:{}{}", port_, path);
  }
  int requests() const { return requests_; }

 private:
  void Serve() {
    for (int peer = 0; (peer = accept(listener_, nullptr, nullptr)) >= 0;) {
      std::string request;
      char block[1024];
      while (request.find("\r\n\r\n") == std::string::npos) {
        const ssize_t got = read(peer, block, sizeof(block));
        if (got <= 0) break;
        request.append(block, static_cast<size_t>(got));
      }
      ++requests_;
      std::lock_guard lock(mutex_);
      const size_t end = request.find(' ', 4);
      const auto answer = answers_.find(request.substr(4, end - 4));
      if (answer == answers_.end()) {
        held_.push_back(peer);
        continue;
      }
      (void)send(peer, answer->second.data(), answer->second.size(), MSG_NOSIGNAL);
      close(peer);
    }
  }

  int listener_ = -1;
  uint16_t port_ = 0;
  std::mutex mutex_;  // of the answers
  std::map<std::string, std::string> answers_;
  std::vector<int> held_;
  std::atomic<int> requests_ = 0;
  std::thread thread_;
};

class HttpCrlCacheTest : public testing::Test {
 protected:
  HttpCrlCache::Settings Settings() {
    HttpCrlCache::Settings settings;
    settings.clock = [this] { return now_; };
    return settings;
  }
  CrlQuery Query(const std::string& uri) const {
    CrlQuery query;
    query.uris = {uri};
    query.issuer = DerOf(*X509_get_subject_name(ca_.certificate.get()));
    return query;
  }

  std::time_t now_ = std::time(nullptr);
  Minted ca_ = Mint({.name = "Root", .extensions = kAuthority});
  base::Slice list_ = MintCrl(ca_, {.ends = kDay});
  HttpServer server_;
};

TEST_F(HttpCrlCacheTest, FetchesAListAndKeepsItUntilItsNextUpdate) {
  server_.Answer("/a.crl", "200 OK", "", list_);
  server_.Answer("/pem", "200 OK", "", base::Slice::Copy(testlib::CrlPem(list_)));
  server_.Answer("/moved", "302 Found", "Location: " + server_.Uri("/a.crl") + "\r\n", {});
  for (const char* path : {"/a.crl", "/pem", "/moved"}) {
    SCOPED_TRACE(path);
    HttpCrlCache cache(Settings());
    const std::string uri = server_.Uri(path);
    EXPECT_EQ(cache.Lookup(Query(uri)).wanted, std::vector<std::string>{uri});
    EXPECT_TRUE(cache.Lookup(Query(uri)).crls.empty());
    const absl::Status fetched = cache.Fetch(uri);
    ASSERT_TRUE(fetched.ok()) << fetched;
    EXPECT_EQ(cache.Lookup(Query(uri)).crls, std::vector<base::Slice>{list_});
    EXPECT_TRUE(cache.Lookup(Query(uri)).wanted.empty());
    EXPECT_EQ(cache.Select(Query(uri).issuer), std::vector<base::Slice>{list_});
    EXPECT_EQ(cache.size(), 1u);
    now_ += kDay + 1;
    EXPECT_EQ(cache.Lookup(Query(uri)).wanted, std::vector<std::string>{uri}) << "it has run out";
    now_ -= kDay + 1;
  }
}

// Anybody on the way can answer a fetch over http: what he says must not last.
TEST_F(HttpCrlCacheTest, AListThatCannotBeUsedIsSoonFetchedAgain) {
  const Minted stranger = Mint({.name = "Root", .extensions = kAuthority});
  server_.Answer("/a.crl", "200 OK", "", MintCrl(ca_, {.ends = 9000 * kDay, .signer = &stranger}));
  const std::string uri = server_.Uri("/a.crl");
  const auto cache = std::make_shared<HttpCrlCache>(Settings());
  const Minted peer =
      Mint({.name = "b", .extensions = "crlDistributionPoints=URI:" + uri + "\n"}, &ca_);
  const auto judge = [&] {
    const base::Slice anchors[] = {ca_.der()};
    PathPolicy policy;
    policy.anchors = TrustAnchors::Create(anchors, "ca.pem");
    policy.crl_check = CrlCheck::kTrue;
    policy.crl_cache = cache;
    PathValidator validator(std::move(policy));
    if (validator.Judge({peer.der()}) == PathValidator::Outcome::kNeedsCrls) {
      for (const std::string& wanted : validator.wanted()) cache->Fetch(wanted).IgnoreError();
      validator.Resume();
    }
    return validator.outcome() == PathValidator::Outcome::kTrusted;
  };
  EXPECT_FALSE(judge());
  server_.Answer("/a.crl", "200 OK", "", list_);
  EXPECT_FALSE(judge()) << "not asked again at once";
  now_ += 61;
  EXPECT_TRUE(judge());
  // Nobody looked at this one yet: a day is the most.
  server_.Answer("/b.crl", "200 OK", "", MintCrl(ca_, {.ends = 9000 * kDay}));
  const std::string other = server_.Uri("/b.crl");
  ASSERT_TRUE(cache->Fetch(other).ok());
  now_ += kDay + 1;
  EXPECT_EQ(cache->Lookup(Query(other)).wanted, std::vector<std::string>{other});
}

TEST_F(HttpCrlCacheTest, WhatFailedIsNotAskedForAgainAtOnce) {
  server_.Answer("/gone", "404 Not Found", "", {});
  HttpCrlCache cache(Settings());
  const std::string uri = server_.Uri("/gone");
  EXPECT_EQ(cache.Fetch(uri).code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(cache.Lookup(Query(uri)).wanted.empty());
  now_ += 61;
  EXPECT_EQ(cache.Lookup(Query(uri)).wanted, std::vector<std::string>{uri});
  EXPECT_EQ(cache.size(), 0u);
}

TEST_F(HttpCrlCacheTest, OtherSchemesAndUserNamesAreRefusedAlsoAfterARedirect) {
  HttpCrlCache cache(Settings());
  for (const char* uri : {"https://127.0.0.1/a", "file:///etc/passwd", "ftp://127.0.0.1/a",
                          "ldap://127.0.0.1/a", "http://me@127.0.0.1/a", "http:///a", ""}) {
    SCOPED_TRACE(uri);
    EXPECT_TRUE(cache.Lookup(Query(uri)).wanted.empty());
    EXPECT_EQ(cache.Fetch(uri).code(), absl::StatusCode::kInvalidArgument);
  }
  server_.Answer("/file", "302 Found", "Location: file:///etc/passwd\r\n", {});
  const absl::Status status = cache.Fetch(server_.Uri("/file"));
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  server_.Answer("/round", "302 Found", "Location: " + server_.Uri("/round") + "\r\n", {});
  EXPECT_EQ(cache.Fetch(server_.Uri("/round")).code(), absl::StatusCode::kUnavailable);
}

TEST_F(HttpCrlCacheTest, SizeTimeAndContentAreChecked) {
  server_.Answer("/long", "200 OK", "", base::Slice::Copy(std::string(5000, 'x')));
  server_.Answer("/text", "200 OK", "", base::Slice::Copy("<html>hello</html>"));
  HttpCrlCache::Settings settings = Settings();
  settings.max_bytes = 4000;
  settings.timeout = std::chrono::milliseconds(200);
  HttpCrlCache cache(settings);
  EXPECT_EQ(cache.Fetch(server_.Uri("/long")).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_FALSE(cache.Fetch(server_.Uri("/text")).ok());
  const absl::Status silent = cache.Fetch(server_.Uri("/silent"));
  EXPECT_EQ(silent.code(), absl::StatusCode::kDeadlineExceeded) << silent;
  EXPECT_EQ(cache.size(), 0u);
}

TEST_F(HttpCrlCacheTest, TheOldestMakeRoom) {
  HttpCrlCache::Settings settings = Settings();
  settings.max_entries = 2;
  HttpCrlCache cache(settings);
  for (const char* path : {"/1", "/2", "/3"}) server_.Answer(path, "200 OK", "", list_);
  for (const char* path : {"/1", "/2", "/3"}) EXPECT_TRUE(cache.Fetch(server_.Uri(path)).ok());
  EXPECT_EQ(cache.size(), 2u);
  EXPECT_FALSE(cache.Lookup(Query(server_.Uri("/1"))).wanted.empty());
  EXPECT_TRUE(cache.Lookup(Query(server_.Uri("/3"))).wanted.empty());
}

using StreamResult = absl::StatusOr<std::unique_ptr<base::Stream>>;

std::future<StreamResult> Start(base::Loop& loop, base::Task<StreamResult> task) {
  auto promise = std::make_shared<std::promise<StreamResult>>();
  std::future<StreamResult> future = promise->get_future();
  base::Spawn(loop, "test", std::move(task),
              [promise](StreamResult result) { promise->set_value(std::move(result)); });
  return future;
}

TEST_F(HttpCrlCacheTest, AHandshakeWaitsForItsList) {
  const Minted peer = Mint(
      {.name = "b",
       .extensions = fmt::format("subjectAltName=DNS:b.example\ncrlDistributionPoints=URI:{}\n",
                                 server_.Uri("/a.crl"))},
      &ca_);
  for (const bool is_revoked : {false, true}) {
    SCOPED_TRACE(is_revoked);
    testlib::CrlSpec spec;
    if (is_revoked) spec.revoked = {{&peer, "keyCompromise"}};
    server_.Answer("/a.crl", "200 OK", "", MintCrl(ca_, spec));
    Options server, client;
    server.identity.certs = {base::Slice::Copy(peer.pem())};
    server.identity.key = Secret(peer.key_pem());
    client.trust.cacerts = {base::Slice::Copy(ca_.pem())};
    client.trust.verify = Verify::kPeer;
    client.revocation = {.check = CrlCheck::kPeer,
                         .cache = std::make_shared<HttpCrlCache>(HttpCrlCache::Settings())};
    auto near = Context::Create(client, Role::kClient),
         far = Context::Create(server, Role::kServer);
    ASSERT_TRUE(near.ok() && far.ok()) << near.status() << far.status();

    base::Loop loop;
    auto [left, right] = base::MakeMemoryStreams(loop);
    const base::TimePoint soon = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    auto accepted = Start(loop, Handshake(std::move(right), *far, "", soon));
    auto connected = Start(loop, Handshake(std::move(left), *near, "b.example", soon));
    StreamResult us = connected.get(), them = accepted.get();
    EXPECT_EQ(us.ok(), !is_revoked) << us.status();
    if (is_revoked) {
      EXPECT_EQ(base::ReasonOf(us.status()), "certificate_revoked") << us.status();
    }
    loop.Run([&] {
      us = absl::UnknownError("dropped");
      them = absl::UnknownError("dropped");
    });
    loop.Stop();
  }
  EXPECT_EQ(server_.requests(), 2);
}

}  // namespace
}  // namespace noded::tls
