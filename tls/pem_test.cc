#include "tls/pem.h"

#include <gtest/gtest.h>

namespace noded::tls {
namespace {

TEST(PemTest, FindsBlocksInOrderWithTextAround) {
  const auto blocks = SplitPem(
      "subject=CN = a\n-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\r\n"
      "noise\n-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n"
      "-----END EC PRIVATE KEY-----\n-----BEGIN X509 CRL-----\nMA\n AA\n-----END X509 CRL-----");
  ASSERT_EQ(blocks.size(), 3u);
  EXPECT_EQ(blocks[0].label, "CERTIFICATE");
  EXPECT_TRUE(blocks[0].is_whole);
  EXPECT_EQ(base::ToHex(blocks[0].der), "3000");
  EXPECT_EQ(blocks[1].label, "EC PRIVATE KEY");
  EXPECT_TRUE(blocks[1].is_private_key());
  EXPECT_TRUE(blocks[1].der.empty()) << "a key is not copied about";
  EXPECT_EQ(base::ToHex(blocks[2].der), "300000");
}

TEST(PemTest, WhatIsNotWholeIsSaidToBe) {
  struct Row {
    const char* what;
    const char* text;
    size_t count;
  };
  for (const Row& row : {
           Row{"no end", "-----BEGIN A-----\nMAA=\n", 1},
           Row{"an end cut short", "-----BEGIN A-----\nMAA=\n-----END A", 1},
           Row{"another end", "-----BEGIN A-----\nMAA=\n-----END B-----\n", 1},
           Row{"no base64", "-----BEGIN A-----\n!!!!\n-----END A-----\n", 1},
           Row{"nothing in it", "-----BEGIN A-----\n-----END A-----\n", 1},
           Row{"one in another", "-----BEGIN A-----\nMAA=\n-----BEGIN A-----\n", 2},
           Row{"no label", "-----BEGIN -----\nMAA=\n-----END -----\n", 0},
           Row{"a label without end", "-----BEGIN A", 0},
           Row{"nothing", "", 0},
       }) {
    const auto blocks = SplitPem(row.text);
    EXPECT_EQ(blocks.size(), row.count) << row.what;
    for (const PemBlock& block : blocks) EXPECT_FALSE(block.is_whole) << row.what;
  }
  // What follows a broken block is still found.
  const auto blocks =
      SplitPem("-----BEGIN A-----\nMAA=\n-----BEGIN A-----\nMAA=\n-----END A-----\n");
  ASSERT_EQ(blocks.size(), 2u);
  EXPECT_FALSE(blocks[0].is_whole);
  EXPECT_TRUE(blocks[1].is_whole);
}

TEST(PemTest, TellsPemFromTheRest) {
  EXPECT_TRUE(IsPem("x\n-----BEGIN CERTIFICATE-----"));
  EXPECT_FALSE(IsPem("\x30\x82"));
}

}  // namespace
}  // namespace noded::tls
