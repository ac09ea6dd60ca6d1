#include "tls/ticket_keys.h"

#include <gtest/gtest.h>

#include "tls/crypto.h"

namespace noded::tls {
namespace {

using std::chrono::seconds;

constexpr SessionTime kNow{seconds(1'800'000'000)};
constexpr seconds kLifetime(1000);

class TicketKeysTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(StartCrypto().ok()); }

  base::Slice Seal(std::string_view text, SessionTime now) {
    auto ticket = keys_.Seal(base::AsBytes(text), now);
    EXPECT_TRUE(ticket);
    return ticket ? *ticket : base::Slice();
  }
  std::string Open(base::ByteView ticket, SessionTime now) {
    auto record = keys_.Open(ticket, now);
    return record ? std::string(record->text()) : "none";
  }

  TicketKeys keys_{kLifetime};
};

TEST_F(TicketKeysTest, OpensWhatItSealedAndShowsNothingOfIt) {
  for (std::string_view text : {std::string_view(""), std::string_view("a session")}) {
    const base::Slice ticket = Seal(text, kNow);
    EXPECT_EQ(ticket.size(), text.size() + TicketKeys::kOverhead);
    EXPECT_EQ(Open(ticket, kNow), text);
    EXPECT_TRUE(text.empty() || ticket.text().find(text) == std::string_view::npos);
    EXPECT_FALSE(Seal(text, kNow) == ticket);
  }
  EXPECT_EQ(keys_.size(), 1u);
}

TEST_F(TicketKeysTest, RefusesEveryChangedBitAndEveryCut) {
  const base::Slice ticket = Seal("a session", kNow);
  for (size_t bit = 0; bit < 8 * ticket.size(); ++bit) {
    std::vector<uint8_t> forged = base::ToVector(ticket);
    forged[bit / 8] ^= static_cast<uint8_t>(1 << (bit % 8));
    EXPECT_EQ(Open(forged, kNow), "none") << bit;
  }
  for (size_t size = 0; size < ticket.size(); ++size) {
    EXPECT_EQ(Open(ticket.view().first(size), kNow), "none") << size;
  }
  EXPECT_EQ(Open(ticket, kNow), "a session");
}

TEST_F(TicketKeysTest, RefusesTheTicketsOfOtherKeys) {
  TicketKeys others(kLifetime);
  EXPECT_EQ(Open(*others.Seal(base::AsBytes("a session"), kNow), kNow), "none");
}

TEST_F(TicketKeysTest, KnowsTicketsOfItsKindWithoutTheirKey) {
  TicketKeys others(std::chrono::hours(1));
  const auto ticket = others.Seal(base::AsBytes("record"), SessionTime(std::chrono::seconds(1)));
  ASSERT_TRUE(ticket);
  EXPECT_TRUE(TicketKeys::IsTicket(*ticket));
  EXPECT_FALSE(TicketKeys::IsTicket(base::AsBytes("shop")));
  EXPECT_FALSE(TicketKeys::IsTicket(base::AsBytes(std::string(100, 'x'))));
}

TEST_F(TicketKeysTest, RotatesAtHalfALifetimeAndOpensForAWholeOne) {
  const base::Slice first = Seal("first", kNow);
  const base::Slice late = Seal("late", kNow + seconds(499));
  EXPECT_EQ(keys_.size(), 1u);
  const base::Slice next = Seal("next", kNow + seconds(500));
  EXPECT_EQ(keys_.size(), 2u);
  EXPECT_FALSE(std::equal(first.data(), first.data() + TicketKeys::kNameBytes, next.data()));
  // The last one that was sealed with the old key lives as long as any other.
  EXPECT_EQ(Open(late, kNow + seconds(1498)), "late");
  EXPECT_EQ(Open(late, kNow + seconds(1500)), "none");
  EXPECT_EQ(Open(next, kNow + seconds(1500)), "next");
  EXPECT_EQ(keys_.size(), 1u);
  EXPECT_EQ(Open(next, kNow + seconds(2000)), "none");
  EXPECT_EQ(keys_.size(), 0u);
}

TEST_F(TicketKeysTest, HoldsThreeKeysAtMost) {
  for (int i = 0; i < 10'000; i += 50) {
    Seal("x", kNow + seconds(i));
    EXPECT_LE(keys_.size(), 3u);
  }
}

}  // namespace
}  // namespace noded::tls
