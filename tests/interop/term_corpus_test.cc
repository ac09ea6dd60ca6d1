// Ten thousand random terms of a real OTP: decoded, printed as it prints them, encoded as it
// encodes them, and read back by it as the same terms. Needs `erl` on the path; a missing one is a
// failure.
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "base/byte_reader.h"
#include "base/byte_writer.h"
#include "dist/etf.h"
#include "dist/term_text.h"
#include "fmt/format.h"
#include "tests/testlib/otp_node.h"
#include "tests/testlib/runfiles.h"
#include "tests/testlib/temp_dir.h"

namespace noded::dist {
namespace {

using base::Slice;

constexpr int kTerms = 10'000;
constexpr std::chrono::minutes kPatience{5};  // under a sanitizer, on a machine with other work
const base::Limits kLimits;

struct Record {
  Slice external;   // in one of the format's variants
  Slice canonical;  // as OTP's newest minor version writes it
  std::string text;
  std::string comparable;
};

std::vector<Record> ReadRecords(const std::string& path) {
  const std::string file = testlib::ReadFile(path);
  base::ByteReader in(base::AsBytes(file));
  std::vector<Record> records;
  const auto field = [&in] { return Slice::Copy(in.Bytes(in.U32())); };
  while (in.ok() && in.remaining() > 0) {
    Record record;
    record.external = field();
    record.canonical = field();
    record.text = field().text();
    record.comparable = field().text();
    records.push_back(std::move(record));
  }
  EXPECT_TRUE(in.ok()) << path << " is cut short";
  return records;
}

// How OTP begins the identifiers of a node, and how we do.
using Nodes = std::vector<std::pair<std::string, std::string>>;

Nodes ReadNodes(testlib::OtpNode& node) {
  Nodes nodes;
  const auto table = ParseTerm(node.Eval("make_terms:nodes()"));
  EXPECT_TRUE(table.ok()) << table.status();
  if (!table.ok()) return nodes;
  for (const Term& row : table->list()) {
    nodes.emplace_back(fmt::format("<{}.", PrintTerm(row.tuple()[0])),
                       fmt::format("<{}.", PrintTerm(row.tuple()[1])));
  }
  EXPECT_EQ(nodes.size(), 5u);
  return nodes;
}

// Our text with OTP's numbers in place of the names of nodes.
std::string AsInTheVm(std::string text, const Nodes& nodes) {
  for (const auto& [number, name] : nodes) {
    for (size_t at = 0; (at = text.find(name, at)) != std::string::npos; at += number.size()) {
      text.replace(at, name.size(), number);
    }
  }
  return text;
}

std::string Cut(std::string_view text) { return std::string(text.substr(0, 400)); }

// Both from shortly before their first difference on.
std::string Difference(std::string_view ours, std::string_view theirs) {
  const auto [at, _] = std::mismatch(ours.begin(), ours.end(), theirs.begin(), theirs.end());
  const size_t same = static_cast<size_t>(at - ours.begin());
  const size_t start = same < 100 ? 0 : same - 100;
  return fmt::format("ours:  ... {}\nOTP's: ... {}", Cut(ours.substr(start)),
                     Cut(theirs.substr(start)));
}

std::vector<Term> DecodeAll(const std::vector<Record>& records) {
  std::vector<Term> terms;
  for (const Record& record : records) {
    absl::StatusOr<Term> term = DecodeTerm(record.external, kLimits);
    EXPECT_TRUE(term.ok()) << Cut(record.text) << ": " << term.status();
    const absl::StatusOr<Term> same = DecodeTerm(record.canonical, kLimits);
    EXPECT_TRUE(same.ok() && term.ok() && *same == *term && same->Hash() == term->Hash())
        << Cut(record.text);
    terms.push_back(term.ok() ? *term : Term());
  }
  return terms;
}

void ExpectSameText(const Record& record, const Term& term, const Nodes& nodes) {
  const std::string ours = PrintTerm(term);
  if (record.comparable == "text") {
    const std::string text = AsInTheVm(ours, nodes);
    EXPECT_TRUE(text == record.text) << Difference(text, record.text);
  } else if (record.comparable == "value") {
    const absl::StatusOr<Term> parsed = ParseTerm(record.text);
    EXPECT_TRUE(parsed.ok() && *parsed == term) << Cut(record.text) << ": " << parsed.status();
  }
}

bool HasSyntax(const Term& term) {
  const auto all = [](std::span<const Term> terms) {
    return std::all_of(terms.begin(), terms.end(), HasSyntax);
  };
  switch (term.kind()) {
    case Kind::kPid:
    case Kind::kPort:
    case Kind::kReference:
    case Kind::kFun:
      return false;
    case Kind::kTuple:
      return all(term.tuple());
    case Kind::kList:
      return all(term.list()) && HasSyntax(term.tail());
    case Kind::kMap:
      return std::all_of(term.map().begin(), term.map().end(), [](const MapEntry& entry) {
        return HasSyntax(entry.key) && HasSyntax(entry.value);
      });
    default:
      return true;
  }
}

// OTP writes the entries of maps of more than 32 keys in the order of its hash.
bool HasLargeMap(const Term& term) {
  const auto any = [](std::span<const Term> terms) {
    return std::any_of(terms.begin(), terms.end(), HasLargeMap);
  };
  if (term.is_tuple()) return any(term.tuple());
  if (term.is_list()) return any(term.list()) || (!term.is_nil() && HasLargeMap(term.tail()));
  if (term.kind() == Kind::kFun) return any(term.fun().free_variables);
  return term.map().size() > 32 ||
         std::any_of(term.map().begin(), term.map().end(), [](const MapEntry& entry) {
           return HasLargeMap(entry.key) || HasLargeMap(entry.value);
         });
}

void CountKinds(const Term& term, std::map<std::string_view, int>& counts) {
  ++counts[KindName(term.kind())];
  for (const Term& element : term.tuple()) CountKinds(element, counts);
  for (const Term& element : term.list()) CountKinds(element, counts);
  for (const MapEntry& entry : term.map()) {
    CountKinds(entry.key, counts);
    CountKinds(entry.value, counts);
  }
}

class TermCorpusTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(node_.WaitReady().ok()) << node_.Log();
    const std::string source = testlib::ProgramPath("tests/corpus/make_terms.erl");
    ASSERT_EQ(node_.Eval(fmt::format("{{ok, M, B}} = compile:file({}, [binary]), "
                                     "{{module, M}} = code:load_binary(M, \"make_terms\", B), ok",
                                     PrintTerm(Term::String(source))),
                         kPatience),
              "ok");
    ASSERT_EQ(
        node_.Eval(fmt::format("Terms = make_terms:make({}, {}), length(Terms)", kSeed, kTerms),
                   kPatience),
        std::to_string(kTerms));
    const std::string path = folder_.File("terms");
    ASSERT_EQ(node_.Eval(fmt::format("make_terms:write(Terms, \"{}\")", path), kPatience), "ok");
    records_ = ReadRecords(path);
    ASSERT_EQ(records_.size(), size_t{kTerms});
    nodes_ = ReadNodes(node_);
    terms_ = DecodeAll(records_);
  }

  static constexpr int kSeed = 20261123;
  testlib::OtpNode node_{{.arguments = {"+pc", "unicode"}}};
  testlib::TempDir folder_;
  std::vector<Record> records_;
  Nodes nodes_;
  std::vector<Term> terms_;
};

TEST_F(TermCorpusTest, DecodesPrintsParsesAndEncodesLikeOtp) {
  std::map<std::string_view, int> kinds;
  std::map<std::string, int> comparisons;
  base::ByteWriter ours;
  for (size_t i = 0; i < terms_.size() && !HasFailure(); ++i) {
    const Term& term = terms_[i];
    SCOPED_TRACE(fmt::format("term {}", i));
    CountKinds(term, kinds);
    ++comparisons[records_[i].comparable];
    ExpectSameText(records_[i], term, nodes_);
    if (HasSyntax(term)) {
      const absl::StatusOr<Term> parsed = ParseTerm(PrintTerm(term));
      EXPECT_TRUE(parsed.ok() && *parsed == term) << Cut(records_[i].text) << parsed.status();
    }
    const Slice encoded = EncodeTerm(term);
    const absl::StatusOr<Term> again = DecodeTerm(encoded, kLimits);
    EXPECT_TRUE(again.ok() && *again == term) << Cut(records_[i].text) << again.status();
    if (!HasLargeMap(term)) {
      EXPECT_TRUE(encoded == records_[i].canonical)
          << Cut(records_[i].text) << "\nours " << Cut(base::ToHex(encoded)) << "\nOTP's "
          << Cut(base::ToHex(records_[i].canonical));
    }
    ours.U32(static_cast<uint32_t>(encoded.size()));
    ours.Shared(encoded);
  }
  ASSERT_FALSE(HasFailure());
  EXPECT_EQ(kinds.size(), 15u) << "a kind of term is missing";
  for (const auto& [kind, count] : kinds) EXPECT_GE(count, 20) << kind;
  EXPECT_GE(comparisons["text"], kTerms * 9 / 10);
  EXPECT_GE(comparisons["value"], 5);

  const std::string path = folder_.Write("ours", ours.Take().ToSlice().text());
  EXPECT_EQ(Cut(node_.Eval(fmt::format("make_terms:check(Terms, \"{}\")", path), kPatience)), "ok");
}

}  // namespace
}  // namespace noded::dist
