// Much data both ways at once across many key changes: 16 MiB each way with 100 of them; 1 GiB each
// way when NODED_SOAK is set.
#include <array>
#include <cstdlib>
#include <random>

#include <gtest/gtest.h>

#include "mbedtls/sha256.h"

#include "tests/testlib/test_certs.h"
#include "tls/engine_pair.h"

namespace noded::tls {
namespace {

using testlib::CertFiles;
using testlib::TestCerts;

constexpr int kChanges = 100;

uint64_t Total() {
  return std::getenv("NODED_SOAK") != nullptr ? uint64_t{1} << 30 : uint64_t{16} << 20;
}

class Sum {
 public:
  Sum() {
    mbedtls_sha256_init(&context_);
    EXPECT_EQ(mbedtls_sha256_starts(&context_, 0), 0);
  }
  ~Sum() { mbedtls_sha256_free(&context_); }
  void Add(base::ByteView bytes) {
    EXPECT_EQ(mbedtls_sha256_update(&context_, bytes.data(), bytes.size()), 0);
    size_ += bytes.size();
  }
  std::string Text() {
    std::array<uint8_t, 32> digest;
    EXPECT_EQ(mbedtls_sha256_finish(&context_, digest.data()), 0);
    return base::ToHex(digest);
  }
  uint64_t size() const { return size_; }

 private:
  mbedtls_sha256_context context_;
  uint64_t size_ = 0;
};

// One direction: what was written, what has come.
struct Flow {
  Sum written;
  Sum read;
};

class SoakTest : public testing::TestWithParam<Version> {
 protected:
  // Writes pieces of uneven sizes both ways, and changes keys as it goes, by turns from each side.
  void Run() {
    TestCerts certs;
    const CertFiles a = certs.Node("a@a.example"), b = certs.Node("b@b.example");
    Options server = Mutual(certs, b, Role::kServer), client = Mutual(certs, a, Role::kClient);
    Only(server, GetParam());
    Only(client, GetParam());
    Pair pair(server, client);
    Carry(pair.client, pair.server);
    ASSERT_TRUE(pair.client.info) << pair.client.error;

    Flow to_server, to_client;
    std::mt19937 random(1);
    const uint64_t total = Total(), between = total / kChanges;
    int changes = 0;
    while (to_server.written.size() < total || to_client.written.size() < total) {
      Write(pair.client, to_server, random, total);
      Write(pair.server, to_client, random, total);
      if (to_server.written.size() >= between * changes && changes < kChanges + 4) {
        Side& one = changes % 2 == 0 ? pair.client : pair.server;
        ASSERT_TRUE((GetParam() == Version::kTls13 ? one.engine.UpdateKeys(changes % 3 != 0)
                                                   : one.engine.Renegotiate())
                        .ok());
        ++changes;
      }
      // Out of step: what one has under way meets what the other started.
      Move(pair.client, pair.server, random);
      Move(pair.server, pair.client, random);
      Take(pair.client, to_client);
      Take(pair.server, to_server);
      ASSERT_TRUE(pair.client.error.ok() && pair.server.error.ok())
          << pair.client.error << pair.server.error;
    }
    Carry(pair.client, pair.server);
    Take(pair.client, to_client);
    Take(pair.server, to_server);
    EXPECT_GE(changes, kChanges);
    EXPECT_GE(pair.client.renegotiated, GetParam() == Version::kTls12 ? kChanges : 0);
    EXPECT_EQ(to_server.read.size(), total);
    EXPECT_EQ(to_client.read.size(), total);
    EXPECT_EQ(to_server.read.Text(), to_server.written.Text());
    EXPECT_EQ(to_client.read.Text(), to_client.written.Text());
  }

  static void Write(Side& side, Flow& flow, std::mt19937& random, uint64_t total) {
    if (side.engine.held_bytes() > 0) return;
    const size_t size = std::min<uint64_t>(1 + random() % 70'000, total - flow.written.size());
    std::vector<uint8_t> bytes(size);
    for (size_t i = 0; i < size; i += 61) bytes[i] = static_cast<uint8_t>(random());
    flow.written.Add(bytes);
    base::Buffer buffer;
    buffer.Append(base::Slice(std::move(bytes)));
    ASSERT_TRUE(side.engine.Write(std::move(buffer)).ok());
  }

  static void Move(Side& from, Side& to, std::mt19937& random) {
    const base::Slice bytes = from.engine.TakeOutput().ToSlice();
    const size_t cut = bytes.empty() ? 0 : random() % bytes.size();
    to.engine.Feed(bytes.Sub(0, cut));
    to.Run();
    to.engine.Feed(bytes.Sub(cut));
    to.Run();
  }

  static void Take(Side& side, Flow& flow) {
    flow.read.Add(base::AsBytes(side.received));
    side.received.clear();
  }
};

INSTANTIATE_TEST_SUITE_P(Versions, SoakTest, testing::Values(Version::kTls12, Version::kTls13),
                         [](const auto& info) {
                           return info.param == Version::kTls12 ? "Renegotiations" : "KeyUpdates";
                         });

TEST_P(SoakTest, NothingIsLostOrReordered) { Run(); }

}  // namespace
}  // namespace noded::tls
