// Many connections leave nothing behind, and much data under changing keys arrives as it was sent.
// Scaled down unless NODED_SOAK is set.
#include <dirent.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <thread>
#include <vector>

#include "tests/testlib/sanitizer.h"
#include "tests/testlib/wait.h"
#include "tls/ssl_pair.h"

namespace noded::tls {
namespace {

using testlib::Eventually;

bool IsSoak() { return std::getenv("NODED_SOAK") != nullptr; }

size_t OpenDescriptors() {
  size_t count = 0;
  DIR* directory = opendir("/proc/self/fd");
  while (readdir(directory) != nullptr) ++count;
  closedir(directory);
  return count;
}

size_t ResidentBytes() {
  size_t total = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> total >> resident;
  return resident * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

class SslSoakTest : public SslPair {
 protected:
  // One connection: a few bytes each way, then both ends close.
  void Converse() {
    Meet();
    EXPECT_TRUE(client_->Send("ping").ok());
    EXPECT_EQ(Text(server_->Recv(4, kPatience)), "ping");
    EXPECT_TRUE(server_->Send("pong").ok());
    EXPECT_EQ(Text(client_->Recv(4, kPatience)), "pong");
    EXPECT_TRUE(client_->Close().ok());
    EXPECT_TRUE(server_->Close().ok());
    client_.reset();
    server_.reset();
  }
  // The listener is what stays.
  bool IsQuiet() const { return ssl_->open_sockets() == 1; }
};
INSTANTIATE_TEST_SUITE_P(Versions, SslSoakTest, kBothVersions, VersionText);

TEST_P(SslSoakTest, OneAfterAnotherTheyLeaveNothing) {
  const int count = IsSoak() ? 10'000 : 200;
  for (int i = 0; i < 20; ++i) Converse();
  EXPECT_TRUE(Eventually([&] { return IsQuiet(); }));
  const size_t descriptors = OpenDescriptors(), resident = ResidentBytes();
  for (int i = 0; i < count; ++i) {
    Converse();
    ASSERT_FALSE(HasFailure());
  }
  EXPECT_TRUE(Eventually([&] { return IsQuiet() && OpenDescriptors() <= descriptors; }))
      << OpenDescriptors() << " descriptors, before there were " << descriptors;
  // A kilobyte a connection would be seen in the soak.
  if (!testlib::kHasSanitizer) {
    EXPECT_LT(ResidentBytes(), resident + (size_t{6} << 20));
  }
}

TEST_P(SslSoakTest, AllAtOnceTheyLeaveNothing) {
  const size_t count = IsSoak() ? 1'000 : 60;
  Converse();
  EXPECT_TRUE(Eventually([&] { return IsQuiet(); }));
  const size_t descriptors = OpenDescriptors();
  for (int round = 0; round < 2; ++round) {
    std::vector<std::unique_ptr<SslSocket>> clients, servers;
    for (size_t i = 0; i < count; ++i) {
      Meet();
      ASSERT_FALSE(HasFailure());
      clients.push_back(std::move(client_));
      servers.push_back(std::move(server_));
    }
    EXPECT_EQ(ssl_->open_sockets(), 2 * count + 1);
    for (auto& client : clients) EXPECT_TRUE(client->Send("x").ok());
    for (auto& server : servers) EXPECT_EQ(Text(server->Recv(1, kPatience)), "x");
    clients.clear();
    servers.clear();
    EXPECT_TRUE(Eventually([&] { return IsQuiet() && OpenDescriptors() <= descriptors; }))
        << OpenDescriptors() << " descriptors, before there were " << descriptors;
  }
}

// What a stream is expected to carry at `offset`.
std::string Chunk(uint64_t offset, size_t size, uint64_t seed) {
  std::string chunk(size, '\0');
  uint64_t state = seed + offset;
  for (char& byte : chunk) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    byte = static_cast<char>(state >> 56);
  }
  return chunk;
}

TEST_P(SslSoakTest, MuchDataBothWaysAtOnceUnderChangingKeys) {
  const uint64_t total = IsSoak() ? uint64_t{1} << 30 : uint64_t{24} << 20;
  constexpr size_t kChunk = 64 * 1024;
  Options server = OptionsFor(Role::kServer), client = OptionsFor(Role::kClient);
  const int renewals = IsSoak() ? 150 : 50;
  server.traffic.key_update_at = client.traffic.key_update_at = total / renewals;
  server.traffic.renegotiate_at = client.traffic.renegotiate_at = total / 16384 / renewals;
  std::atomic<int> keys = 0;
  client.traffic.keylog = [&](std::string_view) { ++keys; };
  ListenAt();
  auto accepted = std::async(std::launch::async, [&] {
    return ssl_->Handshake(*listener_->TransportAccept(kPatience), server);
  });
  auto near = ssl_->Connect("127.0.0.1", listener_->port(), client);
  auto far = accepted.get();
  ASSERT_TRUE(near.ok() && far.ok()) << near.status() << far.status();
  const auto send = [&](SslSocket* socket, uint64_t seed) {
    for (uint64_t at = 0; at < total; at += kChunk) {
      const absl::Status sent = socket->Send(Chunk(at, kChunk, seed));
      ASSERT_TRUE(sent.ok()) << sent << " at " << at;
    }
  };
  const auto receive = [&](SslSocket* socket, uint64_t seed) {
    for (uint64_t at = 0; at < total; at += kChunk) {
      auto bytes = socket->Recv(kChunk, kPatience);
      ASSERT_TRUE(bytes.ok()) << bytes.status() << " at " << at;
      ASSERT_TRUE(bytes->text() == Chunk(at, kChunk, seed)) << "other bytes at " << at;
    }
  };
  std::vector<std::thread> threads;
  threads.emplace_back(send, near->get(), 1);
  threads.emplace_back(send, far->get(), 2);
  threads.emplace_back(receive, near->get(), 2);
  threads.emplace_back(receive, far->get(), 1);
  for (std::thread& thread : threads) thread.join();
  EXPECT_GE(keys, renewals * 2 / 3);
}

}  // namespace
}  // namespace noded::tls
