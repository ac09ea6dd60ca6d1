// Active modes: what an owner gets, when, and that one which takes nothing stops the peer.
#include <atomic>
#include <chrono>
#include <thread>

#include "tests/testlib/wait.h"
#include "tls/ssl_pair.h"

namespace noded::tls {
namespace {

using testlib::Eventually;

// A message as text: its data, or <closed>, <passive>, <error reason>, <timeout>.
std::string Said(const absl::StatusOr<SslMessage>& message) {
  if (!message.ok()) return "<" + base::ReasonOf(message.status()) + ">";
  if (const auto* data = std::get_if<SslData>(&message->event)) {
    return std::string(data->bytes.text());
  }
  if (const auto* error = std::get_if<SslError>(&message->event)) {
    return "<error " + base::ReasonOf(error->status) + ">";
  }
  return std::holds_alternative<SslClosed>(message->event) ? "<closed>" : "<passive>";
}

class SslActiveTest : public SslPair {
 protected:
  // The server's side is owned.
  void MeetOwned(SocketOptions options = {}) {
    SocketSetup setup;
    setup.options = options;
    setup.owner = inbox_;
    Meet(setup);
  }
  std::string Next(Timeout timeout = kPatience) { return Said(inbox_->Receive(timeout)); }
  // `count` bytes, in as many messages as it takes.
  std::string Gather(SslInbox& inbox, size_t count) {
    std::string all;
    while (all.size() < count) all += Said(inbox.Receive(kPatience));
    return all;
  }

  const std::shared_ptr<SslInbox> inbox_ = std::make_shared<SslInbox>();
};
INSTANTIATE_TEST_SUITE_P(Versions, SslActiveTest, kBothVersions, VersionText);

TEST_P(SslActiveTest, AnOwnerGetsDataAndThenTheEndOnce) {
  MeetOwned();
  EXPECT_EQ(Text(server_->Recv(0)), "!einval") << "the owner gets it";
  EXPECT_TRUE(client_->Send("hello").ok());
  auto message = inbox_->Receive(kPatience);
  ASSERT_TRUE(message.ok());
  EXPECT_EQ(message->socket, server_->id());
  EXPECT_EQ(Said(message), "hello");
  EXPECT_TRUE(client_->Close().ok());
  EXPECT_EQ(Next(), "<closed>");
  EXPECT_EQ(server_->GetOpts()->active, Active::False());
  EXPECT_EQ(Next(Timeout(50)), "<timeout>");
}

TEST_P(SslActiveTest, OnceGivesOnePacketAndThenWaits) {
  MeetOwned({.active = Active::Once(), .packet = Packet::k1});
  EXPECT_TRUE(client_->SetOpts({.packet = Packet::k1}).ok());
  for (const char* word : {"one", "two", "three"}) EXPECT_TRUE(client_->Send(word).ok());
  EXPECT_EQ(Next(), "one");
  EXPECT_EQ(Next(Timeout(50)), "<timeout>");
  EXPECT_EQ(server_->GetOpts()->active, Active::False());
  EXPECT_TRUE(server_->SetOpts({.active = Active::Once()}).ok());
  EXPECT_EQ(Next(), "two");
  EXPECT_EQ(Text(server_->Recv(0, kPatience)), "three") << "passive again";
}

TEST_P(SslActiveTest, ACountRunsDownToPassiveAndCanBeAddedTo) {
  MeetOwned({.active = Active::Count(2), .packet = Packet::kLine});
  EXPECT_TRUE(client_->Send("1\n2\n3\n4\n5\n").ok());
  for (const char* expected : {"1\n", "2\n", "<passive>"}) EXPECT_EQ(Next(), expected);
  EXPECT_EQ(Next(Timeout(50)), "<timeout>");
  EXPECT_TRUE(server_->SetOpts({.active = Active::Count(1)}).ok());
  for (const char* expected : {"3\n", "<passive>"}) EXPECT_EQ(Next(), expected);
  // Nothing is left to count: passive at once.
  EXPECT_TRUE(server_->SetOpts({.active = Active::Count(-1)}).ok());
  EXPECT_EQ(Next(), "<passive>");
  EXPECT_EQ(Reason(server_->SetOpts({.active = Active::Count(40'000)})), "einval");
  EXPECT_TRUE(server_->SetOpts({.active = Active::Count(10)}).ok());
  EXPECT_EQ(Next(), "4\n");
  EXPECT_EQ(Next(), "5\n");
  EXPECT_EQ(server_->GetOpts()->active, Active::Count(8));
  EXPECT_TRUE(server_->SetOpts({.active = Active::Count(-5)}).ok());
  EXPECT_EQ(server_->GetOpts()->active, Active::Count(3));
}

TEST_P(SslActiveTest, APassiveSocketKeepsItsEndUntilItIsActive) {
  MeetOwned({.active = Active::False()});
  EXPECT_TRUE(client_->Send("before the end").ok());
  EXPECT_TRUE(client_->Close().ok());
  EXPECT_EQ(Next(Timeout(50)), "<timeout>");
  EXPECT_TRUE(server_->SetOpts({.active = Active::True()}).ok());
  EXPECT_EQ(Next(), "before the end");
  EXPECT_EQ(Next(), "<closed>");
}

TEST_P(SslActiveTest, AFailureIsAnErrorWithItsReason) {
  MeetOwned({.packet = Packet::k4, .packet_size = size_t{10}});
  EXPECT_TRUE(client_->Send(std::string_view("\0\0\0\2hi\0\0\0\x0b", 10)).ok());
  EXPECT_EQ(Next(), "hi");
  EXPECT_EQ(Next(), "<error invalid_packet>");
  EXPECT_EQ(Next(Timeout(50)), "<timeout>");
  EXPECT_EQ(Reason(server_->Send("x")), "invalid_packet");
}

TEST_P(SslActiveTest, AnOwnerThatTakesNothingStopsThePeer) {
  const auto small = std::make_shared<SslInbox>(4, 64 * 1024);
  SocketSetup setup;
  setup.owner = small;
  Meet(setup);
  constexpr size_t kBytes = 48 << 20;
  std::atomic<bool> is_sent = false;
  auto sent = std::async(std::launch::async, [&] {
    absl::Status status = client_->Send(std::string(kBytes, 'x'));
    is_sent = true;
    return status;
  });
  // It is full, stays as it is, and far less than was sent has been read.
  EXPECT_TRUE(Eventually([&] { return small->size() == 4; }));
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_EQ(small->size(), 4u);
  EXPECT_FALSE(is_sent);
  EXPECT_EQ(Gather(*small, kBytes), std::string(kBytes, 'x'));
  EXPECT_TRUE(sent.get().ok());
}

TEST_P(SslActiveTest, NothingIsLostWhenTheOwnerChangesUnderTraffic) {
  MeetOwned({.packet = Packet::k4});
  EXPECT_TRUE(client_->SetOpts({.packet = Packet::k4}).ok());
  constexpr int kPackets = 3000;
  auto sent = std::async(std::launch::async, [&] {
    for (int i = 0; i < kPackets; ++i) {
      EXPECT_TRUE(client_->Send(std::to_string(i)).ok());
    }
  });
  // Some of these have no room for all that comes while they are the owner.
  std::vector<std::shared_ptr<SslInbox>> owners = {inbox_};
  for (int i = 0; i < 40; ++i) {
    owners.push_back(std::make_shared<SslInbox>(i % 2 == 0 ? 3 : 5000));
    EXPECT_TRUE(server_->ControllingProcess(owners.back()).ok());
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  owners.push_back(std::make_shared<SslInbox>(5000));
  EXPECT_TRUE(server_->ControllingProcess(owners.back()).ok());
  sent.get();
  int next = 0;
  for (size_t i = 0; i < owners.size(); ++i) {
    const bool is_last = i + 1 == owners.size();
    while (is_last ? next < kPackets : owners[i]->size() > 0) {
      ASSERT_EQ(Said(owners[i]->Receive(kPatience)), std::to_string(next)) << "owner " << i;
      ++next;
    }
  }
  EXPECT_EQ(next, kPackets);
}

TEST_P(SslActiveTest, ACallbackMayAskForMoreAndAnswerOnTheLoop) {
  struct Echo {
    std::atomic<SslSocket*> socket = nullptr;
    std::atomic<int> count = 0;
  };
  const auto echo = std::make_shared<Echo>();
  const auto callback = std::make_shared<SslCallback>([echo](SslMessage message) {
    auto* data = std::get_if<SslData>(&message.event);
    if (data == nullptr) return;
    ++echo->count;
    SslSocket& socket = *echo->socket;
    EXPECT_TRUE(socket.SetOpts({.active = Active::Once()}).ok());
    base::Buffer answer;
    answer.Append(data->bytes);
    base::Spawn(socket.loop(), "echo", socket.AsyncSend(std::move(answer)), [](absl::Status) {});
  });
  SocketSetup setup;
  setup.options = {.active = Active::False(), .packet = Packet::kLine};
  setup.owner = callback;
  Meet(setup);
  echo->socket = server_.get();
  EXPECT_TRUE(server_->SetOpts({.active = Active::Once()}).ok());
  EXPECT_TRUE(client_->SetOpts({.packet = Packet::kLine}).ok());
  EXPECT_TRUE(client_->Send("one\ntwo\nthree\n").ok());
  for (const char* line : {"one\n", "two\n", "three\n"}) {
    EXPECT_EQ(Text(client_->Recv(0, kPatience)), line);
  }
  EXPECT_EQ(echo->count, 3);
}

TEST_P(SslActiveTest, AnInboxOutlivesItsSockets) {
  MeetOwned();
  EXPECT_TRUE(client_->Send("kept").ok());
  EXPECT_TRUE(Eventually([&] { return inbox_->size() == 1; }));
  client_.reset();
  server_.reset();
  listener_.reset();
  ssl_.reset();
  EXPECT_EQ(Next(), "kept");
}

}  // namespace
}  // namespace noded::tls
