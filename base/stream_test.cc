#include <sys/socket.h>
#include <unistd.h>

#include <future>
#include <string>

#include "asio/connect.hpp"
#include <gtest/gtest.h>

#include "base/memory_stream.h"
#include "base/prefixed_stream.h"
#include "base/status.h"
#include "base/tcp_stream.h"

namespace noded::base {
namespace {

template <class T>
T RunTask(Loop& loop, Task<T> task) {
  std::promise<T> promise;
  std::future<T> future = promise.get_future();
  Spawn(loop, "test", std::move(task),
        [&promise](T result) { promise.set_value(std::move(result)); });
  return future.get();
}

Task<absl::StatusOr<std::string>> ReadAll(Stream* stream) {
  std::string all;
  while (true) {
    absl::StatusOr<Slice> bytes = co_await stream->Read();
    if (!bytes.ok()) co_return bytes.status();
    if (bytes->empty()) co_return all;
    all += bytes->text();
  }
}

Task<absl::Status> WriteAndClose(Stream* stream, std::string text) {
  Buffer buffer;
  buffer.Append(text);
  absl::Status written = co_await stream->Write(std::move(buffer));
  if (!written.ok()) co_return written;
  absl::Status closed = co_await stream->Close();
  co_return closed;
}

struct TcpPair {
  explicit TcpPair(Loop& loop) {
    using asio::ip::tcp;
    tcp::acceptor acceptor(loop.io(), tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    tcp::socket a(loop.io()), b(loop.io());
    a.connect(acceptor.local_endpoint());
    acceptor.accept(b);
    left = MakeTcpStream(loop, std::move(a));
    right = MakeTcpStream(loop, std::move(b));
  }
  std::unique_ptr<Stream> left, right;
};

TEST(TcpStreamTest, CarriesMoreThanTheKernelHoldsAndEndsCleanly) {
  Loop loop;
  TcpPair pair(loop);
  std::string text(8 << 20, 'x');
  for (size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(i * 31);
  std::promise<absl::Status> written;
  Spawn(loop, "writer", WriteAndClose(pair.left.get(), text),
        [&written](absl::Status status) { written.set_value(status); });
  absl::StatusOr<std::string> got = RunTask(loop, ReadAll(pair.right.get()));
  ASSERT_TRUE(got.ok()) << got.status();
  EXPECT_TRUE(*got == text);
  EXPECT_TRUE(written.get_future().get().ok());
  EXPECT_EQ(pair.left->peer().address, "127.0.0.1");
  EXPECT_EQ(pair.left->peer().port, pair.right->local().port);
}

TEST(TcpStreamTest, AbortEndsAReadUnderWay) {
  Loop loop;
  TcpPair pair(loop);
  std::promise<absl::StatusOr<std::string>> read;
  Spawn(loop, "reader", ReadAll(pair.right.get()),
        [&read](absl::StatusOr<std::string> result) { read.set_value(std::move(result)); });
  loop.Post([&pair] { pair.right->Abort(); });
  absl::StatusOr<std::string> result = read.get_future().get();
  EXPECT_EQ(result.status().code(), absl::StatusCode::kUnavailable);
}

TEST(MemoryStreamTest, GivesOneByteAtATimeAndCutsWhereTold) {
  Loop loop;
  auto [left, right] = MakeMemoryStreams(loop);
  right->Inject({.max_read_bytes = 1});
  EXPECT_TRUE(RunTask(loop, WriteAndClose(left.get(), "hello")).ok());
  EXPECT_EQ(*RunTask(loop, ReadAll(right.get())), "hello");

  left->Inject({.fail_after_bytes = 2});
  EXPECT_TRUE(RunTask(loop, WriteAndClose(right.get(), "hello")).ok());
  absl::StatusOr<std::string> cut = RunTask(loop, ReadAll(left.get()));
  EXPECT_EQ(cut.status().code(), absl::StatusCode::kUnavailable);
  loop.Run([&, l = left.get(), r = right.get()] { l->Abort(), r->Abort(); });
}

TEST(LoopTest, RunsInOrderAndWaitsForResults) {
  LoopGroup loops(2);
  EXPECT_EQ(loops.size(), 2u);
  std::string order;
  Loop& loop = loops.home();
  loop.Post([&order] { order += "a"; });
  loop.Post([&order] { order += "b"; });
  EXPECT_EQ(loop.Run([&order, &loop] {
    EXPECT_TRUE(loop.is_current());
    return order;
  }),
            "ab");
  EXPECT_FALSE(loop.is_current());
}

TEST(PrefixedStreamTest, GivesItsBytesFirstAndThenThoseOfTheStream) {
  Loop loop;
  auto [left, right] = MakeMemoryStreams(loop);
  EXPECT_TRUE(Await(loop, WriteAndClose(left.get(), "world")).ok());
  MemoryStream* below = right.get();
  std::unique_ptr<Stream> same = MakePrefixedStream(Slice(), std::move(right));
  EXPECT_EQ(same.get(), below) << "nothing to put before it";
  std::unique_ptr<Stream> stream = MakePrefixedStream(Slice::Copy("hello "), std::move(same));
  EXPECT_EQ(*Await(loop, ReadAll(stream.get())), "hello world");
  loop.Run([&] { stream.reset(); });
}

TEST(AdoptTcpSocketTest, TakesConnectedSocketsAlone) {
  Loop loop;
  TcpPair pair(loop);
  const int copy = dup(pair.left->descriptor());
  auto adopted = AdoptTcpSocket(loop, copy);
  ASSERT_TRUE(adopted.ok()) << adopted.status();
  EXPECT_EQ((*adopted)->peer().port, pair.left->peer().port);
  EXPECT_TRUE(Await(loop, WriteAndClose(adopted->get(), "through")).ok());
  EXPECT_EQ(*Await(loop, ReadAll(pair.right.get())), "through");
  const int unconnected = socket(AF_INET, SOCK_STREAM, 0);
  for (int descriptor : {-1, unconnected}) {
    EXPECT_EQ(ReasonOf(AdoptTcpSocket(loop, descriptor).status()), "einval");
  }
  loop.Run([&] {
    adopted->reset();
    pair.left.reset();
    pair.right.reset();
  });
}

Task<absl::Status> AwaitOnItself(Loop* loop, Stream* stream) {
  co_return Await(*loop, stream->Close());
}

Task<absl::StatusOr<Slice>> ReadSaying(Stream* stream, std::promise<void>* begun) {
  begun->set_value();
  absl::StatusOr<Slice> bytes = co_await stream->Read();
  co_return bytes;
}

TEST(AwaitTest, FailsOnTheLoopItselfAndWhenTheLoopEnds) {
  auto loop = std::make_unique<Loop>();
  auto [left, right] = MakeMemoryStreams(*loop);
  EXPECT_EQ(Await(*loop, AwaitOnItself(loop.get(), left.get())).code(),
            absl::StatusCode::kFailedPrecondition);
  std::promise<void> begun;
  std::future<absl::StatusOr<Slice>> read = std::async(std::launch::async, [&, &left = left] {
    return Await(*loop, ReadSaying(left.get(), &begun));
  });
  begun.get_future().wait();
  loop->Stop();
  left.reset();
  right.reset();
  loop.reset();
  EXPECT_EQ(ReasonOf(read.get().status()), "closed");
}

}  // namespace
}  // namespace noded::base
