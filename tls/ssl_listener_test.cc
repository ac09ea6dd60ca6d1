#include "tls/ssl_listener.h"

#include <thread>

#include "base/tcp_connect.h"
#include "tests/testlib/wait.h"
#include "tls/ssl_pair.h"

namespace noded::tls {
namespace {

using testlib::Eventually;

class SslListenerTest : public SslPair {
 protected:
  std::unique_ptr<base::Stream> ConnectPlain() {
    base::Loop& loop = ssl_->NextLoop();
    auto plain =
        base::Await(loop, base::ConnectTcp(loop, "127.0.0.1", listener_->port(),
                                           base::AddressFamily::kV4, DeadlineOf(kPatience)));
    EXPECT_TRUE(plain.ok()) << plain.status();
    return *std::move(plain);
  }
  void Drop(std::unique_ptr<base::Stream> stream) {
    base::Loop& loop = stream->loop();
    loop.Run([&] { stream.reset(); });
  }
};
INSTANTIATE_TEST_SUITE_P(Versions, SslListenerTest, kBothVersions, VersionText);

TEST_P(SslListenerTest, ManyAcceptOnOneListener) {
  ListenAt();
  constexpr int kAcceptors = 8;
  std::vector<std::future<absl::StatusOr<std::unique_ptr<SslSocket>>>> accepted;
  for (int i = 0; i < kAcceptors; ++i) accepted.push_back(Accept());
  std::vector<std::unique_ptr<SslSocket>> clients;
  for (int i = 0; i < kAcceptors; ++i) {
    auto client = ssl_->Connect("127.0.0.1", listener_->port(), OptionsFor(Role::kClient));
    ASSERT_TRUE(client.ok()) << client.status();
    EXPECT_TRUE((*client)->Send("x").ok());
    clients.push_back(*std::move(client));
  }
  for (auto& one : accepted) {
    auto socket = one.get();
    ASSERT_TRUE(socket.ok()) << socket.status();
    EXPECT_EQ(Text((*socket)->Recv(1, kPatience)), "x");
  }
}

TEST_P(SslListenerTest, AnAcceptTimesOutAndALateConnectionIsKept) {
  ListenAt();
  EXPECT_EQ(base::ReasonOf(listener_->TransportAccept(Timeout(30)).status()), "timeout");
  auto plain = ConnectPlain();
  auto accepted = listener_->TransportAccept(kPatience);
  ASSERT_TRUE(accepted.ok()) << accepted.status();
  EXPECT_EQ((*accepted)->PeerName().port, plain->local().port);
  EXPECT_EQ((*accepted)->SockName().port, listener_->port());
  // A client that says nothing.
  SocketSetup hasty;
  hasty.timeout = Timeout(50);
  EXPECT_EQ(base::ReasonOf(ssl_->Handshake(*std::move(accepted), hasty).status()), "timeout");
  Drop(std::move(plain));
}

TEST_P(SslListenerTest, ClosingEndsAcceptsAndLeavesSockets) {
  Meet();
  auto waiting = std::async(std::launch::async, [this] { return listener_->TransportAccept(); });
  EXPECT_EQ(base::ReasonOf(listener_->TransportAccept(Timeout(20)).status()), "timeout");
  EXPECT_TRUE(listener_->Close().ok());
  EXPECT_TRUE(listener_->Close().ok());
  EXPECT_EQ(base::ReasonOf(waiting.get().status()), "closed");
  EXPECT_EQ(base::ReasonOf(listener_->TransportAccept().status()), "closed");
  EXPECT_EQ(base::ReasonOf(listener_->GetOpts().status()), "closed");
  EXPECT_TRUE(client_->Send("still").ok());
  EXPECT_EQ(Text(server_->Recv(5, kPatience)), "still");
}

TEST_P(SslListenerTest, AnAcceptedSocketThatIsDroppedEndsTheConnection) {
  ListenAt();
  auto plain = ConnectPlain();
  { ASSERT_TRUE(listener_->TransportAccept(kPatience).ok()); }
  EXPECT_EQ(Text(base::Await(plain->loop(), plain->Read())), "");
  Drop(std::move(plain));
}

TEST_P(SslListenerTest, APortInUseAndAForeignAddressAreRefused) {
  ListenAt();
  SslListenOptions listen;
  listen.ip = "127.0.0.1";
  auto second = ssl_->Listen(listener_->port(), OptionsFor(Role::kServer), listen);
  EXPECT_EQ(base::ReasonOf(second.status()), "eaddrinuse");
  listen.ip = "192.0.2.1";
  auto foreign = ssl_->Listen(0, OptionsFor(Role::kServer), listen);
  EXPECT_EQ(base::ReasonOf(foreign.status()), "eaddrnotavail");
  listen.ip = "localhost";
  EXPECT_EQ(base::ReasonOf(ssl_->Listen(0, OptionsFor(Role::kServer), listen).status()), "einval");
}

// Option by option: what the listener is given, its sockets have, and what SetOpts changes too.
TEST_P(SslListenerTest, SocketOptionsAreSetReadAndInherited) {
  SslListenOptions listen;
  listen.backlog = 7;
  listen.reuseaddr = false;
  listen.accepted = {.active = Active::False(),
                     .packet = Packet::k2,
                     .packet_size = size_t{100},
                     .buffer = size_t{5000},
                     .nodelay = false,
                     .keepalive = false,
                     .recbuf = 20'000,
                     .sndbuf = 30'000,
                     .priority = 3,
                     .tos = 0x10};
  ListenAt(listen);
  EXPECT_TRUE(listener_->SetOpts({.packet_size = size_t{200}, .sndbuf = 35'000}).ok());
  EXPECT_EQ(listener_->GetOpts()->packet_size, size_t{200});
  SocketSetup server;
  server.options.buffer = size_t{6000};
  Meet(server, {.options = {.nodelay = false, .recbuf = 40'000}});
  const SocketOptions far = *server_->GetOpts(), near = *client_->GetOpts();
  EXPECT_EQ(far.packet, Packet::k2);
  EXPECT_EQ(far.packet_size, size_t{200});
  EXPECT_EQ(far.buffer, size_t{6000}) << "those of the handshake win";
  EXPECT_EQ(far.nodelay, false);
  EXPECT_EQ(far.keepalive, false);
  EXPECT_EQ(far.recbuf, 2 * 20'000) << "Linux doubles it";
  EXPECT_EQ(far.sndbuf, 2 * 35'000) << "what was set later wins";
  EXPECT_EQ(far.priority, 3);
  EXPECT_EQ(far.tos, 0x10);
  EXPECT_EQ(near.nodelay, false);
  EXPECT_EQ(near.keepalive, true);
  EXPECT_EQ(near.recbuf, 2 * 40'000);

  const SocketOptions changes[] = {
      {.nodelay = true}, {.keepalive = true}, {.recbuf = 50'000},  {.sndbuf = 60'000},
      {.tos = 0x08},     {.priority = 5},     {.packet_size = 9u}, {.buffer = size_t{1}},
  };
  for (const SocketOptions& change : changes) EXPECT_TRUE(server_->SetOpts(change).ok());
  const SocketOptions after = *server_->GetOpts();
  EXPECT_EQ(after.nodelay, true);
  EXPECT_EQ(after.keepalive, true);
  EXPECT_EQ(after.recbuf, 2 * 50'000);
  EXPECT_EQ(after.sndbuf, 2 * 60'000);
  EXPECT_EQ(after.priority, 5);
  EXPECT_EQ(after.tos, 0x08);
  EXPECT_EQ(after.packet_size, size_t{9});
  EXPECT_EQ(after.packet, Packet::k2) << "what is not named stays";
  for (const SocketOptions& wrong :
       {SocketOptions{.buffer = size_t{0}}, SocketOptions{.recbuf = -1}}) {
    EXPECT_EQ(Reason(server_->SetOpts(wrong)), "einval");
  }
}

TEST_P(SslListenerTest, ListensOnIpv6) {
  SslListenOptions listen;
  listen.ip = "::1";
  listen.inet6 = true;
  auto listener = ssl_->Listen(0, OptionsFor(Role::kServer), listen);
  if (base::ReasonOf(listener.status()) == "eaddrnotavail") return;  // no ::1 in this sandbox
  ASSERT_TRUE(listener.ok()) << listener.status();
  listener_ = *std::move(listener);
  auto accepted = Accept();
  auto client = ssl_->Connect("::1", listener_->port(), OptionsFor(Role::kClient));
  auto server = accepted.get();
  ASSERT_TRUE(client.ok() && server.ok()) << client.status() << server.status();
  EXPECT_EQ((*server)->PeerName().address, "::1");
}

}  // namespace
}  // namespace noded::tls
