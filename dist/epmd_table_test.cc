#include "dist/epmd_table.h"

#include <gtest/gtest.h>

namespace noded::dist {
namespace {

using Next = EpmdAnswer::Next;

constexpr bool kLocal = true, kRemote = false;

EpmdRequest Register(std::string name, uint16_t port = 1, uint16_t highest_version = 6) {
  return EpmdRegister{{.name = std::move(name), .port = port, .highest_version = highest_version}};
}

EpmdRegisterReply ReplyOf(EpmdAnswer answer) {
  auto reply = DecodeEpmdRegisterReply(answer.reply.ToSlice());
  return reply.ok() && reply->has_value() ? **reply : EpmdRegisterReply{};
}

TEST(EpmdTableTest, RegistersLooksUpAndForgets) {
  EpmdTable table({});
  EpmdAnswer answer = table.Answer(Register("shop", 4711), {1, kLocal});
  EXPECT_EQ(answer.next, Next::kKeep);
  EXPECT_TRUE(ReplyOf(std::move(answer)).is_accepted);
  EXPECT_TRUE(table.IsNode(1));

  EpmdAnswer found = table.Answer(EpmdLookUp{"shop"}, {2, kRemote});
  EXPECT_EQ(found.next, Next::kClose);
  EXPECT_EQ((*DecodeEpmdLookUpReply(found.reply.ToSlice()))->node->port, 4711);

  table.Forget(1);
  EpmdAnswer gone = table.Answer(EpmdLookUp{"shop"}, {3, kRemote});
  EXPECT_FALSE((*DecodeEpmdLookUpReply(gone.reply.ToSlice()))->node);
  EXPECT_EQ(table.size(), 0u);
}

TEST(EpmdTableTest, RefusesANameThatIsTakenAndKeepsItsHolder) {
  EpmdTable table({});
  table.Answer(Register("shop", 1), {1, kLocal});
  EpmdAnswer answer = table.Answer(Register("shop", 2), {2, kLocal});
  EXPECT_EQ(answer.next, Next::kClose);
  EXPECT_FALSE(ReplyOf(std::move(answer)).is_accepted);
  table.Forget(2);
  EXPECT_EQ(table.Find("shop")->port, 1);
}

TEST(EpmdTableTest, RefusesNamesThatAreNone) {
  EpmdTable table({});
  for (const char* name : {"\xff\xfe", "a\nname b at port 1"}) {
    EXPECT_FALSE(ReplyOf(table.Answer(Register(name), {1, kLocal})).is_accepted);
  }
  EXPECT_EQ(table.size(), 0u);
}

TEST(EpmdTableTest, GivesANewCreationEveryTime) {
  EpmdTable table({.first_creation = 0});
  uint32_t last = 0;
  for (EpmdClientId client = 1; client < 10; ++client) {
    const EpmdRegisterReply reply = ReplyOf(table.Answer(Register("shop"), {client, kLocal}));
    EXPECT_TRUE(reply.is_wide);
    EXPECT_GT(reply.creation, 3u);  // 0..3 belong to nodes of protocol version 5
    EXPECT_NE(reply.creation, last);
    last = reply.creation;
    table.Forget(client);
  }
  for (EpmdClientId client = 10; client < 20; ++client) {
    const EpmdRegisterReply reply = ReplyOf(table.Answer(Register("old", 1, 5), {client, kLocal}));
    EXPECT_FALSE(reply.is_wide);
    EXPECT_GE(reply.creation, 1u);
    EXPECT_LE(reply.creation, 3u);
    EXPECT_NE(reply.creation, last);
    last = reply.creation;
    table.Forget(client);
  }
}

TEST(EpmdTableTest, CreationsStayValidWhenTheirNumbersWrap) {
  EpmdTable table({.first_creation = UINT32_MAX});
  EXPECT_GT(ReplyOf(table.Answer(Register("a"), {1, kLocal})).creation, 3u);
  EXPECT_GT(ReplyOf(table.Answer(Register("b"), {2, kLocal})).creation, 3u);
}

TEST(EpmdTableTest, TellsOtherHostsWhereNodesAreAndNothingElse) {
  EpmdTable table({.relaxed_command_check = true});
  table.Answer(Register("shop"), {1, kLocal});
  for (const EpmdRequest& request : {Register("evil"), EpmdRequest(EpmdDump{}),
                                     EpmdRequest(EpmdKill{}), EpmdRequest(EpmdStop{"shop"})}) {
    EpmdAnswer answer = table.Answer(request, {2, kRemote});
    EXPECT_TRUE(answer.reply.empty());
    EXPECT_EQ(answer.next, Next::kClose);
  }
  EXPECT_EQ(table.size(), 1u);
  EpmdAnswer names = table.Answer(EpmdNames{}, {2, kRemote});
  EXPECT_EQ(DecodeEpmdNamesReply(names.reply.ToSlice())->names.size(), 1u);
}

TEST(EpmdTableTest, RefusesToStopUnlessCommandChecksAreRelaxed) {
  EpmdTable strict({});
  strict.Answer(Register("shop"), {1, kLocal});
  EXPECT_EQ(strict.Answer(EpmdKill{}, {2, kLocal}).reply.ToString(), "NO");
  EXPECT_EQ(strict.Answer(EpmdStop{"shop"}, {2, kLocal}).reply.ToString(), "");
  EXPECT_EQ(strict.size(), 1u);

  EpmdTable relaxed({.relaxed_command_check = true});
  relaxed.Answer(Register("shop"), {1, kLocal});
  EXPECT_EQ(relaxed.Answer(EpmdStop{"none"}, {2, kLocal}).reply.ToString(), "NOEXIST");
  EpmdAnswer stopped = relaxed.Answer(EpmdStop{"shop"}, {2, kLocal});
  EXPECT_EQ(stopped.reply.ToString(), "STOPPED");
  EXPECT_EQ(stopped.next, Next::kStopClient);
  EXPECT_EQ(stopped.stopped, 1u);
  EXPECT_EQ(relaxed.size(), 0u);
  EpmdAnswer killed = relaxed.Answer(EpmdKill{}, {2, kLocal});
  EXPECT_EQ(killed.reply.ToString(), "OK");
  EXPECT_EQ(killed.next, Next::kStopServer);
}

TEST(EpmdTableTest, DumpsAsEpmdDoes) {
  EpmdTable table({.epmd_port = 0x1234});
  table.Answer(Register("shop", 4711), {5, kLocal});
  EXPECT_EQ(table.Answer(EpmdDump{}, {2, kLocal}).reply.ToString(),
            std::string("\0\0\x12\x34", 4) +
                std::string("active name     <shop> at port 4711, fd = 5\n\0", 45));
}

}  // namespace
}  // namespace noded::dist
