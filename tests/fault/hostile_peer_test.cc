// A peer that knows the cookie and breaks the protocol afterwards: at worst it loses its own link.
#include <chrono>
#include <fstream>
#include <memory>
#include <string>
#include <variant>

#include "asio/connect.hpp"
#include "asio/io_context.hpp"
#include "asio/ip/tcp.hpp"
#include "asio/read.hpp"
#include "asio/write.hpp"

#include "base/byte_writer.h"
#include "base/bytes.h"
#include "dist/etf.h"
#include "dist/flags.h"
#include "dist/handshake.h"
#include "tests/fault/cluster.h"
#include "tests/testlib/wait.h"

namespace noded::fault {
namespace {

using asio::ip::tcp;
using dist::Handshake;
using dist::Pid;
using dist::Reference;
using dist::Term;
using testlib::LogReader;
using testlib::NodedProcess;

constexpr char kName[] = "evil@127.0.0.1";
constexpr uint32_t kCreation = 77;

// A node made by hand, over a plain socket, which has shaken hands when it is constructed.
class HandMadeNode {
 public:
  HandMadeNode(uint16_t port, const std::string& peer, const std::string& cookie) {
    socket_.connect({asio::ip::address_v4::loopback(), port});
    Handshake::Local local;
    local.name = kName;
    local.creation = kCreation;
    // Neither atom cache nor fragments: packets are a control message and a payload, as they are.
    local.flags =
        dist::LocalFlags(true) & ~(dist::dflag::kDistHdrAtomCache | dist::dflag::kFragments);
    const auto cookies =
        std::make_shared<const dist::CookieJar>(dist::Cookie{base::Secret(cookie), "the test"});
    const auto now = std::chrono::steady_clock::now();
    Handshake handshake(Handshake::Role::kInitiator, local, cookies, peer,
                        now + std::chrono::seconds(60), base::Limits());
    while (!is_up_) {
      auto event = handshake.Next(now);
      Write(base::AsText(handshake.TakeOutput().ToSlice().view()));
      if (!event.ok()) {
        ADD_FAILURE() << event.status();
        return;
      }
      if (*event) {
        is_up_ = std::holds_alternative<Handshake::Done>(**event);
        // The end of its former link may not have been seen yet.
        if (std::holds_alternative<Handshake::AliveAsked>(**event)) handshake.AnswerAlive(true);
        if (std::holds_alternative<Handshake::Committing>(**event)) handshake.Commit(true);
        continue;
      }
      std::array<char, 1> byte;
      asio::read(socket_, asio::buffer(byte));
      handshake.Feed(base::AsBytes(std::string_view(byte.data(), 1)));
    }
  }

  bool is_up() const { return is_up_; }

  void Write(std::string_view bytes) {
    asio::error_code ignored;  // it may have cut the connection by now
    asio::write(socket_, asio::buffer(bytes.data(), bytes.size()), ignored);
  }
  void WritePacket(const std::string& body) {
    base::ByteWriter packet;
    packet.U32(static_cast<uint32_t>(body.size()));
    packet.Bytes(std::string_view(body));
    Write(packet.Take().ToSlice().text());
  }
  // 'p', a control message, and what goes behind it.
  void WriteMessage(const Term& control, const std::string& payload = "") {
    WritePacket("p" + std::string(dist::EncodeTerm(control).text()) + payload);
  }
  // Asks net_kernel whether it is there; true when there is an answer.
  bool IsAnswered() {
    Pid self;
    self.node = kName;
    self.id = 1;
    self.creation = kCreation;
    const Term from = Term::Tuple(
        {Term::FromPid(self), Term::FromReference(Reference(kName, kCreation, {1, 2, 3}))});
    const Term question = Term::Tuple(
        {Term::Atom("$gen_call"), from, Term::Tuple({Term::Atom("is_auth"), Term::Atom(kName)})});
    WriteMessage(RegSend(self, "net_kernel"), std::string(dist::EncodeTerm(question).text()));
    while (true) {
      std::array<uint8_t, 4> head;
      asio::error_code error;
      asio::read(socket_, asio::buffer(head), error);
      if (error) return false;
      const uint32_t size = uint32_t{head[0]} << 24 | head[1] << 16 | head[2] << 8 | head[3];
      std::string body(size, '\0');
      asio::read(socket_, asio::buffer(body), error);
      if (error) return false;
      if (body.find("yes") != std::string::npos) return true;
    }
  }
  // {6, From, Cookie, Name}.
  static Term RegSend(const Pid& from, const char* name) {
    return Term::Tuple({Term::Int(6), Term::FromPid(from), Term::Atom(""), Term::Atom(name)});
  }

 private:
  asio::io_context io_;
  tcp::socket socket_{io_};
  bool is_up_ = false;
};

class HostilePeerTest : public ClusterTest {
 protected:
  void SetUp() override { ASSERT_TRUE(shop_.WaitReady().ok()) << shop_.Log(); }

  std::unique_ptr<HandMadeNode> Connect() {
    auto node = std::make_unique<HandMadeNode>(shop_.port(), shop_.name(), options_.cookie);
    EXPECT_TRUE(node->is_up());
    EXPECT_TRUE(node->IsAnswered()) << shop_.Log();
    log_.Mark();
    return node;
  }
  static Term ToRex() {
    Pid from;
    from.node = kName;
    from.id = 1;
    from.creation = kCreation;
    return HandMadeNode::RegSend(from, "rex");
  }
  // What it sent cost it the link, and the node is there for others.
  void ExpectCut() {
    auto down = log_.WaitFor("link_down", {{"peer", kName}});
    ASSERT_TRUE(down.ok()) << down.status();
    EXPECT_NE(down->Get("reason"), "connection_closed");
    EXPECT_NE(down->Get("cause"), "");
    ExpectServes();
  }
  // What it sent cost it that message.
  void ExpectDropped(HandMadeNode& node) {
    auto dropped = log_.WaitFor("message_dropped", {{"peer", kName}});
    ASSERT_TRUE(dropped.ok()) << dropped.status();
    EXPECT_TRUE(node.IsAnswered()) << shop_.Log();
    for (const auto& down : log_.All("link_down")) EXPECT_NE(down.Get("peer"), kName);
    log_.Mark();
    ExpectServes();
    log_.Mark();
  }
  void ExpectServes() {
    const auto pong = testlib::Nodectl(Options("", "inet_tcp"), {"ping", shop_.name()});
    EXPECT_EQ(pong.out, "pong\n") << pong.err << shop_.Log();
  }
  // The most memory that the node has had, in KiB.
  int PeakMemory() {
    std::ifstream status(fmt::format("/proc/{}/status", shop_.process()->pid()));
    for (std::string line; std::getline(status, line);) {
      if (line.starts_with("VmHWM:")) return std::stoi(line.substr(6));
    }
    ADD_FAILURE() << "no peak memory of the node to be read";
    return 0;
  }

  const testlib::NodedOptions options_ = Options("shop@127.0.0.1", "inet_tcp");
  NodedProcess shop_{options_};
  LogReader log_{shop_};
};

TEST_F(HostilePeerTest, APacketLongerThanAllowedEndsTheLinkBeforeItComes) {
  auto node = Connect();
  node->Write("\xff\xff\xff\xff");
  ExpectCut();
}

TEST_F(HostilePeerTest, APromisedPacketCostsNoMemoryBeforeItComes) {
  const int before = PeakMemory();
  auto node = Connect();
  node->Write(std::string("\x70\x00\x00\x00p\x83h\x04", 8));  // of nearly 2 GiB
  ExpectServes();
  EXPECT_LT(PeakMemory(), before + 64 * 1024);
}

TEST_F(HostilePeerTest, WhatIsNoMessageEndsTheLinkOrIsDropped) {
  for (const std::string& body :
       {std::string("hello"), std::string("p"), std::string("p\x83"),
        std::string("p\x83\x68\x04\x61\x06", 6), std::string(64, '\xff')}) {
    SCOPED_TRACE(base::ToHex(base::AsBytes(body)));
    auto node = Connect();
    node->WritePacket(body);
    EXPECT_TRUE(testlib::Eventually([&] {
      return log_.All("message_dropped").size() + log_.All("link_down").size() > 0;
    })) << shop_.Log();
    ExpectServes();
  }
}

TEST_F(HostilePeerTest, AnUnknownControlMessageIsDroppedAndTheLinkStays) {
  auto node = Connect();
  node->WriteMessage(Term::Tuple({Term::Int(199), Term::Atom("x")}));
  ExpectDropped(*node);
  node->WriteMessage(Term::Atom("nothing"));
  ExpectDropped(*node);
  // Of a kind, but with fields of another.
  node->WriteMessage(Term::Tuple({Term::Int(1), Term::Int(2), Term::Int(3)}));
  ExpectDropped(*node);
}

TEST_F(HostilePeerTest, APayloadThatIsNoTermIsDroppedAndTheLinkStays) {
  const int before = PeakMemory();
  auto node = Connect();
  const std::string nested = "\x83" + [] {
    std::string lists;
    for (int i = 0; i < 1'000'000; ++i) lists += std::string("\x6c\x00\x00\x00\x01", 5);
    return lists;
  }();
  for (const std::string& payload : {
           nested,                                              // lists in lists in lists
           std::string("\x83\x6c\xff\xff\xff\xff\x6a", 7),      // a list of four milliards
           std::string("\x83\x69\x7f\xff\xff\xff\x61\x01", 8),  // a tuple of two
           std::string("\x83\x6d\xff\xff\xff\xff", 6),          // a binary of 4 GiB
           std::string("\x83\x50\x7f\xff\xff\xff\x78\x9c", 8),  // 2 GiB, compressed
           std::string("\x83\xee", 2),                          // a tag that nobody knows
           std::string("\x82\x6a", 2),                          // another version
       }) {
    SCOPED_TRACE(base::ToHex(base::AsBytes(payload.substr(0, 16))));
    node->WriteMessage(ToRex(), payload);
    ExpectDropped(*node);
  }
  EXPECT_LT(PeakMemory(), before + 256 * 1024);
}

TEST_F(HostilePeerTest, MessagesThatNobodyAskedForAreNothing) {
  auto node = Connect();
  Pid nobody, self;
  nobody.node = shop_.name();
  nobody.id = 30'000;
  nobody.creation = 1;
  self.node = kName;
  self.id = 1;
  self.creation = kCreation;
  const Term to = Term::FromPid(nobody), from = Term::FromPid(self);
  const Term ref = Term::FromReference(Reference(kName, kCreation, {9, 9, 9}));
  const Term ours = Term::FromReference(Reference(shop_.name(), 1, {9, 9, 9}));
  const std::string hello(dist::EncodeTerm(Term::Atom("hello")).text());
  node->WriteMessage(Term::Tuple({Term::Int(2), Term::Atom(""), to}), hello);         // SEND
  node->WriteMessage(Term::Tuple({Term::Int(33), from, ours}), hello);                // ALIAS_SEND
  node->WriteMessage(Term::Tuple({Term::Int(1), from, to}));                          // LINK
  node->WriteMessage(Term::Tuple({Term::Int(35), Term::Int(1), from, to}));           // UNLINK_ID
  node->WriteMessage(Term::Tuple({Term::Int(36), Term::Int(1), from, to}));           // its ack
  node->WriteMessage(Term::Tuple({Term::Int(19), from, Term::Atom("nobody"), ref}));  // MONITOR_P
  node->WriteMessage(Term::Tuple({Term::Int(20), from, Term::Atom("nobody"), ref}));  // DEMONITOR_P
  node->WriteMessage(Term::Tuple({Term::Int(28), from, to, ours}),
                     hello);                                          // PAYLOAD_MONITOR_P_EXIT
  node->WriteMessage(Term::Tuple({Term::Int(24), from, to}), hello);  // PAYLOAD_EXIT
  node->WriteMessage(Term::Tuple({Term::Int(31), ours, to, Term::Int(3), from}));  // SPAWN_REPLY
  EXPECT_TRUE(node->IsAnswered()) << shop_.Log();
  EXPECT_EQ(log_.All("link_down").size(), 0u) << shop_.Log();
  ExpectServes();
}

}  // namespace
}  // namespace noded::fault
