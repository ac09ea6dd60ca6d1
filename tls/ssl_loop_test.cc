// The same sockets on a loop of the user's: coroutines and owners, nothing that waits.
#include "tls/ssl_pair.h"

namespace noded::tls {
namespace {

using base::Await;
using base::Loop;
using base::Task;
using SocketResult = absl::StatusOr<std::unique_ptr<SslSocket>>;

base::Buffer BufferOf(std::string_view text) {
  base::Buffer buffer;
  buffer.Append(text);
  return buffer;
}

SocketSetup SetupWith(std::shared_ptr<SslOwner> owner) {
  SocketSetup setup;
  setup.owner = std::move(owner);
  setup.timeout = kPatience;
  return setup;
}

class SslLoopTest : public SslPair {
 protected:
  SslLoopTest() {
    auto context = ssl_->MakeContext(OptionsFor(Role::kClient), Role::kClient);
    EXPECT_TRUE(context.ok()) << context.status();
    client_context_ = *std::move(context);
    SslListenOptions listen;
    listen.ip = "127.0.0.1";
    auto listener = ssl_->Listen(0, OptionsFor(Role::kServer), listen, &loop_);
    EXPECT_TRUE(listener.ok()) << listener.status();
    listener_ = *std::move(listener);
  }
  // Sockets go before their loop.
  ~SslLoopTest() override {
    client_.reset();
    server_.reset();
    listener_.reset();
    ssl_->Stop();
    loop_.Stop();
  }

  Loop loop_;
  std::shared_ptr<const Context> client_context_;
};
INSTANTIATE_TEST_SUITE_P(Versions, SslLoopTest, kBothVersions, VersionText);

// Echoes packets until the client is gone; says how many.
Task<absl::StatusOr<int>> Serve(Ssl* ssl, SslListener* listener) {
  auto accepted = co_await listener->AsyncTransportAccept(kPatience);
  if (!accepted.ok()) co_return accepted.status();
  SocketSetup setup = SetupWith(nullptr);
  setup.options.packet = Packet::k2;
  SocketResult socket = co_await ssl->AsyncHandshake(*std::move(accepted), std::move(setup));
  if (!socket.ok()) co_return socket.status();
  for (int count = 0;; ++count) {
    absl::StatusOr<base::Slice> packet = co_await (*socket)->AsyncRecv(0);
    if (!packet.ok()) co_return count;
    base::Buffer answer;
    answer.Append(*packet);
    absl::Status sent = co_await (*socket)->AsyncSend(std::move(answer));
    if (!sent.ok()) co_return sent;
  }
}

Task<absl::StatusOr<std::string>> Ask(Ssl* ssl, Loop* loop, uint16_t port,
                                      std::shared_ptr<const Context> context) {
  SocketSetup setup = SetupWith(nullptr);
  setup.options.packet = Packet::k2;
  SocketResult socket =
      co_await ssl->AsyncConnect(*loop, "127.0.0.1", port, std::move(context), std::move(setup));
  if (!socket.ok()) co_return socket.status();
  std::string answers;
  for (int i = 0; i < 5; ++i) {
    base::Buffer question = BufferOf(std::to_string(i));
    absl::Status sent = co_await (*socket)->AsyncSend(std::move(question));
    if (!sent.ok()) co_return sent;
    absl::StatusOr<base::Slice> answer = co_await (*socket)->AsyncRecv(0, kPatience);
    if (!answer.ok()) co_return answer.status();
    answers += answer->text();
  }
  absl::Status closed = co_await (*socket)->AsyncClose();
  if (!closed.ok()) co_return closed;
  co_return answers;
}

TEST_P(SslLoopTest, AServerAndAClientTalkOnOneLoop) {
  auto served = std::async(std::launch::async,
                           [this] { return Await(loop_, Serve(ssl_.get(), listener_.get())); });
  auto answers = Await(loop_, Ask(ssl_.get(), &loop_, listener_->port(), client_context_));
  ASSERT_TRUE(answers.ok()) << answers.status();
  EXPECT_EQ(*answers, "01234");
  auto count = served.get();
  ASSERT_TRUE(count.ok()) << count.status();
  EXPECT_EQ(*count, 5);
}

Task<absl::StatusOr<std::string>> Gather(std::shared_ptr<SslInbox> inbox, size_t count) {
  std::string all;
  while (all.size() < count) {
    absl::StatusOr<SslMessage> message = co_await inbox->AsyncReceive(kPatience);
    if (!message.ok()) co_return message.status();
    if (const auto* data = std::get_if<SslData>(&message->event)) all += data->bytes.text();
  }
  co_return all;
}

TEST_P(SslLoopTest, AnInboxIsReadOnAnotherLoopThanItsSockets) {
  const auto inbox = std::make_shared<SslInbox>(2);
  Meet(SetupWith(inbox), {});
  EXPECT_EQ(&server_->loop(), &loop_);
  const std::string text(3'000'000, 'x');
  auto sent = std::async(std::launch::async, [&] { return client_->Send(text); });
  Loop other;
  auto gathered = Await(other, Gather(inbox, text.size()));
  ASSERT_TRUE(gathered.ok()) << gathered.status();
  EXPECT_EQ(*gathered, text);
  EXPECT_TRUE(sent.get().ok());
}

Task<absl::StatusOr<std::string>> FirstTwo(SslListener* listener) {
  auto first = co_await listener->AsyncTransportAccept(Timeout(20));
  auto second = co_await listener->AsyncTransportAccept(Timeout(0));
  co_return base::ReasonOf(first.status()) + " " + base::ReasonOf(second.status());
}

TEST_P(SslLoopTest, AcceptingTimesOut) {
  auto reasons = Await(loop_, FirstTwo(listener_.get()));
  ASSERT_TRUE(reasons.ok());
  EXPECT_EQ(*reasons, "timeout timeout");
}

}  // namespace
}  // namespace noded::tls
