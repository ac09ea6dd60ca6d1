// From plain text to TLS and back on one connection, over TCP and over streams in memory that give
// one byte at a time.
#include "base/memory_stream.h"
#include "tls/ssl_pair.h"

namespace noded::tls {
namespace {

using base::Await;
using base::Stream;

base::Buffer BufferOf(std::string_view text) {
  base::Buffer buffer;
  buffer.Append(text);
  return buffer;
}

class SslUpgradeTest : public SslPair {
 protected:
  SslUpgradeTest() : SslPair({.alert_timeout = std::chrono::milliseconds(200)}) {}

  // Both ends of plain streams become TLS sockets.
  void Upgrade(std::unique_ptr<Stream> near, std::unique_ptr<Stream> far, SocketSetup server = {}) {
    auto accepted = std::async(
        std::launch::async, [this, far = std::move(far), server = std::move(server)]() mutable {
          return ssl_->Handshake(std::move(far), OptionsFor(Role::kServer), std::move(server));
        });
    auto connected = ssl_->Connect(std::move(near), "b.example", OptionsFor(Role::kClient));
    auto second = accepted.get();
    ASSERT_TRUE(connected.ok()) << connected.status();
    ASSERT_TRUE(second.ok()) << second.status();
    client_ = *std::move(connected);
    server_ = *std::move(second);
  }
  void Talk() {
    EXPECT_TRUE(client_->Send("over TLS").ok());
    EXPECT_EQ(Text(server_->Recv(8, kPatience)), "over TLS");
    EXPECT_TRUE(server_->Send("and back").ok());
    EXPECT_EQ(Text(client_->Recv(8, kPatience)), "and back");
  }
  // Both sides at once, as a protocol would agree on it.
  std::pair<absl::StatusOr<Downgraded>, absl::StatusOr<Downgraded>> DowngradeBoth() {
    auto far = std::async(std::launch::async, [this] { return server_->Downgrade(kPatience); });
    auto near = client_->Downgrade(kPatience);
    return {std::move(near), far.get()};
  }
  void Drop(std::unique_ptr<Stream>& stream) {
    base::Loop& loop = stream->loop();
    loop.Run([&] { stream.reset(); });
  }
};
INSTANTIATE_TEST_SUITE_P(Versions, SslUpgradeTest, kBothVersions, VersionText);

TEST_P(SslUpgradeTest, PlainThenTlsThenPlainThenTlsAgain) {
  auto [near, far] = base::MakeMemoryStreams(ssl_->NextLoop());
  base::MemoryStream *near_end = near.get(), *far_end = far.get();
  near_end->Inject({.max_read_bytes = 1});
  far_end->Inject({.max_read_bytes = 1});
  std::unique_ptr<Stream> client = std::move(near), server = std::move(far);
  for (int round = 0; round < 2; ++round) {
    EXPECT_TRUE(Await(client->loop(), client->Write(BufferOf("S"))).ok());
    EXPECT_EQ(Text(Await(server->loop(), server->Read())), "S");
    Upgrade(std::move(client), std::move(server));
    Talk();
    auto [near_plain, far_plain] = DowngradeBoth();
    ASSERT_TRUE(near_plain.ok()) << near_plain.status();
    ASSERT_TRUE(far_plain.ok()) << far_plain.status();
    EXPECT_TRUE(near_plain->unread.empty() && far_plain->unread.empty());
    EXPECT_EQ(Text(client_->Recv(0)), "!closed");
    client = std::move(near_plain->socket);
    server = std::move(far_plain->socket);
  }
  EXPECT_TRUE(Await(client->loop(), client->Write(BufferOf("P"))).ok());
  EXPECT_EQ(Text(Await(server->loop(), server->Read())), "P");
  Drop(client);
  Drop(server);
}

TEST_P(SslUpgradeTest, BytesReadBeforehandAreNotLost) {
  auto [near, far] = base::MakeMemoryStreams(ssl_->NextLoop());
  // The server reads the first record itself, in one go with the plain request.
  auto connected = std::async(std::launch::async, [this, near = std::move(near)]() mutable {
    return ssl_->Connect(std::move(near), "b.example", OptionsFor(Role::kClient));
  });
  auto first = Await(far->loop(), far->Read());
  ASSERT_TRUE(first.ok() && !first->empty());
  SocketSetup setup;
  setup.already_read = *first;
  auto accepted = ssl_->Handshake(std::move(far), OptionsFor(Role::kServer), setup);
  auto client = connected.get();
  ASSERT_TRUE(accepted.ok()) << accepted.status();
  ASSERT_TRUE(client.ok()) << client.status();
}

TEST_P(SslUpgradeTest, ADowngradeKeepsApartWhatWasSaidInside) {
  Meet();
  EXPECT_TRUE(client_->Send("inside").ok());
  auto near = std::async(std::launch::async, [this] { return client_->Downgrade(kPatience); });
  auto far = server_->Downgrade(kPatience);
  auto plain = near.get();
  ASSERT_TRUE(plain.ok()) << plain.status();
  ASSERT_TRUE(far.ok()) << far.status();
  EXPECT_EQ(far->unread.text(), "inside");
  EXPECT_TRUE(Await(plain->socket->loop(), plain->socket->Write(BufferOf("outside"))).ok());
  EXPECT_EQ(Text(Await(far->socket->loop(), far->socket->Read())), "outside");
  EXPECT_GE(far->socket->descriptor(), 0);
  Drop(plain->socket);
  Drop(far->socket);
}

// The peer's close_notify and its first plain bytes may come in one packet.
TEST_P(SslUpgradeTest, PlainBytesRightAfterTheGoodbyeAreReadFirst) {
  auto [near, far] = base::MakeMemoryStreams(ssl_->NextLoop());
  Upgrade(std::move(near), std::move(far));
  Talk();
  // The client is done as soon as the server's goodbye is there, and writes before the server
  // looks.
  auto near_plain = std::async(std::launch::async, [this] {
    auto plain = client_->Downgrade(kPatience);
    if (plain.ok()) {
      EXPECT_TRUE(Await(plain->socket->loop(), plain->socket->Write(BufferOf("first"))).ok());
    }
    return plain;
  });
  auto far_plain = server_->Downgrade(kPatience);
  auto plain = near_plain.get();
  ASSERT_TRUE(plain.ok()) << plain.status();
  ASSERT_TRUE(far_plain.ok()) << far_plain.status();
  EXPECT_EQ(Text(Await(far_plain->socket->loop(), far_plain->socket->Read())), "first");
  Drop(plain->socket);
  Drop(far_plain->socket);
}

TEST_P(SslUpgradeTest, NothingOfTlsFollowsTheGoodbye) {
  // The server has said nothing yet: in TLS 1.3 its tickets are still to come.
  Meet();
  auto near = std::async(std::launch::async, [this] { return client_->Downgrade(kPatience); });
  auto far = server_->Downgrade(kPatience);
  auto plain = near.get();
  ASSERT_TRUE(plain.ok()) << plain.status();
  ASSERT_TRUE(far.ok()) << far.status();
  EXPECT_TRUE(Await(far->socket->loop(), far->socket->Write(BufferOf("outside"))).ok());
  EXPECT_EQ(Text(Await(plain->socket->loop(), plain->socket->Read())), "outside");
  Drop(plain->socket);
  Drop(far->socket);
}

TEST_P(SslUpgradeTest, ADowngradeBehindMoreThanTheBufferHoldsFails) {
  Meet({.options = {.buffer = size_t{1000}}});
  auto sent =
      std::async(std::launch::async, [this] { return client_->Send(std::string(100'000, 'x')); });
  const absl::Status refused = server_->Downgrade().status();
  EXPECT_EQ(base::ReasonOf(refused), "emsgsize") << refused;
  sent.wait();
}

TEST_P(SslUpgradeTest, ADowngradeThatThePeerDoesNotWantTimesOutAndCloses) {
  Meet();
  EXPECT_EQ(base::ReasonOf(client_->Downgrade(Timeout(50)).status()), "timeout");
  EXPECT_EQ(Reason(client_->Send("x")), "closed");
  EXPECT_EQ(Text(server_->Recv(0, kPatience)), "!closed") << "it was told goodbye";

  Meet();
  EXPECT_TRUE(client_->Shutdown(ShutdownHow::kWrite).ok());
  EXPECT_EQ(base::ReasonOf(client_->Downgrade(kPatience).status()), "einval");
}

TEST_P(SslUpgradeTest, CloseEndsADowngradeThatThePeerDoesNotWant) {
  Meet();
  auto waiting = std::async(std::launch::async, [this] { return client_->Downgrade(); });
  EXPECT_EQ(Text(server_->Recv(0, kPatience)), "!closed") << "it was told goodbye";
  EXPECT_TRUE(client_->Close().ok());
  EXPECT_EQ(base::ReasonOf(waiting.get().status()), "closed");

  Meet();
  base::Loop& loop = client_->loop();
  std::promise<absl::Status> ended;
  loop.Post([&] {
    base::Spawn(loop, "downgrade", client_->AsyncDowngrade(),
                [&](absl::StatusOr<Downgraded> result) { ended.set_value(result.status()); });
  });
  EXPECT_EQ(Text(server_->Recv(0, kPatience)), "!closed");
  client_.reset();
  EXPECT_EQ(base::ReasonOf(ended.get_future().get()), "closed");
}

TEST_P(SslUpgradeTest, AFailedUpgradeSaysWhyAndEndsTheStream) {
  auto [near, far] = base::MakeMemoryStreams(ssl_->NextLoop());
  EXPECT_TRUE(Await(near->loop(), near->Write(BufferOf("GET / HTTP/1.1\r\n\r\n"))).ok());
  auto refused = ssl_->Handshake(std::move(far), OptionsFor(Role::kServer));
  EXPECT_FALSE(refused.ok());
  EXPECT_NE(refused.status().message().find("HTTP"), std::string::npos) << refused.status();
  std::unique_ptr<Stream> rest = std::move(near);
  Drop(rest);

  auto [left, right] = base::MakeMemoryStreams(ssl_->NextLoop());
  SocketSetup hasty;
  hasty.timeout = Timeout(50);
  auto late = ssl_->Handshake(std::move(right), OptionsFor(Role::kServer), hasty);
  EXPECT_EQ(base::ReasonOf(late.status()), "timeout");
  rest = std::move(left);
  Drop(rest);
}

}  // namespace
}  // namespace noded::tls
