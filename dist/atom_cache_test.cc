#include "dist/atom_cache.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/limits.h"
#include "dist/atom_cache_writer.h"
#include "dist/etf.h"
#include "gtest/gtest.h"

namespace noded::dist {
namespace {

std::vector<std::string> Names(const std::vector<Term>& atoms) {
  std::vector<std::string> names;
  for (const Term& atom : atoms) names.emplace_back(atom.atom());
  return names;
}

using Strings = std::vector<std::string>;

TEST(AtomCacheTest, ReadsTheExampleOfTheDocument) {
  AtomCache cache;
  // The two atoms that the example takes for known: segment 4 entry 10, segment 0 entry 5.
  auto known =
      cache.Read(base::FromHex("8344"
                               "02"
                               "8c"
                               "00"
                               "0a0162"
                               "050161"));
  ASSERT_TRUE(known.ok()) << known.status();
  EXPECT_EQ(Names(known->atoms), (Strings{"b", "a"}));
  // erl_ext_dist, "Distribution Header for fragmented messages".
  const std::vector<uint8_t> packet = {
      131, 69,  0,   0,   2,  168, 0,   0,   5,   83,  0,   0,  0,   0,   0,   0,   0,   2,
      5,   4,   137, 9,   10, 5,   236, 3,   114, 101, 103, 9,  4,   99,  97,  108, 108, 238,
      13,  115, 101, 116, 95, 103, 101, 116, 95,  115, 116, 97, 116, 101, 104, 4,   97,  6};
  auto header = cache.Read(packet);
  ASSERT_TRUE(header.ok()) << header.status();
  EXPECT_EQ(header->kind, kFirstFragment);
  EXPECT_EQ(header->sequence_id, 0x000002a800000553u);
  EXPECT_EQ(header->fragment_id, 2u);
  EXPECT_EQ(Names(header->atoms), (Strings{"b", "a", "reg", "call", "set_get_state"}));
  EXPECT_EQ(packet[header->size], 104);
}

TEST(AtomCacheTest, AContinuationHasNoAtoms) {
  AtomCache cache;
  auto header =
      cache.Read(base::FromHex("8346"
                               "000002a800000553"
                               "0000000000000001"
                               "05"));
  ASSERT_TRUE(header.ok());
  EXPECT_EQ(header->kind, kNextFragment);
  EXPECT_EQ(header->fragment_id, 1u);
  EXPECT_TRUE(header->atoms.empty());
  EXPECT_EQ(header->size, 18u);
}

TEST(AtomCacheTest, AnEntryIsKeptUntilItIsReplaced) {
  AtomCache cache;
  ASSERT_TRUE(cache
                  .Read(base::FromHex("8344"
                                      "01"
                                      "0f"
                                      "ff026f6b"))
                  .ok());  // segment 7, entry 255
  auto again =
      cache.Read(base::FromHex("8344"
                               "01"
                               "07"
                               "ff"));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(Names(again->atoms), Strings{"ok"});
  EXPECT_EQ(again->size, 5u);
  ASSERT_TRUE(cache
                  .Read(base::FromHex("8344"
                                      "01"
                                      "0f"
                                      "ff026e6f"))
                  .ok());
  again =
      cache.Read(base::FromHex("8344"
                               "01"
                               "07"
                               "ff"));
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(Names(again->atoms), Strings{"no"});
}

TEST(AtomCacheTest, LongAtomsHaveTwoBytesOfLength) {
  const std::string name(200, 'x');
  std::string wide;
  for (int i = 0; i < 255; ++i) wide += "\xc3\xa9";  // 510 bytes
  for (size_t count : {1, 2}) {
    base::ByteWriter out;
    out.Bytes(base::FromHex("8344"));
    out.U8(static_cast<uint8_t>(count));
    // Flags: new entries in segment 0; the half byte behind the last says long.
    out.Bytes(count == 1 ? base::FromHex("18") : base::FromHex("8801"));
    for (size_t i = 0; i < count; ++i) {
      const std::string& text = i == 0 ? wide : name;
      out.U8(static_cast<uint8_t>(i));
      out.U16(static_cast<uint16_t>(text.size()));
      out.Bytes(text);
    }
    AtomCache cache;
    auto header = cache.Read(out.Take().ToSlice());
    ASSERT_TRUE(header.ok()) << header.status();
    EXPECT_EQ(header->atoms[0].atom(), wide);
    EXPECT_EQ(header->atoms.back().atom(), count == 2 ? name : wide);
  }
}

TEST(AtomCacheTest, All2048EntriesAreThere) {
  AtomCache cache;
  const auto read = [&cache](int segment, int entry, bool is_new) {
    base::ByteWriter out;
    out.Bytes(base::FromHex("834401"));
    out.U8(static_cast<uint8_t>(segment | (is_new ? 8 : 0)));
    out.U8(static_cast<uint8_t>(entry));
    if (is_new) {
      const std::string name = std::to_string(segment * 1000 + entry);
      out.U8(static_cast<uint8_t>(name.size()));
      out.Bytes(name);
    }
    auto header = cache.Read(out.Take().ToSlice());
    return header.ok() ? std::string(header->atoms.at(0).atom()) : "";
  };
  for (bool is_new : {true, false}) {
    for (int segment = 0; segment < 8; ++segment) {
      for (int entry = 0; entry < 256; ++entry) {
        ASSERT_EQ(read(segment, entry, is_new), std::to_string(segment * 1000 + entry));
      }
    }
  }
}

TEST(AtomCacheTest, ABrokenHeaderIsRefused) {
  for (std::string_view hex : {
           "",    // nothing
           "83",  // no kind
           "8243"
           "00",  // another version
           "8343"
           "00",  // another kind
           "8347"
           "00",    // another kind
           "8344",  // no count
           "8344"
           "01",  // no flags
           "8344"
           "01"
           "08",  // no entry
           "8344"
           "01"
           "08"
           "00"
           "02"
           "61",  // a cut name
           "8344"
           "01"
           "00"
           "05",  // an entry that was never sent
           "8344"
           "01"
           "08"
           "00"
           "01"
           "ff",  // not UTF-8
           "8345"
           "00000000000000",  // a cut sequence id
           "8346"
           "0000000000000000"
           "00000000000000",
       }) {
    AtomCache cache;
    auto header = cache.Read(base::FromHex(hex));
    EXPECT_EQ(header.status().code(), absl::StatusCode::kDataLoss) << hex;
  }
}

TEST(AtomCacheTest, AnAtomOfMoreThan255CharactersIsRefused) {
  base::ByteWriter out;
  out.Bytes(
      base::FromHex("8344"
                    "01"
                    "18"
                    "00"));
  out.U16(256);
  out.Bytes(std::string(256, 'x'));
  AtomCache cache;
  EXPECT_FALSE(cache.Read(out.Take().ToSlice()).ok());
}

// A header as we write it; `is_alone`: of a packet that may be overtaken.
base::Slice Header(AtomCacheWriter& writer, const std::vector<AtomName>& atoms,
                   bool is_alone = false) {
  AtomTable table;
  for (const AtomName& atom : atoms) EXPECT_TRUE(table.NumberOf(atom));
  base::ByteWriter out;
  EncodePlainHeader(out);
  if (is_alone) {
    AtomCacheWriter::WriteAlone(table, out);
  } else {
    writer.Write(table, out);
  }
  return out.Take().ToSlice();
}

TEST(AtomCacheWriterTest, HeadersWithoutAtomsAreShort) {
  AtomCache cache;
  AtomCacheWriter writer;
  AtomTable none;
  base::ByteWriter plain, first, next;
  EncodePlainHeader(plain);
  writer.Write(none, plain);
  EncodeFragmentHeader(true, 7, 3, first);
  AtomCacheWriter::WriteAlone(none, first);
  EncodeFragmentHeader(false, 7, 2, next);
  auto header = cache.Read(plain.Take().ToSlice());
  ASSERT_TRUE(header.ok());
  EXPECT_EQ(header->size, 3u);
  EXPECT_FALSE(header->is_fragment());
  header = cache.Read(first.Take().ToSlice());
  ASSERT_TRUE(header.ok());
  EXPECT_EQ(header->size, 19u);
  EXPECT_EQ(header->sequence_id, 7u);
  EXPECT_EQ(header->fragment_id, 3u);
  header = cache.Read(next.Take().ToSlice());
  ASSERT_TRUE(header.ok());
  EXPECT_EQ(header->size, 18u);
  EXPECT_EQ(header->kind, kNextFragment);
}

TEST(AtomCacheWriterTest, AnAtomIsNamedOnceAndThenByNumber) {
  AtomCache cache;
  AtomCacheWriter writer;
  const base::Slice first = Header(writer, {"shop@host", "rex"});
  const base::Slice second = Header(writer, {"rex", "shop@host"});
  EXPECT_EQ(first.size(), 2 + 1 + 2 + (2 + 9) + (2 + 3));
  EXPECT_EQ(second.size(), 2 + 1 + 2 + 2u);
  EXPECT_EQ(Names(cache.Read(first)->atoms), (std::vector<std::string>{"shop@host", "rex"}));
  EXPECT_EQ(Names(cache.Read(second)->atoms), (std::vector<std::string>{"rex", "shop@host"}));
  // The odd half byte behind an even count says how long texts are.
  const std::string longest(AtomName::kMaxCharacters * 4, 'x');
  for (const auto& atoms :
       {std::vector<AtomName>{"a", longest.substr(0, 255)}, std::vector<AtomName>{"\xc3\xa9"},
        std::vector<AtomName>{"b", "c", ""}}) {
    std::vector<std::string> names;
    for (const AtomName& atom : atoms) names.push_back(atom.ToString());
    auto header = cache.Read(Header(writer, atoms));
    ASSERT_TRUE(header.ok()) << header.status();
    EXPECT_EQ(Names(header->atoms), names);
  }
  // 255 characters of four bytes each.
  std::string wide;
  for (size_t i = 0; i < AtomName::kMaxCharacters; ++i) wide += "\xf0\x9f\x8d\xb5";
  auto header = cache.Read(Header(writer, {wide, "d", "rex"}));
  ASSERT_TRUE(header.ok()) << header.status();
  EXPECT_EQ(Names(header->atoms), (std::vector<std::string>{wide, "d", "rex"}));
}

TEST(AtomCacheWriterTest, MoreAtomsThanATableHoldsAreNotNumbered) {
  AtomTable table;
  for (int i = 0; i < 300; ++i) {
    const auto number = table.NumberOf(AtomName("atom" + std::to_string(i)));
    EXPECT_EQ(number.has_value(), i < 255) << i;
    if (number) {
      EXPECT_EQ(*number, i);
    }
  }
  EXPECT_EQ(table.NumberOf("atom7"), 7);
  EXPECT_EQ(table.NumberOf("atom254"), 254);
  AtomCache cache;
  AtomCacheWriter writer;
  base::ByteWriter out;
  EncodePlainHeader(out);
  writer.Write(table, out);
  EXPECT_LE(out.size(), 2 + AtomCacheWriter::kMaxBytes);
  auto header = cache.Read(out.Take().ToSlice());
  ASSERT_TRUE(header.ok()) << header.status();
  EXPECT_EQ(header->atoms.size(), 255u);
}

// Many more atoms than the cache has places; those that go alone arrive at another time.
TEST(AtomCacheWriterTest, AReaderFollowsWhateverIsEvictedAndOvertaken) {
  AtomCache cache;
  AtomCacheWriter writer;
  std::vector<std::pair<base::Slice, std::vector<std::string>>> late;
  uint32_t random = 1;
  const auto draw = [&random](uint32_t below) {
    random = random * 1664525 + 1013904223;
    return (random >> 8) % below;
  };
  const auto check = [&cache](const base::Slice& bytes, const std::vector<std::string>& names) {
    auto header = cache.Read(bytes);
    ASSERT_TRUE(header.ok()) << header.status();
    ASSERT_EQ(Names(header->atoms), names);
  };
  for (int round = 0; round < 3000; ++round) {
    std::vector<AtomName> atoms;
    std::vector<std::string> names;
    const uint32_t count = draw(round % 50 == 0 ? 256 : 6);
    for (uint32_t i = 0; i < count; ++i) {
      const std::string name = "atom" + std::to_string(draw(5000));
      if (std::find(names.begin(), names.end(), name) != names.end()) continue;
      names.push_back(name);
      atoms.emplace_back(name);
    }
    const bool is_alone = draw(4) == 0;
    const base::Slice bytes = Header(writer, atoms, is_alone);
    if (is_alone) {
      late.emplace_back(bytes, names);
    } else {
      check(bytes, names);
    }
    if (!late.empty() && draw(3) == 0) {
      const size_t which = draw(static_cast<uint32_t>(late.size()));
      check(late[which].first, late[which].second);
      late.erase(late.begin() + static_cast<ptrdiff_t>(which));
    }
    if (HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace noded::dist
