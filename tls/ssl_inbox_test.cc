#include "tls/ssl_inbox.h"

#include <future>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "base/loop.h"
#include "base/status.h"

namespace noded::tls {
namespace {

SslMessage Message(int number) {
  return SslMessage{static_cast<SslSocketId>(number), SslData{base::Slice::Copy("data")}};
}

bool Put(
    SslInbox& inbox, int number, std::function<void()> has_room = [] {}) {
  SslMessage message = Message(number);
  return inbox.Take(message, has_room);
}

TEST(SslInboxTest, GivesMessagesInOrderAndTimesOutWithoutOne) {
  SslInbox inbox;
  EXPECT_TRUE(Put(inbox, 1));
  EXPECT_TRUE(Put(inbox, 2));
  EXPECT_EQ(inbox.Receive(Timeout(0))->socket, 1u);
  EXPECT_EQ(inbox.Receive()->socket, 2u);
  EXPECT_EQ(base::ReasonOf(inbox.Receive(Timeout(10)).status()), "timeout");
}

TEST(SslInboxTest, SaysOnceThatThereIsRoomWhenHalfIsTaken) {
  for (SslInbox* inbox : {std::make_unique<SslInbox>(4).release(),
                          std::make_unique<SslInbox>(1000, 4 * 4).release()}) {
    std::unique_ptr<SslInbox> owned(inbox);
    for (int i = 0; i < 4; ++i) EXPECT_TRUE(Put(*inbox, i));
    int told = 0;
    SslMessage fifth = Message(5);
    EXPECT_FALSE(inbox->Take(fifth, [&] { ++told; }));
    EXPECT_EQ(std::get<SslData>(fifth.event).bytes.text(), "data") << "left as it was";
    EXPECT_TRUE(inbox->Receive().ok());
    EXPECT_EQ(told, 0);
    EXPECT_TRUE(inbox->Receive().ok());
    EXPECT_EQ(told, 1);
    EXPECT_TRUE(Put(*inbox, 6));
    EXPECT_TRUE(inbox->Receive().ok());
    EXPECT_EQ(told, 1);
  }
}

base::Task<absl::StatusOr<int>> ReceiveAll(SslInbox* inbox, int count) {
  int sum = 0;
  for (int i = 0; i < count; ++i) {
    absl::StatusOr<SslMessage> message = co_await inbox->AsyncReceive(std::chrono::seconds(60));
    if (!message.ok()) co_return message.status();
    sum += static_cast<int>(message->socket);
  }
  co_return sum;
}

TEST(SslInboxTest, ThreadsAndLoopsReceiveWhatOthersPut) {
  SslInbox inbox;
  base::Loop loop;
  auto on_loop =
      std::async(std::launch::async, [&] { return base::Await(loop, ReceiveAll(&inbox, 500)); });
  auto in_thread = std::async(std::launch::async, [&] {
    int sum = 0;
    for (int i = 0; i < 500; ++i) sum += static_cast<int>(inbox.Receive()->socket);
    return sum;
  });
  for (int i = 1; i <= 1000; ++i) {
    EXPECT_TRUE(Put(inbox, i));
    if (i % 100 == 0) std::this_thread::yield();
  }
  auto first = on_loop.get();
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(*first + in_thread.get(), 1000 * 1001 / 2);
}

base::Task<absl::StatusOr<SslMessage>> ReceiveSoon(SslInbox* inbox) {
  absl::StatusOr<SslMessage> message = co_await inbox->AsyncReceive(Timeout(10));
  co_return message;
}

TEST(SslInboxTest, ATaskTimesOutAndLeavesNoTrace) {
  SslInbox inbox;
  base::Loop loop;
  EXPECT_EQ(base::ReasonOf(base::Await(loop, ReceiveSoon(&inbox)).status()), "timeout");
  EXPECT_TRUE(Put(inbox, 7));
  EXPECT_EQ(base::Await(loop, ReceiveSoon(&inbox))->socket, 7u);
}

}  // namespace
}  // namespace noded::tls
