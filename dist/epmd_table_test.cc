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

TEST(EpmdTableTest, DoesNotAnswerALookUpOfWhatIsNoName) {
  EpmdTable table({});
  EXPECT_TRUE(table.Answer(EpmdLookUp{"\xff"}, {1, kRemote}).reply.empty());
  EXPECT_TRUE(table.Answer(EpmdLookUp{std::string(256, 'a')}, {2, kRemote}).reply.empty());
  EXPECT_FALSE(table.Answer(EpmdLookUp{std::string(255, 'a')}, {3, kRemote}).reply.empty());
}

TEST(EpmdTableTest, TakesExtraBytesUpToEpmdsBound) {
  EpmdTable table({});
  EpmdRegister request{{.name = "shop", .port = 1, .extra = std::string(1021, '\0')}};
  EXPECT_FALSE(ReplyOf(table.Answer(request, {1, kLocal})).is_accepted);
  request.node.extra.pop_back();
  EXPECT_TRUE(ReplyOf(table.Answer(request, {2, kLocal})).is_accepted);
  EXPECT_EQ(table.Find("shop")->extra.size(), 1020u);
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

// There are three only: what other nodes got meanwhile must not bring the last one round again.
TEST(EpmdTableTest, ANodeOfVersion5NeverGetsItsLastCreationAgain) {
  EpmdTable table({});
  EpmdClientId client = 1;
  for (int others = 0; others < 7; ++others) {
    const uint32_t before = ReplyOf(table.Answer(Register("old", 1, 5), {client, kLocal})).creation;
    table.Forget(client++);
    for (int i = 0; i < others; ++i) {
      table.Answer(Register("other"), {client, kLocal});
      table.Forget(client++);
    }
    const uint32_t after = ReplyOf(table.Answer(Register("old", 1, 5), {client, kLocal})).creation;
    EXPECT_NE(before, after) << others;
    table.Forget(client++);
  }
}

TEST(EpmdTableTest, ListsTheNewestNodeFirst) {
  EpmdTable table({});
  const char* kInOrder[] = {"b", "a", "c"};
  for (EpmdClientId client = 1; client <= 3; ++client) {
    table.Answer(Register(kInOrder[client - 1], 7), {client, kLocal});
  }
  auto names = DecodeEpmdNamesReply(table.Answer(EpmdNames{}, {4, kRemote}).reply.ToSlice());
  ASSERT_TRUE(names.ok()) << names.status();
  EXPECT_EQ(names->names, (std::vector<EpmdName>{{"c", 7}, {"a", 7}, {"b", 7}}));
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
  // Nobody is hurt by the end of one that knows nobody.
  strict.Forget(1);
  EpmdAnswer useless = strict.Answer(EpmdKill{}, {2, kLocal});
  EXPECT_EQ(useless.reply.ToString(), "OK");
  EXPECT_EQ(useless.next, Next::kStopServer);

  EpmdTable relaxed({.relaxed_command_check = true});
  relaxed.Answer(Register("shop"), {1, kLocal});
  EXPECT_EQ(relaxed.Answer(EpmdStop{"none"}, {2, kLocal}).reply.ToString(), "NOEXIST");
  EpmdAnswer stopped = relaxed.Answer(EpmdStop{"shop"}, {2, kLocal});
  EXPECT_EQ(stopped.reply.ToString(), "STOPPED");
  EXPECT_EQ(stopped.next, Next::kStopClient);
  EXPECT_EQ(stopped.stopped, 1u);
  EXPECT_EQ(relaxed.size(), 0u);
  relaxed.Answer(Register("till"), {3, kLocal});
  EpmdAnswer killed = relaxed.Answer(EpmdKill{}, {2, kLocal});
  EXPECT_EQ(killed.reply.ToString(), "OK");
  EXPECT_EQ(killed.next, Next::kStopServer);
}

// Byte by byte what OTP 25's epmd sends, but for the numbers of its descriptors.
TEST(EpmdTableTest, DumpsAsEpmdDoes) {
  EpmdTable table({.epmd_port = 0x1234, .max_old_names = 2});
  const auto dump = [&] { return table.Answer(EpmdDump{}, {2, kLocal}).reply.ToString(); };
  const std::string head("\0\0\x12\x34", 4);
  const std::string shop("active name     <shop> at port 4711, fd = 5\n\0", 45);
  table.Answer(Register("shop", 4711), {5, kLocal});
  EXPECT_EQ(dump(), head + shop);

  table.Answer(Register("till", 12), {6, kLocal});
  table.Forget(6);
  const std::string till("old/unused name <till>, port = 12, fd = 6 \n\0", 44);
  EXPECT_EQ(dump(), head + shop + till);

  // Of old names there is a bound: the one that is gone longest is forgotten.
  for (EpmdClientId client = 10; client < 12; ++client) {
    table.Answer(Register(std::string(1, static_cast<char>('a' + client - 10))), {client, kLocal});
    table.Forget(client);
  }
  const std::string a("old/unused name <a>, port = 1, fd = 10 \n\0", 41);
  const std::string b("old/unused name <b>, port = 1, fd = 11 \n\0", 41);
  EXPECT_EQ(dump(), head + shop + a + b);
  table.Answer(Register("a"), {12, kLocal});  // it is back
  EXPECT_EQ(dump(),
            head + std::string("active name     <a> at port 1, fd = 12\n\0", 40) + shop + b);
}

}  // namespace
}  // namespace noded::dist
