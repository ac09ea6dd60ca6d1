#include "node/names.h"

#include <string>

#include <gtest/gtest.h>

#include "base/status.h"
#include "node/host_names.h"

namespace noded::node {
namespace {

HostNames Hosts() {
  return {[] { return std::string("box"); }, [] { return std::string("box.example.org"); }};
}

std::string Name(std::string_view text, NameKind kind) {
  auto name = MakeNodeName(text, kind, Hosts());
  return name.ok() ? *name : std::string(name.status().message());
}

std::string Refusal(std::string_view text, NameKind kind, const HostNames& hosts = Hosts()) {
  auto name = MakeNodeName(text, kind, hosts);
  EXPECT_FALSE(name.ok()) << *name;
  return name.ok() ? "" : std::string(name.status().message());
}

bool Has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST(NamesTest, AHostThatIsLeftOutIsThisMachines) {
  EXPECT_EQ(Name("a", NameKind::kShort), "a@box");
  EXPECT_EQ(Name("a", NameKind::kLong), "a@box.example.org");
  EXPECT_EQ(Name("a@", NameKind::kShort), "a@box");
}

TEST(NamesTest, AGivenHostIsKept) {
  EXPECT_EQ(Name("a-1_B@other", NameKind::kShort), "a-1_B@other");
  EXPECT_EQ(Name("a@other.example.org", NameKind::kLong), "a@other.example.org");
  EXPECT_EQ(Name("a@127.0.0.1", NameKind::kLong), "a@127.0.0.1");
  EXPECT_EQ(Name("a@::1", NameKind::kLong), "a@::1");
}

TEST(NamesTest, AHostOfTheOtherKindIsRefusedWithTheFlagToUse) {
  std::string why = Refusal("a@b.c", NameKind::kShort);
  EXPECT_TRUE(Has(why, "-sname a@b.c") && Has(why, "write -name a@b.c")) << why;
  why = Refusal("a@localhost", NameKind::kLong);
  EXPECT_TRUE(Has(why, "-name a@localhost") && Has(why, "write -sname a@localhost")) << why;
  EXPECT_TRUE(Has(Refusal("a@::1", NameKind::kShort), "write -name"));
}

TEST(NamesTest, AnUnknownHostAsksForOne) {
  EXPECT_TRUE(Has(Refusal("a", NameKind::kShort, {}), "write -sname a@HOST"));
  EXPECT_TRUE(Has(Refusal("a", NameKind::kLong, {}), "-name a@ADDRESS"));
  HostNames undotted{nullptr, [] { return std::string("box"); }};
  EXPECT_TRUE(Has(Refusal("a", NameKind::kLong, undotted), "is not known"));
}

TEST(NamesTest, WhatIsNoNameIsRefused) {
  for (const char* text : {"", "@host", "a b@host", "a.b@host", "a@b@c", "\xc3\xa4@host", "a@ho st",
                           "a@\xff", "undefined"}) {
    EXPECT_TRUE(Has(Refusal(text, NameKind::kShort), "-sname")) << text;
  }
  EXPECT_TRUE(Has(Refusal(std::string(300, 'a') + "@host", NameKind::kShort), "longer than 255"));
}

TEST(NamesTest, ANodesNameSplitsAtItsAt) {
  auto split = SplitNodeName("b@host.example");
  ASSERT_TRUE(split.ok()) << split.status();
  EXPECT_EQ(split->name, "b");
  EXPECT_EQ(split->host, "host.example");
  EXPECT_TRUE(SplitNodeName("b@h\xc3\xb6st").ok());
  for (const char* text : {"", "b", "@", "b@", "@host", "b@c@d", "b c@d"}) {
    auto bad = SplitNodeName(text);
    EXPECT_EQ(bad.status().code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_FALSE(base::MendOf(bad.status()).empty()) << text;
  }
}

TEST(NamesTest, AClientsNameIsNewEachTimeAndMayConnectToItsTarget) {
  const std::string a = ClientNodeName("nodectl", "b@host", Hosts());
  const std::string b = ClientNodeName("nodectl", "b@host", Hosts());
  EXPECT_NE(a, b);
  EXPECT_TRUE(a.starts_with("nodectl-") && a.ends_with("@box")) << a;
  EXPECT_TRUE(ClientNodeName("nodectl", "", Hosts()).ends_with("@box"));
  EXPECT_TRUE(ClientNodeName("nodectl", "b@10.0.0.1", Hosts()).ends_with("@box.example.org"));
  EXPECT_TRUE(ClientNodeName("nodectl", "b@10.0.0.1", {}).ends_with("@127.0.0.1"));
  EXPECT_TRUE(ClientNodeName("nodectl", "b@host", {}).ends_with("@localhost"));
  EXPECT_TRUE(SplitNodeName(a).ok());
}

TEST(NamesTest, ThisMachineHasAShortNameThatMakesANode) {
  auto name = MakeNodeName("a", NameKind::kShort, LocalHostNames());
  ASSERT_TRUE(name.ok()) << name.status();
  EXPECT_TRUE(name->starts_with("a@"));
}

}  // namespace
}  // namespace noded::node
