// Terms that real nodes wrote, kept in tests/corpus with their OTP release in the name:
// tests/corpus/refresh.sh makes them.
#include <gtest/gtest.h>

#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "dist/etf.h"
#include "dist/term_text.h"
#include "tests/testlib/runfiles.h"
#include "tests/testlib/temp_dir.h"

namespace noded::dist {
namespace {

using base::Slice;

Slice FromBase64(std::string_view text) {
  static constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::vector<uint8_t> bytes;
  uint32_t group = 0;
  int bits = 0;
  for (char c : text.substr(0, text.find('='))) {
    group = group << 6 | static_cast<uint32_t>(kDigits.find(c));
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push_back(static_cast<uint8_t>(group >> bits));
  }
  return Slice(std::move(bytes));
}

struct Vector {
  std::string name;
  Slice external;
  Slice canonical;  // empty: not canonical
  std::string text;
};

std::vector<Vector> ReadVectors() {
  std::istringstream file(testlib::ReadFile(testlib::ProgramPath("tests/corpus/terms_otp25")));
  std::vector<Vector> vectors;
  Vector vector;
  std::string external, canonical;
  while (file >> vector.name >> external >> canonical && file.ignore() &&
         std::getline(file, vector.text)) {
    vector.external = FromBase64(external);
    vector.canonical = canonical == "-" ? Slice() : FromBase64(canonical);
    vectors.push_back(vector);
  }
  return vectors;
}

TEST(TermVectorsTest, WhatOtpWroteDecodesAndEncodesToItsBytes) {
  const std::vector<Vector> vectors = ReadVectors();
  ASSERT_GE(vectors.size(), 25u);
  for (const Vector& vector : vectors) {
    const absl::StatusOr<Term> term = DecodeTerm(vector.external, {});
    ASSERT_TRUE(term.ok()) << vector.name << ": " << term.status();
    const Slice encoded = EncodeTerm(*term);
    if (!vector.canonical.empty()) {
      EXPECT_EQ(base::ToHex(encoded), base::ToHex(vector.canonical)) << vector.name;
    }
    EXPECT_EQ(*DecodeTerm(encoded, {}), *term) << vector.name;
  }
}

TEST(TermVectorsTest, WhatOtpPrintedParsesAndPrintsTheSame) {
  std::set<std::string> compared;
  for (const Vector& vector : ReadVectors()) {
    const Term term = *DecodeTerm(vector.external, {});
    // Identifiers and closures have no syntax: their text does not parse.
    const absl::StatusOr<Term> parsed = ParseTerm(vector.text);
    if (!parsed.ok()) continue;
    EXPECT_EQ(*parsed, term) << vector.name;
    if (!vector.canonical.empty()) {
      EXPECT_EQ(PrintTerm(term), vector.text) << vector.name;
    }
    compared.insert(vector.name);
  }
  for (const char* name : {"integer", "float", "atom", "binary", "bit_string", "string", "export",
                           "map", "large_map", "large_tuple", "improper", "compressed"}) {
    EXPECT_TRUE(compared.contains(name)) << name << " did not parse";
  }
}

}  // namespace
}  // namespace noded::dist
