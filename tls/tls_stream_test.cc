#include "tls/tls_stream.h"

#include <atomic>
#include <future>

#include <gtest/gtest.h>

#include "base/memory_stream.h"
#include "base/status.h"
#include "tests/testlib/start_task.h"
#include "tests/testlib/test_certs.h"

namespace noded::tls {
namespace {

using base::Loop;
using base::ReasonOf;
using base::Stream;
using base::Task;
using testlib::CertFiles;
using testlib::Start;
using testlib::TestCerts;
using StreamResult = absl::StatusOr<std::unique_ptr<Stream>>;

base::TimePoint Soon() { return std::chrono::steady_clock::now() + std::chrono::seconds(60); }

base::Buffer BufferOf(std::string_view text) {
  base::Buffer buffer;
  buffer.Append(text);
  return buffer;
}

Task<absl::StatusOr<std::string>> ReadBytes(Stream* stream, size_t count) {
  std::string text;
  while (text.size() < count) {
    absl::StatusOr<base::Slice> bytes = co_await stream->Read();
    if (!bytes.ok()) co_return bytes.status();
    if (bytes->empty()) break;
    text += bytes->text();
  }
  co_return text;
}

// With TLS 1.3 a client is done before the server has looked at its certificate: the refusal comes
// with what it reads next.
Task<absl::Status> HandshakeAndRead(std::unique_ptr<Stream> lower,
                                    std::shared_ptr<const Context> context) {
  StreamResult secure =
      co_await Handshake(std::move(lower), std::move(context), "b.example", Soon());
  if (!secure.ok()) co_return secure.status();
  absl::StatusOr<base::Slice> bytes = co_await (*secure)->Read();
  co_return bytes.status();
}

class TlsStreamTest : public testing::TestWithParam<Version> {
 protected:
  std::shared_ptr<const Context> Make(const CertFiles& files, Role role) {
    Options options;
    options.identity.certfile = files.cert;
    options.identity.keyfile = files.key;
    options.trust.cacertfile = certs_.ca();
    options.trust.verify = Verify::kPeer;
    options.trust.fail_if_no_peer_cert = role == Role::kServer;
    options.versions.tls12 = GetParam() == Version::kTls12;
    options.versions.tls13 = GetParam() == Version::kTls13;
    options.traffic = traffic_;
    auto context = Context::Create(options, role);
    EXPECT_TRUE(context.ok()) << context.status();
    return context.ok() ? *std::move(context) : nullptr;
  }

  // Joins both ends; each holds a stream or says why not.
  void Meet(const CertFiles& server, const CertFiles& client, base::StreamFaults faults = {}) {
    auto [left, right] = base::MakeMemoryStreams(loop_);
    left->Inject(faults);
    right->Inject(faults);
    auto far = Start(loop_, Handshake(std::move(right), Make(server, Role::kServer), "", Soon()));
    auto near =
        Start(loop_, Handshake(std::move(left), Make(client, Role::kClient), "b.example", Soon()));
    client_ = near.get();
    server_ = far.get();
  }

  void TearDown() override {
    loop_.Run([&] {
      client_ = absl::UnknownError("");
      server_ = absl::UnknownError("");
    });
  }

  TestCerts certs_;
  Traffic traffic_;
  CertFiles a_ = certs_.Node("a@a.example");
  CertFiles b_ = certs_.Node("b@b.example");
  Loop loop_;
  StreamResult client_ = absl::UnknownError("");
  StreamResult server_ = absl::UnknownError("");
};

INSTANTIATE_TEST_SUITE_P(Versions, TlsStreamTest, testing::Values(Version::kTls12, Version::kTls13),
                         [](const auto& info) {
                           return info.param == Version::kTls12 ? "Tls12" : "Tls13";
                         });

TEST_P(TlsStreamTest, CarriesBytesBothWaysAtOnceAndSaysGoodbye) {
  Meet(b_, a_);
  ASSERT_TRUE(client_.ok()) << client_.status();
  ASSERT_TRUE(server_.ok()) << server_.status();
  Stream &near = **client_, &far = **server_;
  ASSERT_TRUE(near.peer().tls && far.peer().tls);
  EXPECT_EQ(near.peer().tls->version, VersionName(GetParam()));

  const std::string one(3'000'000, 'a'), other(2'000'000, 'b');
  auto near_write = Start(loop_, near.Write(BufferOf(one)));
  auto far_write = Start(loop_, far.Write(BufferOf(other)));
  auto near_read = Start(loop_, ReadBytes(&near, other.size()));
  auto far_read = Start(loop_, ReadBytes(&far, one.size()));
  EXPECT_TRUE(near_write.get().ok());
  EXPECT_TRUE(far_write.get().ok());
  EXPECT_EQ(*near_read.get(), other);
  EXPECT_EQ(*far_read.get(), one);

  EXPECT_TRUE(Start(loop_, near.Close()).get().ok());
  for (int i = 0; i < 2; ++i) {
    auto end = Start(loop_, far.Read()).get();
    ASSERT_TRUE(end.ok()) << end.status();
    EXPECT_TRUE(end->empty());
  }
}

TEST_P(TlsStreamTest, WorksWhenEveryReadGivesOneByte) {
  Meet(b_, a_, {.max_read_bytes = 1});
  ASSERT_TRUE(client_.ok()) << client_.status();
  ASSERT_TRUE(server_.ok()) << server_.status();
  auto write = Start(loop_, (*client_)->Write(BufferOf("hello")));
  EXPECT_EQ(*Start(loop_, ReadBytes(server_->get(), 5)).get(), "hello");
  EXPECT_TRUE(write.get().ok());
}

TEST_P(TlsStreamTest, NewKeysAreMadeBeneathTheDataAndIdleBuffersGo) {
  traffic_.key_update_at = 100'000;
  traffic_.renegotiate_at = 10;
  traffic_.hibernate_after = std::chrono::milliseconds(0);
  std::atomic<int> keys = 0;
  traffic_.keylog = [&](std::string_view) { ++keys; };
  Meet(b_, a_);
  ASSERT_TRUE(client_.ok()) << client_.status();
  ASSERT_TRUE(server_.ok()) << server_.status();
  const int before = keys;
  Stream &near = **client_, &far = **server_;
  const std::string one(3'000'000, 'a'), other(2'000'000, 'b');
  auto near_write = Start(loop_, near.Write(BufferOf(one)));
  auto far_write = Start(loop_, far.Write(BufferOf(other)));
  // Both read to the end: a renegotiation needs a reader.
  auto near_read = Start(loop_, ReadBytes(&near, SIZE_MAX));
  auto far_read = Start(loop_, ReadBytes(&far, SIZE_MAX));
  EXPECT_TRUE(near_write.get().ok());
  EXPECT_TRUE(far_write.get().ok());
  auto near_close = Start(loop_, near.Close());
  EXPECT_EQ(*far_read.get(), one);
  EXPECT_TRUE(Start(loop_, far.Close()).get().ok());
  EXPECT_EQ(*near_read.get(), other);
  EXPECT_TRUE(near_close.get().ok());
  EXPECT_GT(keys - before, 10);
}

TEST_P(TlsStreamTest, AbortEndsAWriteThatIsHeldBack) {
  if (GetParam() == Version::kTls13) return;  // nothing is held back there
  traffic_.renegotiate_at = 1;
  Meet(b_, a_);
  ASSERT_TRUE(client_.ok() && server_.ok());
  // Nobody reads at the far side: the renegotiation that the first record starts never ends.
  auto write = Start(loop_, (*client_)->Write(BufferOf(std::string(1'000'000, 'x'))));
  loop_.Run([&] { (*client_)->Abort(); });
  EXPECT_FALSE(write.get().ok());
}

TEST_P(TlsStreamTest, BothSidesLearnWhyAHandshakeFailed) {
  auto [left, right] = base::MakeMemoryStreams(loop_);
  auto client = Make(certs_.Untrusted("a@a.example"), Role::kClient);
  auto far = Start(loop_, Handshake(std::move(right), Make(b_, Role::kServer), "", Soon()));
  const absl::Status told = Start(loop_, HandshakeAndRead(std::move(left), client)).get();
  const absl::Status found = far.get().status();
  EXPECT_EQ(ReasonOf(found), "unknown_ca");
  EXPECT_NE(found.message().find("TLS handshake with"), std::string::npos);
  EXPECT_EQ(ReasonOf(told), "unknown_ca") << told;
  EXPECT_EQ(told.code(), absl::StatusCode::kUnauthenticated);
}

TEST_P(TlsStreamTest, AnEndWithoutGoodbyeIsAnError) {
  Meet(b_, a_);
  ASSERT_TRUE(client_.ok() && server_.ok());
  loop_.Run([&] { (*client_)->Abort(); });
  auto end = Start(loop_, (*server_)->Read()).get();
  EXPECT_EQ(end.status().code(), absl::StatusCode::kUnavailable) << end.status();
}

TEST_P(TlsStreamTest, AbortEndsAReadUnderWay) {
  Meet(b_, a_);
  ASSERT_TRUE(client_.ok() && server_.ok());
  auto read = Start(loop_, (*client_)->Read());
  loop_.Run([&] { (*client_)->Abort(); });
  EXPECT_EQ(read.get().status().code(), absl::StatusCode::kUnavailable);
}

TEST_P(TlsStreamTest, GivesUpAtTheDeadlineWhereverThePeerStops) {
  for (size_t heard : {size_t{0}, size_t{3}, size_t{100}}) {
    auto [left, right] = base::MakeMemoryStreams(loop_);
    if (heard > 0) {
      auto hello = Start(loop_, right->Write(BufferOf(std::string("\x16\x03\x03\x3f\xff", 5) +
                                                      std::string(heard, 'x'))));
      EXPECT_TRUE(hello.get().ok());
    }
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(50);
    auto late =
        Start(loop_, Handshake(std::move(left), Make(b_, Role::kServer), "", deadline)).get();
    EXPECT_EQ(late.status().code(), absl::StatusCode::kDeadlineExceeded) << late.status();
    EXPECT_EQ(ReasonOf(late.status()), "timeout");
    loop_.Run([&, &right = right] { right.reset(); });
  }
}

}  // namespace
}  // namespace noded::tls
