// OTP's epmd and ours are asked the same, byte by byte, and must answer the same. Needs `epmd` on
// the path; a missing one is a failure.
#include <functional>
#include <regex>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/loop.h"
#include "dist/epmd_server.h"
#include "tests/interop/epmd_probe.h"
#include "tests/testlib/otp_node.h"
#include "tests/testlib/ports.h"
#include "tests/testlib/private_network.h"
#include "tests/testlib/wait.h"

namespace noded::interop {
namespace {

using testlib::Eventually;
using testlib::OtpEpmd;

constexpr char kHere[] = "10.9.0.1", kThere[] = "10.9.1.1";

// How each of the two is started.
struct Settings {
  bool relaxed = false;
  std::vector<std::string> addresses = {};
};

struct Registration {
  std::string name;
  uint16_t port = 1;
  uint16_t highest_version = 6;
  std::string extra = {};
  std::string tail = {};  // behind all fields, within the request
};

std::string U16(size_t number) {
  return {static_cast<char>(number >> 8), static_cast<char>(number)};
}

std::string Register(const Registration& node) {
  return "x" + U16(node.port) + "M" + std::string(1, '\0') + U16(node.highest_version) + U16(5) +
         U16(node.name.size()) + node.name + U16(node.extra.size()) + node.extra + node.tail;
}

// What both must say alike: not the numbers of ports, descriptors and creations.
std::string Masked(std::string answer) {
  if (answer.size() == 6 && answer[0] == 'v') return answer.substr(0, 2) + "CCCC";
  if (answer.size() == 4 && answer[0] == 'y') return answer.substr(0, 2) + "CC";
  return std::regex_replace(answer, std::regex("fd = [0-9]+"), "fd = N");
}

class EpmdBytesTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    const absl::Status entered =
        testlib::EnterPrivateNetwork({{kHere, "255.255.255.0"}, {kThere, "255.255.255.0"}});
    ASSERT_TRUE(entered.ok()) << entered;
  }

  // The same conversation with each, one after the other at the same port.
  void ExpectTheSame(const std::function<void()>& conversation, const Settings& settings = {}) {
    std::vector<std::string> flags;
    if (settings.relaxed) flags = {"-relaxed_command_check"};
    if (!settings.addresses.empty()) {
      flags.insert(flags.end(),
                   {"-address", fmt::format("{}", fmt::join(settings.addresses, ","))});
    }
    auto theirs = std::make_unique<OtpEpmd>(port_, flags);
    said_.clear();
    conversation();
    const std::vector<std::string> expected = std::move(said_);
    theirs->Kill();

    said_.clear();
    base::Loop loop;
    dist::EpmdServer::Options options{
        .port = port_, .addresses = settings.addresses, .relaxed_command_check = settings.relaxed};
    auto ours = dist::EpmdServer::Start(loop, options);
    ASSERT_TRUE(ours.ok()) << ours.status();
    conversation();
    ASSERT_EQ(said_.size(), expected.size());
    for (size_t i = 0; i < expected.size(); ++i) EXPECT_EQ(said_[i], expected[i]);
  }

  EpmdProbe Connect(const std::string& address = "127.0.0.1", const std::string& source = "") {
    return EpmdProbe({.port = port_, .address = address, .source = source});
  }
  void Note(const std::string& what, const std::string& answer) {
    said_.push_back(what + ": " + Masked(answer));
  }
  // One request on a connection of its own.
  void Ask(const std::string& what, const std::string& request) {
    Note(what, Connect().Ask(request));
  }
  // A node that stays, with its creation.
  uint32_t Add(EpmdProbe& probe, const Registration& node) {
    probe.SendRequest(Register(node));
    const std::string reply = probe.Read(node.highest_version >= 6 ? 6 : 4);
    Note("register " + node.name.substr(0, 20), reply);
    uint32_t creation = 0;
    for (char c : reply.substr(2)) creation = creation << 8 | static_cast<uint8_t>(c);
    return creation;
  }
  void WaitUntilOld(const std::string& name) {
    EXPECT_TRUE(Eventually([&] {
      return Connect().Ask("d").find("old/unused name <" + name + ">") != std::string::npos;
    })) << name;
  }

  const uint16_t port_ = testlib::FreePort();
  std::vector<std::string> said_;
};

TEST_F(EpmdBytesTest, NodesComeAndGo) {
  ExpectTheSame([this] {
    Ask("no names", "n");
    Ask("empty dump", "d");
    Ask("unknown", "zshop");
    EpmdProbe shop = Connect(), till = Connect("::1"), old = Connect();
    const uint32_t first = Add(shop, {.name = "shop", .port = 4711});
    EXPECT_GT(first, 3u);
    Add(till, {.name = "caf\xc3\xa9", .port = 65535, .extra = std::string("a\0b", 3)});
    const uint32_t narrow = Add(old, {.name = "old", .port = 5, .highest_version = 5});
    Ask("names", "n");
    Ask("names and more", "nxx");
    Ask("dump", "d");
    Note("names over IPv6", Connect("::1").Ask("n"));
    Ask("shop", "zshop");
    Ask("shop as C ends it", std::string("zshop\0", 6));
    Ask("cafe", "zcaf\xc3\xa9");
    Ask("old", "zold");
    Ask("beginning of a name", "zsho");

    EpmdProbe twin = Connect();
    twin.SendRequest(Register({.name = "shop", .port = 2}));
    Note("twin", twin.Read(6));
    twin.Close();
    Ask("shop still", "zshop");
    Ask("kill", "k");
    Ask("stop", "sshop");

    shop.Close();
    WaitUntilOld("shop");
    Ask("shop gone", "zshop");
    Ask("dump with old", "d");
    EpmdProbe again = Connect();
    EXPECT_NE(Add(again, {.name = "shop", .port = 4712}), first);
    old.Close();
    WaitUntilOld("old");
    EpmdProbe old_again = Connect();
    const uint32_t next = Add(old_again, {.name = "old", .port = 6, .highest_version = 5});
    EXPECT_NE(next, narrow);
    EXPECT_TRUE(narrow >= 1 && narrow <= 3 && next >= 1 && next <= 3);
    Ask("dump after return", "d");

    // A registered node that says something is none any more.
    again.Send(base::AsBytes("x"));
    Note("talkative", again.ReadToEnd());
    WaitUntilOld("shop");
    Ask("names after that", "n");
  });
}

TEST_F(EpmdBytesTest, WhatIsNoRequestIsNotAnswered) {
  ExpectTheSame([this] {
    EpmdProbe shop = Connect();
    Add(shop, {.name = "shop", .port = 4711});
    for (const char* request : {"z", "s", "a", "y", "?", "x", "xshop"}) Ask(request, request);
    Ask("zero", std::string(1, '\0'));
    Ask("look-up of a zero", std::string("z\0", 2));
    Ask("look-up with a zero", std::string("zsh\0op", 6));
    Ask("look-up of no UTF-8", "z\xff");
    Ask("look-up too long", "z" + std::string(256, 'a'));
    Ask("without a name", Register({.name = ""}));
    Ask("with a zero", Register({.name = std::string("a\0b", 3)}));
    std::string cut = Register({.name = "cut", .extra = "extra"});
    cut.pop_back();
    Ask("extra cut off", cut);
    for (std::string bytes : {std::string("\0\0", 2), std::string("\0\1n\0\1n", 6),
                              std::string("\xff\xff", 2) + std::string(100, 'n')}) {
      EpmdProbe probe = Connect();
      probe.Send(base::AsBytes(bytes));
      Note("framing", probe.ReadToEnd());
    }
    EpmdProbe partial = Connect();
    partial.Send(base::AsBytes(std::string("\0\6zsh", 5)));
    partial.EndSending();
    Note("partial", partial.ReadToEnd());
    Ask("names", "n");
  });
}

TEST_F(EpmdBytesTest, LimitsAreTheSame) {
  ExpectTheSame([this] {
    std::string smiles;
    for (int i = 0; i < 255; ++i) smiles += "\xf0\x9f\x98\x80";
    const std::vector<Registration> kAccepted = {
        {.name = std::string(255, 'a')},
        {.name = smiles, .extra = std::string(1020, 'e')},
        {.name = "tail", .tail = "more"},
        {.name = "a b at port 1"},
    };
    for (const Registration& node : kAccepted) {
      EpmdProbe probe = Connect();
      Add(probe, node);
    }
    const std::vector<Registration> kRefused = {
        {.name = std::string(256, 'a')},
        {.name = smiles + "a"},
        {.name = "\xff"},
        {.name = "\xed\xa0\x80"},
        {.name = "\xc0\xaf"},
        {.name = "long", .extra = std::string(1021, 'e')},
    };
    for (const Registration& node : kRefused) {
      EpmdProbe probe = Connect();
      probe.SendRequest(Register(node));
      Note("refused", probe.Read(6));
    }
  });
}

TEST_F(EpmdBytesTest, RequestsMayComeInPiecesAndEndHalfClosed) {
  ExpectTheSame([this] {
    const std::string request = Register({.name = "slow", .port = 77});
    const std::string bytes = U16(request.size()) + request;
    EpmdProbe slow = Connect();
    for (char byte : bytes) slow.Send(base::AsBytes(std::string_view(&byte, 1)));
    Note("slow", slow.Read(6));
    EpmdProbe half = Connect();
    half.SendRequest("zslow");
    half.EndSending();
    Note("half closed", half.ReadToEnd());
  });
}

TEST_F(EpmdBytesTest, RelaxedItStopsNodesAndDies) {
  ExpectTheSame(
      [this] {
        EpmdProbe shop = Connect(), till = Connect();
        Add(shop, {.name = "shop", .port = 4711});
        Add(till, {.name = "till", .port = 4712});
        Ask("stop", "sshop");
        Note("shop", shop.ReadToEnd());
        Ask("stop as C ends it", std::string("still\0", 6));
        Ask("stop nobody", "s");
        Ask("names", "n");
        EpmdProbe again = Connect();
        Add(again, {.name = "shop", .port = 4713});
        Ask("kill", "k");
        EXPECT_TRUE(Eventually([&] { return !Connect().is_connected(); }));
      },
      {.relaxed = true});
}

TEST_F(EpmdBytesTest, AKillIsObeyedWhenNobodyIsRegistered) {
  ExpectTheSame([this] {
    Ask("kill", "k");
    EXPECT_TRUE(Eventually([&] { return !Connect().is_connected(); }));
  });
}

// From another address than the one that is connected to, as from another machine.
TEST_F(EpmdBytesTest, OtherMachinesMayAskForNodesAndNothingElse) {
  for (const bool relaxed : {false, true}) {
    ExpectTheSame(
        [this] {
          EpmdProbe shop = Connect(), own = Connect(kHere, kHere);
          Add(shop, {.name = "shop", .port = 4711});
          Add(own, {.name = "own", .port = 4712});
          for (const std::string& request :
               {std::string("n"), std::string("zshop"), Register({.name = "evil"}),
                std::string("d"), std::string("k"), std::string("sshop")}) {
            Note(request.substr(0, 1), Connect(kHere, kThere).Ask(request));
          }
          Ask("names", "n");
        },
        {.relaxed = relaxed});
  }
}

TEST_F(EpmdBytesTest, ItListensWhereItIsToldAndAtLoopbackOfBothFamilies) {
  const std::vector<std::vector<std::string>> kLists = {
      {}, {kHere}, {"::1"}, {kHere, "::1"}, {kThere, "127.0.0.1", kHere}};
  for (const std::vector<std::string>& list : kLists) {
    ExpectTheSame(
        [this] {
          for (const char* address : {kHere, kThere, "127.0.0.1", "127.0.0.2", "::1"}) {
            const bool is_heard = Connect(address).is_connected();
            Note(address, is_heard ? "listens" : "is deaf");
          }
        },
        {.addresses = list});
  }
}

}  // namespace
}  // namespace noded::interop
