#include "dist/epmd_server.h"

#include <atomic>
#include <future>
#include <random>
#include <thread>

#include "asio/connect.hpp"
#include "asio/ip/tcp.hpp"
#include "asio/read.hpp"
#include "asio/write.hpp"
#include <gtest/gtest.h>

#include "base/status.h"
#include "dist/epmd_client.h"
#include "tests/testlib/start_task.h"

namespace noded::dist {
namespace {

using asio::ip::tcp;
using base::Loop;
using base::ReasonOf;
using base::Task;
using std::chrono::seconds;
using testlib::Start;

template <class T>
T Wait(Loop& loop, Task<T> task) {
  return Start(loop, std::move(task)).get();
}

std::unique_ptr<EpmdServer> StartServer(Loop& loop, EpmdServer::Options options = {.port = 0}) {
  auto server = EpmdServer::Start(loop, std::move(options));
  EXPECT_TRUE(server.ok()) << server.status();
  return *std::move(server);
}

base::TimePoint Soon() { return std::chrono::steady_clock::now() + seconds(20); }

// A client that holds to no protocol, on the test's own thread.
class RawClient {
 public:
  explicit RawClient(uint16_t port) : socket_(io_) {
    socket_.connect(tcp::endpoint(asio::ip::address_v4::loopback(), port));
  }
  void Send(base::ByteView bytes) {
    asio::error_code ignored;
    asio::write(socket_, asio::buffer(bytes.data(), bytes.size()), ignored);
  }
  // Whether the other side has neither closed nor reset yet.
  bool IsOpen() {
    char byte = 0;
    asio::error_code error;
    socket_.non_blocking(true);
    socket_.receive(asio::buffer(&byte, 1), tcp::socket::message_peek, error);
    socket_.non_blocking(false);
    return !error || error == asio::error::would_block;
  }
  // All that comes until the other side closes or resets.
  std::string ReadToEnd() {
    std::string all;
    asio::error_code end;
    asio::read(socket_, asio::dynamic_buffer(all), end);
    return all;
  }

 private:
  asio::io_context io_;
  tcp::socket socket_;
};

// A port at which nobody listens.
uint16_t ClosedPort() {
  asio::io_context io;
  tcp::acceptor acceptor(io, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  return acceptor.local_endpoint().port();
}

class EpmdServerTest : public testing::Test {
 protected:
  ~EpmdServerTest() override {
    loop_.Run([this] { registrations_.clear(); });
    server_.reset();
  }

  EpmdClient Client() { return EpmdClient(loop_, {.port = server_->port(), .limits = {}}); }

  absl::StatusOr<EpmdRegistration*> Register(std::string name, uint16_t port,
                                             AddressFamily family = AddressFamily::kV4) {
    auto registration =
        Wait(loop_, Client().Register({.name = std::move(name), .port = port}, family, Soon()));
    if (!registration.ok()) return registration.status();
    registrations_.push_back(*std::move(registration));
    return registrations_.back().get();
  }

  absl::StatusOr<EpmdNode> LookUp(std::string name) {
    return Wait(loop_, Client().LookUp(std::move(name), "127.0.0.1", AddressFamily::kV4, Soon()));
  }

  absl::StatusOr<std::vector<EpmdName>> Names(std::string host = "127.0.0.1") {
    return Wait(loop_, Client().Names(std::move(host), AddressFamily::kAny, Soon()));
  }

  // What is answered to a request, until the connection ends.
  std::string Ask(const EpmdRequest& request) {
    RawClient client(server_->port());
    client.Send(EncodeEpmdRequest(request).ToSlice());
    return client.ReadToEnd();
  }

  void Release(EpmdRegistration* registration) {
    loop_.Run([registration] { registration->Release(); });
  }

  Loop loop_;
  std::unique_ptr<EpmdServer> server_ = StartServer(loop_);
  std::vector<std::unique_ptr<EpmdRegistration>> registrations_;
};

TEST_F(EpmdServerTest, RegistersAndFindsOverBothAddressFamilies) {
  auto four = Register("four", 4444);
  auto six = Register("six", 6666, AddressFamily::kV6);
  ASSERT_TRUE(four.ok()) << four.status();
  ASSERT_TRUE(six.ok()) << six.status();
  EXPECT_NE((*four)->creation(), (*six)->creation());
  const std::vector<EpmdName> expected = {{"six", 6666}, {"four", 4444}};
  for (const char* host : {"127.0.0.1", "::1", "localhost"}) {
    auto names = Names(host);
    ASSERT_TRUE(names.ok()) << names.status();
    EXPECT_EQ(*names, expected);
  }
  auto node = LookUp("six");
  ASSERT_TRUE(node.ok()) << node.status();
  EXPECT_EQ(*node, (EpmdNode{.name = "six", .port = 6666}));
}

TEST_F(EpmdServerTest, RefusesATakenNameAsOtpDoes) {
  ASSERT_TRUE(Register("shop", 1).ok());
  const absl::Status refused = Register("shop", 2).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(ReasonOf(refused), "duplicate_name");
  EXPECT_EQ(LookUp("shop")->port, 1);
}

TEST_F(EpmdServerTest, SaysThatANodeIsUnknown) {
  const absl::Status unknown = LookUp("nobody").status();
  EXPECT_EQ(unknown.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(ReasonOf(unknown), "noport");
  EXPECT_EQ(LookUp("").status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(EpmdServerTest, FreesANameWhenItsHolderGoes) {
  auto first = Register("shop", 1);
  ASSERT_TRUE(first.ok()) << first.status();
  Release(*first);
  // The server sees the end of the connection when the kernel tells it.
  absl::StatusOr<EpmdRegistration*> second = Register("shop", 2);
  while (ReasonOf(second.status()) == "duplicate_name") second = Register("shop", 2);
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_NE((*first)->creation(), (*second)->creation());
  EXPECT_EQ(LookUp("shop")->port, 2);
}

TEST_F(EpmdServerTest, ReleaseEndsTheWaitForTheRegistrationsLoss) {
  auto registration = Register("shop", 1);
  ASSERT_TRUE(registration.ok()) << registration.status();
  std::future<absl::Status> lost = Start(loop_, (*registration)->Lost());
  loop_.Run([this] { registrations_.clear(); });
  EXPECT_EQ(ReasonOf(lost.get()), "closed");
}

TEST_F(EpmdServerTest, ANodeRegistersAnewWhenItsEpmdCameBack) {
  const uint16_t port = server_->port();
  auto registration = Register("shop", 1);
  ASSERT_TRUE(registration.ok()) << registration.status();
  std::future<absl::Status> lost = Start(loop_, (*registration)->Lost());
  server_.reset();
  EXPECT_EQ(ReasonOf(lost.get()), "epmd_close");
  server_ = StartServer(loop_, {.port = port});
  auto again = Register("shop", 1);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(LookUp("shop")->port, 1);
}

TEST_F(EpmdServerTest, ASecondServerAtOnePortSaysThatOneRuns) {
  auto second = EpmdServer::Start(loop_, {.port = server_->port()});
  EXPECT_EQ(second.status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(ReasonOf(second.status()), "eaddrinuse");
}

TEST_F(EpmdServerTest, ListensWhereToldAndAtLoopback) {
  auto server = EpmdServer::Start(loop_, {.port = 0, .addresses = {"127.0.0.2"}});
  ASSERT_TRUE(server.ok()) << server.status();
  server_ = *std::move(server);
  for (const char* host : {"127.0.0.1", "127.0.0.2", "::1"}) EXPECT_TRUE(Names(host).ok()) << host;
  EXPECT_EQ(ReasonOf(Names("127.0.0.3").status()), "econnrefused");
}

TEST_F(EpmdServerTest, RefusesAddressesThatAreNoneOrElsewhere) {
  for (const char* address : {"localhost", "192.0.2.1"}) {
    auto server = EpmdServer::Start(loop_, {.port = 0, .addresses = {address}});
    EXPECT_EQ(server.status().code(), absl::StatusCode::kInvalidArgument) << address;
    EXPECT_NE(std::string(server.status().message()).find("ERL_EPMD_ADDRESS"), std::string::npos);
  }
}

TEST_F(EpmdServerTest, GarbageNeitherKillsItNorItsNodes) {
  ASSERT_TRUE(Register("shop", 4711).ok());
  std::mt19937 random(7);
  for (int i = 0; i < 200; ++i) {
    RawClient client(server_->port());
    std::vector<uint8_t> bytes(1 + random() % 3000);
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
    if (i % 2 == 0) {  // a length that fits, so that the body is looked at
      const size_t size = bytes.size() - 1;
      bytes[0] = static_cast<uint8_t>(size >> 8);
      if (bytes.size() > 1) bytes[1] = static_cast<uint8_t>(size);
      if (bytes.size() > 2) bytes[2] = "xzndks"[i / 2 % 6];
    }
    client.Send(bytes);
  }
  EXPECT_EQ(LookUp("shop")->port, 4711);
}

TEST_F(EpmdServerTest, ANodeThatSaysMoreThanItsRegistrationIsDropped) {
  RawClient node(server_->port());
  node.Send(EncodeEpmdRequest(EpmdRegister{{.name = "chatty", .port = 1}}).ToSlice());
  while (!LookUp("chatty").ok()) {
  }
  node.Send(base::AsBytes("hello?"));
  EXPECT_EQ(node.ReadToEnd().size(), 6u);  // the reply to the registration, then the end
  EXPECT_FALSE(LookUp("chatty").ok());
}

TEST_F(EpmdServerTest, DropsAClientThatIsTooSlow) {
  server_ = StartServer(loop_, {.port = 0, .client_timeout = std::chrono::milliseconds(20)});
  RawClient silent(server_->port());
  silent.Send(base::FromHex("0001"));
  EXPECT_EQ(silent.ReadToEnd(), "");
}

TEST_F(EpmdServerTest, SilentClientsMakeRoomButRegisteredNodesStay) {
  base::Limits limits;
  limits.max_epmd_clients = 8;
  server_ = StartServer(loop_, {.port = 0, .limits = limits});
  ASSERT_TRUE(Register("shop", 4711).ok());
  std::vector<std::unique_ptr<RawClient>> silent;
  for (int i = 0; i < 30; ++i) silent.push_back(std::make_unique<RawClient>(server_->port()));
  EXPECT_EQ(LookUp("shop")->port, 4711);
  EXPECT_EQ(silent.front()->ReadToEnd(), "");  // the oldest went first
}

TEST_F(EpmdServerTest, RefusesNewClientsWhenEveryPlaceIsANodes) {
  base::Limits limits;
  limits.max_epmd_clients = 2;
  server_ = StartServer(loop_, {.port = 0, .limits = limits});
  ASSERT_TRUE(Register("a", 1).ok());
  ASSERT_TRUE(Register("b", 2).ok());
  EXPECT_FALSE(Register("c", 3).ok());
  loop_.Run([this] { registrations_.clear(); });
  while (!Register("c", 3).ok()) {
  }
}

TEST_F(EpmdServerTest, AnswersManyClientsAtOnce) {
  ASSERT_TRUE(Register("shop", 4711).ok());
  std::vector<std::future<absl::StatusOr<EpmdNode>>> answers;
  for (int i = 0; i < 200; ++i) {
    answers.push_back(
        Start(loop_, Client().LookUp("shop", "127.0.0.1", AddressFamily::kV4, Soon())));
  }
  for (auto& answer : answers) {
    absl::StatusOr<EpmdNode> node = answer.get();
    ASSERT_TRUE(node.ok()) << node.status();
    EXPECT_EQ(node->port, 4711);
  }
}

TEST_F(EpmdServerTest, ADrippingClientHasNoMoreTimeThanASilentOne) {
  server_ = StartServer(loop_, {.port = 0, .client_timeout = std::chrono::milliseconds(50)});
  const base::Slice request =
      EncodeEpmdRequest(EpmdRegister{{.name = "slow", .extra = std::string(1020, 'x')}}).ToSlice();
  RawClient dripping(server_->port());
  size_t sent = 0;
  while (sent < request.size() && dripping.IsOpen()) {
    dripping.Send(request.view().subspan(sent++, 1));
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_LT(sent, request.size());
  EXPECT_FALSE(LookUp("slow").ok());
}

TEST_F(EpmdServerTest, StopsNodesWhenCommandChecksAreRelaxed) {
  server_ = StartServer(loop_, {.port = 0, .relaxed_command_check = true});
  auto registration = Register("shop", 1);
  ASSERT_TRUE(registration.ok()) << registration.status();
  std::future<absl::Status> lost = Start(loop_, (*registration)->Lost());
  EXPECT_EQ(Ask(EpmdStop{"till"}), "NOEXIST");
  EXPECT_EQ(Ask(EpmdStop{"shop"}), "STOPPED");
  EXPECT_EQ(ReasonOf(lost.get()), "epmd_close");
  EXPECT_TRUE(Register("shop", 2).ok());
}

TEST_F(EpmdServerTest, AKillIsRefusedWhileNodesAreRegistered) {
  std::atomic<int> killed = 0;
  server_ = StartServer(loop_, {.port = 0, .killed = [&] { ++killed; }});
  auto registration = Register("shop", 1);
  ASSERT_TRUE(registration.ok()) << registration.status();
  EXPECT_EQ(Ask(EpmdKill{}), "NO");
  EXPECT_EQ(Ask(EpmdStop{"shop"}), "");
  EXPECT_EQ(LookUp("shop")->port, 1);
  EXPECT_EQ(killed, 0);

  Release(*registration);
  std::string answer = "NO";  // until the server has seen that the node is gone
  while (answer == "NO") answer = Ask(EpmdKill{});
  EXPECT_EQ(answer, "OK");
  EXPECT_EQ(killed, 1);
  EXPECT_EQ(ReasonOf(Names().status()), "econnrefused");
}

TEST_F(EpmdServerTest, AKillIsObeyedAlwaysWhenCommandChecksAreRelaxed) {
  std::atomic<int> killed = 0;
  server_ =
      StartServer(loop_, {.port = 0, .relaxed_command_check = true, .killed = [&] { ++killed; }});
  auto registration = Register("shop", 1);
  ASSERT_TRUE(registration.ok()) << registration.status();
  std::future<absl::Status> lost = Start(loop_, (*registration)->Lost());
  EXPECT_EQ(Ask(EpmdKill{}), "OK");
  EXPECT_EQ(ReasonOf(lost.get()), "epmd_close");
  EXPECT_EQ(killed, 1);
  EXPECT_EQ(ReasonOf(Names().status()), "econnrefused");
}

TEST(EpmdClientTest, SaysWhatToDoWhenNoEpmdRuns) {
  Loop loop;
  EpmdClient client(loop, {.port = ClosedPort(), .limits = {}});
  auto names = Wait(loop, client.Names("127.0.0.1", AddressFamily::kV4, Soon()));
  EXPECT_EQ(names.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(ReasonOf(names.status()), "econnrefused");
  const std::string text(names.status().message());
  EXPECT_NE(text.find("no epmd at 127.0.0.1:"), std::string::npos) << text;
  EXPECT_NE(base::MendOf(names.status()).find("-erl_epmd_port"), std::string::npos) << text;
}

TEST(EpmdClientTest, RefusesNamesThatCannotBeRegistered) {
  Loop loop;
  EpmdClient client(loop, {.port = ClosedPort(), .limits = {}});
  auto refused = Wait(loop, client.Register({.name = "a\nb"}, AddressFamily::kV4, Soon()));
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument);
}

// Something that is no epmd: takes one connection, says `text`, and closes once told to.
class Impostor {
 public:
  explicit Impostor(std::string text, bool closes) {
    thread_ = std::thread([this, text, closes] {
      tcp::socket socket(io_);
      acceptor_.accept(socket);
      asio::error_code ignored;
      asio::write(socket, asio::buffer(text), ignored);  // the client may have left already
      std::string rest;
      if (closes) socket.shutdown(tcp::socket::shutdown_send, ignored);
      asio::read(socket, asio::dynamic_buffer(rest), ignored);  // until the client goes
    });
  }
  ~Impostor() { thread_.join(); }
  uint16_t port() { return acceptor_.local_endpoint().port(); }

 private:
  asio::io_context io_;
  tcp::acceptor acceptor_{io_, tcp::endpoint(asio::ip::address_v4::loopback(), 0)};
  std::thread thread_;
};

TEST(EpmdClientTest, KnowsAnImpostor) {
  Loop loop;
  const base::TimePoint soon = Soon();
  const auto v4 = AddressFamily::kV4;
  {
    Impostor web("HTTP/1.1 400 Bad Request\r\n\r\n", true);
    EpmdClient client(loop, {.port = web.port(), .limits = {}});
    auto names = Wait(loop, client.Names("127.0.0.1", v4, soon));
    EXPECT_EQ(names.status().code(), absl::StatusCode::kDataLoss) << names.status();
  }
  {
    Impostor web("HTTP/1.1 400 Bad Request\r\n\r\n", true);
    EpmdClient client(loop, {.port = web.port(), .limits = {}});
    auto node = Wait(loop, client.LookUp("shop", "127.0.0.1", v4, soon));
    EXPECT_EQ(node.status().code(), absl::StatusCode::kDataLoss) << node.status();
  }
  {
    Impostor closing("v", true);
    EpmdClient client(loop, {.port = closing.port(), .limits = {}});
    auto registration = Wait(loop, client.Register({.name = "shop"}, v4, soon));
    EXPECT_EQ(ReasonOf(registration.status()), "epmd_close") << registration.status();
  }
  {
    Impostor endless(std::string(100'000, 'x'), true);
    EpmdClient::Options options{.port = endless.port(), .limits = {}};
    options.limits.max_epmd_reply_bytes = 1000;
    EpmdClient client(loop, options);
    auto names = Wait(loop, client.Names("127.0.0.1", v4, soon));
    EXPECT_EQ(names.status().code(), absl::StatusCode::kResourceExhausted) << names.status();
  }
}

TEST(EpmdClientTest, GivesUpOnASilentOneAtTheDeadline) {
  Loop loop;
  Impostor silent("", false);
  EpmdClient client(loop, {.port = silent.port(), .limits = {}});
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(30);
  auto names = Wait(loop, client.Names("127.0.0.1", AddressFamily::kV4, deadline));
  EXPECT_EQ(names.status().code(), absl::StatusCode::kDeadlineExceeded) << names.status();
}

TEST(EpmdServerLifeTest, GoesWithItsLoopAndItsClientsUnderWay) {
  auto loop = std::make_unique<Loop>();
  auto server = StartServer(*loop);
  RawClient silent(server->port());
  EpmdClient client(*loop, {.port = server->port(), .limits = {}});
  auto registration = Wait(*loop, client.Register({.name = "a"}, AddressFamily::kV4, Soon()));
  ASSERT_TRUE(registration.ok());
  loop->Stop();
  registration->reset();
  server.reset();
  loop.reset();
}

}  // namespace
}  // namespace noded::dist
