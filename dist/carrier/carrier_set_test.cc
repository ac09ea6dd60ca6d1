#include "dist/carrier/carrier_set.h"

#include <future>
#include <string>

#include <gtest/gtest.h>

#include "base/memory_stream.h"
#include "base/status.h"
#include "dist/carrier/connect_plan.h"
#include "dist/carrier/listener.h"
#include "dist/carrier/tcp.h"
#include "dist/carrier/tls.h"
#include "tests/testlib/start_task.h"
#include "tests/testlib/test_certs.h"

namespace noded::dist {
namespace {

using base::Loop;
using base::ReasonOf;
using base::Stream;
using base::Task;
using std::chrono::milliseconds;
using testlib::Start;
using StreamResult = absl::StatusOr<std::unique_ptr<Stream>>;

base::TimePoint In(base::Duration time) { return std::chrono::steady_clock::now() + time; }
base::TimePoint Soon() { return In(std::chrono::seconds(60)); }

Task<StreamResult> AcceptWith(Loop* loop, Listener* listener, const CarrierSet* carriers,
                              base::TimePoint deadline) {
  StreamResult raw = co_await listener->Accept(*loop);
  if (!raw.ok()) co_return raw.status();
  StreamResult secure = co_await carriers->Secure(*std::move(raw), deadline);
  co_return secure;
}

Task<absl::StatusOr<std::string>> Echo(Stream* from, Stream* to) {
  base::Buffer hello;
  hello.Append("hello");
  absl::Status written = co_await from->Write(std::move(hello));
  if (!written.ok()) co_return written;
  absl::StatusOr<base::Slice> bytes = co_await to->Read();
  if (!bytes.ok()) co_return bytes.status();
  co_return std::string(bytes->text());
}

class CarrierSetTest : public testing::Test {
 protected:
  CarrierSetTest() {
    const auto context = [this](tls::Role role) {
      const testlib::CertFiles files = certs_.Node("any@127.0.0.1");
      tls::Options options;
      options.identity.certfile = files.cert;
      options.identity.keyfile = files.key;
      options.trust.cacertfile = certs_.ca();
      options.trust.verify = tls::Verify::kPeer;
      options.trust.fail_if_no_peer_cert = role == tls::Role::kServer;
      auto made = tls::Context::Create(options, role);
      EXPECT_TRUE(made.ok()) << made.status();
      return *std::move(made);
    };
    tls_ = MakeTlsCarrier(false, context(tls::Role::kServer), context(tls::Role::kClient));
    auto listening = Listener::Listen(loop_, false, {});
    EXPECT_TRUE(listening.ok()) << listening.status();
    listener_ = *std::move(listening);
  }
  void TearDown() override {
    loop_.Run([this] {
      listener_->Close();
      return true;
    });
  }

  CarrierSet Both() const { return *CarrierSet::Create({tls_.get(), tcp_.get()}); }
  Target Here(base::Duration answer_within = {}) const {
    return {"127.0.0.1", listener_->port(), "127.0.0.1", answer_within};
  }
  static std::string Refusal(std::vector<Carrier*> carriers) {
    const auto set = CarrierSet::Create(std::move(carriers));
    EXPECT_TRUE(absl::IsInvalidArgument(set.status())) << set.status();
    return std::string(set.status().message());
  }

  Loop loop_;
  testlib::TestCerts certs_;
  std::unique_ptr<Carrier> tcp_ = MakeTcpCarrier(false), tcp6_ = MakeTcpCarrier(true), tls_;
  std::unique_ptr<Listener> listener_;
};

TEST_F(CarrierSetTest, OneOfEachKindAndOneFamilyIsASet) {
  const CarrierSet both = Both();
  EXPECT_TRUE(both.is_mixed());
  EXPECT_EQ(both.ToString(), "inet_tls inet_tcp");
  EXPECT_EQ(&both.preferred(), tls_.get());
  EXPECT_EQ(both.Find(false), tcp_.get());
  const auto one = CarrierSet::Create({tcp_.get()});
  ASSERT_TRUE(one.ok());
  EXPECT_FALSE(one->is_mixed());
  EXPECT_EQ(one->Find(true), nullptr);

  EXPECT_NE(Refusal({}).find("needs a carrier"), std::string::npos);
  EXPECT_NE(Refusal({tls_.get(), tcp6_.get()}).find("two address families"), std::string::npos);
  EXPECT_NE(Refusal({tcp_.get(), tcp_.get()}).find("same kind"), std::string::npos);
  EXPECT_NE(Refusal({tls_.get(), tcp_.get(), tcp6_.get()}).find("more than two"),
            std::string::npos);
}

TEST_F(CarrierSetTest, OnePortTellsWhatAPeerSpeaks) {
  const CarrierSet both = Both();
  for (Carrier* spoken : both.all()) {
    auto accepted = Start(loop_, AcceptWith(&loop_, listener_.get(), &both, Soon()));
    auto connecting = Start(loop_, spoken->Connect(loop_, Here(), Soon()));
    StreamResult near = connecting.get();
    ASSERT_TRUE(near.ok()) << near.status();
    // Nothing says who speaks before the peer does.
    auto echo = Start(loop_, Echo(near->get(), near->get()));
    StreamResult far = accepted.get();
    ASSERT_TRUE(far.ok()) << far.status();
    EXPECT_EQ(&both.Of((*far)->peer()), spoken);
    EXPECT_EQ(&both.Of((*near)->peer()), spoken);
    // All of it is there, what was looked at included.
    auto back = Start(loop_, Echo(far->get(), far->get()));
    EXPECT_EQ(back.get().value_or(""), "hello");
    EXPECT_EQ(echo.get().value_or(""), "hello");
  }
}

TEST_F(CarrierSetTest, WhoSaysNothingOrCloses) {
  const CarrierSet both = Both();
  auto late = Start(loop_, AcceptWith(&loop_, listener_.get(), &both, In(milliseconds(50))));
  auto silent = Start(loop_, tcp_->Connect(loop_, Here(), Soon()));
  const StreamResult quiet = silent.get();
  EXPECT_TRUE(absl::IsDeadlineExceeded(late.get().status()));
  auto accepted = Start(loop_, AcceptWith(&loop_, listener_.get(), &both, Soon()));
  auto closing = Start(loop_, tcp_->Connect(loop_, Here(), Soon()));
  StreamResult probe = closing.get();
  ASSERT_TRUE(probe.ok());
  loop_.Run([&] {
    (*probe)->Abort();
    return true;
  });
  EXPECT_EQ(ReasonOf(accepted.get().status()), "closed");
}

Task<absl::StatusOr<std::string>> ReadBytes(Stream* stream, size_t size) {
  std::string text;
  while (text.size() < size) {
    absl::StatusOr<base::Slice> bytes = co_await stream->Read();
    if (!bytes.ok()) co_return bytes.status();
    text += bytes->text();
  }
  co_return text;
}

TEST_F(CarrierSetTest, ABeginningMayComeByteByByteAndIsKept) {
  const CarrierSet both = Both();
  auto [near, far] = base::MakeMemoryStreams(loop_);
  near->Inject({.max_read_bytes = 1});
  const std::string said("\0\x05Nabcd", 7);
  base::Buffer bytes;
  bytes.Append(said);
  ASSERT_TRUE(Start(loop_, far->Write(std::move(bytes))).get().ok());
  StreamResult plain = Start(loop_, both.Secure(std::move(near), Soon())).get();
  ASSERT_TRUE(plain.ok()) << plain.status();
  EXPECT_EQ(&both.Of((*plain)->peer()), tcp_.get());
  EXPECT_EQ(Start(loop_, ReadBytes(plain->get(), said.size())).get().value_or(""), said);
  loop_.Run([&, far = std::move(far)]() mutable {
    plain->reset();
    far.reset();
    return true;
  });
}

TEST_F(CarrierSetTest, ATlsClientFindsOutThatNobodySpeaksIt) {
  // Accepts, and neither reads nor answers: as a BEAM without TLS.
  auto accepted = Start(loop_, listener_->Accept(loop_));
  StreamResult silent = Start(loop_, tls_->Connect(loop_, Here(milliseconds(50)), Soon())).get();
  EXPECT_EQ(ReasonOf(silent.status()), "not_tls") << silent.status();
  EXPECT_NE(silent.status().message().find("said nothing"), std::string::npos);
  accepted.get().IgnoreError();

  // Closes at once.
  auto closed = Start(loop_, tls_->Connect(loop_, Here(std::chrono::seconds(60)), Soon()));
  StreamResult raw = Start(loop_, listener_->Accept(loop_)).get();
  ASSERT_TRUE(raw.ok());
  loop_.Run([&] {
    (*raw)->Abort();
    return true;
  });
  EXPECT_EQ(ReasonOf(closed.get().status()), "not_tls");
}

// A refused certificate is no reason to do without.
TEST_F(CarrierSetTest, ATlsPeerIsNeverTakenForAPlainOne) {
  tls::Options options;
  options.trust.cacertfile = certs_.untrusted_ca();
  options.trust.verify = tls::Verify::kPeer;
  auto client = tls::Context::Create(options, tls::Role::kClient);
  ASSERT_TRUE(client.ok()) << client.status();
  const auto careful = MakeTlsCarrier(false, std::shared_ptr<const tls::Context>(), *client);
  const CarrierSet both = Both();
  auto accepted = Start(loop_, AcceptWith(&loop_, listener_.get(), &both, Soon()));
  const StreamResult refused =
      Start(loop_, careful->Connect(loop_, Here(std::chrono::seconds(60)), Soon())).get();
  EXPECT_TRUE(absl::IsUnauthenticated(refused.status())) << refused.status();
  EXPECT_FALSE(accepted.get().ok());
  ConnectPlan plan(both, /*may_be_plain=*/true);
  plan.Begin();
  EXPECT_EQ(plan.After(refused.status()), nullptr);
}

absl::Status Because(std::string_view reason) {
  return base::Error(absl::StatusCode::kUnavailable, "it failed", "", reason);
}

TEST_F(CarrierSetTest, APlanTurnsToPlainOnlyForWhoMayBeAndSpeaksNoTls) {
  const CarrierSet both = Both();
  ConnectPlan plan(both, true);
  EXPECT_EQ(plan.Begin(), tls_.get());
  EXPECT_TRUE(plan.may_turn_to_plain());
  EXPECT_EQ(plan.After(Because("not_tls")), tcp_.get());
  EXPECT_FALSE(plan.may_turn_to_plain());
  EXPECT_EQ(plan.After(Because("econnrefused")), nullptr);
  for (const char* reason : {"unknown_ca", "closed", "timeout", "econnrefused", "bad_cookie"}) {
    ConnectPlan other(both, true);
    other.Begin();
    EXPECT_EQ(other.After(Because(reason)), nullptr) << reason;
  }
  ConnectPlan strict(both, false);
  EXPECT_EQ(strict.Begin(), tls_.get());
  EXPECT_FALSE(strict.may_turn_to_plain());
  EXPECT_EQ(strict.After(Because("not_tls")), nullptr);
}

TEST_F(CarrierSetTest, APlanComesBackToTlsForWhoSpeaksIt) {
  // Too slow to answer at first.
  const CarrierSet both = Both();
  ConnectPlan slow(both, true);
  slow.Begin();
  EXPECT_EQ(slow.After(Because("not_tls")), tcp_.get());
  EXPECT_EQ(slow.After(Because("tls_on_plain_port")), tls_.get());
  EXPECT_FALSE(slow.may_turn_to_plain());
  EXPECT_EQ(slow.After(Because("not_tls")), nullptr) << "and no circle";
  // Plain preferred.
  const CarrierSet plain_first = *CarrierSet::Create({tcp_.get(), tls_.get()});
  for (const char* reason : {"tls_on_plain_port", "closed"}) {
    ConnectPlan plan(plain_first, true);
    EXPECT_EQ(plan.Begin(), tcp_.get());
    EXPECT_EQ(plan.After(Because(reason)), tls_.get());
    EXPECT_EQ(plan.After(Because(reason)), nullptr);
  }
  ConnectPlan strict(plain_first, false);
  EXPECT_EQ(strict.Begin(), tls_.get());
  const CarrierSet only = *CarrierSet::Create({tcp_.get()});
  ConnectPlan alone(only, true);
  EXPECT_EQ(alone.Begin(), tcp_.get());
  EXPECT_EQ(alone.After(Because("closed")), nullptr);
  EXPECT_EQ(ConnectPlan(only, false).Begin(), nullptr);
}

}  // namespace
}  // namespace noded::dist
