#include "dist/carrier/tcp.h"

#include <future>

#include "asio/ip/tcp.hpp"
#include <gtest/gtest.h>

#include "base/status.h"
#include "dist/carrier/listener.h"
#include "tests/testlib/start_task.h"

namespace noded::dist {
namespace {

using asio::ip::tcp;
using base::Loop;
using base::ReasonOf;
using base::Stream;
using base::Task;
using testlib::Start;
using StreamResult = absl::StatusOr<std::unique_ptr<Stream>>;

base::TimePoint Soon() { return std::chrono::steady_clock::now() + std::chrono::seconds(20); }

std::unique_ptr<Listener> ListenAt(Loop& loop, bool is_v6, ListenOptions options = {}) {
  auto listener = Listener::Listen(loop, is_v6, std::move(options));
  EXPECT_TRUE(listener.ok()) << listener.status();
  return *std::move(listener);
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

TEST(TcpCarrierTest, ConnectsAndAcceptsInBothFamilies) {
  Loop loop;
  for (bool is_v6 : {false, true}) {
    auto carrier = MakeTcpCarrier(is_v6);
    auto listener = ListenAt(loop, is_v6);
    auto accepted = Start(loop, listener->Accept(loop));
    for (const char* host : {is_v6 ? "::1" : "127.0.0.1"}) {
      StreamResult near =
          Start(loop, carrier->Connect(loop, {host, listener->port(), host}, Soon())).get();
      ASSERT_TRUE(near.ok()) << near.status();
      StreamResult raw = accepted.get();
      ASSERT_TRUE(raw.ok()) << raw.status();
      StreamResult far = Start(loop, carrier->Secure(*std::move(raw), Soon())).get();
      ASSERT_TRUE(far.ok()) << far.status();
      EXPECT_EQ((*near)->peer().port, listener->port());
      EXPECT_EQ((*near)->local().port, (*far)->peer().port);
      EXPECT_EQ((*far)->peer().address, host);
      EXPECT_FALSE((*far)->peer().tls);
      auto text = Start(loop, Echo(near->get(), far->get())).get();
      ASSERT_TRUE(text.ok()) << text.status();
      EXPECT_EQ(*text, "hello");
    }
    loop.Run([&] { listener->Close(); });
  }
}

TEST(TcpCarrierTest, ResolvesNamesInItsFamily) {
  Loop loop;
  auto listener = ListenAt(loop, false);
  auto accepted = Start(loop, listener->Accept(loop));
  auto stream =
      Start(loop, MakeTcpCarrier(false)->Connect(loop, {"localhost", listener->port(), ""}, Soon()))
          .get();
  ASSERT_TRUE(stream.ok()) << stream.status();
  EXPECT_EQ((*stream)->peer().address, "127.0.0.1");
  EXPECT_TRUE(accepted.get().ok());
}

TEST(TcpCarrierTest, SaysWhyItCannotConnect) {
  Loop loop;
  auto four = MakeTcpCarrier(false);
  auto six = MakeTcpCarrier(true);
  uint16_t closed_port = ListenAt(loop, false)->port();

  auto refused = Start(loop, four->Connect(loop, {"127.0.0.1", closed_port, ""}, Soon())).get();
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(ReasonOf(refused.status()), "econnrefused");
  EXPECT_NE(std::string(refused.status().message()).find("127.0.0.1:"), std::string::npos);

  const std::string no_host(64, 'x');  // longer than a label may be: no server is asked
  auto unknown = Start(loop, four->Connect(loop, {no_host, 1, ""}, Soon())).get();
  EXPECT_EQ(ReasonOf(unknown.status()), "nxdomain");
  EXPECT_NE(std::string(unknown.status().message()).find(no_host), std::string::npos);

  auto other_family = Start(loop, six->Connect(loop, {"127.0.0.1", closed_port, ""}, Soon())).get();
  EXPECT_EQ(ReasonOf(other_family.status()), "nxdomain");
}

TEST(TcpCarrierTest, GivesUpAtTheDeadline) {
  Loop loop;
  // A listener whose queue is full lets further connections hang.
  asio::io_context io;
  tcp::acceptor full(io);
  full.open(tcp::v4());
  full.bind(tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  full.listen(0);
  const uint16_t port = full.local_endpoint().port();
  std::vector<std::unique_ptr<tcp::socket>> queue;
  for (int i = 0; i < 4; ++i) {
    queue.push_back(std::make_unique<tcp::socket>(io));
    queue.back()->async_connect(full.local_endpoint(), [](const asio::error_code&) {});
    io.poll();
  }
  auto carrier = MakeTcpCarrier(false);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(50);
  auto late = Start(loop, carrier->Connect(loop, {"127.0.0.1", port, ""}, deadline)).get();
  EXPECT_EQ(late.status().code(), absl::StatusCode::kDeadlineExceeded) << late.status();
  EXPECT_EQ(ReasonOf(late.status()), "timeout");
}

TEST(ListenerTest, TriesThePortsOfItsRangeInOrderAndSaysWhenAllAreTaken) {
  Loop loop;
  auto first = ListenAt(loop, false, {"127.0.0.1", 0, 0});
  const uint16_t port = first->port();
  ASSERT_LT(port, 65535);
  auto second = Listener::Listen(loop, false, {"127.0.0.1", port, 65535});
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_GT((*second)->port(), port);

  auto none = Listener::Listen(loop, false, {"127.0.0.1", port, port});
  EXPECT_EQ(none.status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(ReasonOf(none.status()), "eaddrinuse");
  EXPECT_NE(std::string(none.status().message()).find(std::to_string(port)), std::string::npos);
}

TEST(ListenerTest, ListensAtItsPortAgainRightAfterItClosed) {
  Loop loop;
  auto listener = ListenAt(loop, false);
  const uint16_t port = listener->port();
  auto accepted = Start(loop, listener->Accept(loop));
  auto stream =
      Start(loop, MakeTcpCarrier(false)->Connect(loop, {"127.0.0.1", port, ""}, Soon())).get();
  ASSERT_TRUE(stream.ok()) << stream.status();
  StreamResult far = accepted.get();
  ASSERT_TRUE(far.ok()) << far.status();
  far->reset();  // this side ends first, so its port waits
  loop.Run([&] { listener->Close(); });
  EXPECT_TRUE(Listener::Listen(loop, false, {"", port, port}).ok());
}

TEST(ListenerTest, RefusesAddressesOfTheOtherFamilyOrOfElsewhere) {
  Loop loop;
  for (const ListenOptions& options : {ListenOptions{"::1"}, ListenOptions{"localhost"},
                                       ListenOptions{"192.0.2.1"}, ListenOptions{"", 5000, 4000}}) {
    auto listener = Listener::Listen(loop, false, options);
    EXPECT_EQ(listener.status().code(), absl::StatusCode::kInvalidArgument)
        << options.interface_address;
    EXPECT_NE(base::MendOf(listener.status()), "");
  }
}

TEST(ListenerTest, PutsWhatItAcceptsOnTheLoopAskedFor) {
  base::LoopGroup loops(2);
  Loop& home = loops.Next();
  Loop& other = loops.Next();
  auto listener = ListenAt(home, false);
  auto accepted = Start(home, listener->Accept(other));
  auto near =
      Start(home, MakeTcpCarrier(false)->Connect(home, {"127.0.0.1", listener->port(), ""}, Soon()))
          .get();
  ASSERT_TRUE(near.ok()) << near.status();
  StreamResult far = accepted.get();
  ASSERT_TRUE(far.ok()) << far.status();
  EXPECT_EQ(&(*far)->loop(), &other);
  EXPECT_TRUE(Start(other, (*far)->Close()).get().ok());
  auto end = Start(home, (*near)->Read()).get();
  ASSERT_TRUE(end.ok()) << end.status();
  EXPECT_TRUE(end->empty());
}

TEST(ListenerTest, CloseEndsAnAcceptUnderWay) {
  Loop loop;
  auto listener = ListenAt(loop, false);
  auto accepted = Start(loop, listener->Accept(loop));
  loop.Run([&] { listener->Close(); });
  EXPECT_EQ(ReasonOf(accepted.get().status()), "closed");
  EXPECT_EQ(ReasonOf(Start(loop, listener->Accept(loop)).get().status()), "closed");
}

TEST(CarrierTableTest, FindsByNameAndNamesTheKnownOnes) {
  CarrierTable carriers;
  carriers.Add(MakeTcpCarrier(false));
  carriers.Add(MakeTcpCarrier(true));
  EXPECT_EQ((*carriers.Find("inet6_tcp"))->is_v6(), true);
  EXPECT_FALSE((*carriers.Find("inet_tcp"))->is_secure());
  const auto unknown = carriers.Find("inet_tpc");
  EXPECT_EQ(unknown.status().code(), absl::StatusCode::kInvalidArgument);
  const std::string text(unknown.status().message());
  EXPECT_NE(text.find("inet_tpc"), std::string::npos) << text;
  EXPECT_NE(text.find("inet_tcp, inet6_tcp"), std::string::npos) << text;
}

}  // namespace
}  // namespace noded::dist
