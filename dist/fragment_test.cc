#include "dist/fragment.h"

#include <string>

#include "dist/packet.h"
#include "gtest/gtest.h"

namespace noded::dist {
namespace {

DistHeader First(uint64_t sequence, uint64_t fragment) {
  return {kFirstFragment, sequence, fragment, {}, 0};
}
DistHeader Next(uint64_t sequence, uint64_t fragment) {
  return {kNextFragment, sequence, fragment, {}, 0};
}
base::Slice Text(std::string_view text) { return base::Slice::Copy(text); }

TEST(FragmentTest, PiecesComeTogetherInOrderAcrossSequences) {
  FragmentAssembler assembler{base::Limits()};
  DistHeader first = First(1, 3);
  first.atoms = {Term::Atom("x")};
  EXPECT_FALSE(assembler.Add(first, Text("ab"))->has_value());
  EXPECT_FALSE(assembler.Add(First(2, 2), Text("12"))->has_value());
  EXPECT_FALSE(assembler.Add(Next(1, 2), Text("cd"))->has_value());
  EXPECT_EQ(assembler.open_sequences(), 2u);
  EXPECT_EQ(assembler.open_bytes(), 6u);
  auto two = assembler.Add(Next(2, 1), Text("34"));
  ASSERT_TRUE(two.ok() && *two);
  EXPECT_EQ((*two)->bytes.text(), "1234");
  EXPECT_TRUE((*two)->atoms.empty());
  auto one = assembler.Add(Next(1, 1), Text("e"));
  ASSERT_TRUE(one.ok() && *one);
  EXPECT_EQ((*one)->bytes.text(), "abcde");
  ASSERT_EQ((*one)->atoms.size(), 1u);
  EXPECT_EQ((*one)->atoms[0].atom(), "x");
  EXPECT_EQ(assembler.open_sequences(), 0u);
  EXPECT_EQ(assembler.open_bytes(), 0u);
}

TEST(FragmentTest, OneFragmentIsAWholeMessage) {
  FragmentAssembler assembler{base::Limits()};
  auto whole = assembler.Add(First(1, 1), Text("ab"));
  ASSERT_TRUE(whole.ok() && *whole);
  EXPECT_EQ((*whole)->bytes.text(), "ab");
  EXPECT_EQ(assembler.open_sequences(), 0u);
}

TEST(FragmentTest, AFragmentOutOfTurnIsRefused) {
  const auto refused = [](DistHeader header) {
    FragmentAssembler assembler{base::Limits()};
    EXPECT_FALSE(assembler.Add(First(1, 3), Text("ab"))->has_value());
    return assembler.Add(std::move(header), Text("x")).status().code() ==
           absl::StatusCode::kDataLoss;
  };
  EXPECT_TRUE(refused(First(1, 3)));  // open already
  EXPECT_TRUE(refused(First(2, 0)));  // numbers end at 1
  EXPECT_TRUE(refused(Next(2, 2)));   // not begun
  EXPECT_TRUE(refused(Next(1, 3)));   // twice
  EXPECT_TRUE(refused(Next(1, 1)));   // one left out
  EXPECT_TRUE(refused(Next(1, 4)));   // upward
  EXPECT_FALSE(refused(Next(1, 2)));  // due
}

TEST(FragmentTest, OpenSequencesAreBounded) {
  base::Limits limits;
  limits.max_fragment_sequences = 2;
  FragmentAssembler assembler(limits);
  EXPECT_TRUE(assembler.Add(First(1, 2), {}).ok());
  EXPECT_TRUE(assembler.Add(First(2, 2), {}).ok());
  EXPECT_EQ(assembler.Add(First(3, 2), {}).status().code(), absl::StatusCode::kResourceExhausted);
}

TEST(FragmentTest, BytesOfOpenSequencesAreBoundedTogether) {
  base::Limits limits;
  limits.max_fragmented_bytes = 10;
  FragmentAssembler assembler(limits);
  EXPECT_TRUE(assembler.Add(First(1, 2), Text("12345")).ok());
  EXPECT_TRUE(assembler.Add(Next(1, 1), Text("67890"))->has_value());
  EXPECT_TRUE(assembler.Add(First(2, 2), Text("12345")).ok());
  EXPECT_TRUE(assembler.Add(First(3, 2), Text("12345")).ok());
  EXPECT_EQ(assembler.Add(Next(3, 1), Text("x")).status().code(),
            absl::StatusCode::kResourceExhausted);
}

TEST(FragmentTest, WhatIsSplitComesTogether) {
  for (size_t size : {size_t{0}, size_t{1}, kFragmentBytes, kFragmentBytes + 1, 3 * kFragmentBytes,
                      3 * kFragmentBytes + 17}) {
    std::string text(size, '\0');
    for (size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * 7 + i / 251);
    base::Buffer control, payload;
    control.Append("control");
    payload.Append(text);
    AtomTable atoms;
    EXPECT_EQ(atoms.NumberOf("rex"), 0);
    auto packets = SplitIntoFragments(std::move(control), std::move(payload), 99, atoms);
    EXPECT_EQ(packets.size(), std::max<size_t>((size + kFragmentBytes - 1) / kFragmentBytes, 1));
    AtomCache cache;
    FragmentAssembler assembler{base::Limits()};
    for (size_t i = 0; i < packets.size(); ++i) {
      const base::Slice packet = packets[i].ToSlice().Sub(kPacketHeaderBytes);
      auto header = cache.Read(packet);
      ASSERT_TRUE(header.ok());
      EXPECT_EQ(header->kind, i == 0 ? kFirstFragment : kNextFragment);
      EXPECT_LE(packet.size() - header->size, kFragmentBytes + 7);
      const base::Slice body = packet.Sub(header->size);
      auto whole = assembler.Add(*std::move(header), body);
      ASSERT_TRUE(whole.ok()) << whole.status();
      ASSERT_EQ(whole->has_value(), i + 1 == packets.size());
      if (!*whole) continue;
      EXPECT_EQ((*whole)->bytes.text(), "control" + text);
      ASSERT_EQ((*whole)->atoms.size(), 1u);
      EXPECT_TRUE((*whole)->atoms[0].IsAtom("rex"));
    }
  }
}

}  // namespace
}  // namespace noded::dist
