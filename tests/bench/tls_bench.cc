// What one record costs: sealed and opened by two engines in memory, by suite and size; and a copy
// of the same size, to see what the copies of the record layer are worth (docs/tls_engine.md).
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "tls/engine.h"
#include "tls/issue.h"

namespace noded::tls {
namespace {

void Require(bool claim) {
  if (!claim) std::abort();
}

std::shared_ptr<const Context> Make(Role role, const char* suite) {
  static const auto year = ValidFor(
      std::chrono::days(365),
      std::chrono::time_point_cast<std::chrono::seconds>(std::chrono::system_clock::now()));
  static const auto authority = IssueAuthority({.common_name = "bench CA", .validity = year});
  Require(authority.ok());
  CertificateRequest request{.common_name = "b.example", .validity = year};
  AddHost(request, "b.example");
  static const auto node = IssueNode(*authority, request);
  Require(node.ok());
  Options options;
  options.identity.certs = {base::Slice::Copy(node->cert_pem)};
  options.identity.key = node->key_pem;
  options.trust.cacerts = {base::Slice::Copy(authority->cert_pem)};
  options.trust.verify = Verify::kPeer;
  options.ciphers.suites = {suite};
  const bool is_13 = std::string(suite).find("WITH") == std::string::npos;
  options.versions = {.tls12 = !is_13, .tls13 = is_13};
  auto context = Context::Create(options, role);
  Require(context.ok());
  return *std::move(context);
}

void Drain(Engine& engine) {
  while (true) {
    auto event = engine.Next();
    Require(event.ok());
    if (!*event) return;
    benchmark::DoNotOptimize(*event);
  }
}

void Records(benchmark::State& state, const char* suite) {
  Engine server(Make(Role::kServer, suite), {});
  Engine client(Make(Role::kClient, suite), {"b.example"});
  while (!server.is_handshake_done() || !client.is_handshake_done()) {
    Drain(client);
    server.Feed(client.TakeOutput().ToSlice());
    Drain(server);
    client.Feed(server.TakeOutput().ToSlice());
  }
  Drain(client);
  const base::Slice payload(std::vector<uint8_t>(static_cast<size_t>(state.range(0)), 7));
  for (auto _ : state) {
    base::Buffer buffer;
    buffer.Append(payload);
    Require(client.Write(std::move(buffer)).ok());
    server.Feed(client.TakeOutput().ToSlice());
    Drain(server);
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations()) * state.range(0));
}
BENCHMARK_CAPTURE(Records, tls13_aes128gcm, "TLS_AES_128_GCM_SHA256")->Arg(64)->Arg(16384);
BENCHMARK_CAPTURE(Records, tls13_aes256gcm, "TLS_AES_256_GCM_SHA384")->Arg(16384);
BENCHMARK_CAPTURE(Records, tls13_chacha20, "TLS_CHACHA20_POLY1305_SHA256")->Arg(16384);
BENCHMARK_CAPTURE(Records, tls12_aes128gcm, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256")->Arg(16384);

void Copy(benchmark::State& state) {
  const std::vector<uint8_t> from(static_cast<size_t>(state.range(0)), 7);
  for (auto _ : state) {
    auto to = std::make_shared_for_overwrite<uint8_t[]>(from.size());
    std::memcpy(to.get(), from.data(), from.size());
    benchmark::DoNotOptimize(to.get());
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations()) * state.range(0));
}
BENCHMARK(Copy)->Arg(64)->Arg(16384);

}  // namespace
}  // namespace noded::tls

BENCHMARK_MAIN();
