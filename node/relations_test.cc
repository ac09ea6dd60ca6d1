#include "node/relations.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace noded::node {
namespace {

using dist::Pid;
using dist::Reference;
using dist::Term;

constexpr char kHere[] = "till@host";
constexpr char kShop[] = "shop@host";
constexpr char kBank[] = "bank@host";

Pid MakePid(const char* node, uint32_t id) {
  return {.node = node, .id = id, .serial = 0, .creation = 7};
}
Pid Ours(uint32_t id) { return MakePid(kHere, id); }
Reference Ref(const char* node, uint32_t id) { return Reference(node, 7, {id, 0, 0}); }

// A process of ours watches one of another node.
Monitor Outward(uint32_t ref, const Pid& watcher, const Pid& target) {
  return {Ref(kHere, ref), watcher, Term::FromPid(target), target.node, {}};
}
// One of `watcher`'s node watches one of ours.
Monitor Inward(uint32_t ref, const Pid& watcher, const Pid& target) {
  return {Reference(watcher.node, 7, {ref, 0, 0}), watcher, Term::FromPid(target), kHere, target};
}

bool Has(const std::vector<Relations::BrokenLink>& links, const Pid& local, const Pid& other) {
  return std::any_of(links.begin(), links.end(), [&](const Relations::BrokenLink& link) {
    return link.local == local && link.other == other;
  });
}
bool Has(const std::vector<Monitor>& monitors, const Reference& ref) {
  return std::any_of(monitors.begin(), monitors.end(),
                     [&](const Monitor& monitor) { return monitor.ref == ref; });
}

TEST(RelationsTest, ALinkIsThereOnceAndGoesOnce) {
  Relations relations;
  const Pid other = MakePid(kShop, 1);
  EXPECT_TRUE(relations.AddLink(Ours(1), other));
  EXPECT_FALSE(relations.AddLink(Ours(1), other));
  EXPECT_TRUE(relations.IsLinked(Ours(1), other));
  EXPECT_FALSE(relations.IsLinked(Ours(2), other));
  EXPECT_FALSE(relations.IsLinked(other, Ours(1))) << "kept from the side of our process only";
  EXPECT_EQ(relations.link_count(), 1u);
  EXPECT_TRUE(relations.RemoveLink(Ours(1), other));
  EXPECT_FALSE(relations.RemoveLink(Ours(1), other));
  EXPECT_FALSE(relations.RemoveLink(Ours(9), other));
  EXPECT_EQ(relations.link_count(), 0u);
}

TEST(RelationsTest, ProcessesWithEqualNumbersInAnotherLifeOfTheirNodeAreOthers) {
  Relations relations;
  Pid other = MakePid(kShop, 1);
  relations.AddLink(Ours(1), other);
  other.creation = 8;
  EXPECT_FALSE(relations.IsLinked(Ours(1), other));
  EXPECT_FALSE(relations.RemoveLink(Ours(1), other));
}

TEST(RelationsTest, AnEndedProcessLeavesNothingBehind) {
  Relations relations;
  relations.AddLink(Ours(1), MakePid(kShop, 1));
  relations.AddLink(Ours(1), Ours(2));
  relations.AddLink(Ours(2), Ours(1));
  const Monitor in = Inward(1, MakePid(kShop, 5), Ours(1));
  const Monitor out = Outward(2, Ours(1), MakePid(kBank, 6));
  const Monitor foreign = Outward(3, Ours(2), MakePid(kBank, 6));
  for (const Monitor& monitor : {in, out, foreign}) relations.AddMonitor(monitor);

  const Relations::Ended ended = relations.ProcessEnded(Ours(1));
  EXPECT_EQ(ended.links.size(), 2u);
  EXPECT_TRUE(Has(ended.links, Ours(1), MakePid(kShop, 1)));
  EXPECT_TRUE(Has(ended.links, Ours(1), Ours(2)));
  ASSERT_EQ(ended.monitors.size(), 1u);
  EXPECT_TRUE(Has(ended.monitors, in.ref));
  ASSERT_EQ(ended.abandoned.size(), 1u);
  EXPECT_TRUE(Has(ended.abandoned, out.ref));

  EXPECT_EQ(relations.monitor_count(), 1u);
  EXPECT_TRUE(relations.IsLinked(Ours(2), Ours(1))) << "that is the other one's to break";
  const Relations::Ended again = relations.ProcessEnded(Ours(1));
  EXPECT_TRUE(again.links.empty() && again.monitors.empty() && again.abandoned.empty());
}

TEST(RelationsTest, AMonitorBetweenTwoOfOursIsToldByItsTargetAndForgottenByItsWatcher) {
  Relations relations;
  const Monitor monitor = Inward(1, Ours(1), Ours(2));
  relations.AddMonitor(monitor);
  EXPECT_EQ(relations.ProcessEnded(Ours(2)).monitors.size(), 1u);
  EXPECT_EQ(relations.monitor_count(), 0u);

  relations.AddMonitor(monitor);
  const Relations::Ended ended = relations.ProcessEnded(Ours(1));
  EXPECT_TRUE(ended.monitors.empty());
  EXPECT_EQ(ended.abandoned.size(), 1u);
  EXPECT_TRUE(relations.ProcessEnded(Ours(2)).monitors.empty());
}

TEST(RelationsTest, ALostNodeBreaksWhatConcernsItAndNothingElse) {
  Relations relations;
  relations.AddLink(Ours(1), MakePid(kShop, 1));
  relations.AddLink(Ours(1), MakePid(kBank, 1));
  relations.AddLink(Ours(2), MakePid(kShop, 1));
  relations.AddLink(Ours(2), Ours(1));
  const Monitor to_shop = Outward(1, Ours(1), MakePid(kShop, 3));
  const Monitor to_bank = Outward(2, Ours(1), MakePid(kBank, 3));
  const Monitor from_shop = Inward(3, MakePid(kShop, 4), Ours(1));
  const Monitor from_bank = Inward(4, MakePid(kBank, 4), Ours(1));
  for (const Monitor& monitor : {to_shop, to_bank, from_shop, from_bank}) {
    relations.AddMonitor(monitor);
  }

  const Relations::Ended ended = relations.NodeDown(kShop);
  EXPECT_EQ(ended.links.size(), 2u);
  EXPECT_TRUE(Has(ended.links, Ours(1), MakePid(kShop, 1)));
  EXPECT_TRUE(Has(ended.links, Ours(2), MakePid(kShop, 1)));
  ASSERT_EQ(ended.monitors.size(), 1u);
  EXPECT_TRUE(Has(ended.monitors, to_shop.ref));
  EXPECT_TRUE(ended.abandoned.empty()) << "there is nobody to be told";

  EXPECT_EQ(relations.link_count(), 2u);
  EXPECT_EQ(relations.monitor_count(), 2u);
  EXPECT_TRUE(relations.RemoveMonitor(to_bank.ref).has_value());
  EXPECT_TRUE(relations.RemoveMonitor(from_bank.ref).has_value());
  EXPECT_FALSE(relations.RemoveMonitor(from_shop.ref).has_value());
}

TEST(RelationsTest, AReferenceStandsForOneMonitorAlways) {
  Relations relations;
  const Monitor first = Outward(1, Ours(1), MakePid(kShop, 1));
  relations.AddMonitor(first);
  relations.AddMonitor(Outward(1, Ours(2), MakePid(kBank, 2)));
  EXPECT_EQ(relations.monitor_count(), 1u);
  const auto kept = relations.RemoveMonitor(first.ref);
  ASSERT_TRUE(kept.has_value());
  EXPECT_EQ(kept->watcher, Ours(1));
  EXPECT_FALSE(relations.RemoveMonitor(first.ref).has_value());
  EXPECT_TRUE(relations.ProcessEnded(Ours(2)).abandoned.empty());
}

TEST(RelationsTest, AProcessThatWatchesItselfEndsInPeace) {
  Relations relations;
  relations.AddMonitor(Inward(1, Ours(1), Ours(1)));
  relations.AddLink(Ours(1), Ours(1));
  relations.ProcessEnded(Ours(1));
  EXPECT_EQ(relations.monitor_count(), 0u);
  EXPECT_EQ(relations.link_count(), 0u);
}

}  // namespace
}  // namespace noded::node
