// What terms cost to decode and encode, by shape. `bazel run //tests/bench:etf_bench`.
// The counter `bytes_per_second` is of the external format; compare shapes and versions on one
// machine in one run, not with other machines.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "dist/etf.h"
#include "dist/term_text.h"

namespace noded::dist {
namespace {

using base::Slice;

// A gen_server call: {'$gen_call', {Pid, [alias | Ref]}, Request}.
Term Call() {
  const Term pid = Term::FromPid({"shop@host.example", 107, 0, 1655000000});
  const Term reference = Term::FromReference(Reference("shop@host.example", 1655000000, {1, 2, 3}));
  return Term::Tuple({Term::Atom("$gen_call"),
                      Term::Tuple({pid, Term::List({Term::Atom("alias")}, reference)}),
                      Term::Tuple({Term::Atom("get"), Term::Binary("order"), Term::Int(4711)})});
}

Term Records() {
  std::vector<Term> records;
  for (int i = 0; i < 1000; ++i) {
    records.push_back(Term::Map({{Term::Atom("id"), Term::Int(100'000 + i)},
                                 {Term::Atom("name"), Term::Binary("a customer's name")},
                                 {Term::Atom("balance"), Term::Float(12.5 * i)},
                                 {Term::Atom("state"), Term::Atom("active")}}));
  }
  return Term::List(std::move(records));
}

Term Integers() {
  std::vector<Term> numbers;
  for (int i = 0; i < 10'000; ++i) numbers.push_back(Term::Int(int64_t{i} * 1'000'003));
  return Term::List(std::move(numbers));
}

Term LargeMap() {
  std::vector<MapEntry> entries;
  for (int i = 0; i < 10'000; ++i) entries.push_back({Term::Int(i), Term::Binary("value")});
  return Term::Map(std::move(entries));
}

Term Nested() {
  Term term = Term::Atom("leaf");
  for (int i = 0; i < 500; ++i) term = Term::Tuple({Term::Atom("node"), std::move(term)});
  return term;
}

Term Text() { return Term::String(std::string(10'000, 'x')); }
Term Blob() { return Term::Binary(Slice(std::vector<uint8_t>(1 << 20, 7))); }

using Shape = Term (*)();

void Decode(benchmark::State& state, Shape shape) {
  const base::Limits limits;
  const Slice bytes = EncodeTerm(shape());
  for (auto _ : state) benchmark::DoNotOptimize(DecodeTerm(bytes, limits));
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(bytes.size()));
}

// As a channel does it: large binaries are linked into the output.
void Encode(benchmark::State& state, Shape shape) {
  const Term term = shape();
  size_t size = 0;
  for (auto _ : state) {
    base::ByteWriter out;
    EncodeTerm(term, out);
    size = out.size();
    benchmark::DoNotOptimize(out);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(size));
}

void Print(benchmark::State& state, Shape shape) {
  const Term term = shape();
  size_t size = 0;
  for (auto _ : state) size = PrintTerm(term).size();
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(size));
}

void Parse(benchmark::State& state, Shape shape) {
  const std::string text = PrintTerm(shape());
  for (auto _ : state) benchmark::DoNotOptimize(ParseTerm(text));
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(text.size()));
}

constexpr std::pair<const char*, Shape> kShapes[] = {
    {"call", Call},     {"records", Records}, {"integers", Integers}, {"large_map", LargeMap},
    {"nested", Nested}, {"text", Text},       {"blob_1MiB", Blob},
};

void RegisterAll() {
  for (const auto& [name, shape] : kShapes) {
    benchmark::RegisterBenchmark((std::string("decode/") + name).c_str(), Decode, shape);
    benchmark::RegisterBenchmark((std::string("encode/") + name).c_str(), Encode, shape);
  }
  benchmark::RegisterBenchmark("print/records", Print, Records);
  benchmark::RegisterBenchmark("parse/records", Parse, Records);
}

}  // namespace
}  // namespace noded::dist

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  noded::dist::RegisterAll();
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
